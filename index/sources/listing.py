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

from index.errors import SourceError
from index.paper import Entry, Skipped, collapse
from index.sources.base import Format, Hints, Parsed
from index.sources.layout import Placed, Role, place
from index.sources.lines import ENDING, Kind, Line, address, author_count, dated, identifier, people, read_lines

_SURE = 0.9
"""The least chance that a line's role is right for its entry to be taken."""


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

    @property
    def number(self) -> int:
        return (self.title or self.abstract)[0].line.number

    @property
    def sure(self) -> bool:
        return min(one.chance for one in (*self.title, *self.authors, *self.abstract)) >= _SURE


def parse(text: str, source: str, hints: Hints = Hints()) -> Parsed:
    """Entries of a listing page.

    Raises `SourceError` where the text is none.
    """
    lines = read_lines(text)
    records = list(_records(place(lines), lines))
    entries = []
    skipped = []
    for record in records:
        if reason := _fault(record):
            skipped.append(Skipped(source, record.number, reason))
        else:
            entries.append(_entry(record))
    if not entries:
        raise SourceError(source, "no paper found: a listing has a title on one line and its abstract on the next")
    return Parsed(tuple(_infer_years(entries)), tuple(skipped))


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


def _fault(record: _Record) -> str | None:
    if not record.title:
        return "an abstract without a title above it"
    if not record.abstract:
        return f"no abstract follows the title “{_short(_title(record))}”"
    if not record.sure:
        return f"where title, authors and abstract begin and end is not sure: “{_short(_title(record))}”"
    return None


def _entry(record: _Record) -> Entry:
    links = [link for one in record.title for link in one.line.links]
    entry = Entry(_title(record), _abstract(record), record.number, authors=_authors(record))
    for line in (*record.within, *_own(record.below)):
        entry = _with_part(entry, line)
    links += [found for one in record.authors if (found := address(one.line.text))]
    return replace(entry, url=links[0] if links else None)


def _own(below: Sequence[Line]) -> Iterator[Line]:
    for line in below:
        if line.kind is Kind.BANNER:
            return
        yield line


def _with_part(entry: Entry, line: Line) -> Entry:
    if line.kind is Kind.AUTHORS:
        return replace(entry, author_count=author_count(line.text))
    if line.kind is Kind.DATE and entry.date is None and (told := dated(line.text)):
        return replace(entry, date=told.date, comment_count=told.comments)
    if line.kind is Kind.IDENTIFIER:
        return replace(entry, arxiv_id=identifier(line.text))
    return entry


def _title(record: _Record) -> str:
    return collapse(" ".join(one.line.text for one in record.title))


def _abstract(record: _Record) -> str:
    first, *more = record.abstract
    return collapse(" ".join([first.line.text, *(one.line.raw for one in more)]))


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
