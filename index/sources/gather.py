"""From what a user names to what is read, what is not, and why.

Goes in: patterns. Comes out: entries by source, each file once, with all that went wrong, so that
one bad file stops no other. Knows nothing of how papers are stored.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from index.errors import SourceError
from index.paper import Entry, Skipped, Source
from index.sources.files import expand, read_source


@dataclass(frozen=True)
class Gathered:
    """What a number of patterns hold."""

    read: tuple[tuple[Source, tuple[Entry, ...]], ...] = ()
    skipped: tuple[Skipped, ...] = ()
    """What could not be taken as a paper, in files that were read."""
    unread: tuple[SourceError, ...] = ()
    """Files that could not be read."""
    failed: tuple[SourceError, ...] = ()
    """Patterns of which nothing could be read."""


def gather(patterns: Iterable[str]) -> Gathered:
    """Reads all files that the patterns mean."""
    read: dict[Path, tuple[Source, tuple[Entry, ...]]] = {}
    skipped: list[Skipped] = []
    unread: dict[Path, SourceError] = {}
    failed: list[SourceError] = []
    for pattern in patterns:
        try:
            files = expand(pattern)
        except SourceError as error:
            failed.append(error)
            continue
        root = str(Path(pattern).expanduser().absolute())
        for file in files:
            if file in read or file in unread:
                continue
            try:
                parsed = read_source(file)
            except SourceError as error:
                unread[file] = error
                continue
            read[file] = (Source(str(file), root), parsed.entries)
            skipped.extend(parsed.skipped)
        if not any(file in read for file in files):
            failed.append(_nothing_read(pattern, [unread[file] for file in files]))
    return Gathered(tuple(read.values()), tuple(skipped), tuple(unread.values()), tuple(failed))


def _nothing_read(pattern: str, errors: list[SourceError]) -> SourceError:
    if len(errors) == 1:
        return errors[0]
    return SourceError(pattern, f"none of its {len(errors)} files could be read; {errors[0]}")
