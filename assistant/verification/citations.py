"""Checks a generated text, sentence by sentence, against the abstracts it cites.

Goes in: text with markers, the numbered sources. Comes out: the text with markers that hold,
citations with the quoted evidence, and what was found wrong. Whether papers support a sentence
is for `assistant.verification` to say; this knows markers, sentences and quotes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from assistant.answer import Citation
from assistant.evidence.selection import Evidence
from assistant.evidence.sources import Source, cite
from assistant.sanitize import OPENING, visible, without_markup
from assistant.verification.checker import LACKED_CITED, LACKED_FOUND, SUPPORTED_FROM, Text, Verdict, Verifier, shipped
from assistant.verification.checker import SUPPORTED_FROM_IN_ANSWERS as LEAST
from assistant.verification.dialogue_acts import COURTESY, DECLINE, STATEMENT, THOUGHT, ActOf
from assistant.verification.markers import MARKER, Cited, numbers_of, read_markers
from index.repair import repair
from index.sentences import sentence_spans

_MARKERS = re.compile(r"\s*\[(\d+(?:\s*,\s*\d+)*)\]")
_HALF = re.compile(rf"\s*[{re.escape(OPENING)}](?:[\d\s,;&^{re.escape(OPENING)}–-]|sources?|and)*$", re.IGNORECASE)
"""A marker that was cut off."""
_LEADING = re.compile(rf"(?:{MARKER.pattern})+")
_LABEL = re.compile(r"^\s*(?:\(?\d{1,2}[.):]|[-*•])\s+")
"""The number or bullet of a list's item, which is no part of what it says."""
_STARS = re.compile(r"[*_`#]+")
"""What a model's Markdown puts around words."""
_ANSWER_LABEL = re.compile(r"\A[\s*_#>]{0,8}(?:(?:final|short|direct) )?(?:answer|response)[*_ ]{0,4}:[*_ ]{0,4}\s*", re.IGNORECASE)
_EMPTIED = re.compile(r"\s*(?:\(\s*(?:see|cf\.?|sources?:?|from|and|,|;|\s)*\)|\[\s*[,;]*\s*\])", re.IGNORECASE)
"""Brackets that held nothing but markers."""
_SPACE_BEFORE_STOP = re.compile(r"(?<=\S)[ \t]+(?=[.,;:!?](?:\s|$))")
_SPACES = re.compile(r"(?<=\S)[ \t]{2,}(?=\S)")
_CELLS = re.compile(r"(?<!\\)\|")
_RULE = re.compile(r"^\s*\|?\s*:?-{2,}:?\s*(?:\|\s*:?-{2,}:?\s*)*\|?\s*$|^\s*(?:[-*_=]\s*){3,}$")
_FENCE = re.compile(r"^\s*(?:```|~~~)\w*\s*$")
_HEADING = re.compile(r"^\s*#{1,6}\s|^\s*\*\*[^*]{1,80}\*\*:?\s*$")

UNSUPPORTED = "(not found in the papers)"
CONTRADICTED = "(the paper says otherwise)"
"""One of both stands after every sentence that failed the check."""

LEAD_IN = "lead-in"
"""The act of what only introduces a list, and of words in a table's row, which are too few to be checked alone."""

_DROPPED = frozenset({COURTESY, THOUGHT})

TermsIn = Callable[[str], set[str]]


@dataclass(frozen=True)
class Checked:
    """A generated text after the check."""

    text: str
    citations: tuple[Citation, ...]
    warnings: tuple[str, ...]
    declined: bool = False
    """Whether the text says, in its own words, that the sources do not answer; it then stands for nothing else."""
    groundless: bool = False
    """Whether nothing of it is supported, and something of it is contradicted, or nothing even like it in the sources."""


def check(
    text: str, sources: Sequence[Source], terms_in: TermsIn, checker: Verifier | None = None, act_of: ActOf = lambda sentence: STATEMENT
) -> Checked:
    """The text with only markers that hold, numbered by first use, and its citations.

    `checker`: by default the one that the package carries. `act_of` tells courtesies, which are dropped, and refusals
    from statements; a statement that the sources bear out is one whatever it says.
    """
    check = _Check(sources, terms_in, checker or shipped(), act_of)
    return check.checked(text)


