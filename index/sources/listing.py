"""Reads the text of Hugging Face "Papers" pages, and of lists of papers like them, as people paste and save them.

Goes in: text. Comes out: entries in the page's order, and what could not be read; a text that is
not such a page is refused with what was seen. `lines` tells the page's own parts, `layout` finds
which line is a title and which a piece of an abstract; this puts the entries together. What is
not sure is skipped and told, never guessed.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby, pairwise, takewhile
from statistics import median

from index.errors import SourceError
from index.paper import Entry, Skipped, collapse
from index.sources.base import WAY_OUT, Format, Hints, Parsed
from index.sources.layout import TITLE_LIMIT, Placed, Role, place, prose
from index.sources.lines import ENDING, Kind, Line, address, author_count, dated, identifier, people, read_lines
from index.sources.recognition import other_format, unlike_a_listing

_SURE = 0.9
"""The least chance that a line's role is right for its entry to be taken."""
_SURE_AUTHORS = 0.95
"""The same for authors: half of a title can look like them."""
_LONGEST = 20_000
"""Characters; a longer abstract is several things run together."""
_MENU = 3
"""Lines; more that stand together are told in one."""
_PAPER_LINK = re.compile(r"(?:arxiv\.org/(?:abs|pdf|html)|huggingface\.co/papers)/(\d{4}\.\d{4,5})(?!#)|doi\.org/10\.")
_PAGE_LINK = re.compile(r"//huggingface\.co/")


@dataclass
class _Record:
    """One entry as it is put together."""

    title: list[Placed] = field(default_factory=list)
    authors: list[Placed] = field(default_factory=list)
    abstract: list[Placed] = field(default_factory=list)
    above: tuple[Line, ...] = ()
    """The page's parts before the title."""
    within: list[Line] = field(default_factory=list)
    """Those between title and abstract."""
    below: tuple[Line, ...] = ()
    """Those after the abstract."""

    plain: bool = True
    """Whether the abstract's own mark, if any, is text."""

    @property
    def number(self) -> int:
        return (self.title or self.abstract)[0].line.number

    @property
    def size(self) -> int:
        """Characters of all that it holds."""
        return sum(len(one.line.text) for one in (*self.title, *self.authors, *self.abstract))


def parse(text: str, source: str, hints: Hints = Hints()) -> Parsed:
    """Entries of a listing page.

    Raises `SourceError` where the text is none, or where more of it could not be read than could.
    """
    if other := other_format(text):
        raise SourceError(source, f"this looks like {other}; or {WAY_OUT}")
    lines = read_lines(text)
    records = _unmarked(list(_records(place(lines), lines)))
    seldom = 5 * sum(_is_divided(record) for record in records) < len(records)
    faults = [_fault(record, seldom) for record in records]
    if records and faults[-1] is None and _breaks_off(records):
        faults[-1] = f"no abstract follows the title “{_short(_title(records[-1]))}”"
    taken = [record for record, fault in zip(records, faults, strict=True) if fault is None]
    skipped = _told([(record, fault) for record, fault in zip(records, faults, strict=True) if fault], source)
    if not taken:
        told = f"; line {skipped[0].line}: {skipped[0].reason}" if skipped else ""
        raise SourceError(source, f"no paper found: a listing has a title on one line and its abstract on the next{told}; {WAY_OUT}")
    entries = _infer_years(_entries(taken))
    if reason := unlike_a_listing(text, lines, entries, len(records) - len(taken), sum(record.size for record in records)):
        raise SourceError(source, f"{reason}; {WAY_OUT}")
    return Parsed(tuple(entries), tuple(skipped))


def recognise(text: str) -> bool:
    """Any text may be a listing: this is the format of last resort."""
    return True


def _records(placed: Sequence[Placed], lines: Sequence[Line]) -> Iterator[_Record]:
    record: _Record | None = None
    for one in placed:
        begins = one.role is Role.TITLE or (one.role is Role.ABSTRACT and (record is None or bool(record.abstract)))
        if record is None and not begins:
            continue  # what stands above the first title
        if begins:
            if record is not None:
                yield replace(record, below=one.between)
            record = _Record(above=one.between)
        assert record is not None
        if one.role in {Role.TITLE, Role.TITLE_MORE}:
            record.title.append(one)
        elif one.role in {Role.AUTHORS, Role.AUTHORS_BELOW}:
            record.authors.append(one)
        else:
            record.abstract.append(one)
        if not begins:
            record.within.extend(one.between)
    if record is not None:
        last = placed[-1].line.number
        yield replace(record, below=tuple(line for line in lines if line.number > last))


def _unmarked(records: list[_Record]) -> list[_Record]:
    """Where most abstracts have a bullet or label before them, it is the page's."""
    first = [record.abstract[0].line.mark for record in records if record.abstract]
    marked = 2 * sum(mark != "" for mark in first) > len(first)
    return [replace(record, plain=not marked and not _labelled(record)) for record in records]


def _labelled(record: _Record) -> bool:
    return bool(record.abstract) and record.abstract[0].line.mark == "abstract"


