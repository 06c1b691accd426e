"""Texts of which every line begins with a tag, record after record: what RIS, MEDLINE, Web of Science and EndNote share.

Goes in: the text, and how its tags are written. Comes out: records, each with its line and the values of its
tags in order. Knows nothing of what a tag means.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True)
class Syntax:
    """How a format writes its tags."""

    tag: re.Pattern[str]
    """Fits a line that begins a value; its groups are the tag and the value."""
    first: str
    """The tag that begins a record."""
    last: str | None = None
    """The tag that ends a record."""
    blank_parts: bool = False
    """Whether a blank line ends a record, too."""


@dataclass
class Record:
    """One record as written."""

    line: int
    values: dict[str, list[str]] = field(default_factory=dict)
    """By tag, in order; a value of several lines holds them."""

    def all(self, *tags: str) -> list[str]:
        """The values of the first of these tags that has any."""
        return next((self.values[tag] for tag in tags if any(map(str.strip, self.values.get(tag, ())))), [])

    def every(self, *tags: str) -> list[str]:
        """The values of all of these tags."""
        return [value for tag in tags for value in self.values.get(tag, ())]

    def first(self, *tags: str) -> str:
        """The first value of the first of these tags that has any, or an empty text."""
        return next((value for value in self.all(*tags) if value.strip()), "")


def records(text: str, syntax: Syntax) -> Iterator[Record]:
    """The records of a text, in order; a record whose end is missing ends where the next begins."""
    record: Record | None = None
    value: list[str] = []
    put: list[tuple[str, list[str]]] = []
    for number, line in enumerate(_LINE_END.split(text), 1):
        found = syntax.tag.match(line)
        tag = found[1] if found else None
        blank = not line.strip()
        ends = tag is not None and tag in (syntax.first, syntax.last)
        if record is not None and (ends or (blank and syntax.blank_parts)):
            yield _filled(record, put)
            record, put, value = None, [], []
        if found is None:
            value.append(line)
        elif tag != syntax.last:
            record = record or Record(number)
            value = [found[2] or ""]
            put.append((found[1], value))
    if record is not None:
        yield _filled(record, put)


def _filled(record: Record, put: list[tuple[str, list[str]]]) -> Record:
    for tag, lines in put:
        record.values.setdefault(tag, []).append("\n".join(lines))
    return record


def opening(text: str, limit: int = 20) -> list[str]:
    """The first lines that are not blank, as far as a format looks to recognise its own."""
    lines = (line for line in _LINE_END.split(text[:8000].lstrip("\ufeff")) if line.strip())
    return [line for line, _ in zip(lines, range(limit), strict=False)]
