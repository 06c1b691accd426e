"""Reads tables: CSV, TSV and their like, with a line that names the columns.

Goes in: the text. Comes out: an entry for each row with a title. Columns are known by their usual names, by what
the user told, or by content where only one can hold abstracts and one titles; which were taken is said. A quote that is
never closed costs its own row. Knows no program's export in particular.
"""

from __future__ import annotations

import ast
import csv
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from index.errors import SourceError
from index.paper import Entry, Skipped
from index.sources.base import Format, Hints, Parsed, sorted_out
from index.sources.encoding import lines_of
from index.sources.named import NAMES, WEB_OF_SCIENCE, entry_of, folded

_DELIMITERS = ",\t;|"
_LOOKED_AT = 100_000
"""Characters at the beginning that tell whether a text is a table."""
_ROWS_LOOKED_AT = 60
_ESCAPED = re.compile(r"\\\"(?=\w)")
"""A quote within a cell, escaped by a backslash ..."""
_DOUBLED = re.compile(r"\w\"\"[\w ]")
"""... or, as is usual, by another quote."""
_PREAMBLE = 10
"""Rows that may stand above the names of the columns."""
_LONGEST_NAME = 80
_STRING = re.compile(r"'[^'\\]*+'|\"[^\"\\]*+\"")
_STRINGS = re.compile(rf"\[(?:(?:{_STRING.pattern})(?:, ?|(?=\])))*+\]")
_LONGEST_LITERAL = 20_000
_LONGEST_ROW = 3_000
"""Lines of one row: a quote open for longer was never closed."""
_REREAD = 30
"""How often, on the whole, a line may be read again after a quote that was never closed."""
_PROSE = 150
"""Characters that an abstract has at least, and a title does not have, where only content can tell."""
_SHOWN = 40
_UNCLOSED = "a quote in this row is never closed, or stands in the middle of a cell: the row is left out"


class _Reader(Protocol):
    """What `csv.reader` gives."""

    line_num: int

    def __next__(self) -> list[str]: ...


@dataclass(frozen=True)
class _Row:
    line: int
    cells: list[str]


@dataclass(frozen=True)
class _Layout:
    delimiter: str
    header: _Row
    columns: Mapping[str, tuple[int, ...]]
    """For each field of an entry the columns that may hold it, the likeliest first."""


def recognise(text: str) -> bool:
    """Columns named as a table of papers names them, or rows of one width of which one column can only be abstracts."""
    sample = _sample(text)
    return _named(sample) is not None or _by_content(sample) is not None or _is_table(sample)


def parse(text: str, source: str, hints: Hints = Hints()) -> Parsed:
    """Entries of all rows. Raises `SourceError` where no column holds titles, or one that the user named is not there."""
    csv.field_size_limit(sys.maxsize)
    text = text.lstrip("\ufeff")
    layout = _layout(text, source, hints)
    rows = _rows(_lines(text), layout.delimiter, layout.header.line, len(layout.header.cells), source)
    note = _note(layout)
    return sorted_out(source, _entries(rows, layout, source), "row with a title", (note,))


def _entries(rows: Iterable[_Row | Skipped], layout: _Layout, source: str) -> Iterator[Entry | Skipped]:
    for row in rows:
        if isinstance(row, Skipped):
            yield row
        elif any(cell.strip() for cell in row.cells) and row.cells != layout.header.cells:
            entry = entry_of({field: _values(row.cells, columns) for field, columns in layout.columns.items()}, row.line)
            yield entry if entry.title else Skipped(source, row.line, "this row has no title")


def _values(cells: Sequence[str], columns: Iterable[int]) -> list[object]:
    return [_value(cells[column]) for column in columns if column < len(cells) and cells[column]]


