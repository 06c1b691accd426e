"""Killed at any moment, a home is exactly right after the next command; who reads meanwhile never sees it otherwise."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from index import Library, health
from index.embedding import ToyEmbedder, embed
from tests.conftest import ROOT
from tests.index.test_integrity import PAPERS, finished, listing

__all__ = ["finished"]
MORE = 200
CHANGED, GONE = 300, 50

WRITER = """
import sys
from pathlib import Path
from index import Library
from index.embedding import ToyEmbedder, embed

home, source, work = sys.argv[1:]
library = Library(Path(home), ToyEmbedder())
library.vectors.count("chunks")
print("go", flush=True)
if work == "add":
    library.add([source])
elif work == "remove":
    library.remove(source)
else:
    library.rebuild()
    library.catch_up()
print("done", flush=True)
"""


class Scene:
    """A home, what is done to it, and what is to come of it."""

    def __init__(self, work: str, finished: Path, folder: Path) -> None:
        self.home = Path(shutil.copytree(finished, folder / "home"))
        self.work = work
        self.source = folder / "more.txt"
        self.source.write_text(listing(MORE, seed=8))
        self.before = self.after = PAPERS
        if work == "first":
            shutil.rmtree(self.home)
            self.before, self.after = 0, MORE
        elif work == "add":
            self.after = PAPERS + MORE
        elif work == "change":
            self.after = PAPERS - GONE
            self._move(finished.parent / "notes.txt")
        elif work == "remove":
            self.before = PAPERS + MORE
            with closing(Library(self.home, ToyEmbedder())) as library:
                library.add([str(self.source)])

    def _move(self, source: Path) -> None:
        """Makes a file of the scene's own the source of all papers, then changes some in it and drops some."""
        shutil.copy(source, self.source)
        with closing(Library(self.home, ToyEmbedder())) as library:
            library.add([str(self.source)])
            library.remove(str(source))
        papers = self.source.read_text().split("\n\n")
        changed = [paper.replace("mber", "umber") for paper in papers[:CHANGED]]
        self.source.write_text("\n\n".join([*changed, *papers[CHANGED + GONE :]]))

    def start(self) -> subprocess.Popen[str]:
        work = {"first": "add", "change": "add"}.get(self.work, self.work)
        command = [sys.executable, "-c", WRITER, str(self.home), str(self.source), work]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None and process.stdout.readline() == "go\n"
        return process

    def finish(self) -> None:
        """What the next command does, and then the work itself once more, from where it is now."""
        with closing(Library(self.home, ToyEmbedder())) as library:
            library.catch_up()
            self.check(library, {self.before, self.after})
            if self.work != "remove":
                library.add([str(self.source)] if self.work != "rebuild" else [])
            elif library.catalogue.count() == self.before:
                library.remove(str(self.source))
            self.check(library, {self.after})

    def check(self, library: Library, papers: set[int]) -> None:
        assert library.catalogue.count() in papers and library.stale() == 0
        assert [finding for finding in health.check(self.home) if not finding.ok] == []
        library.reopen_if_moved()
        for paper in random.Random(5).sample(library.papers(), 20) if library.catalogue.count() else []:
            text = f"{paper.display_title}. {paper.abstract}"
            hit = library.search_vectors("chunks", embed(library.embedder, [text])[0], 1)[0]
            assert hit.paper_id == paper.paper_id and hit.score > 0.999
            terms = library.lexical.terms(paper.display_title)
            assert paper.paper_id in [found.paper_id for found in library.search_words(terms, 3)]


WORKS = ("first", "add", "change", "remove", "rebuild")


def kill_after(scene: Scene, seconds: float) -> bool:
    """Whether the work was broken off."""
    with scene.start() as process:
        time.sleep(seconds)
        process.kill()
        assert process.stdout is not None
        return "done" not in process.stdout.read()


def seconds(scene: Scene) -> float:
    """What the work takes when nothing breaks it off."""
    with scene.start() as process:
        begun = time.monotonic()
        assert process.stdout is not None and process.stdout.read() == "done\n"
        return time.monotonic() - begun


@pytest.mark.parametrize("work", WORKS)
def test_killed_once_the_next_command_finishes_the_work(finished: Path, tmp_path: Path, work: str) -> None:
    scene = Scene(work, finished, tmp_path)
    kill_after(scene, random.Random(work).uniform(0.0, 0.6))
    scene.finish()


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_killed_a_hundred_times_the_next_command_finishes_the_work(finished: Path, tmp_path: Path) -> None:
    draw, broken, whole = random.Random(), 0, {}
    for work in WORKS:
        (tmp_path / work).mkdir()
        whole[work] = seconds(Scene(work, finished, tmp_path / work))
    for number in range(100):
        work = WORKS[number % len(WORKS)]
        folder = tmp_path / str(number)
        folder.mkdir()
        scene = Scene(work, finished, folder)
        broken += kill_after(scene, draw.uniform(0.0, whole[work]))
        scene.finish()
        shutil.rmtree(folder)
    assert broken > 50


READER = """
import sys, time
from pathlib import Path
from index import Library, open_library
from index.embedding import ToyEmbedder, embed

library = open_library(sys.argv[1], ToyEmbedder(), announce=print)
print("reading", flush=True)
most = 0
while most < int(sys.argv[2]):
    library.reopen_if_moved()
    hits = library.search_vectors("chunks", library.embedder.embed_queries(["amber basalt"])[0], 10)
    papers = {paper.paper_id for paper in library.papers([hit.paper_id for hit in hits])}
    assert len(hits) == len(papers) == 10, (hits, papers)
    assert len(library.sentences(list(papers))) <= 10
    assert len(library.search_words(library.lexical.terms("amber basalt"), 10)) == 10
    assert library.catalogue.count() >= most
    most = library.catalogue.count()
    time.sleep(0.02)
while library.stale():
    time.sleep(0.1)
library.reopen_if_moved()
print("done", flush=True)
"""


@pytest.fixture
def pages(finished: Path, tmp_path: Path) -> Iterator[tuple[Path, list[subprocess.Popen[str]]]]:
    """Two processes that read a home until it holds three batches more."""
    home = Path(shutil.copytree(finished, tmp_path / "home"))
    command = [sys.executable, "-c", READER, str(home), str(PAPERS + 3 * MORE)]
    reading = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    yield home, reading
    for process in reading:
        process.kill()
        process.communicate()


def test_two_pages_read_while_one_process_writes(pages: tuple[Path, list[subprocess.Popen[str]]], tmp_path: Path) -> None:
    home, reading = pages
    for process in reading:
        assert process.stdout is not None and process.stdout.readline() == "reading\n"
    with closing(Library(home, ToyEmbedder())) as library:
        for number in range(3):
            source = tmp_path / f"batch-{number}.txt"
            source.write_text(listing(MORE, seed=20 + number))
            library.add([str(source)])
    for process in reading:
        said, failed = process.communicate(timeout=120)
        assert (said, process.returncode) == ("done\n", 0), failed
