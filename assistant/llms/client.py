"""Asks an LLM, with bounded patience.

Goes in: any LlamaIndex `LLM` and messages. Comes out: its text, piece by piece, with what it
used so far; or one error that says what happened and what to do. Tokens are counted by the tokenizer
that the LLM brings, or estimated rather too high than too low; none is downloaded. Knows nothing of papers.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from assistant.answer import Usage
from assistant.errors import LLMFailedError, StoppedError
from assistant.llms.failures import BROKE_OFF, HUNG_UP, in_words, is_too_long, pause_before_retry, timed_out
from assistant.llms.stream import OverdueError, ResponsePart, Wait, responses

if TYPE_CHECKING:
    from llama_index.core.llms import LLM, ChatMessage


@dataclass(frozen=True)
class RetryPolicy:
    """How much trouble to take over one answer."""

    retries: int = 2
    """Further tries where the server says that it is busy or broken, before any text came."""
    pause_seconds: float = 0.5
    """Before the first retry, doubled for each; a server's own Retry-After goes before."""
    longest_seconds: float = 300.0
    """For the whole answer."""
    silence_seconds: float = 60.0
    """Before the first piece, and between two."""


@dataclass(frozen=True)
class Piece:
    """A piece of an LLM's text, as it came."""

    delta: str
    usage: Usage
    """So far; what the server has not told yet is estimated."""
    cut: bool = False
    """The LLM reached its length limit."""
    thought: bool = False
    """It has thought, in a field of its own."""
    tool: bool = False
    """It called a tool, of which it was given none."""


def ask(
    llm: LLM, name: str, messages: Sequence[ChatMessage], policy: RetryPolicy, stop: threading.Event | None = None
) -> Generator[Piece, None, None]:
    """The pieces of the answer. Closing the iterator, or setting `stop`, ends the request.

    Raises `LLMFailedError` with a plain line, whatever the LLM's client raised; `StoppedError`
    where it was stopped.
    """
    wait = Wait(policy.silence_seconds, time.monotonic() + policy.longest_seconds, stop or threading.Event())
    count = counter(llm)
    spent = _Spent(count, sum(count(message.content or "") for message in messages))
    while True:
        started = False
        try:
            for piece in _pieces(llm, messages, wait, spent):
                started = True
                yield piece
            return
        except StoppedError:
            raise
        except Exception as error:  # clients raise what they like; it is translated here, at the edge
            spent.end_try(counts=started or timed_out(error))
            pause = None if started else pause_before_retry(error, spent.retries, policy.pause_seconds)
            if pause is None or spent.retries >= policy.retries or time.monotonic() + pause > wait.deadline:
                raise _failed(name, error, spent, policy, started) from error
        if wait.stop.wait(pause):
            raise StoppedError("the answer was stopped")
        spent.retries += 1


def _pieces(llm: LLM, messages: Sequence[ChatMessage], wait: Wait, spent: _Spent) -> Iterator[Piece]:
    tells_end, ended, cut, thought, tool = False, None, False, False, False
    with closing(responses(llm, messages, wait)) as found:
        for told in found:
            tells_end, ended = tells_end or told.tells_end, told.ended or ended
            cut, thought, tool = cut or told.cut, thought or told.thought, tool or told.tool
            spent.note(told)
            if told.filtered:
                raise _FilteredError(told.ended)
            if told.failed:
                raise _BrokenOffError
            yield Piece(told.delta, spent.usage(), cut, thought, tool)
    if tells_end and ended is None:
        raise _BrokenOffError


class _BrokenOffError(Exception):
    """The stream ended without saying that it was finished."""


class _FilteredError(Exception):
    """The server's filter ended the answer."""


def _failed(name: str, error: Exception, spent: _Spent, policy: RetryPolicy, started: bool) -> LLMFailedError:
    if isinstance(error, OverdueError):
        what, advice = f"was not done after {policy.longest_seconds:g} seconds", "take a faster model, or raise llm_timeout"
    elif isinstance(error, _BrokenOffError):
        what, advice = BROKE_OFF
    elif isinstance(error, _FilteredError):
        what, advice = f"was stopped by its server's content filter ({error})", "ask in other words, or take another LLM"
    else:
        what, advice = in_words(error, name)
    if not started and (what, advice) == BROKE_OFF:
        what, advice = HUNG_UP
    tried = {0: "", 1: ", after a retry too"}.get(spent.retries, f", after {spent.retries} retries too")
    return LLMFailedError(f"{name} {what}{tried}: {advice}", spent.so_far(), is_too_long(error))


@dataclass
class _Spent:
    """What the tries of one question used: as the server tells it, else counted here."""

    count: Count
    asked: int
    """Tokens of the prompt, counted here."""
    retries: int = 0
    _earlier: Usage = field(default_factory=Usage)
    """Of the tries before this one."""
    _prompt: int | None = None
    _completion: int | None = None
    _said: int = 0
    """Tokens of the text so far, counted here."""

    def note(self, told: ResponsePart) -> None:
        """Adds a response of the present try."""
        self._said += self.count(told.delta) if told.delta else 0
        self._prompt = told.prompt_tokens if told.prompt_tokens is not None else self._prompt
        self._completion = told.completion_tokens if told.completion_tokens is not None else self._completion

    def usage(self) -> Usage:
        """Of all tries so far."""
        told = self._prompt is not None and self._completion is not None
        prompt = self._prompt if self._prompt is not None else self.asked
        completion = self._completion if self._completion is not None else self._said
        return self._earlier + Usage(prompt, completion, retries=self.retries, estimated=not told)

    def end_try(self, counts: bool) -> None:
        """The present try is over. `counts`: whether the server worked on it."""
        if counts:
            whole = self.usage()
            self._earlier = Usage(whole.prompt_tokens, whole.completion_tokens, estimated=whole.estimated)
        self._prompt, self._completion, self._said = None, None, 0

    def so_far(self) -> Usage:
        """Of the tries that are over."""
        return self._earlier + Usage(retries=self.retries)


Count = Callable[[str], int]

_WORDS = re.compile(r"[A-Za-z ]+")
_LETTERS_A_TOKEN = 3
"""Fewer than English has for any common tokenizer."""


def counter(llm: object) -> Count:
    """What counts tokens for this LLM."""
    encode = _own(llm)
    return estimate if encode is None else lambda text: len(encode(text))


def estimate(text: str) -> int:
    """At most so many tokens, for tokenizers that split digits and signs and know no script but Latin."""
    letters = sum(len(run) for run in _WORDS.findall(text))
    others = len(text.encode("utf-8", "replace")) - letters
    return -(-letters // _LETTERS_A_TOKEN) + others


def _own(llm: object) -> Callable[[str], Sequence[Any]] | None:
    """The encoder of an LLM that runs in this process, or that was given a tokenizer."""
    private: dict[str, Any] = getattr(llm, "__pydantic_private__", None) or {}
    for tokenizer in (private.get("_tokenizer"), getattr(llm, "tokenizer", None)):
        if encode := getattr(tokenizer, "encode", None):
            return None if isinstance(tokenizer, str) else encode
    tokenize = getattr(private.get("_model"), "tokenize", None)  # llama.cpp's, which takes bytes
    return None if tokenize is None else lambda text: tokenize(text.encode("utf-8", "replace"))