def _value(cell: str) -> object:
    """A cell's text, or the list or object that it spells out in JSON's or Python's way."""
    if cell[:1] not in "[{" or cell.rstrip()[-1:] not in "]}" or len(cell) > _LONGEST_LITERAL:
        return cell
    if _STRINGS.fullmatch(cell):  # as `literal_eval` would, in a hundredth of the time
        return [text[1:-1] for text in _STRING.findall(cell)]
    try:
        value: object = ast.literal_eval(cell.strip().replace("null", "None"))
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return cell
    return value if isinstance(value, list | dict) else cell


# Which columns


def _layout(text: str, source: str, hints: Hints) -> _Layout:
    sample = _sample(text)
    if hints.columns:
        return _told(sample, source, hints.columns)
    layout = _named(sample) or _by_content(sample)
    if layout is None:
        header = next((rows[0].cells for rows in sample.values() if _regular(rows)), [])
        raise SourceError(source, f"no column is known to hold titles; the columns are {_quoted(header)}: tell which one does", 1)
    return layout


def _sample(text: str) -> dict[str, list[_Row]]:
    """The first rows, as each delimiter parts them."""
    csv.field_size_limit(sys.maxsize)
    lines = _lines(text.lstrip("\ufeff")[:_LOOKED_AT])
    if len(text) > _LOOKED_AT and len(lines) > 1:
        lines.pop()  # cut
    found = {}
    for delimiter in _DELIMITERS:
        if any(delimiter in line for line in lines[:_PREAMBLE]):
            rows = []
            for row in _rows(lines, delimiter, 0, 0, ""):
                if isinstance(row, _Row):
                    rows.append(row)
                if len(rows) == _ROWS_LOOKED_AT:
                    break
            found[delimiter] = rows
    return found


def _named(sample: Mapping[str, list[_Row]]) -> _Layout | None:
    """The columns by their usual names: a title and something else, in the row and with the delimiter that know most."""
    found = [
        _Layout(delimiter, row, columns)
        for delimiter, rows in sample.items()
        for at, row in enumerate(rows[:_PREAMBLE])
        if _may_be_header(row, rows[at + 1 :]) and "title" in (columns := _columns(row.cells)) and len(columns) > 1
    ]
    return max(found, key=lambda layout: (len(layout.columns), len(layout.header.cells), -layout.header.line), default=None)


