"""Whether an answer's sentences rest on what they cite, as ALCE asks (Gao et al. 2023). Pure functions.

Goes in: an answer's text with markers and its citations. Comes out: its statements, and for each
marker whether the citation behind it supports the statement. ALCE has a language model judge that;
here a citation supports where its quote really stands in the cited abstract, which the run looked
up itself, and the assistant's check of the sentence against the abstract held. How far that check
can be trusted is measured apart. Whether the answer is right is not seen here at all: one that
copies a passage supports itself perfectly. So these figures stand beside harm and facts, never alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.verification.citations import UNSUPPORTED
from index.sentences import sentence_spans

_MARKERS = re.compile(r"\[(\d+)\]")
_LEADING = re.compile(r"(?:\s*\[\d+\])+")
_WORD = re.compile(r"\w+")
_DOUBT = 0
"""Read as the marker of a sentence that the answer itself says is not supported; real markers begin at 1."""


@dataclass(frozen=True)
class Cited:
    """A citation of an answer, looked up."""

    marker: int
    title: str
    quote: str
    supported: bool
    """What the assistant says of it."""
    stands: bool
    """Whether the quote is in the cited paper's abstract, where the citation says."""

    @property
    def holds(self) -> bool:
        """Whether it supports what it is cited for."""
        return self.supported and self.stands


@dataclass(frozen=True)
class Statement:
    """A sentence of an answer with its markers."""

    text: str
    """Without them."""
    markers: tuple[int, ...]
    doubted: bool = False
    """Whether the answer itself says that the papers do not support it."""


def statements(answer: str) -> list[Statement]:
    """The sentences of an answer, line by line; markers after the stop belong to the sentence before."""
    found: list[Statement] = []
    for line in answer.splitlines():
        pieces: list[str] = []
        plain = line.removeprefix("- ").replace(UNSUPPORTED, f"[{_DOUBT}]")
        for start, end in sentence_spans(plain):
            piece = plain[start:end]
            if pieces and (leading := _LEADING.match(piece)):
                pieces[-1] += leading[0]
                piece = piece[leading.end() :]
            if piece.strip():
                pieces.append(piece)
        found += map(_statement, pieces)
    return [one for one in found if one.text]


def precision(answer: str, citations: Sequence[Cited]) -> float | None:
    """Share of the markers whose citation supports the sentence before them; None where there is no marker."""
    judged = [_holds(one, marker, citations) for one in statements(answer) for marker in one.markers]
    return sum(judged) / len(judged) if judged else None


def recall(answer: str, citations: Sequence[Cited]) -> float | None:
    """Share of the sentences that some citation of theirs supports; None where there is no sentence."""
    judged = [any(_holds(one, marker, citations) for marker in one.markers) for one in statements(answer)]
    return sum(judged) / len(judged) if judged else None


def _statement(piece: str) -> Statement:
    markers = dict.fromkeys(int(number) for number in _MARKERS.findall(piece))
    text = " ".join(_MARKERS.sub("", piece).split())
    return Statement(text, tuple(one for one in markers if one != _DOUBT), _DOUBT in markers)


def _holds(statement: Statement, marker: int, citations: Sequence[Cited]) -> bool:
    """Whether the citation behind a marker supports: of those that share it, the one that quotes most of the sentence."""
    own = [one for one in citations if one.marker == marker]
    if not own or statement.doubted:
        return False
    words = set(_WORD.findall(statement.text.casefold()))
    return max(own, key=lambda one: len(words & set(_WORD.findall(one.quote.casefold())))).holds
