"""The contract of a source: one kind of text that papers come from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from index.paper import Entry, Skipped


@dataclass(frozen=True)
class Parsed:
    """What one source holds."""

    entries: tuple[Entry, ...]
    """In the order of the source, repeats included."""
    skipped: tuple[Skipped, ...] = ()


@dataclass(frozen=True)
class Format:
    """One way that papers are written down in a file."""

    name: str
    suffixes: tuple[str, ...]
    """File endings, lower case with the dot, that a folder is searched for."""
    recognise: Callable[[str], bool]
    """Whether a text is of this format; formats are asked in the registry's order."""
    parse: Callable[[str, str], Parsed]
    """Called with the text and the source's name; raises `SourceError` where no paper is in it."""
