"""Asks an LLM, with bounded patience.

Goes in: any LlamaIndex `LLM` and messages. Comes out: its text, piece by piece, with what it
used so far; or one error that says what happened and what to do. Knows nothing of papers.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from assistant.answer import Usage
from assistant.errors import LLMFailedError
from assistant.llms.failures import BROKE_OFF, in_words, pause_before_retry
from assistant.llms.telling import told

if TYPE_CHECKING:
    from llama_index.core.llms import LLM, ChatMessage, ChatResponse


@dataclass(frozen=True)
class Patience:
    """How much trouble to take over one answer."""

    retries: int = 2
    """Further tries where the server says that it is busy or broken, before any text came."""
    pause_seconds: float = 0.5
    """Before the first retry, doubled for each; a server's own Retry-After goes before."""
    longest_seconds: float = 300.0
    """For the whole answer."""


@dataclass(frozen=True)
class Piece:
    """A piece of an LLM's text, as it came."""

    delta: str
    usage: Usage
    """So far."""
    cut: bool = False
    """The LLM reached its length limit here."""


def ask(llm: LLM, name: str, messages: Sequence[ChatMessage], patience: Patience) -> Generator[Piece, None, None]:
    """The pieces of the answer. Closing the iterator ends the request.

    Raises `LLMFailedError` with a plain line, whatever the LLM's client raised.
    """
    deadline = time.monotonic() + patience.longest_seconds
    usage = Usage()
    while True:
        started = finished = False
        try:
            for piece in _pieces(llm, messages, usage):
                started, usage = True, piece.usage
                yield piece
                if time.monotonic() > deadline:
                    raise _EndlessError
            finished = True
            return
        except Exception as error:  # clients raise what they like; it is translated here, at the edge
            pause = None if started else pause_before_retry(error, usage.retries, patience.pause_seconds)
            if pause is None or usage.retries >= patience.retries:
                raise _failed(name, error, usage, patience) from error
        finally:
            if started and not finished:
                gc.collect()  # clients close a connection with its stream, which often is a reference cycle
        time.sleep(pause)
        usage = replace(usage, retries=usage.retries + 1)


class _EndlessError(Exception):
    """The answer takes too long as a whole."""


class _BrokenOffError(Exception):
    """The stream ended without saying that it was finished."""


def _failed(name: str, error: Exception, usage: Usage, patience: Patience) -> LLMFailedError:
    if isinstance(error, _EndlessError):
        what, advice = f"was not done after {patience.longest_seconds:g} seconds", "take a faster model, or raise llm_timeout"
    elif isinstance(error, _BrokenOffError):
        what, advice = BROKE_OFF
    else:
        what, advice = in_words(error, name)
    tried = f", after {usage.retries} retries too" if usage.retries else ""
    return LLMFailedError(f"{name} {what}{tried}: {advice}", usage)


def _pieces(llm: LLM, messages: Sequence[ChatMessage], usage: Usage) -> Iterator[Piece]:
    ended: str | None = None
    tells_end = False
    for response in _responses(llm, messages):
        said = told(response)
        tells_end, ended = tells_end or said.tells_end, said.ended or ended
        if said.prompt_tokens is not None:
            usage = replace(usage, prompt_tokens=said.prompt_tokens)
        if said.completion_tokens is not None:
            usage = replace(usage, completion_tokens=said.completion_tokens)
        yield Piece(said.delta, usage, cut=said.cut)
    if tells_end and ended is None:
        raise _BrokenOffError


def _responses(llm: LLM, messages: Sequence[ChatMessage]) -> Iterator[ChatResponse]:
    """The stream; the whole answer in one piece from an LLM that cannot stream."""
    try:
        yield from llm.stream_chat(messages)
    except NotImplementedError:
        whole = llm.chat(messages)
        yield whole.model_copy(update={"delta": whole.message.content})
