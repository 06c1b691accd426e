"""Answers by quoting: the sentences that answer, from the best papers, each with its marker.

The default answerer, without an LLM. A line names its paper and quotes it: within the quote marks every word is
the abstract's own, so every citation holds; a connective that led over from a sentence left out gives way to an
ellipsis. Knows how many papers a question spans; knows nothing of how they were found.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from assistant.evidence.comparison import Table
from assistant.evidence.selection import Evidence, choose
from assistant.evidence.sources import Source, cite
from assistant.generation.base import Draft, Request
from assistant.query.question import Question
from assistant.sanitize import visible
from assistant.verification.figures import read_figures

ONE_PAPER_WORDS = 110
ONE_PAPER_SENTENCES = 5
COMPARED_WORDS = 85
COMPARED_SENTENCES = 4
OTHER_WORDS = 40
"""Of a paper that may be meant instead of the first."""
SEVERAL_WORDS = 32
SEVERAL_AT_MOST = 8
NOT_STATED = "not stated"
MEASURED_ALIKE = "Whether they were measured alike, the abstracts do not say."
_MARKER = re.compile(r"\[(\d+)\]")
_FIRST_PERSON = re.compile(r"\b(?:we|our|ours|us)\b", re.IGNORECASE)
_INNER_QUOTES = str.maketrans("“”", "‘’")
_NAME_WORDS = 6
"""Of what stands before a title's colon, at most, where it is taken as the paper's name."""
_NAME_WITHIN = 12
"""Characters before a name with which a sentence still begins with it: `The proposed `."""
_NEAR = 0.82
"""A further paper is shown where its score is at least this part of the best one's."""
_NEAR_IN_OVERVIEW = 0.7
"""The same of the map of a theme, which is to show its strands."""


def papers_wanted(question: Question) -> int:
    """How many papers, at most, an answer to this question quotes."""
    return 2 if question.wants_comparison else SEVERAL_AT_MOST if question.wants_several else 1


def compose(request: Request, either: bool = False) -> Draft:
    """The answer that these sources hold; there must be one at least.

    `either`: whether the second paper may be the one meant as well, so that both are quoted.
    """
    if request.table is not None:
        return _tabled(request.table)
    sources = request.sources[: papers_wanted(request.question)]
    if request.question.wants_comparison:
        return _lines(sources, COMPARED_WORDS, COMPARED_SENTENCES)
    if request.question.wants_several:
        least = (_NEAR_IN_OVERVIEW if request.question.wants_overview else _NEAR) * sources[0].score
        near = [source for source in sources if source.score >= least]
        if len(near) == 1:
            return _lines(near, ONE_PAPER_WORDS, ONE_PAPER_SENTENCES)
        shared = [
            (group.name, [sources[place] for place in group.places if sources[place] in near]) for group in request.groups if group.name
        ]
        groups = [(name, held) for name, held in shared if len(held) > 1]  # one paper alone shares nothing
        if groups:
            grouped = [source for _, held in groups for source in held]
            rest = [source for source in near if source not in grouped]
            return _in_groups([*groups, *([("", rest)] if rest else [])])
        return _lines(near, SEVERAL_WORDS, 1)
    if either and len(request.sources) > 1:
        return _lines(request.sources[:2], ONE_PAPER_WORDS, ONE_PAPER_SENTENCES, (OTHER_WORDS, 1))
    return _lines(sources, ONE_PAPER_WORDS, ONE_PAPER_SENTENCES, in_order=request.question.wants_summary)


def restate(sources: Sequence[Source], sentences: int) -> Draft:
    """So many of the sentences of these papers, however long they are."""
    return _lines(sources, max(sum(one.words for one in source.sentences) for source in sources), sentences)


def _lines(sources: Sequence[Source], words: int, sentences: int, later: tuple[int, int] | None = None, in_order: bool = False) -> Draft:
    """A line for each paper; one paper's is plain, several are a list. `later`: words and sentences of all but the first.

    `in_order`: sentences as the abstract has them, and not the best first.
    """
    texts, citations = [], []
    for marker, source in enumerate(sources, 1):
        if later and marker > 1:
            words, sentences = later
        chosen = choose(_fitting(source.sentences, words, alone=sentences == 1), words, sentences)
        if in_order:
            chosen.sort(key=lambda one: one.position)
        texts.append(_line(source, chosen, marker))
        citations += [cite(one, marker) for one in chosen]
    text = texts[0] if len(texts) == 1 else "\n".join(f"- {line}" for line in texts)
    return Draft(text, tuple(citations))


def _in_groups(groups: Sequence[tuple[str, Sequence[Source]]]) -> Draft:
    """A line for each paper, under what it shares with others."""
    draft = _lines([source for _, held in groups for source in held], SEVERAL_WORDS, 1)
    lines = iter(draft.text.splitlines())
    told: list[str] = []
    for name, held in groups:
        told += [f"{name[:1].upper()}{name[1:]}:" if name else "Besides:", *(next(lines) for _ in held)]
    return replace(draft, text="\n".join(told))


