"""What of a model's stream a reader is shown while it comes.

Goes in: pieces of text, cut anywhere. Comes out: text to show, or the word to throw away what
was shown. Thoughts (`<think>…</think>`) are left out, half a marker is held back, and so is
what may become the agreed way to decline. What was said in the end does not depend on where
the pieces were cut.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from assistant.answer import Reset
from assistant.answering.prompt import NO_ANSWER

_OPEN, _CLOSE = "<think>", "</think>"
_TAG = re.compile(f"{_OPEN}|{_CLOSE}")
_HALF_MARKER = re.compile(r"(?:[\[【](?:[^\[【\]】]{0,24}|[\d,\s]{25,}))+$")


class Screen:
    """One stream on its way to a reader."""

    def __init__(self) -> None:
        self.said = ""
        """All text so far but thoughts."""
        self.length = 0
        """Characters so far, thoughts included."""
        self.thought = False
        """Whether any of it was a thought."""
        self._pending = ""
        self._thinking = False
        self._shown = 0

    def push(self, delta: str) -> Iterator[str | Reset]:
        """What can be shown now that this piece has come."""
        self.length += len(delta)
        self._pending += delta
        while tag := _TAG.search(self._pending):
            self.thought = True
            before, self._pending = self._pending[: tag.start()], self._pending[tag.end() :]
            if self._thinking:
                self._thinking = tag[0] == _OPEN
            elif tag[0] == _OPEN:
                self._say(before)
                self._thinking = True
            else:  # some models close a thought that their prompt has opened
                if self._shown:
                    yield Reset("the model was only thinking")
                self.said, self._shown = "", 0
        held = 0 if self._thinking else _half_tag(self._pending)
        if not self._thinking:
            self._say(self._pending[: len(self._pending) - held])
        self._pending = self._pending[-held:] if held else self._pending[-len(_CLOSE) :] if self._thinking else ""
        if shown := self._showable():
            self._shown += len(shown)
            yield shown

    def finish(self) -> str:
        """All that was said, now that the stream has ended."""
        if not self._thinking:
            self._say(self._pending)
            self._pending = ""
        return self.said.strip()

    def _say(self, text: str) -> None:
        self.said += text if self.said else text.lstrip()

    def _showable(self) -> str:
        if may_decline(self.said):
            return ""
        half = _HALF_MARKER.search(self.said, self._shown)
        return self.said[self._shown : half.start() if half else None]


def may_decline(text: str) -> bool:
    """Whether the text so far is, or may become, the agreed way to decline."""
    said = _bare(text)
    return NO_ANSWER.startswith(said) or said.startswith(NO_ANSWER)


def declines(text: str) -> bool:
    """Whether a finished text declines: it starts or ends with the agreed words."""
    said = _bare(text)
    return said.startswith(NO_ANSWER) or said.endswith(NO_ANSWER)


def _bare(text: str) -> str:
    return text.strip(" \n\t.\"'*").upper()


def _half_tag(text: str) -> int:
    """How many characters at the end may be the start of a tag."""
    for length in range(min(len(text), len(_CLOSE) - 1), 0, -1):
        if _OPEN.startswith(text[-length:]) or _CLOSE.startswith(text[-length:]):
            return length
    return 0