def _may_be_header(row: _Row, below: Sequence[_Row]) -> bool:
    """Short names, and at least half of the rows below as wide, or parted at all where most of the names are known."""
    if len(row.cells) < 2 or any(len(cell) > _LONGEST_NAME for cell in row.cells):
        return False
    if sum(bool(re.fullmatch(r"\s*:?-{2,}:?\s*", cell)) for cell in (below[0].cells if below else ())):
        return False  # a table in Markdown
    width = len(row.cells)
    ragged = 2 * sum(map(bool, _columns(row.cells))) >= width  # all known names: rows may be cut short
    fitting = sum(len(one.cells) > 1 if ragged else abs(len(one.cells) - width) <= width // 10 for one in below if any(one.cells))
    return 2 * fitting >= sum(any(one.cells) for one in below)


def _columns(header: Sequence[str]) -> dict[str, tuple[int, ...]]:
    names = [folded(cell) for cell in header]
    if {"ti", "so"} <= set(names):
        names = [WEB_OF_SCIENCE.get(name, name) for name in names]
    places = {name: names.index(name) for name in names if name}
    found = {field: tuple(places[name] for name in known if name in places) for field, known in NAMES.items()}
    if not found["title"]:
        found["title"] = tuple(places[name] for name in ("paper", "papers") if name in places)
    return {field: columns for field, columns in found.items() if columns}


def _regular(rows: Sequence[_Row]) -> bool:
    """At least four rows of three cells or more, all of one width, below short names that differ."""
    widths = {len(row.cells) for row in rows}
    return (
        len(rows) >= 4
        and len(widths) == 1
        and min(widths) >= 3
        and all(0 < len(cell.strip()) <= _LONGEST_NAME for cell in rows[0].cells)
        and len(set(rows[0].cells)) == len(rows[0].cells)
    )


def _is_table(sample: Mapping[str, list[_Row]]) -> bool:
    return any(_regular(rows) for rows in sample.values())


def _by_content(sample: Mapping[str, list[_Row]]) -> _Layout | None:
    """Where just one column can hold abstracts and just one titles."""
    for delimiter, rows in sample.items():
        if not _regular(rows):
            continue
        contents = [[row.cells[at].strip() for row in rows[1:]] for at in range(len(rows[0].cells))]
        abstracts = [at for at, cells in enumerate(contents) if _are_abstracts(cells)]
        titles = [at for at, cells in enumerate(contents) if _are_titles(cells)]
        if len(abstracts) == len(titles) == 1 and not any("abstract" in _columns([cell]) for cell in rows[0].cells):
            known = {field: columns for field, columns in _columns(rows[0].cells).items() if not {*abstracts, *titles} & {*columns}}
            return _Layout(delimiter, rows[0], {**known, "title": (titles[0],), "abstract": (abstracts[0],)})
    return None


def _are_abstracts(cells: Sequence[str]) -> bool:
    filled = [cell for cell in cells if cell]
    return 2 * len(filled) >= len(cells) and sum(len(cell) >= _PROSE and ". " in cell for cell in filled) >= 0.9 * len(filled) > 0


def _are_titles(cells: Sequence[str]) -> bool:
    """Several words each, all different, no list of names or keywords."""
    texts = [cell for cell in cells if 15 <= len(cell) < 2 * _PROSE and cell.count(" ") >= 2 and ";" not in cell and "://" not in cell]
    commas = sum(cell.count(",") for cell in texts)
    return len(texts) >= 0.9 * len(cells) and len(set(texts)) == len(texts) and commas <= len(texts)


def _told(sample: Mapping[str, list[_Row]], source: str, told: Mapping[str, str]) -> _Layout:
    """The columns that the user named, the others by their usual names."""
    if unknown := [field for field in told if field not in NAMES]:
        raise SourceError(source, f"a paper has no field {_quoted(unknown)}; the fields are {', '.join(NAMES)}")
    for delimiter, rows in sample.items():
        for row in rows[:_PREAMBLE]:
            places = {field: _place(row.cells, name) for field, name in told.items()}
            if all(place is not None for place in places.values()):
                taken = {field: (place,) for field, place in places.items() if place is not None}
                columns = {**_columns(row.cells), **taken}
                if "title" not in columns:
                    raise SourceError(source, f"no column is known to hold titles; the columns are {_quoted(row.cells)}", row.line)
                return _Layout(delimiter, row, columns)
    layout = _named(sample)
    header = layout.header.cells if layout else next((rows[0].cells for rows in sample.values() if rows), [])
    missing = [name for name in told.values() if _place(header, name) is None]
    raise SourceError(
        source, f"there is no column {_quoted(missing)}; the columns are {_quoted(header)}", layout.header.line if layout else 1
    )


def _place(header: Sequence[str], name: str) -> int | None:
    exact = [at for at, cell in enumerate(header) if cell.strip() == name.strip()]
    return next(iter(exact or [at for at, cell in enumerate(header) if folded(cell) and folded(cell) == folded(name)]), None)


def _note(layout: _Layout) -> str:
    """`title from column “Title”, abstract from “Abstract Note”`; the columns that were tried in turn are all named."""
    shown = ("title", "abstract", "authors", "date", "year", "venue", "doi", "arxiv_id", "pmid", "url", "keywords", "tags")
    names = {field: [layout.header.cells[at] for at in layout.columns.get(field, ())] for field in shown}
    told = [f"{field} from {_quoted(named)}" for field, named in names.items() if named and named != ["id"]]
    missing = "" if "abstract" in layout.columns else "; no column holds abstracts"
    return ", ".join(told).replace("title from ", "title from column ", 1) + missing


def _quoted(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(f"“{' '.join(name.split())[:_LONGEST_NAME]}”" for name in names[:_SHOWN]) + more


# Rows


def _lines(text: str) -> list[str]:
    """Lines as an editor counts them, their ends kept."""
    if _ESCAPED.search(text) and not _DOUBLED.search(text):
        text = text.replace('\\"', '""')
    if "\r" in text:  # of a text that no file was read for
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return list(lines_of(text))


def _rows(lines: list[str], delimiter: str, start: int, width: int, source: str) -> Iterator[_Row | Skipped]:
    """The rows from line `start` (from 0) on; `width` is the number of columns, 0 where it is not known yet."""
    if delimiter == "\t" and _is_even(lines[start:]):
        yield from (_Row(number, _bare(line)) for number, line in enumerate(lines[start:], start + 1))
        return
    at, total = start, len(lines)
    budget = _REREAD * total + _LONGEST_ROW
    reader = _reader(lines, at, total, delimiter)
    first = at
    while at < total:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            end, cost = _resumption(lines, at, delimiter, width)
            cells = _split_loosely("".join(lines[at:end]), delimiter)
            whole = len(cells) == width or (width == 0 and end == at + 1)
            yield _Row(at + 1, cells) if whole else Skipped(source, at + 1, _UNCLOSED)
            budget -= cost
            if budget < 0:
                yield Skipped(source, end + 1, "too many quotes are never closed: what follows is not read")
                return
            at = first = end
            reader = _reader(lines, at, total, delimiter)
            continue
        yield _Row(at + 1, cells)
        at = first + reader.line_num


def _is_even(lines: Sequence[str]) -> bool:
    """Whether tabs part every line into equally many cells: then none needs quotes, and some programs (Web of Science) write none."""
    return len({line.count("\t") for line in lines if line.strip()}) == 1


def _bare(line: str) -> list[str]:
    """The cells of a line that tabs part; quotes around a whole cell are a program's."""
    cells = line.rstrip("\r\n").split("\t")
    quoted = [len(cell) > 1 and cell[0] == cell[-1] == '"' and '"' not in cell[1:-1].replace('""', "") for cell in cells]
    return [cell[1:-1].replace('""', '"') if whole else cell for cell, whole in zip(cells, quoted, strict=True)]


def _reader(lines: list[str], start: int, end: int, delimiter: str) -> _Reader:
    return csv.reader(map(lines.__getitem__, range(start, end)), delimiter=delimiter, strict=True)


def _resumption(lines: list[str], at: int, delimiter: str, width: int) -> tuple[int, int]:
    """The line, after one with stray quotes, from which a row as wide as the table can be read, and how many lines were read for it."""
    cost = 0
    last = min(len(lines), at + 1 + _LONGEST_ROW)
    for start in range(at + 1, last):
        if width == 0 or len(_split_loosely(lines[start], delimiter)) == width:
            return start, cost + 1
        reader = _reader(lines, start, last, delimiter)
        try:
            cells = next(reader)
        except csv.Error:
            cells = []
        cost += reader.line_num + 1
        if len(cells) == width:
            return start, cost
    return last, cost


def _split_loosely(text: str, delimiter: str) -> list[str]:
    """Cells where a quote counts only at the beginning and the end of one; none where one is never closed."""
    cells: list[str] = []
    within: list[str] = []
    for piece in text.rstrip("\r\n").split(delimiter):
        opens = not within and piece.startswith('"')
        if not opens and not within:
            cells.append(piece)
            continue
        within.append(piece)
        tail = piece[1:] if opens else piece
        if (len(tail) - len(tail.rstrip('"'))) % 2:
            cells.append(delimiter.join(within)[1:-1].replace('""', '"'))
            within = []
    return [] if within else cells


FORMAT = Format("CSV or another table", (".csv", ".tsv", ".tab"), recognise, parse)
