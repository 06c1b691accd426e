from __future__ import annotations

import threading
from collections.abc import Generator

import pytest

from ui.polling import polled


def test_items_come_in_order_and_end() -> None:
    assert [item for item in polled((number for number in range(100)), 10) if item is not None] == list(range(100))


def test_a_silence_is_told_and_the_item_after_it_still_comes() -> None:
    speak = threading.Event()

    def slow() -> Generator[str, None, None]:
        speak.wait(30)
        yield "late"

    items = polled(slow(), 0.01)
    assert next(items) is None
    speak.set()
    assert [item for item in items if item] == ["late"]


def test_an_error_is_raised_after_what_came_before_it() -> None:
    def failing() -> Generator[int, None, None]:
        yield 1
        raise ValueError("no more")

    items = polled(failing(), 10)
    assert next(items) == 1
    with pytest.raises(ValueError, match="no more"):
        next(items)


def test_whoever_turns_away_is_not_held_and_the_items_are_closed() -> None:
    speak, closed = threading.Event(), threading.Event()

    def slow() -> Generator[int, None, None]:
        try:
            yield 1
            speak.wait(30)
            yield 2
            yield 3
        finally:
            closed.set()

    items = polled(slow(), 0.01)
    assert next(items) == 1
    assert next(items) is None
    items.close()
    assert not closed.is_set()
    speak.set()
    assert closed.wait(30)
