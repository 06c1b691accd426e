"""Folders that are kept in step while their files come, change and go."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from index import Library, SourceError
from index.embedding import ToyEmbedder
from index.watching import Step, Watch

BANNER = "Get trending papers in your email inbox!\n"
GRAVEL, SAND = f"{BANNER}Gravel\nIt saves memory. It is fast.\n", f"{BANNER}Sand\nIt is soft. It is warm.\n"
STILL = 0.4


class Watching:
    """A watch in a thread of its own."""

    def __init__(self, library: Library, folder: Path, still: float = STILL) -> None:
        self.steps: list[Step] = []
        self.errors: list[Exception] = []
        self.library = library
        self.watch = Watch(library, [str(folder)], still_seconds=still)
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        try:
            for step in self.watch.steps():
                self.steps.append(step)
        except SourceError as error:
            self.errors.append(error)

    def titles(self) -> set[str]:
        return {paper.title for paper in self.library.papers()}

    def until(self, held: Callable[[], bool], seconds: float = 30) -> bool:
        end = time.monotonic() + seconds
        while not held() and time.monotonic() < end:
            time.sleep(0.05)
        return held()

    def end(self) -> None:
        self.watch.stop.set()
        self.thread.join(30)
        assert not self.thread.is_alive()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "gravel.txt").write_text(GRAVEL)
    return folder


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    library = Library(tmp_path / "library", ToyEmbedder())
    yield library
    library.close()


@pytest.fixture
def watching(library: Library, folder: Path) -> Iterator[Watching]:
    watching = Watching(library, folder)
    yield watching
    watching.end()


def test_files_that_come_change_and_go_are_followed(watching: Watching, folder: Path) -> None:
    assert watching.until(lambda: watching.titles() == {"Gravel"})
    (folder / "deep").mkdir()
    (folder / "deep" / "sand.txt").write_text(SAND)
    assert watching.until(lambda: watching.titles() == {"Gravel", "Sand"})
    (folder / "gravel.txt").write_text(GRAVEL.replace("Gravel", "Grit"))
    assert watching.until(lambda: watching.titles() == {"Grit", "Sand"})
    (folder / "deep" / "sand.txt").unlink()
    assert watching.until(lambda: watching.titles() == {"Grit"})
    assert watching.until(lambda: len(watching.steps) == 4)
    assert watching.steps[-1].removed == ((str(folder / "deep" / "sand.txt"), 1),)
    assert watching.library.stale() == 0


def test_a_file_that_is_still_written_is_not_read(library: Library, folder: Path) -> None:
    still = 1.5  # far longer than the writer pauses, so that a busy machine does not make it lie still
    watching = Watching(library, folder, still)
    try:
        assert watching.until(lambda: bool(watching.steps))
        with (folder / "slow.txt").open("w") as file:
            file.write(BANNER)
            for number in range(24):
                file.write(f"Road {number}\nIt holds for years. It is cheap.\n")
                file.flush()
                time.sleep(still / 15)
        assert watching.until(lambda: len(watching.steps) == 2)
    finally:
        watching.end()
    reports = [step.report for step in watching.steps if step.report is not None]
    assert [report.new for report in reports] == [1, 24]


def test_what_is_there_and_what_went_meanwhile_is_seen_at_the_start(library: Library, folder: Path) -> None:
    (folder / "sand.txt").write_text(SAND)
    library.add([str(folder)])
    (folder / "sand.txt").unlink()
    watching = Watching(library, folder)
    try:
        assert watching.until(lambda: watching.titles() == {"Gravel"})
    finally:
        watching.end()


def test_a_file_replaced_by_a_rename_loses_nothing(watching: Watching, folder: Path) -> None:
    assert watching.until(lambda: bool(watching.steps))
    (folder / "new.tmp").write_text(GRAVEL + SAND)
    (folder / "new.tmp").replace(folder / "gravel.txt")
    assert watching.until(lambda: watching.titles() == {"Gravel", "Sand"})
    assert all(step.removed == () for step in watching.steps)


def test_a_folder_that_empties_or_goes_away_keeps_its_papers(watching: Watching, folder: Path) -> None:
    assert watching.until(lambda: bool(watching.steps))
    (folder / "gravel.txt").unlink()
    time.sleep(STILL * 4)
    assert watching.titles() == {"Gravel"}
    folder.rmdir()
    assert watching.until(lambda: bool(watching.errors))
    assert "what was indexed is kept" in str(watching.errors[0]) and watching.titles() == {"Gravel"}


def test_only_folders_are_watched(library: Library, folder: Path) -> None:
    with pytest.raises(SourceError, match="only folders are watched"):
        Watch(library, [str(folder / "gravel.txt")])
