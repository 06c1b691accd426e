"""Answers by an LLM, streamed, then checked against the sources."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from assistant.answer import Reset, Usage
from assistant.answering.base import Draft, Request
from assistant.answering.prompt import build_prompt
from assistant.answering.screen import Screen, declines
from assistant.citations import TermsIn, check
from assistant.errors import LLMFailedError
from assistant.llms.asking import Patience, ask

if TYPE_CHECKING:
    from llama_index.core.llms import LLM

_LEAST_ANSWER_TOKENS = 400
_MOST_CHARACTERS = 6000
"""Of an answer: a model that does not stop is stopped."""
_MOST_THOUGHTS = 60_000
"""Characters of an answer and the thoughts before it."""


@dataclass(frozen=True)
class Writer:
    """An LLM that writes answers."""

    llm: LLM
    name: str
    patience: Patience


def generate(writer: Writer, request: Request, terms_in: TermsIn) -> Iterator[str | Reset | Draft]:
    """Pieces of provisional text, then the checked draft.

    Raises `LLMFailedError` with a plain line on what happened and what was used, whatever the
    LLM's client raised.
    """
    from llama_index.core.llms import ChatMessage

    instructions, rest, used = build_prompt(request, *_room(writer.llm))
    if not used:
        raise LLMFailedError(f"{writer.name} has too small a context for even one paper: raise llm_context, or take another LLM")
    messages = [ChatMessage(role="system", content=instructions), ChatMessage(role="user", content=rest)]
    screen, usage, cut = Screen(), Usage(), False
    with closing(ask(writer.llm, writer.name, messages, writer.patience)) as pieces:
        for piece in pieces:
            usage, cut = piece.usage, cut or piece.cut
            yield from screen.push(piece.delta)
            if len(screen.said) > _MOST_CHARACTERS or screen.length > _MOST_THOUGHTS:
                raise LLMFailedError(f"{writer.name} did not stop after {screen.length:,} characters: take another LLM", usage)
    draft = replace(_draft(screen, writer.name, request, used, terms_in, usage), usage=usage)
    if cut:
        draft = replace(draft, warnings=(*draft.warnings, f"{writer.name} was cut off at its length limit"))
    yield draft


def _draft(screen: Screen, name: str, request: Request, used: int, terms_in: TermsIn, usage: Usage) -> Draft:
    """What was said, checked."""
    text = screen.finish()
    if not text:
        what = "only thought and gave no answer" if screen.thought else "gave an empty answer"
        raise LLMFailedError(f"{name} {what}: check the model and its address, which usually ends in /v1", usage)
    if declines(text):
        return Draft("", (), answered=False, reason=f"{name} found no answer in the {used} nearest papers")
    checked = check(text, request.sources[:used], terms_in)
    if not any(citation.supported for citation in checked.citations):
        raise LLMFailedError(f"nothing that {name} said is supported by the papers", usage)
    warnings = checked.warnings
    if used < len(request.sources):
        left_out = len(request.sources) - used
        warnings += (f"{left_out} of {len(request.sources)} papers did not fit the LLM's context and were left out",)
    return Draft(checked.text, checked.citations, warnings=warnings)


def _room(llm: LLM) -> tuple[int, int]:
    """(context, answer) in tokens: what an LLM tells of itself, the answer at most half."""
    context = llm.metadata.context_window
    return context, min(max(_LEAST_ANSWER_TOKENS, llm.metadata.num_output), context // 2)
