"""Iterating with a pulse: over something slow, without being held by it.

Goes in: an iterator. Comes out: its items, and None whenever none came for a while. Gradio can
only end a generator that comes back to it, and while it waits for one it holds up all tabs; an
LLM may be silent for a minute. Knows nothing of questions.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")


def polled(items: Generator[T, None, None], seconds: float) -> Generator[T | None, None, None]:
    """The items, made in a thread; None after each silence of so many seconds.

    Raises what `items` raises. Closing this closes `items` as soon as it comes to its next item.
    """
    maker = _Maker(items)
    threading.Thread(target=maker.run, daemon=True).start()
    try:
        while True:
            try:
                item = maker.made.get(timeout=seconds)
            except Empty:
                yield None
                continue
            if isinstance(item, _End):
                break
            yield item
    finally:
        maker.unwanted = True
    if item.error:
        raise item.error


def called(work: Callable[[], T], seconds: float) -> Generator[T | None, None, None]:
    """None after each so many seconds, at last what `work`, done in a thread, returns. Raises what it raises.

    Closing this does not end the work.
    """

    def once() -> Generator[T, None, None]:
        yield work()

    yield from polled(once(), seconds)


@dataclass(frozen=True)
class _End:
    """After the last item."""

    error: Exception | None = None


class _Maker(Generic[T]):
    def __init__(self, items: Generator[T, None, None]) -> None:
        self._items = items
        self.made: SimpleQueue[T | _End] = SimpleQueue()
        self.unwanted = False

    def run(self) -> None:
        end = _End()
        try:
            with closing(self._items):
                for item in self._items:
                    if self.unwanted:
                        return
                    self.made.put(item)
        except Exception as error:  # noqa: BLE001 - handed on to whoever iterates
            end = _End(error)
        finally:
            self.made.put(end)
