"""The papers as a table: searched as one types, narrowed by what they have in common, in an order, page by page, and counted.

Goes in: what is wanted. Comes out: SQL over rows of `papers`, all of it answered from one index, so that 100,000 rows stay
quick. Knows nothing of questions or of pages shown.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from index.filtering import words_of
from index.paper import fold

Field = Literal["year", "venue", "tag", "author", "source"]
"""What papers are counted and narrowed by."""
FIELDS: tuple[Field, ...] = ("year", "venue", "tag", "author", "source")
Order = Literal["added", "title", "year", "venue"]
ORDERS: tuple[Order, ...] = ("added", "title", "year", "venue")
_FIRST: dict[Order, str] = {
    "added": "number DESC",
    "title": "folded_title, number",
    "year": "date DESC, folded_title DESC",
    "venue": "trim(venue) = '', venue, folded_title",
}
_REVERSED: dict[Order, str] = {
    "added": "number",
    "title": "folded_title DESC, number DESC",
    "year": "date NULLS LAST, folded_title",
    "venue": "trim(venue) = '', venue DESC, folded_title",
}
_NARROWED = "papers INDEXED BY papers_listed"
"""Holds all that conditions ask for: the papers' own rows are long."""


@dataclass(frozen=True)
class Browse:
    """Which papers a table shows, and in which order; what is empty does not narrow."""

    words: str = ""
    """As typed: each must begin a word of the title or the abstract, or stand in the title, an author's name or the venue."""
    year: str = ""
    """As `Count.value` has it, like the next four."""
    venue: str = ""
    tag: str = ""
    author: str = ""
    source: str = ""
    order: Order = "added"
    """`added`: the last added first; `year`: the latest first; papers without a year or venue come last."""
    is_reversed: bool = False

    @property
    def is_narrow(self) -> bool:
        """Whether any paper might be left out."""
        return any((self.words.strip(), self.year, self.venue, self.tag, self.author, self.source))

    def without(self, field: Field) -> Browse:
        """The same, not narrowed by this field."""
        return self.narrowed(field, "")

    def narrowed(self, field: Field, value: str) -> Browse:
        """The same, narrowed by this field to a `Count.value`; empty: not narrowed by it."""
        narrowing: dict[str, Any] = {field: value}
        return replace(self, **narrowing)


@dataclass(frozen=True)
class Count:
    """How many papers share a value of a field."""

    value: str
    """For `Browse`."""
    shown: str
    """For people: as one of the papers has it."""
    papers: int


def list_query(wanted: Browse) -> tuple[str, list[str]]:
    """SQL for the numbers of the papers in their order, and its values."""
    clauses, values = _condition(wanted)
    order = (_REVERSED if wanted.is_reversed else _FIRST)[wanted.order]
    return f"SELECT number FROM {_NARROWED if wanted.is_narrow else 'papers'} WHERE {clauses} ORDER BY {order}", values


def count_query(field: Field, wanted: Browse) -> tuple[str, list[str]]:
    """SQL for rows of (value, papers, one paper's number); values of `tag` and `author` still stand together, a line each."""
    wanted = wanted.without(field)
    clauses, values = _condition(wanted)
    if field == "source":
        among = f" WHERE paper_id IN (SELECT paper_id FROM {_NARROWED} WHERE {clauses})" if wanted.is_narrow else ""
        pairs = f"SELECT DISTINCT paper_id, source_id FROM entries INDEXED BY entries_of_paper{among}"
        return f"SELECT name, count(*), 0 FROM ({pairs}) JOIN sources USING (source_id) GROUP BY source_id", values
    column = {"year": "substr(date, 1, 4)", "venue": "venue", "tag": "tags", "author": "authors"}[field]
    told = f"trim(coalesce({column}, '')) != ''"
    return f"SELECT {column}, count(*), min(number) FROM {_NARROWED} WHERE {clauses} AND {told} GROUP BY 1", values


def _condition(wanted: Browse) -> tuple[str, list[str]]:
    clauses, values = ["1"], list[str]()
    for word in fold(wanted.words).split():
        if plain := words_of(word):
            held = "instr(folded_title, ?) OR instr(authors, ?) OR instr(venue, ?)"
            values += [word, plain, plain]
            if len(plain) > 1:  # one letter begins a word of every abstract
                held += " OR number IN (SELECT rowid FROM papers_text WHERE papers_text MATCH ?)"
                values.append(" AND ".join(f'"{part}"*' for part in plain.split()))
            clauses.append(f"({held})")
    if wanted.year:
        clauses.append("date BETWEEN ? AND ?")
        values += [wanted.year, f"{wanted.year}\uffff"]
    if wanted.venue:
        clauses.append("venue = ?")
        values.append(wanted.venue)
    for column, value in (("tags", wanted.tag), ("authors", wanted.author)):
        if value:
            clauses.append(f"instr(char(10) || {column} || char(10), char(10) || ? || char(10))")
            values.append(value)
    if wanted.source:
        clauses.append(
            "EXISTS (SELECT 1 FROM entries WHERE entries.paper_id = papers.paper_id "
            "AND source_id = (SELECT source_id FROM sources WHERE name = ?))"
        )
        values.append(wanted.source)
    return " AND ".join(clauses), values
