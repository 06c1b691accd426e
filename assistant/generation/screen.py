"""What of a model's stream a reader is shown while it comes.

Goes in: pieces of text, cut anywhere. Comes out: text to show, or the word to throw away what was shown. Nothing is
shown before its first sentence is known to begin an answer (`begins`), since a thought, a call of a tool or a refusal
may come without any sign; where it does not, all is held back until the answer is whole. Hidden characters are left
out; half a marker is held back. What was said in the end does not depend on where the pieces were cut.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from assistant.answer import Reset
from assistant.generation.prompt import NO_ANSWER
from assistant.generation.thoughts import Thoughts
from assistant.sanitize import OPENING, visible
from index.sentences import sentence_spans

_WORDS_OF_MARKERS = r"(?:sources?|and|\^|(?:sourc|sour|sou|so|s|an|a)$)"
_HALF_MARKER = re.compile(
    rf"(?:[{re.escape(OPENING)}(](?:[\d\s,;&^{re.escape(OPENING)}–-]|{_WORDS_OF_MARKERS})*(?:†[^\]】]{{0,80}})?)+$", re.IGNORECASE
)
_TAIL = 2000
"""Characters in which a repetition is looked for."""
_LONGEST_SENTENCE = 800

Begins = Callable[[str], bool | None]
"""Whether a first sentence begins an answer; None where it is no more than a polite opening, so that the next one tells."""


class Screen:
    """One stream on its way to a reader."""

    def __init__(self, begins: Begins = lambda sentence: True) -> None:
        self.length = 0
        """Characters so far, thoughts included."""
        self.tail = ""
        """The last of them."""
        self._thoughts = Thoughts()
        self._begins = begins
        self._begun: bool | None = None
        """Whether an answer has begun; None where that is not known yet."""
        self._start = 0
        """Where the sentence is that will tell."""
        self._half = ""
        self._shown = 0
        self._restarts = 0

    @property
    def said(self) -> str:
        """All text so far but thoughts."""
        return self._thoughts.said

    @property
    def thought(self) -> bool:
        """Whether any of it was a thought."""
        return self._thoughts.thought

    @property
    def tool(self) -> bool:
        """Whether it called a tool in its text."""
        return self._thoughts.tool

    @property
    def shows(self) -> bool:
        """Whether a reader has seen any of it."""
        return self._shown > 0

    def push(self, delta: str) -> Iterator[str | Reset]:
        """What can be shown now that this piece has come."""
        delta = self._whole(delta)
        self.length += len(delta)
        self.tail = (self.tail + delta)[-_TAIL:]
        self._thoughts.push(delta)
        if self._restarts != self._thoughts.restarts:
            self._restarts = self._thoughts.restarts
            if self._shown:
                yield Reset("the model was only thinking")
            self._shown, self._start, self._begun = 0, 0, None
        if shown := self._showable():
            self._shown += len(shown)
            yield shown

    def finish(self) -> str:
        """All that was said, now that the stream has ended."""
        return self._thoughts.finish()

    def _whole(self, delta: str) -> str:
        """What can be seen of the piece; half of a character that was cut waits for the other."""
        delta = self._half + delta
        cut = bool(delta) and "\ud800" <= delta[-1] <= "\udbff"
        self._half = delta[-1] if cut else ""
        return visible(delta[:-1] if cut else delta)

    def _showable(self) -> str:
        if self._begun is None:
            self._begun = self._has_begun()
        if not self._begun or may_decline(self.said):
            return ""
        half = _HALF_MARKER.search(self.said, self._shown)
        return self.said[self._shown : half.start() if half else None]

    def _has_begun(self) -> bool | None:
        while True:
            rest = self.said[self._start :]
            spans = sentence_spans(rest)
            line = len(rest) - len(rest.lstrip()) + len(rest.lstrip().partition("\n")[0])
            if not rest.strip() or (len(spans) < 2 and line == len(rest) and len(rest) < _LONGEST_SENTENCE):
                return None  # the sentence is not whole yet
            end = min(spans[0][1], line)
            told = self._begins(rest[:end].strip())
            if told is not None:
                return told
            self._start += end


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