def _fault(record: _Record, seldom_divided: bool) -> str | None:
    if not record.title:
        return "an abstract without a title above it"
    title, abstract = _title(record), _abstract(record)
    if not abstract:
        return f"no abstract follows the title “{_short(title)}”"
    titled = seldom_divided and _is_divided(record) and int(prose(record.abstract[0].line.text)) < 3  # a title below one without abstract?
    if titled or not _is_sure(record) or (int(prose(title)) > 2 and prose(title) > prose(abstract)):
        return f"where title, authors and abstract begin and end is not sure: “{_short(title)}”"
    if len(title) > 2 * TITLE_LIMIT or len(abstract) > _LONGEST:
        return f"too long for a title and an abstract ({len(title)} and {len(abstract):,} characters): “{_short(title)}”"
    return None


def _is_divided(record: _Record) -> bool:
    """Whether the first paragraph of an abstract is one line, and more paragraphs follow."""
    return len(record.abstract) > 1 and record.abstract[1].role is Role.PARAGRAPH


def _is_sure(record: _Record) -> bool:
    parts = min(one.chance for one in (*record.title, *record.abstract)) >= _SURE
    return parts and all(one.chance >= _SURE_AUTHORS for one in record.authors if not address(one.line.text))


def _breaks_off(records: Sequence[_Record]) -> bool:
    """Whether what stands below the last title is a further title rather than an abstract like the others."""
    last = records[-1]
    usual = median(len(_abstract(record)) for record in records if record.abstract)
    ended = any(line.kind in ENDING for line in last.below)
    return not ended and 4 * len(_abstract(last)) < usual and not last.abstract[-1].line.text.endswith((".", "!"))


def _told(faults: Sequence[tuple[_Record, str]], source: str) -> list[Skipped]:
    """Titles without abstract that stand together (a menu, a list) are told in one line."""
    told: list[Skipped] = []
    for bare, group in groupby(faults, key=lambda one: bool(one[0].title) and not one[0].abstract):
        run = list(group)
        if bare and len(run) > _MENU and run[-1][0].number - run[0][0].number < 3 * len(run):
            told.append(Skipped(source, run[0][0].number, f"{len(run)} lines without an abstract, from “{_short(_title(run[0][0]))}” on"))
        else:
            told += [Skipped(source, record.number, fault) for record, fault in run]
    return told


def _entries(records: Sequence[_Record]) -> list[Entry]:
    """ArXiv numbers between two entries belong to the one that they stand at all over the page: the first has it above, or not."""
    leads = any(line.kind is Kind.IDENTIFIER for line in records[0].above)
    return [_entry(record, record.above if leads else ()) for record in records]


def _entry(record: _Record, above: Sequence[Line]) -> Entry:
    parts = [line for line in (*record.within, *_own(record.below)) if not (above and line.kind is Kind.IDENTIFIER)]
    entry = Entry(_title(record), _abstract(record), record.number, authors=_authors(record))
    for before, line in pairwise([None, *(line for line in above if line.kind is Kind.IDENTIFIER), *parts]):
        if line is not None:
            entry = _with_part(entry, line, before)
    links = [link for one in record.title for link in one.line.links]
    links += [link for one in record.authors if (link := address(one.line.text))]
    return _with_links(entry, links)


def _with_links(entry: Entry, links: Sequence[str]) -> Entry:
    paper = next((link for link in links if _PAPER_LINK.search(link)), None)
    other = next((link for link in links if not _PAGE_LINK.search(link)), None)
    found = _PAPER_LINK.search(paper) if paper else None
    return replace(entry, url=paper or other, arxiv_id=entry.arxiv_id or (found[1] if found else None))


def _own(below: Sequence[Line]) -> Iterator[Line]:
    """What stands below an entry, up to the beginning of a further page."""
    return takewhile(lambda line: line.kind is not Kind.BANNER, below)


def _with_part(entry: Entry, line: Line, before: Line | None) -> Entry:
    if line.kind is Kind.AUTHORS:
        return replace(entry, author_count=author_count(line.text))
    if line.kind is Kind.DATE and entry.date is None and (told := dated(line.text)):
        return replace(entry, date=told.date, comment_count=told.comments)
    if line.kind is Kind.IDENTIFIER and entry.arxiv_id is None:
        return replace(entry, arxiv_id=identifier(line.text))
    if line.kind is Kind.LINK and line.text.endswith("#community") and before is not None and before.text.isdecimal():
        return replace(entry, comment_count=int(before.text))
    return entry


def _title(record: _Record) -> str:
    return collapse(" ".join(one.line.text for one in record.title))


def _abstract(record: _Record) -> str:
    """As it stands; a bullet or number before it is its own unless all over the page abstracts have one."""
    return collapse(" ".join(one.line.raw if place or record.plain else one.line.text for place, one in enumerate(record.abstract)))


def _authors(record: _Record) -> tuple[str, ...]:
    return tuple(name for one in record.authors if not address(one.line.text) for name in people(one.line.text))


def _infer_years(entries: list[Entry]) -> list[Entry]:
    """The page prints a year only for years gone by, so a date without one is of the year after
    the latest printed: an inference, kept apart from what was given."""
    years = [int(entry.date[:4]) for entry in entries if entry.date and not entry.date.startswith("--")]
    return [replace(entry, date_inferred=_inferred(entry.date, max(years) + 1)) for entry in entries] if years else entries


def _inferred(date: str | None, year: int) -> str | None:
    if date is None or not date.startswith("--"):
        return None
    try:
        return datetime.date.fromisoformat(f"{year:04d}-{date[2:]}").isoformat()
    except ValueError:
        return None  # 29 February of another year


def _short(text: str, limit: int = 60) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


FORMAT = Format("listing", (".txt", ".text"), recognise, parse)
