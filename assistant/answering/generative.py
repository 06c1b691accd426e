"""Answers by an LLM, streamed, then checked against the sources."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from assistant.answer import Usage
from assistant.answering.base import Draft, Request
from assistant.answering.prompt import NO_ANSWER, build_prompt
from assistant.citations import MarkerBuffer, TermsIn, check
from assistant.errors import LLMFailedError

if TYPE_CHECKING:
    from llama_index.core.llms import LLM, ChatResponse

_ANSWER_TOKENS = 400
_MOST_CHARACTERS = 6000
"""Of an answer: a model that does not stop is stopped."""
_THINKING = re.compile(r"<think>.*?(?:</think>|$)\s*", re.DOTALL)


def generate(llm: LLM, name: str, request: Request, terms_in: TermsIn) -> Iterator[str | Draft]:
    """Pieces of provisional text, then the checked draft.

    Raises `LLMFailedError` with a plain line on what happened, whatever the LLM's client raised.
    """
    from llama_index.core.llms import ChatMessage

    instructions, rest, used = build_prompt(request, llm.metadata.context_window, _ANSWER_TOKENS)
    messages = [ChatMessage(role="system", content=instructions), ChatMessage(role="user", content=rest)]
    buffer, text, pushed, usage = MarkerBuffer(), "", 0, Usage()
    try:
        for response in llm.stream_chat(messages):
            usage = _usage(response) or usage
            text += response.delta or ""
            if len(text) > _MOST_CHARACTERS:
                raise LLMFailedError(f"{name} did not stop after {_MOST_CHARACTERS:,} characters")
            visible = _THINKING.sub("", text)
            if not _may_decline(visible) and not "<think>".startswith(visible):
                if shown := buffer.push(visible[pushed:]):
                    yield shown
                pushed = len(visible)
    except LLMFailedError:
        raise
    except Exception as error:  # clients raise what they like; it is translated here, at the edge
        raise LLMFailedError(f"{name} failed ({_in_short(error)})") from error
    text = _THINKING.sub("", text).strip()
    if not text:
        raise LLMFailedError(f"{name} gave an empty answer")
    if _may_decline(text):
        reason = f"{name} found no answer in the {used} nearest papers"
        yield Draft("", (), answered=False, reason=reason, usage=usage)
        return
    checked = check(text, request.sources[:used], terms_in)
    if not any(citation.supported for citation in checked.citations):
        raise LLMFailedError(f"nothing that {name} said is supported by the papers")
    warnings = checked.warnings
    if used < len(request.sources):
        warnings += (f"{len(request.sources) - used} of {len(request.sources)} papers did not fit the model's context",)
    yield Draft(checked.text, checked.citations, warnings=warnings, usage=usage)


def _may_decline(text: str) -> bool:
    """Whether the text so far is, or may become, the agreed way to decline."""
    said = text.strip().strip(".\"'*").upper()
    return NO_ANSWER.startswith(said) or said.startswith(NO_ANSWER)


def _usage(response: ChatResponse) -> Usage | None:
    counts = response.additional_kwargs or {}
    if "prompt_tokens" not in counts:
        return None
    return Usage(prompt_tokens=counts["prompt_tokens"], completion_tokens=counts.get("completion_tokens"))


def _in_short(error: BaseException) -> str:
    """The error in one short line, its deepest cause beside it where that says more."""
    cause = error
    while (deeper := cause.__cause__ or cause.__context__) is not None:
        cause = deeper
    said = " ".join(str(error).split()) or type(error).__name__
    deepest = " ".join(str(cause).split())
    return (said if cause is error or not deepest or deepest in said else f"{said}: {deepest}")[:200]