def _tabled(table: Table) -> Draft:
    """A row for each side, a column for each thing asked, each cell quoted or not stated, and one for what else it says to the question;
    then which figure is larger, where one is."""
    heads = ["paper", *map(_cell, table.columns), "besides" if table.columns else "what it says"]
    lines = [_row(heads), _row(["---"] * len(heads))]
    citations, markers = [], dict[str, int]()
    for row in table.rows:
        if row.source is None:
            lines.append(_row([_cell(row.side), "nothing by this name is in the library", *[""] * (len(heads) - 2)]))
            continue
        paper = row.source.paper
        marker = markers.setdefault(paper.paper_id, len(markers) + 1)
        cells = [" ".join(f"{_quoted(one, follows=False)} [{marker}]" for one in cell) for cell in row.cells]
        cells = [*(cell or NOT_STATED for cell in cells[:-1]), cells[-1]]
        lines.append(_row([f"{_cell(short_name(paper.display_title))} [{marker}]", *map(_in_cell, cells)]))
        held = [one for cell in row.cells for one in cell] or row.source.sentences[:1]  # a paper that states nothing is still cited
        citations += [cite(one, marker) for one in held]
    of = {number: markers[row.source.paper.paper_id] for number, row in enumerate(table.rows) if row.source is not None}
    for column, ranked in larger(table):
        told = ", ".join(f"{figure} [{of[number]}]" for number, figure in ranked)
        lines.append(f"Of the figures quoted on {_escaped(column)} the largest comes first: {told}. {MEASURED_ALIKE}")
    return Draft("\n".join(lines), tuple(dict.fromkeys(citations)))


def larger(table: Table) -> list[tuple[str, tuple[tuple[int, str], ...]]]:
    """For each column whose cells hold one figure each, of one unit: the column, and (row, figure), the largest first."""
    found = []
    rows = [(number, row) for number, row in enumerate(table.rows) if row.cells]
    for place, column in enumerate(table.columns):
        figures = []
        for number, row in rows:
            told = [figure for one in row.cells[place] for figure in read_figures(one.text) if figure.unit]
            if len({(figure.value, figure.unit) for figure in told}) == 1:
                figures.append((told[0].value, told[0].unit, number))
        units, values = {unit for _, unit, _ in figures}, {value for value, _, _ in figures}
        if len(figures) == len(rows) and len(units) == 1 and len(values) > 1:
            ranked = sorted(figures, reverse=True)
            found.append((column, tuple((number, f"{value:g}{'×' if unit == 'x' else unit}") for value, unit, number in ranked)))
    return found


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(text: str) -> str:
    return _in_cell(_escaped(text))


def _in_cell(text: str) -> str:
    """With its own bars escaped, as Markdown has it."""
    return text.replace("|", "\\|")


def _line(source: Source, chosen: Sequence[Evidence], marker: int) -> str:
    """The sentences of one paper, quoted, after its name where the first does not begin with it."""
    shown = {one.position for one in chosen}
    quotes = [_quoted(one, follows=number > 0 and one.position - 1 in shown) for number, one in enumerate(chosen)]
    name, first = _escaped(short_name(source.paper.display_title)), chosen[0]
    opening = "" if name.strip("“”").casefold() in first.text[: len(name) + _NAME_WITHIN].casefold() else f"{name}: "
    if _FIRST_PERSON.search(first.text):
        opening = f"The authors of {name}: "
    return opening + " ".join(f"{quote} [{marker}]" for quote in quotes)


def short_name(title: str) -> str:
    """What people call a paper: the words before the first colon where they are few, else its title."""
    head, colon, _ = title.partition(": ")
    return head if colon and len(head.split()) <= _NAME_WORDS else f"“{title.rstrip('.').translate(_INNER_QUOTES)}”"


def _fitting(sentences: Sequence[Evidence], words: int, alone: bool) -> Sequence[Evidence]:
    """The sentences that fit the budget, and stand `alone` if they must; where there are none, those that fit; else all."""
    fit = [one for one in sentences if one.words <= words]
    return [one for one in fit if not alone or one.stands_alone] or fit or sentences


def _quoted(one: Evidence, follows: bool) -> str:
    """A sentence in quote marks. `follows`: whether the one before it in the abstract is quoted too, so that its connective holds."""
    text = one.text if follows else one.text[one.connective :]
    cut = "… " if len(text) < len(one.text) else ""
    return f"“{cut}{_escaped(text).translate(_INNER_QUOTES)}”"


def _escaped(text: str) -> str:
    """The abstract's words, without what is not seen or would pass for a marker of ours."""
    return _MARKER.sub(r"(\1)", visible(text))
