"""Checks a generated text, sentence by sentence, against the abstracts it cites.

Goes in: text with markers, the numbered sources. Comes out: the text with markers that hold,
citations with the quoted evidence, and what was found wrong. A sentence is supported if its
figures stand in the abstracts it cites and these hold most of its terms. That is a check of
topic and figures; it cannot see a negation or a swapped name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from assistant.answer import Citation
from assistant.answering.base import Source, cite
from assistant.evidence import Evidence
from assistant.plain import CLOSING, OPENING, visible, without_markup
from index.sentences import sentence_spans

_MARKERS = re.compile(r"\s*\[(\d+(?:\s*,\s*\d+)*)\]")
_SPELLED = re.compile(
    rf"[{re.escape(OPENING)}]\s*(?:sources?\s*)?(\d+(?:\s*(?:,|;|-|–|&|and)\s*(?:sources?\s*)?\d+)*)\s*"
    rf"(?:†[^\[【\]】]{{0,80}})?[{re.escape(CLOSING)}]",
    re.IGNORECASE,
)
"""Other ways in which models write markers: `[Source 1]`, `[1-3]`, `【2†L5】`, and those that only look like one: `⟦1⟧`."""
_HALF = re.compile(rf"\s*[{re.escape(OPENING)}](?:[\d\s,;&–-]|sources?|and)*$", re.IGNORECASE)
"""A marker that was cut off."""
_RANGE = re.compile(r"(\d+)\s*[-–]\s*(\d+)")
_LONGEST_RANGE = 20
_LEADING = re.compile(r"(?:\s*\[\d+(?:\s*,\s*\d+)*\])+")
_LABEL = re.compile(r"^\s*\(?\d{1,2}[.):]\s+")
"""The number of a list's item, which is no figure."""
_FIGURE = re.compile(r"\d+(?:[.,]\d+)*")
_HELD_SHARE = 0.5
"""Of a sentence's terms, the part that its abstracts must hold to support it."""
_PART_SHARE = 0.3
"""The part that each must hold where several are cited."""

UNSUPPORTED = "(not supported by the papers)"
"""Stands after every sentence that failed the check."""

TermsIn = Callable[[str], set[str]]


@dataclass(frozen=True)
class Checked:
    """A generated text after the check."""

    text: str
    citations: tuple[Citation, ...]
    warnings: tuple[str, ...]


def check(text: str, sources: Sequence[Source], terms_in: TermsIn) -> Checked:
    """The text with only markers that hold, numbered by first use, and its citations."""
    order: dict[int, int] = {}
    citations: list[Citation] = []
    lines, unknown, unsupported = [], 0, 0
    plain, removed = without_markup(_SPELLED.sub(_plain_marker, visible(text)))
    for line in _HALF.sub("", plain.strip()).splitlines():
        said = []
        for sentence, numbers in _sentences(line):
            known = list(dict.fromkeys(number for number in numbers if 1 <= number <= len(sources)))
            unknown += sum(not 1 <= number <= len(sources) for number in numbers)
            if not known:
                known = _rests_on(sentence, sources, terms_in)
            supported = _supported(sentence, [sources[number - 1] for number in known], terms_in)
            unsupported += not any(supported)
            for number, holds in zip(known, supported, strict=True):
                marker = order.setdefault(number, len(order) + 1)
                citations.append(cite(_nearest(sentence, sources[number - 1], terms_in), marker, holds))
            doubt = () if any(supported) else (UNSUPPORTED,)
            said.append(" ".join([sentence, *(f"[{order[number]}]" for number in known), *doubt]))
        lines.append(" ".join(said))
    warnings = []
    if unknown:
        warnings.append(f"{unknown} marker(s) named no source and were removed")
    if removed:
        warnings.append(f"{removed} link(s) or tag(s) in the LLM's text were removed")
    if unsupported:
        warnings.append(f"{unsupported} sentence(s) are not supported by the abstracts: read them with care")
    return Checked("\n".join(lines), tuple(dict.fromkeys(citations)), tuple(warnings))


def figures(text: str) -> set[str]:
    """The figures of a text, thousands commas gone."""
    return {figure.replace(",", "") for figure in _FIGURE.findall(text)}


def _plain_marker(spelled: re.Match[str]) -> str:
    """The marker as `[1, 2, 3]`."""

    def whole(ends: re.Match[str]) -> str:
        first, last = _number(ends[1]), _number(ends[2])
        return ", ".join(map(str, range(first, last + 1))) if first < last < first + _LONGEST_RANGE else f"{first}, {last}"

    numbers = re.findall(r"\d+", _RANGE.sub(whole, spelled[1]))
    return f"[{', '.join(numbers)}]"


def _number(digits: str) -> int:
    """The number; one too long for any source stays too large."""
    return int(digits[:9])


def _sentences(line: str) -> list[tuple[str, list[int]]]:
    """Each sentence without its markers, and their numbers; markers after the stop are its own."""
    pieces: list[str] = []
    for start, end in sentence_spans(line):
        piece = line[start:end]
        if pieces and (leading := _LEADING.match(piece)):
            pieces[-1] += leading[0]
            piece = piece[leading.end() :].strip()
        if piece:
            pieces.append(piece)
    found = []
    for piece in pieces:
        numbers = [_number(number) for marker in _MARKERS.findall(piece) for number in marker.split(",")]
        found.append((_MARKERS.sub("", piece).strip(), numbers))
    return [(sentence, numbers) for sentence, numbers in found if sentence]


def _supported(sentence: str, cited: Sequence[Source], terms_in: TermsIn) -> list[bool]:
    """For each cited source whether it supports the sentence: what several are cited for, they hold together."""
    held = [f"{source.paper.display_title} {source.paper.abstract}" for source in cited]
    together = " ".join(held)
    if not figures(_LABEL.sub("", sentence)) <= figures(together) or _share(sentence, together, terms_in) < _HELD_SHARE:
        return [False] * len(cited)
    least = _HELD_SHARE if len(cited) == 1 else _PART_SHARE
    return [_share(sentence, text, terms_in) >= least for text in held]


def _rests_on(sentence: str, sources: Sequence[Source], terms_in: TermsIn) -> list[int]:
    """The source that supports an uncited sentence best, if one does."""
    shares = [
        (_share(sentence, source.paper.abstract, terms_in), -number)
        for number, source in enumerate(sources, 1)
        if all(_supported(sentence, [source], terms_in))
    ]
    return [-max(shares)[1]] if shares else []


def _nearest(sentence: str, source: Source, terms_in: TermsIn) -> Evidence:
    """The abstract's sentence that holds most of what was said."""
    best = max(source.sentences, key=lambda one: (_share(sentence, one.text, terms_in), one.score))
    return replace(best, score=_share(sentence, best.text, terms_in))


def _share(sentence: str, text: str, terms_in: TermsIn) -> float:
    terms = {term for term in terms_in(sentence) if len(term) > 2 or term.isdigit()}
    return len(terms & terms_in(text)) / len(terms) if terms else 0.0
