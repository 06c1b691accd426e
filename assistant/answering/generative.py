"""Answers by an LLM, streamed, then checked against the sources."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from assistant.answer import Reset, Usage
from assistant.answering.base import Draft, Request
from assistant.answering.condense import asking, condense
from assistant.answering.prompt import Prompt, build_prompt
from assistant.answering.screen import Screen, declines, repeats
from assistant.checking import shipped
from assistant.citations import TermsIn, check
from assistant.errors import LLMFailedError
from assistant.llms.asking import Patience, Piece, ask
from assistant.llms.failures import in_words
from assistant.llms.tokens import counter

if TYPE_CHECKING:
    from llama_index.core.llms import LLM

_LEAST_ANSWER_TOKENS = 400
_MOST_CHARACTERS = 6000
"""Of an answer: a model that does not stop is stopped."""
_MOST_THOUGHTS = 60_000
"""Characters of an answer and the thoughts before it."""
_STEP = 64
"""Characters after which a stream is looked at again, wherever its pieces end."""
_SMALLER = 2
"""How often a prompt that the server finds too long is tried with half the context."""


@dataclass(frozen=True)
class Writer:
    """An LLM that writes answers."""

    llm: LLM
    name: str
    patience: Patience


def generate(
    writer: Writer, request: Request, terms_in: TermsIn, stop: threading.Event | None = None
) -> Generator[str | Reset | Draft, None, None]:
    """Pieces of provisional text, then the checked draft. Setting `stop` ends it from any thread.

    Raises `LLMFailedError` with a plain line on what happened and what was used, whatever the
    LLM's client raised; `StoppedError` where it was stopped.
    """
    shipped().warm()
    stop = stop or threading.Event()
    usage, warnings = Usage(), []
    context, answer = _room(writer)
    if request.earlier:
        condensed = condense(writer.llm, writer.name, request, terms_in, writer.patience, stop)
        usage = condensed.usage
        if condensed.text is not None:
            if condensed.text.casefold() != request.question.text.casefold():
                warnings.append(f"read as “{condensed.text}”")
            request = asking(request, condensed.text)
    for smaller in range(_SMALLER + 1):
        prompt = build_prompt(request, context, min(answer, context // 2), counter(writer.llm))
        if not prompt.used:
            raise LLMFailedError(
                f"{writer.name} has too small a context for even one paper: raise llm_context in settings.toml, or take another LLM", usage
            )
        try:
            draft = yield from _written(writer, request, prompt, terms_in, stop)
        except LLMFailedError as error:
            usage += error.usage or Usage()
            if error.too_long and smaller < _SMALLER:
                context //= 2
                continue
            error.usage = usage
            raise
        yield replace(draft, usage=usage + (draft.usage or Usage()), warnings=(*warnings, *_fit(prompt, request), *draft.warnings))
        return


def _written(
    writer: Writer, request: Request, prompt: Prompt, terms_in: TermsIn, stop: threading.Event
) -> Generator[str | Reset, None, Draft]:
    """Streams the answer to one prompt, and returns it checked."""
    from llama_index.core.llms import ChatMessage

    messages = [ChatMessage(role="system", content=prompt.instructions), ChatMessage(role="user", content=prompt.rest)]
    screen, usage, cut = Screen(), Usage(), False
    with closing(ask(writer.llm, writer.name, messages, writer.patience, stop)) as pieces:
        for piece in pieces:
            usage, cut = piece.usage, cut or piece.cut
            for part in _steps(screen, piece):
                yield from screen.push(part)
                if trouble := _trouble(screen):
                    raise LLMFailedError(f"{writer.name} {trouble}: take another LLM", usage)
    if repeats(screen.tail):
        raise LLMFailedError(f"{writer.name} kept repeating itself: take another LLM", usage)
    draft = _draft(screen, writer.name, request, prompt.used, terms_in, usage)
    if cut:
        draft = replace(draft, warnings=(*draft.warnings, f"{writer.name} was cut off at its length limit"))
    return replace(draft, usage=usage)


def _steps(screen: Screen, piece: Piece) -> Iterator[str]:
    """The piece, cut where the stream is looked at: at the same places however it comes."""
    rest = piece.delta
    while rest:
        size = _STEP - screen.length % _STEP
        yield rest[:size]
        rest = rest[size:]


def _trouble(screen: Screen) -> str | None:
    """Why the stream is not worth waiting for any longer, if it is not."""
    if screen.length % _STEP:
        return None
    if len(screen.said) > _MOST_CHARACTERS or screen.length > _MOST_THOUGHTS:
        return f"did not stop after {screen.length:,} characters"
    return "kept repeating itself" if repeats(screen.tail) else None


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
    return Draft(checked.text, checked.citations, warnings=checked.warnings)


def _fit(prompt: Prompt, request: Request) -> Iterator[str]:
    """What did not fit the context."""
    if left_out := len(request.sources) - prompt.used:
        yield f"{left_out} of {len(request.sources)} papers did not fit the LLM's context and were left out"
    if prompt.shortened:
        yield "only a part of the first paper's abstract fitted the LLM's context"


def _room(writer: Writer) -> tuple[int, int]:
    """(context, answer) in tokens: what an LLM tells of itself, the answer at most half."""
    try:
        told = writer.llm.metadata
    except Exception as error:  # some clients know their own models only, and raise for others
        what, advice = in_words(error, writer.name)
        raise LLMFailedError(f"{writer.name} {what}: {advice}") from error
    return told.context_window, min(max(_LEAST_ANSWER_TOKENS, told.num_output), told.context_window // 2)
