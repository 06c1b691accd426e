"""Checks a generated text, sentence by sentence, against the abstracts it cites.

Goes in: text with markers, the numbered sources. Comes out: the text with markers that hold,
citations with the quoted evidence, and what was found wrong. Whether papers support a sentence
is for `assistant.checking` to say; this knows markers, sentences and quotes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from assistant.answer import Citation
from assistant.answering.base import Source, cite
from assistant.checking import Checker, Text, shipped
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
_STARS = re.compile(r"[*_`#]+")
"""What a model's Markdown puts around words."""

UNSUPPORTED = "(not supported by the papers)"
"""Stands after every sentence that failed the check."""

TermsIn = Callable[[str], set[str]]


@dataclass(frozen=True)
class Checked:
    """A generated text after the check."""

    text: str
    citations: tuple[Citation, ...]
    warnings: tuple[str, ...]


def check(text: str, sources: Sequence[Source], terms_in: TermsIn, checker: Checker | None = None) -> Checked:
    """The text with only markers that hold, numbered by first use, and its citations.

    `checker`: by default the one that the package carries.
    """
    checker = checker or shipped()
    papers = [_text(source) for source in sources]
    order: dict[int, int] = {}
    citations: list[Citation] = []
    lines, unknown, unsupported, sentences = [], 0, 0, 0
    plain, removed = without_markup(_SPELLED.sub(_plain_marker, visible(text)))
    for line in _HALF.sub("", plain.strip()).splitlines():
        said = []
        for sentence, numbers in _sentences(line):
            known = list(dict.fromkeys(number for number in numbers if 1 <= number <= len(sources)))
            unknown += sum(not 1 <= number <= len(sources) for number in numbers)
            if not known:
                best = checker.best(_claim(sentence), papers)
                known = [] if best is None else [best + 1]
            supported = checker.check(_claim(sentence), [papers[number - 1] for number in known]).holds
            unsupported += not any(supported)
            sentences += 1
            for number, holds in zip(known, supported, strict=True):
                marker = order.setdefault(number, len(order) + 1)
                citations.append(cite(_nearest(sentence, sources[number - 1], terms_in), marker, holds))
            doubt = () if any(supported) else (UNSUPPORTED,)
            said.append(" ".join([sentence, *(f"[{order[number]}]" for number in known), *doubt]))
        lines.append(" ".join(said))
    warnings = [f"{checker.fault}. Until then, sentences are checked by rules alone"] if checker.fault else []
    if unknown:
        warnings.append(f"{_counted(unknown, 'marker')} named no source and {_were(unknown)} removed")
    if removed:
        warnings.append(f"{_counted(removed, 'link or tag', 'links or tags')} in the LLM's text {_were(removed)} removed")
    if unsupported:
        are, they = ("is", "it is") if unsupported == 1 else ("are", "they are")
        warnings.append(f"{unsupported} of {_counted(sentences, 'sentence')} {are} not supported by the papers: {they} marked")
    return Checked("\n".join(lines), tuple(dict.fromkeys(citations)), tuple(warnings))


def doubted(line: str) -> list[tuple[str, bool]]:
    """A checked line in parts, in order: each with its markers, and whether it is a sentence that failed the check."""
    *marked, rest = line.split(UNSUPPORTED)
    parts = []
    for part in marked:
        blank = _MARKERS.sub(lambda marker: " " * len(marker[0]), part)
        start = sentence_spans(blank)[-1][0] if blank.strip() else 0
        parts += [(part[:start], False), (part[start:].rstrip(), True)]
    return [(part, doubt) for part, doubt in [*parts, (rest, False)] if part.strip()]


def _counted(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def _were(number: int) -> str:
    return "was" if number == 1 else "were"


def _text(source: Source) -> Text:
    """The paper as it is checked against: its sentences in their order."""
    abstract = source.paper.abstract
    return Text(source.paper.display_title, tuple(abstract[start:end] for start, end in sentence_spans(abstract)))


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


def _claim(sentence: str) -> str:
    """What a sentence says, without its number in a list and without Markdown."""
    return _STARS.sub("", _LABEL.sub("", sentence)).strip()


def _nearest(sentence: str, source: Source, terms_in: TermsIn) -> Evidence:
    """The abstract's sentence that holds most of what was said."""
    best = max(source.sentences, key=lambda one: (_share(sentence, one.text, terms_in), one.score))
    return replace(best, score=_share(sentence, best.text, terms_in))


def _share(sentence: str, text: str, terms_in: TermsIn) -> float:
    terms = {term for term in terms_in(sentence) if len(term) > 2 or term.isdigit()}
    return len(terms & terms_in(text)) / len(terms) if terms else 0.0
