"""What of a model's stream a reader is shown while it comes.

Goes in: pieces of text, cut anywhere. Comes out: text to show, or the word to throw away what
was shown. Thoughts (`<think>…</think>`), hidden characters and what follows a token of a chat
template are left out; half a marker is held back, and so is what may become the agreed way to
decline. What was said in the end does not depend on where the pieces were cut.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from assistant.answer import Reset
from assistant.answering.prompt import NO_ANSWER
from assistant.plain import OPENING, visible

_OPEN = frozenset({"<think>", "<thinking>"})
_TAG = re.compile(r"</?think(?:ing)?>|<\|[\w ]{1,40}\|>|</s>|\[/?INST\]|<</?SYS>>", re.IGNORECASE)
_HALF_TAG = re.compile(r"<(?:/|/?t\w{0,7}|/s|\|[\w ]{0,40}\|?|<(?:/?S?Y?S?>?)?)?$|\[(?:/?I?N?S?T?)$", re.IGNORECASE)
_WORDS_OF_MARKERS = r"(?:sources?|and|(?:sourc|sour|sou|so|s|an|a)$)"
_HALF_MARKER = re.compile(rf"(?:[{re.escape(OPENING)}](?:[\d\s,;&–-]|{_WORDS_OF_MARKERS})*(?:†[^\]】]{{0,80}})?)+$", re.IGNORECASE)
_TAIL = 2000
"""Characters in which a repetition is looked for."""


class Screen:
    """One stream on its way to a reader."""

    def __init__(self) -> None:
        self.said = ""
        """All text so far but thoughts."""
        self.length = 0
        """Characters so far, thoughts included."""
        self.tail = ""
        """The last of them."""
        self.thought = False
        """Whether any of it was a thought."""
        self._pending = ""
        self._half = ""
        self._thinking = False
        self._over = False
        self._shown = 0

    def push(self, delta: str) -> Iterator[str | Reset]:
        """What can be shown now that this piece has come."""
        delta = self._whole(delta)
        self.length += len(delta)
        self.tail = (self.tail + delta)[-_TAIL:]
        self._pending += "" if self._over else delta
        while tag := _TAG.search(self._pending):
            yield from self._at_tag(tag)
        half = _HALF_TAG.search(self._pending)
        place = half.start() if half else len(self._pending)
        if not self._thinking:
            self._say(self._pending[:place])
        self._pending = self._pending[place:]
        if shown := self._showable():
            self._shown += len(shown)
            yield shown

    def finish(self) -> str:
        """All that was said, now that the stream has ended."""
        if not self._thinking:
            self._say(self._pending)
        self._pending = ""
        return self.said.strip()

    def _at_tag(self, tag: re.Match[str]) -> Iterator[Reset]:
        before, after, name = self._pending[: tag.start()], self._pending[tag.end() :], tag[0].casefold()
        self._pending = after
        if "think" not in name:
            if not self._thinking:
                self._say(before)
                self._over, self._pending = bool(self.said), "" if self.said else after
            return
        self.thought = True
        if name in _OPEN:
            if not self._thinking:
                self._say(before)
            self._thinking = True
        elif self._thinking:
            self._thinking = False
        else:  # some models close a thought that their prompt has opened
            if self._shown:
                yield Reset("the model was only thinking")
            self.said, self._shown = "", 0

    def _whole(self, delta: str) -> str:
        """What can be seen of the piece; half of a character that was cut waits for the other."""
        delta = self._half + delta
        cut = bool(delta) and "\ud800" <= delta[-1] <= "\udbff"
        self._half = delta[-1] if cut else ""
        return visible(delta[:-1] if cut else delta)

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


def repeats(text: str) -> bool:
    """Whether a text ends in the same words again and again: six times where they are few, three times where they are many."""
    for length in range(1, len(text) // 3 + 1):
        times = 3 if length >= 60 else max(6, -(-120 // length))
        if times * length <= len(text) and text.endswith(text[-length:] * times) and not text[-length:].isspace():
            return True
    return False


def _bare(text: str) -> str:
    return text.strip(" \n\t.\"'*").upper()
