"""The contract of a source: one kind of text that papers come from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from index.errors import SourceError
from index.paper import Entry, Skipped


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


@dataclass(frozen=True)
class Hints:
    """What the user told of how a source is to be read."""

    columns: Mapping[str, str] = field(default_factory=dict)
    """For a table: the column (value) that holds a field of `Entry` (key)."""


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
