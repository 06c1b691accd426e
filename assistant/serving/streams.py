"""An answer's events for an asynchronous server, and how they are sent. Knows nothing of paths."""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from starlette.concurrency import iterate_in_threadpool

from assistant.answer import Answer, Done, Event
from assistant.errors import EmptyLibraryError, FilterError, QuestionError
from assistant.pipeline import Assistant
from assistant.query.conversation import Turn
from assistant.query.filters import Filters
from index import FormatError

EVENT_STREAM = "text/event-stream"
NO_STORE = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
FAILED = "the server failed on this request; its log says why"


async def events_of(assistant: Assistant, question: str, history: list[Turn], filters: Filters) -> AsyncGenerator[Event, None]:
    """The events of an answer's making, made in a thread. Closing this stops them, an LLM's request with them."""
    stop = threading.Event()
    made = assistant.stream(question, history, filters, stop)
    try:
        async for event in iterate_in_threadpool(made):
            yield event
    finally:
        stop.set()


def server_sent(data: Any, event: str | None = None) -> str:
    """One server-sent event."""
    return (f"event: {event}\n" if event else "") + f"data: {data if isinstance(data, str) else json.dumps(data)}\n\n"


def status_of(error: Exception) -> int:
    """The HTTP status of an error of ours."""
    if isinstance(error, QuestionError | FilterError | FormatError):
        return 422
    return 409 if isinstance(error, EmptyLibraryError) else 503


async def last_of(events: AsyncIterator[Event]) -> Answer:
    """The answer that the events end with."""
    async for event in events:
        if isinstance(event, Done):
            return event.answer
    raise AssertionError("a stream always ends with Done")
