"""From what a user names to what is read, what is not, and why.

Goes in: patterns, and what the user told of each. Comes out: what each source holds, each file once,
with all that went wrong, so that one bad file stops no other. Knows nothing of how papers are stored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from index.errors import SourceError
from index.paper import Skipped, Source
from index.sources.base import Hints, Parsed
from index.sources.fetching import fetch, service_of
from index.sources.files import Expanded, expand, read_source

Progress = Callable[[int, int], None]
"""Called with the number of papers read so far, and of all, as far as can be told."""


@dataclass(frozen=True)
class Asked:
    """What the user named, and told of it."""

    pattern: str
    """A file, a folder, a glob, or a service with a query."""
    hints: Hints = field(default_factory=Hints)
    only: tuple[Path, ...] | None = None
    """Of a folder, these files and no others; None: all."""
    of_file: Mapping[str, Hints] = field(default_factory=dict)
    """For single files of a folder, by name, where another thing was told of them."""


@dataclass(frozen=True)
class Note:
    """What a user should know of how a source was read."""

    source: str
    text: str


@dataclass(frozen=True)
class Gathered:
    """What a number of patterns hold."""

    read: tuple[tuple[Source, Parsed], ...] = ()
    """With papers without an abstract among the entries where the user asked for their titles."""
    skipped: tuple[Skipped, ...] = ()
    """What could not be taken as a paper, in sources that were read."""
    notes: tuple[Note, ...] = ()
    unread: tuple[SourceError, ...] = ()
    """Files and services that could not be read."""
    failed: tuple[SourceError, ...] = ()
    """Patterns of which nothing could be read."""


def gather(patterns: Sequence[Asked | str], progress: Progress | None = None) -> Gathered:
    """Reads all that the patterns mean."""
    gathering = Gathering(progress)
    gathering.read([Asked(each) if isinstance(each, str) else each for each in patterns])
    return gathering.gathered()


class Gathering:
    """A run of reading, whose result so far stands wherever it is broken off."""

    def __init__(self, progress: Progress | None = None) -> None:
        self._progress = progress
        self._read: dict[str, tuple[Source, Parsed]] = {}
        self._skipped: list[Skipped] = []
        self._notes: list[Note] = []
        self._unread: dict[str, SourceError] = {}
        self._failed: list[SourceError] = []
        self._papers = 0

    def gathered(self) -> Gathered:
        """What was read until now."""
        return Gathered(
            tuple(self._read.values()), tuple(self._skipped), tuple(self._notes), tuple(self._unread.values()), tuple(self._failed)
        )

    def read(self, asked: Sequence[Asked]) -> None:
        """Reads all that is asked for, what was read before left out."""
        files: list[tuple[Asked, tuple[Path, ...]]] = []
        for each in asked:
            service = service_of(each.pattern)
            try:
                if service is not None and not Path(each.pattern).exists():
                    self._fetch(each)
                    continue
                found = expand(each.pattern) if each.only is None else Expanded(each.only)
            except SourceError as error:
                self._failed.append(error)
                continue
            files.append((each, found.files))
            if found.left_out:
                self._notes.append(Note(each.pattern, f"left out: {found.left_out}"))
        meter = _Meter(self._progress, self._papers, [file for _, of_pattern in files for file in of_pattern])
        for each, of_pattern in files:
            self._read_files(each, of_pattern, meter)

    def _fetch(self, asked: Asked) -> None:
        """Raises `SourceError` where nothing came."""
        fetched = fetch(asked.pattern, asked.hints, self._progress)
        if fetched.name not in self._read:
            self._take(Source(fetched.name, fetched.name, options=asked.hints.to_json()), fetched.parsed, asked.hints)

    def _read_files(self, asked: Asked, files: Sequence[Path], meter: _Meter) -> None:
        root = str(Path(asked.pattern).expanduser().absolute())
        for file in files:
            name = str(file)
            if name not in self._read and name not in self._unread:
                hints = asked.of_file.get(name, asked.hints)
                try:
                    self._take(Source(name, root, options=hints.to_json()), read_source(file, hints), hints)
                except SourceError as error:
                    self._unread[name] = error
            meter.passed(file, self._papers)
        if not any(str(file) in self._read for file in files):
            self._failed.append(_nothing_read(asked.pattern, [self._unread[str(file)] for file in files]))

    def _take(self, source: Source, parsed: Parsed, hints: Hints) -> None:
        bare = len(parsed.without_abstract)
        if bare and not hints.titles_too:
            records = f"{bare} record{'s' if bare > 1 else ''} without an abstract"
            reason = f"{records} {'were' if bare > 1 else 'was'} left out (--titles-too keeps their titles findable)"
            self._skipped.append(Skipped(source.name, None, reason))
        if bare and hints.titles_too:
            entries = sorted((*parsed.entries, *parsed.without_abstract), key=lambda entry: entry.line)
            parsed = replace(parsed, entries=tuple(entries))
        self._read[source.name] = (source, parsed)
        self._skipped.extend(parsed.skipped)
        self._notes.extend(Note(source.name, note) for note in parsed.notes)
        self._papers += len(parsed.entries)


class _Meter:
    """Tells how far the reading of files is, in papers: those to come are reckoned by the bytes to come."""

    def __init__(self, progress: Progress | None, before: int, files: Sequence[Path]) -> None:
        self._progress = progress
        self._before = before
        self._sizes = {file: _size(file) for file in files} if progress else {}
        self._all = sum(self._sizes.values())
        self._passed = 0

    def passed(self, file: Path, papers: int) -> None:
        """A file was read, or could not be."""
        if self._progress is None:
            return
        self._passed += self._sizes.pop(file, 0)
        of_files = papers - self._before
        total = of_files if not self._sizes else max(of_files, round(of_files * self._all / max(self._passed, 1)))
        self._progress(papers, self._before + total)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:  # told when it is read
        return 0


def _nothing_read(pattern: str, errors: list[SourceError]) -> SourceError:
    if len(errors) == 1:
        return errors[0]
    return SourceError(pattern, f"none of its {len(errors)} files could be read; {errors[0]}")