def begins_answer(sentence: str, sources: Sequence[Source], act_of: ActOf, checker: Verifier | None = None) -> bool | None:
    """Whether a text that begins with this sentence can be shown before it is whole: a source bears the sentence out.

    None for a courtesy, after which the next sentence tells.
    """
    named = [_cited(source) for source in sources]
    claim = _claim(_tidy(MARKER.sub("", read_markers(_ANSWER_LABEL.sub("", sentence), named))))
    if not any(char.isalnum() for char in claim):
        return None
    act = act_of(claim)
    if act != STATEMENT:
        return None if act == COURTESY else False
    return (checker or shipped()).best(claim, [_text(source) for source in sources], LEAST) is not None


@dataclass
class _Sentence:
    """A sentence of the text, judged."""

    text: str
    cited: list[int]
    """The numbers of the sources that it is shown with."""
    holds: tuple[bool, ...] = ()
    """For each of them."""
    act: str = STATEMENT
    verdict: Verdict = Verdict.SUPPORTED
    near: bool = False
    """Whether a source says something like it, though it was not found to support it."""

    @property
    def doubt(self) -> str:
        """What stands after it."""
        if self.act != STATEMENT or any(self.holds):
            return ""
        return CONTRADICTED if self.verdict is Verdict.CONTRADICTED else UNSUPPORTED


