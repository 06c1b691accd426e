"""Lines that questions wait in: so many are answered at once, the others in the order they came, each told how many are before it.

Quoting answers and an LLM's have lines of their own (`ui/reader.py`), so that none of the former waits for the latter. Gradio's own
limit of an event has one line for all that the event does, and tells a place in it only as an overlay on what is shown.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Line:
    """One line. Serves many threads."""

    def __init__(self, at_once: int) -> None:
        """`at_once`: how many may be beyond the line at a time."""
        self._at_once = at_once
        self._inside: list[Place] = []
        self._moved = threading.Condition()

    @contextmanager
    def place(self) -> Iterator[Place]:
        """A place at the end of the line, given back at last."""
        mine = Place(self)
        with self._moved:
            self._inside.append(mine)
        try:
            yield mine
        finally:
            with self._moved:
                self._inside.remove(mine)
                self._moved.notify_all()

    @property
    def is_busy(self) -> bool:
        """Whether whoever came now would have to wait."""
        with self._moved:
            return len(self._inside) >= self._at_once

    def _before(self, place: Place) -> int:
        return max(0, self._inside.index(place) - self._at_once + 1)


class Place:
    """A place in a line."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def wait(self, seconds: float) -> int:
        """How many must end before it is this one's turn: 0 where it is; waits until it is, or for so many seconds."""
        line = self._line
        with line._moved:
            line._moved.wait_for(lambda: not line._before(self), seconds)
            return line._before(self)
