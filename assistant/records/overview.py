"""What the library tells of itself: how to ask it, what it holds, its newest papers.

Goes in: the library, and a number or a date. Comes out: a draft of plain lines. Papers are read a
few at a time, so that a large library takes time and no memory. Knows nothing of how it was asked.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import PurePath

from assistant.answer import Citation
from assistant.evidence.selection import Evidence
from assistant.evidence.sources import cite
from assistant.generation.base import Draft
from index import SUMMARY_NOTE, Library, Paper
from index.sentences import sentence_spans

NEWEST_AT_MOST = 5
THEMES = 8
_SOURCES_NAMED = 10
_AT_ONCE = 1000
_LOOKED_AT = 50
_GOOD_LENGTH = 50
"""Characters of a title that reads well in an example."""
_OPENINGS = {"thanks": "You are welcome.", "goodbye": "Goodbye."}

_TITLE_WORD = re.compile(r"[a-z][a-z-]+[a-z]")
_DULL = frozenset(
    "all and any are can does for from has have how into its more new not our over than that the their them they this through "
    "toward towards under use using via vs what when which why will with without you your "
    "approach approaches based case framework method methods novel paper study survey system systems technique techniques work".split()
)
"""Words of titles that name no theme."""


def greeting(library: Library, kind: str) -> Draft:
    """A friendly line with an example; `kind`: `thanks` and `goodbye` are answered as such, all else as a greeting."""
    opening = _OPENINGS.get(kind, "Hello.")
    return Draft(
        f"{opening} Ask anything about {_papers(library.catalogue.count())} in this library{_for_example(library)}", (), answered=False
    )


def guide(library: Library) -> Draft:
    """What can be asked, with examples."""
    lines = [
        f"This assistant answers questions from the abstracts of {_papers(library.catalogue.count())} in this library. "
        "Every answer quotes and cites its papers; where they hold no answer, it says so.",
        f"Ask in English about one paper, a theme, or a comparison{_for_example(library)}",
        "Of the library itself, ask: What is in the library? Or: newest papers.",
    ]
    return Draft("\n".join(lines), (), answered=False)


def contents(library: Library) -> Draft:
    """How many papers there are, from where, of when, on what."""
    dates: list[str | None] = []
    themes = _Themes()
    for paper in _all(library):
        dates.append(paper.date)
        themes.add(paper.display_title)
    lines = [f"This library holds {_papers(len(dates), the=False)}.", *_sources(library, len(dates)), f"- Dates: {_dates(dates)}."]
    if common := themes.commonest(THEMES):
        lines.append(f"- Frequent in titles: {', '.join(common)}.")
    lines.append("- The whole list: `assistant papers`")
    return Draft("\n".join(lines), ())


def newest(library: Library, number: int = NEWEST_AT_MOST) -> Draft:
    """The papers of the latest dates; a day or month without a year cannot be ordered, and is not.

    A date that is less exact stands after the fuller ones that it begins.
    """
    dated = [(paper.paper_id, paper.date) for paper in _all(library)]
    full = _latest_first(dated)
    told = _dates([date for _, date in dated])
    if not full:
        reason = "no paper here has a date with its year"
        return Draft(f"The newest papers cannot be told: {reason}. Dates: {told}.", (), False, reason)
    shown = library.papers(full[:number])
    return _listing(shown, f"Newest of {_papers(len(full))} whose date has its year:", f"Dates: {told}.")


def _all(library: Library) -> Iterator[Paper]:
    """Every paper, in the order of their ids."""
    ids = sorted(library.catalogue.digests())
    for first in range(0, len(ids), _AT_ONCE):
        yield from library.papers(ids[first : first + _AT_ONCE])


def _papers(count: int, the: bool = True) -> str:
    """`the 640 papers`."""
    return ("the " if the else "") + ("1 paper" if count == 1 else f"{count:,} papers")


def _for_example(library: Library) -> str:
    """The end of a sentence: a question about some title of middling length, where there is one."""
    ids = sorted(library.catalogue.digests())[:_LOOKED_AT]
    titles = [paper.display_title for paper in library.papers(ids)]
    if not titles:
        return "."
    title = min(titles, key=lambda each: abs(len(each) - _GOOD_LENGTH))
    return f", for example: What is “{title}” about?"


def _sources(library: Library, papers: int) -> Iterator[str]:
    """A line that names the sources with their numbers of papers, and one on the starter library where that is among them."""
    sources = library.catalogue.sources()
    named = [f"{PurePath(source.name).name} ({count:,}{', starter' if source.starter else ''})" for source, count in sources]
    if len(named) > _SOURCES_NAMED:
        named = [*named[:_SOURCES_NAMED], f"and {len(named) - _SOURCES_NAMED:,} more"]
    shared = "; some papers stand in several" if sum(count for _, count in sources) > papers else ""
    yield f"- Sources: {', '.join(named)}{shared}."
    if any(source.starter for source, _ in sources):
        yield f"- Starter papers: each a {SUMMARY_NOTE}."


def _dates(dates: Sequence[str | None]) -> str:
    """Which dates are known, and how many are not."""
    known = sorted(date for date in dates if date)
    full = [date for date in known if not date.startswith("--")]
    told = []
    if full:
        told.append(f"{len(full):,} from {full[0]} to {full[-1]}" if full[0] != full[-1] else f"{len(full):,} of {full[0]}")
    if yearless := len(known) - len(full):
        told.append(f"{yearless:,} without a year, which are not ordered against others")
    if unknown := len(dates) - len(known):
        told.append(f"{unknown:,} without a date")
    return "; ".join(told) or "none"


def _latest_first(dated: Sequence[tuple[str, str | None]]) -> list[str]:
    """Ids of the papers whose date has a year, the latest first."""
    full = [(date, paper_id) for paper_id, date in dated if date and not date.startswith("--")]
    return [paper_id for _, paper_id in sorted(full, reverse=True)]


def _listing(papers: Sequence[Paper], head: str, tail: str) -> Draft:
    """A line for each paper with its title and date, citing the abstract's first sentence."""
    lines = [f"- {paper.display_title} ({paper.date}) [{marker}]" for marker, paper in enumerate(papers, 1)]
    return Draft("\n".join([head, *lines, tail]), tuple(_first_sentence(paper, marker) for marker, paper in enumerate(papers, 1)))


def _first_sentence(paper: Paper, marker: int) -> Citation:
    start, end = next(iter(sentence_spans(paper.abstract)), (0, 0))
    return cite(Evidence(paper, 0, start, end, 1.0), marker)


class _Themes:
    """Counts the words of titles, singular and plural as one, once for each title."""

    def __init__(self) -> None:
        self._titles: Counter[str] = Counter()
        self._forms: Counter[str] = Counter()

    def add(self, title: str) -> None:
        words = set(_TITLE_WORD.findall(title.lower())) - _DULL
        self._forms.update(words)
        self._titles.update({_singular(word) for word in words})

    def commonest(self, count: int) -> list[str]:
        """The commonest words, each in its commoner number, of those that more than one title holds."""
        ranked = sorted(self._titles.items(), key=lambda item: (-item[1], item[0]))
        return [max((word, f"{word}s"), key=lambda form: self._forms[form]) for word, titles in ranked[:count] if titles > 1]


def _singular(word: str) -> str:
    return word.removesuffix("s") if not word.endswith("ss") else word
