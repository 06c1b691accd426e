"""A request to an LLM, made in the background, so that whoever waits can leave at any moment.

Goes in: any LlamaIndex `LLM`, messages, how long to wait. Comes out: its responses as they come.
LLMs of a server are asked by their asynchronous client, whose request is cancelled, connection and
all, as soon as nobody waits for it: also where the server is silent. LLMs in this process are asked
in a thread, and stop at their next piece. What a response tells besides its text (counts, whether it
ended well) is looked for in the shapes of the providers' documented wire formats, for they agree on
none; what a server does not tell stays unknown. Knows nothing of what is asked.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextvars import copy_context
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from assistant.errors import StoppedError

if TYPE_CHECKING:
    from llama_index.core.llms import LLM, ChatMessage, ChatResponse

_PROMPT = ("prompt_tokens", "input_tokens", "prompt_eval_count")
_COMPLETION = ("completion_tokens", "output_tokens", "eval_count")
_CUT = frozenset({"length", "max_tokens", "model_length", "max_output_tokens", "token_limit"})
_FILTERED = frozenset(
    {
        "content_filter",
        "content_filtered",
        "safety",
        "recitation",
        "blocklist",
        "prohibited_content",
        "spii",
        "guardrail_intervened",
        "refusal",
        "sensitive",
    }
)
_FAILED = frozenset({"error", "abort", "aborted", "cancelled", "insufficient_system_resource", "network_error", "malformed_function_call"})
_TOOL = frozenset({"tool_calls", "tool_use", "function_call"})


@dataclass(frozen=True)
class ResponsePart:
    """One response."""

    delta: str
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    tells_end: bool = False
    """Whether this server says when an answer ends."""
    ended: str | None = None
    """Why the answer ended, in the server's word, where it did."""

    thought: bool = False
    """Whether it held a thought in a field of its own."""
    tool: bool = False
    """Whether it calls a tool."""

    @property
    def cut(self) -> bool:
        """Whether it ended at its length limit."""
        return (self.ended or "").lower() in _CUT

    @property
    def filtered(self) -> bool:
        """Whether a filter of the server's ended it."""
        return (self.ended or "").lower() in _FILTERED

    @property
    def failed(self) -> bool:
        """Whether it ended because something failed."""
        return (self.ended or "").lower() in _FAILED


def parse_response(response: ChatResponse) -> ResponsePart:
    """What a response tells."""
    holders = [response.additional_kwargs or {}, *_usages(response.raw)]
    tells_end, ended = _end(response.raw)
    more = response.additional_kwargs or {}
    thought = bool(more.get("thought") or more.get("thinking_delta"))
    tool = bool(more.get("tool") or more.get("tool_calls")) or (ended or "").lower() in _TOOL
    return ResponsePart(response.delta or "", _count(holders, _PROMPT), _count(holders, _COMPLETION), tells_end, ended, thought, tool)


def _usages(raw: Any) -> Iterator[Any]:
    """Where servers put their counts."""
    yield raw
    yield _get(raw, "usage")
    yield _get(_get(raw, "message"), "usage")


def _end(raw: Any) -> tuple[bool, str | None]:
    """(whether this server says when an answer ends, why it did)."""
    if choices := _get(raw, "choices"):
        return True, _word(_get(choices[0], "finish_reason"))
    if isinstance(done := _get(raw, "done"), bool):  # Ollama
        return True, (_word(_get(raw, "done_reason")) or "stop") if done else None
    if _get(raw, "type") in {"message_start", "content_block_start", "content_block_delta", "message_delta", "message_stop"}:  # Anthropic
        return True, _word(_get(_get(raw, "delta"), "stop_reason")) or ("stop" if _get(raw, "type") == "message_stop" else None)
    return False, None


def _count(holders: list[Any], names: tuple[str, ...]) -> int | None:
    for holder in holders:
        for name in names:
            if isinstance(count := _get(holder, name), int) and not isinstance(count, bool) and count >= 0:
                return count
    return None


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _get(holder: Any, name: str) -> Any:
    return holder.get(name) if isinstance(holder, Mapping) else getattr(holder, name, None)


