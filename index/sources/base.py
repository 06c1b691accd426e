"""The contracts of a source: a kind of text that papers come from, and a service that is asked for such texts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from index.errors import SourceError
from index.paper import Entry, Skipped

if TYPE_CHECKING:
    from index.sources.web import Web

WAY_OUT = "export the papers as BibTeX, RIS or CSV, or save the page as text (.txt)"
"""What a message ends with where a file holds no papers that can be read."""


@dataclass(frozen=True)
class Parsed:
    """What one source holds."""

    entries: tuple[Entry, ...]
    """In the order of the source, repeats included."""
    skipped: tuple[Skipped, ...] = ()
    """Records that could not be read, each with its line and the reason."""
    without_abstract: tuple[Entry, ...] = ()
    """Papers of which the source tells no abstract."""
    notes: tuple[str, ...] = ()
    """What a user should know of how it was read: which columns were taken, say."""
    partial: bool = False
    """Whether the source may hold more than was read, so that what is missing here need not be gone."""


@dataclass(frozen=True)
class Hints:
    """What the user told of how a source is to be read."""

    columns: Mapping[str, str] = field(default_factory=dict)
    """For a table: the column (value) that holds a field of `Entry` (key)."""
    titles_too: bool = False
    """Whether papers without an abstract come in, too, to be found by their titles."""
    limit: int | None = None
    """How many papers a service is asked for, at most; None: its own default."""

    def to_json(self) -> str:
        """What differs from the default, as the catalogue remembers it."""
        told = {"columns": dict(self.columns) or None, "titles_too": self.titles_too or None, "limit": self.limit}
        return json.dumps({name: value for name, value in told.items() if value is not None}, sort_keys=True)

    @staticmethod
    def from_json(text: str) -> Hints:
        """The inverse of `to_json`; what a newer version wrote beside it is left out."""
        told = json.loads(text)
        return Hints(told.get("columns", {}), told.get("titles_too", False), told.get("limit"))


@dataclass(frozen=True)
class Page:
    """One answer of a service."""

    text: str
    """In one of the known formats."""
    total: int
    """How many papers the service has for the whole query."""
    missing: tuple[str, ...] = ()
    """What was asked for by its id and is not there."""


class Ask(Protocol):
    """Asks a service for what it has."""

    def __call__(self, query: str, web: Web, limit: int | None) -> Iterator[Page]:
        """The pages of a query, until it has no more or `limit` papers came.

        Raises `SourceError` where the query is none, or the service fails.
        """
        ...


@dataclass(frozen=True)
class Service:
    """A place on the network that papers are fetched from, where the user names it and not otherwise."""

    scheme: str
    """What stands before the colon: `arxiv`."""
    name: str
    """As people call it."""
    usage: str
    """What a user may write."""
    base: str
    """Its address, without a final slash."""
    pause: float
    """Seconds between two calls that its terms ask for."""
    limit: int | None
    """How many papers are fetched where the user sets no limit; None: all."""
    ask: Ask


class Parse(Protocol):
    """Reads a text that its format recognised. A record that cannot be read is skipped and told, never a neighbour with it."""

    def __call__(self, text: str, source: str, hints: Hints = Hints()) -> Parsed:
        """`source` is its name, for messages. Raises `SourceError` where no paper is in it; linear in the length of the text."""
        ...


@dataclass(frozen=True)
class Format:
    """One way that papers are written down in a file."""

    name: str
    """As a user would call it: `RIS`, `BibTeX`."""
    suffixes: tuple[str, ...]
    """File endings, lower case with the dot, that a folder is searched for."""
    recognise: Callable[[str], bool]
    """Whether a text is of this format, whatever its file is called; formats are asked in the registry's order."""
    parse: Parse


def sorted_out(source: str, found: Iterable[Entry | Skipped], what: str, notes: tuple[str, ...] = ()) -> Parsed:
    """What was found, parted into entries, those without an abstract, and what was skipped.

    Raises `SourceError` where no paper is among it; `what` is a record's name: `RIS record`.
    """
    entries: list[Entry] = []
    bare: list[Entry] = []
    skipped: list[Skipped] = []
    for one in found:
        if isinstance(one, Skipped):
            skipped.append(one)
        else:
            (entries if one.abstract else bare).append(one)
    if not entries and not bare:
        reason, line = (skipped[0].reason, skipped[0].line) if skipped else (f"no {what} is in it", None)
        raise SourceError(source, f"no paper found: {reason}", line)
    return Parsed(tuple(entries), tuple(skipped), tuple(bare), notes)