class _Check:
    """One text, checked."""

    def __init__(self, sources: Sequence[Source], terms_in: TermsIn, checker: Verifier, act_of: ActOf) -> None:
        self._sources = sources
        self._terms_in = terms_in
        self._checker = checker
        self._act_of = act_of
        self._papers = [_text(source) for source in sources]
        self._order: dict[int, int] = {}
        self._citations: list[Citation] = []
        self._unknown = 0
        self._moved = 0

    def checked(self, text: str) -> Checked:
        named = [_cited(source) for source in self._sources]
        read = _without_tex(read_markers(_HALF.sub("", _ANSWER_LABEL.sub("", visible(text)).strip()), named))
        plain, removed = without_markup(read)
        lines = [self._line(line, after) for line, after in _with_next(plain.strip().splitlines()) if not _FENCE.match(line)]
        judged = [each for line in lines if isinstance(line, list) for each in line]
        if _declines(judged):
            return Checked("", (), (), declined=True)
        _drop_courtesies(judged)
        written = self._written(lines)
        statements = [each for each in judged if each.act == STATEMENT]
        return Checked(
            written,
            tuple(dict.fromkeys(self._citations)),
            tuple(self._warnings(removed, [each.doubt for each in statements])),
            groundless=_is_groundless(judged),
        )

    def _line(self, line: str, after: str) -> str | list[_Sentence]:
        """The line's sentences, judged; or the line itself, where it says nothing: a heading, the head of a table."""
        if not line.strip() or _RULE.match(line):
            return line.rstrip()
        if _is_row(line):
            return (
                _tidy(MARKER.sub("", line))
                if _RULE.match(after) and "|" in after
                else [self._judged(line, _row_claim(line), numbers_of(line))]
            )
        if _HEADING.match(line) and not numbers_of(line):
            return line.rstrip()
        return [self._judged(sentence, _claim(sentence), numbers) for sentence, numbers in _sentences(line)]

    def _judged(self, sentence: str, claim: str, numbers: Sequence[int]) -> _Sentence:
        known = list(dict.fromkeys(number for number in numbers if 1 <= number <= len(self._sources)))
        self._unknown += sum(not 1 <= number <= len(self._sources) for number in numbers)
        cited, least = [self._papers[number - 1] for number in known], LEAST
        support = self._checker.check(claim, cited, least)
        if support.chance < SUPPORTED_FROM and not _is_row(sentence) and self._act_of(claim) != STATEMENT:
            least = SUPPORTED_FROM  # what sounds like no statement is one only where a paper surely says so
            support = self._checker.check(claim, cited, least)
        holds = support.holds
        found = None if any(holds) or (known and _is_row(sentence)) else self._checker.best(claim, self._papers, least)
        if found is not None:
            self._moved += bool(known)
            known, holds = [found + 1], (True,)
        if any(holds):
            return _Sentence(sentence, known, holds)
        act = STATEMENT if _is_row(sentence) else self._act_of(claim)
        if act == STATEMENT and not any(char.isdigit() for char in claim) and (_is_row(sentence) or (not known and claim.endswith(":"))):
            return _Sentence(sentence, known, holds, LEAD_IN)
        if act != STATEMENT:
            return _Sentence(sentence, [], (), act)
        return self._doubted(_Sentence(sentence, known, holds), claim)

    def _doubted(self, sentence: _Sentence, claim: str) -> _Sentence:
        """The sentence, told whether a paper says otherwise; one that cites nothing then cites that paper."""
        cited = [self._papers[number - 1] for number in sentence.cited]
        place = self._checker.contradicting(claim, cited or self._papers, LACKED_CITED if cited else LACKED_FOUND)
        near = self._checker.is_near(claim, self._papers)
        if place is None:
            return replace(sentence, verdict=Verdict.NOT_FOUND, near=near)
        numbers, holds = (sentence.cited, sentence.holds) if cited else ([place + 1], (False,))
        return replace(sentence, cited=numbers, holds=holds, verdict=Verdict.CONTRADICTED, near=near)

    def _written(self, lines: Sequence[str | list[_Sentence]]) -> str:
        """The text anew, its markers numbered by first use."""
        written = []
        for line in lines:
            if isinstance(line, str):
                written.append(line)
            elif kept := [each for each in line if each.act not in _DROPPED]:
                written.append(" ".join(self._sentence(each) for each in kept))
        return re.sub(r"\n{3,}", "\n\n", "\n".join(written)).strip()

    def _sentence(self, sentence: _Sentence) -> str:
        for number, holds in zip(sentence.cited, sentence.holds, strict=True):
            marker = self._order.setdefault(number, len(self._order) + 1)
            nearest = _nearest(sentence.text, self._sources[number - 1], self._terms_in)
            self._citations.append(cite(nearest, marker, holds, sentence.doubt == CONTRADICTED))
        marks = [*(f"[{self._order[number]}]" for number in sentence.cited), *filter(None, [sentence.doubt])]
        if _is_row(sentence.text):
            return self._row(sentence, marks)
        return " ".join([_tidy(MARKER.sub("", sentence.text)), *marks])

    def _row(self, sentence: _Sentence, marks: Sequence[str]) -> str:
        """A row of a table keeps its markers in its cells; what no cell has stands in the last."""
        shown: set[int] = set()

        def anew(found: re.Match[str]) -> str:
            numbers = [number for number in map(int, found[1].split(",")) if number in sentence.cited]
            shown.update(numbers)
            return "".join(f" [{self._order[number]}]" for number in numbers)

        row = _tidy(MARKER.sub(anew, sentence.text).rstrip())
        rest = [mark for mark in marks if mark not in {f"[{self._order[number]}]" for number in shown}]
        ends = row.endswith("|")
        return " ".join([row.removesuffix("|").rstrip(), *rest]) + (" |" if ends else "")

    def _warnings(self, removed: int, doubts: Sequence[str]) -> Iterator[str]:
        """`doubts`: of each statement, what stands after it."""
        if self._checker.fault:
            yield f"{self._checker.fault}. Until then, sentences are checked by rules alone"
        if self._unknown:
            yield f"{_counted(self._unknown, 'marker')} named no source and {_were(self._unknown)} removed"
        if self._moved:
            yield f"{_counted(self._moved, 'sentence')} cited a paper that does not say so, and now {_cites(self._moved)} the one that does"
        if removed:
            yield f"{_counted(removed, 'link or tag', 'links or tags')} in the LLM's text {_were(removed)} removed"
        for mark, what in ((CONTRADICTED, "contradicted by the papers"), (UNSUPPORTED, "not found in the papers")):
            if found := doubts.count(mark):
                are, they = ("is", "it is") if found == 1 else ("are", "they are")
                yield f"{found} of {_counted(len(doubts), 'sentence')} {are} {what}: {they} marked"


def _is_groundless(sentences: Sequence[_Sentence]) -> bool:
    """Whether nothing is supported, and something contradicted or nothing near."""
    said = [each for each in sentences if each.act == STATEMENT]
    if any(any(each.holds) for each in sentences):
        return False
    return any(each.verdict is Verdict.CONTRADICTED for each in said) or not any(each.near for each in said)


