"""Keeps folders in step with the library: files that are added, changed or deleted there.

Goes in: folders. Comes out: what each step did. A file is read once it lay still for a while, so that no
half-written one is. The file system's events only wake this up; what is to be done is told by the files themselves.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from index.errors import BusyError, SourceError
from index.following import Progress
from index.library import IndexReport, Library, no_progress, no_stage
from index.sources import Asked, Hints, files_in

STILL_SECONDS = 1.5
"""For so long a file's time and size are the same before it is read."""

_Marks = dict[Path, tuple[int, int]]
"""Of files: time and size."""


@dataclass(frozen=True)
class Step:
    """What a change of the folders led to."""

    report: IndexReport | None
    """Of files that were read, where there were any."""
    removed: tuple[tuple[str, int], ...]
    """Files that are gone, each with the number of papers that went with it."""


class Watch:
    """Folders that are kept in step, until `stop` is set."""

    def __init__(
        self,
        library: Library,
        folders: Sequence[str],
        hints: Hints = Hints(),
        progress: Progress = no_progress,
        stage: Callable[[str], None] = no_stage,
        still_seconds: float = STILL_SECONDS,
    ) -> None:
        """Raises `SourceError` where one is no folder."""
        self.stop = threading.Event()
        self._library = library
        self._folders = [Path(folder).expanduser().resolve() for folder in folders]
        self._hints = hints
        self._progress = progress
        self._stage = stage
        self._still = still_seconds
        self._done: _Marks = {}
        self._before = self._marks()

    def steps(self) -> Iterator[Step]:
        """What was done, the first time with all that is there. Ends with Ctrl-C, or when `stop` is set.

        Raises `SourceError` where a folder goes away; its papers are kept.
        """
        from watchfiles import watch

        events = watch(
            *self._folders,
            watch_filter=None,
            debounce=200,
            rust_timeout=round(self._still * 1000),
            yield_on_timeout=True,
            stop_event=self.stop,
            raise_interrupt=False,
        )
        moved, looked = True, time.monotonic()
        for changes in events:
            moved = moved or bool(changes)
            if moved and time.monotonic() - looked >= self._still:
                step, moved = self._step()
                looked = time.monotonic()
                if step is not None:
                    yield step

    def _step(self) -> tuple[Step | None, bool]:
        """What was done, if anything; and whether something still moves."""
        before, now = self._before, self._marks()
        self._before = now
        moves = before != now
        changed = [file for file, mark in now.items() if before.get(file) == mark != self._done.get(file)]
        gone = [name for name in self._known() if Path(name) not in now and Path(name) not in before]
        if not changed and not gone:
            return None, moves
        try:
            removed = tuple((name, self._library.remove(name)) for name in gone)
            report = self._library.add(self._asked(changed), self._progress, self._hints, self._stage) if changed else None
        except BusyError:  # another command writes: again with the next look
            return None, True
        self._done = {file: mark for file, mark in self._done.items() if file in now} | {file: now[file] for file in changed}
        return Step(report, removed), moves

    def _asked(self, files: Sequence[Path]) -> list[Asked]:
        of_folder = {folder: tuple(file for file in files if folder in file.parents) for folder in self._folders}
        return [Asked(str(folder), self._hints, only=found) for folder, found in of_folder.items() if found]

    def _known(self) -> list[str]:
        """The files of these folders that the library knows; none of a folder that holds nothing now, which may just not be mounted."""
        held = [folder for folder in self._folders if any(folder in file.parents for file in self._before)]
        return [
            source.name for source, _ in self._library.catalogue.sources() if any(folder in Path(source.name).parents for folder in held)
        ]

    def _marks(self) -> _Marks:
        marks: _Marks = {}
        for folder in self._folders:
            if not folder.is_dir():
                raise SourceError(str(folder), "there is no such folder, and only folders are watched; what was indexed is kept")
            for file in files_in(folder):
                try:
                    found = file.stat()
                except FileNotFoundError:  # deleted this moment
                    continue
                marks[file] = (found.st_mtime_ns, found.st_size)
        return marks