_MOST_RESPONSES = 20_000
"""Of one request; a server that sends more does not mean to end."""
_LOOK_SECONDS = 0.05
"""How often a wait looks whether it was stopped."""


class SilentError(Exception):
    """Nothing came for too long."""


class OverdueError(Exception):
    """The answer as a whole takes too long."""


@dataclass(frozen=True)
class Wait:
    """How long to wait for a request."""

    silence_seconds: float
    """For the first response, and between two."""
    deadline: float
    """By `time.monotonic()`, for all of it."""
    stop: threading.Event
    """Set by whoever no longer wants the answer."""


@dataclass(frozen=True)
class _End:
    """After the last response."""

    error: BaseException | None = None


_Made = SimpleQueue[ResponsePart | _End]


def responses(llm: LLM, messages: Sequence[ChatMessage], wait: Wait) -> Generator[ResponsePart, None, None]:
    """The responses, each as soon as it is there. Closing this, or setting `wait.stop`, ends the request.

    Raises what the LLM's client raises, `SilentError`, `OverdueError`, or `StoppedError`.
    """
    made: _Made = SimpleQueue()
    end = _begin(llm, messages, made)
    try:
        while not isinstance(item := _next(made, wait), _End):
            yield item
    finally:
        end()
    if item.error is not None:
        raise item.error


def _next(made: _Made, wait: Wait) -> ResponsePart | _End:
    silent_until = time.monotonic() + wait.silence_seconds
    while True:
        if wait.stop.is_set():
            raise StoppedError("the answer was stopped")
        now = time.monotonic()
        if now >= wait.deadline:
            raise OverdueError
        if now >= silent_until:
            raise SilentError
        try:
            return made.get(timeout=min(_LOOK_SECONDS, wait.deadline - now, silent_until - now))
        except Empty:
            continue


def _begin(llm: LLM, messages: Sequence[ChatMessage], made: _Made) -> Callable[[], object]:
    """Starts the request; what it returns ends it."""
    from llama_index.core.llms import CustomLLM

    if isinstance(llm, CustomLLM):  # works in this process: its asynchronous methods would hold up the loop
        return _in_thread(llm, messages, made)
    return asyncio.run_coroutine_threadsafe(_asked(llm, messages, made), request_loop()).cancel


async def _asked(llm: LLM, messages: Sequence[ChatMessage], made: _Made) -> None:
    end = _End()
    try:
        count = 0
        async for response in await llm.astream_chat(messages):
            made.put(parse_response(response))
            count += 1
            if count >= _MOST_RESPONSES:
                raise OverdueError
    except NotImplementedError:  # by LLMs of other people's that only have synchronous methods
        _in_thread(llm, messages, made)
        return
    except Exception as error:  # noqa: BLE001 - handed on to whoever waits
        end = _End(error)
    made.put(end)


def _in_thread(llm: LLM, messages: Sequence[ChatMessage], made: _Made) -> Callable[[], object]:
    unwanted = threading.Event()

    def work() -> None:
        end = _End()
        try:
            for count, response in enumerate(_synchronous(llm, messages), 1):
                if unwanted.is_set():
                    return
                made.put(parse_response(response))
                if count >= _MOST_RESPONSES:
                    raise OverdueError
        except Exception as error:  # noqa: BLE001 - handed on to whoever waits
            end = _End(error)
        made.put(end)

    threading.Thread(target=copy_context().run, args=(work,), daemon=True, name="llm").start()
    return unwanted.set


def _synchronous(llm: LLM, messages: Sequence[ChatMessage]) -> Iterator[ChatResponse]:
    """The stream; the whole answer in one piece from an LLM that cannot stream."""
    try:
        yield from llm.stream_chat(messages)
    except NotImplementedError:
        whole = llm.chat(messages)
        yield whole.model_copy(update={"delta": whole.message.content})


_starting = threading.Lock()
_started: list[asyncio.AbstractEventLoop] = []


def request_loop() -> asyncio.AbstractEventLoop:
    """The one loop of this process, in a thread of its own: asynchronous clients keep connections, which belong to a loop."""
    with _starting:
        if not _started:
            loop = asyncio.new_event_loop()
            threading.Thread(target=loop.run_forever, daemon=True, name="llm requests").start()
            _started.append(loop)
        return _started[0]
