"""What an answer's text says: the facts it holds, and whether its sentences rest on what they cite. Pure functions.

A fact is looked for with both sides normalised alike. Attribution is as ALCE asks (Gao et al. 2023): for each
marker, whether the citation behind it supports its statement. ALCE has a language model judge that;
here a citation supports where its quote really stands in the cited abstract, which the run looked
up itself, and the assistant's check of the sentence against the abstract held. How far that check
can be trusted is measured apart. Whether the answer is right is not seen by attribution at all: one that
copies a passage supports itself perfectly. So these figures stand beside harm and facts, never alone.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.answer import cells_of, is_row
from assistant.verification.citations import CONTRADICTED, UNSUPPORTED
from index.sentences import sentence_spans

_TIMES = re.compile(r"(?<=\d)\s*-?\s*(?:\\?times|×|fold|x)(?![a-z])")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")


def normalise(text: str) -> str:
    """Case, Unicode (NFKC), the signs for times and per cent, LaTeX braces, commas in figures."""
    text = unicodedata.normalize("NFKC", text).casefold().replace("\\%", "%")
    text = re.sub(r"[{}$]", "", text)
    text = _THOUSANDS.sub("", text)
    text = _TIMES.sub("x", text).replace("\\times", "x").replace("×", "x")
    return " ".join(text.split())


def contains(text: str, spellings: Sequence[str]) -> bool:
    """Whether one of the spellings stands in the text.

    No letter, digit or decimal point of a figure adjoins a match, but a trailing `x`, `s` or `%` may.
    """
    plain = normalise(text)
    return any(
        re.search(rf"(?<![^\W_])(?<!\d[.,]){re.escape(normalise(spelling))}[xs%]?(?![^\W_]|[.,]\d)", plain) is not None
        for spelling in spellings
        if spelling
    )


def share(text: str, facts: Sequence[Sequence[str]]) -> float:
    """The share of the facts that the text contains; there must be at least one."""
    return sum(contains(text, spellings) for spellings in facts) / len(facts)


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
    """The sentences of an answer, line by line; markers after the stop belong to the sentence before. Of a table, the cells that quote;
    a line that ends in a colon only heads what follows."""
    found: list[Statement] = []
    for line in _parts(answer):
        pieces: list[str] = []
        plain = line.removeprefix("- ").replace(UNSUPPORTED, f"[{_DOUBT}]").replace(CONTRADICTED, f"[{_DOUBT}]")
        for start, end in sentence_spans(plain):
            piece = plain[start:end]
            if pieces and (leading := _LEADING.match(piece)):
                pieces[-1] += leading[0]
                piece = piece[leading.end() :]
            if piece.strip():
                pieces.append(piece)
        found += map(_statement, pieces)
    return [one for one in found if one.text]


def _parts(answer: str) -> list[str]:
    """The lines of an answer that say something."""
    parts: list[str] = []
    for line in answer.splitlines():
        if is_row(line):
            parts += [cell for cell in cells_of(line)[1:] if _MARKERS.search(cell)]
        elif not line.endswith(":"):
            parts.append(line)
    return parts


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