def _declines(sentences: Sequence[_Sentence]) -> bool:
    """Whether the first thing that is said is that the sources do not answer."""
    said = [each.act for each in sentences if each.act not in {*_DROPPED, LEAD_IN}]
    return said[:1] == [DECLINE]


def _drop_courtesies(sentences: Sequence[_Sentence]) -> None:
    """Only those at the beginning and the end are dropped: within an answer they are a part of it."""
    places = [place for place, each in enumerate(sentences) if each.act not in _DROPPED]
    first, last = (places[0], places[-1]) if places else (0, -1)
    for each in sentences[first : last + 1]:
        each.act = STATEMENT if each.act in _DROPPED else each.act


def _cited(source: Source) -> Cited:
    paper = source.paper
    year = (paper.date or "")[:4]
    ids = [each.lower() for each in (paper.url, paper.doi, paper.arxiv_id) if each]
    return Cited(paper.display_title, paper.authors, year if year.isdigit() else "", tuple(ids))


def _without_tex(text: str) -> str:
    """What is written in TeX, as it is read."""
    return "\n".join(repair(line) if "\\" in line or "$" in line else line for line in text.split("\n"))


def _with_next(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    return zip(lines, [*lines[1:], ""], strict=False)  # no lines, nothing


def _is_row(line: str) -> bool:
    return line.strip().startswith("|") and len(_CELLS.findall(line)) > 1


def _row_claim(line: str) -> str:
    """What a row says: its cells, as words."""
    cells = [_claim(MARKER.sub("", cell)) for cell in _CELLS.split(line.strip().strip("|"))]
    return ", ".join(cell for cell in cells if cell)


def _tidy(text: str) -> str:
    """Without what taking out markers leaves behind; the stop stands by its word, what looks like a marker of ours does not."""
    text = _SPACES.sub(" ", _SPACE_BEFORE_STOP.sub("", _EMPTIED.sub("", text))).rstrip()
    return text if _is_row(text) else _MARKERS.sub(r" (\1)", text)


_DOUBTS = re.compile(f"{re.escape(UNSUPPORTED)}|{re.escape(CONTRADICTED)}")


def doubted(line: str) -> list[tuple[str, str]]:
    """A checked line in parts, in order: each with its markers, and `UNSUPPORTED` or `CONTRADICTED` for a sentence that failed the
    check, else nothing."""
    parts: list[tuple[str, str]] = []
    at = 0
    for mark in _DOUBTS.finditer(line):
        part, at = line[at : mark.start()], mark.end()
        blank = _MARKERS.sub(lambda marker: " " * len(marker[0]), part)
        start = sentence_spans(blank)[-1][0] if blank.strip() else 0
        parts += [(part[:start], ""), (part[start:].rstrip(), mark[0])]
    return [(part, doubt) for part, doubt in [*parts, (line[at:], "")] if part.strip()]


def _counted(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def _cites(number: int) -> str:
    return "cites" if number == 1 else "cite"


def _were(number: int) -> str:
    return "was" if number == 1 else "were"


def _text(source: Source) -> Text:
    """The paper as it is checked against: its sentences in their order."""
    abstract = source.paper.abstract
    return Text(source.paper.display_title, tuple(abstract[start:end] for start, end in sentence_spans(abstract)))


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
    found = [(_tidy(MARKER.sub("", piece)).strip(), numbers_of(piece)) for piece in pieces]
    return [(sentence, numbers) for sentence, numbers in found if any(char.isalnum() for char in sentence)]


def _claim(sentence: str) -> str:
    """What a sentence says, without its number in a list and without Markdown."""
    return _STARS.sub("", _LABEL.sub("", _STARS.sub("", sentence).strip())).strip()


def _nearest(sentence: str, source: Source, terms_in: TermsIn) -> Evidence:
    """The abstract's sentence that holds most of what was said."""
    best = max(source.sentences, key=lambda one: (_share(sentence, one.text, terms_in), one.score))
    return replace(best, score=_share(sentence, best.text, terms_in))


def _share(sentence: str, text: str, terms_in: TermsIn) -> float:
    terms = {term for term in terms_in(sentence) if len(term) > 2 or term.isdigit()}
    return len(terms & terms_in(text)) / len(terms) if terms else 0.0
