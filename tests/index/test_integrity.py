"""What was written to the vectors and is not there any more as it was is noticed before Chroma opens it, and made anew."""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from index import HomeError, Library, integrity
from index.embedding import ToyEmbedder
from index.vectors import PARTS
from tests.conftest import built_once
from tests.index.test_library import check_whole, nearest

PAPERS = 1050  # Chroma stores a search graph from a thousand vectors on
WORDS = "amber basalt cedar dune ember fjord glade heron islet juniper kelp lagoon marsh nettle osprey pebble quartz reed".split()


def listing(papers: int, seed: int = 7) -> str:
    """Papers of made-up sentences, enough of them for Chroma to store a search graph."""
    draw = random.Random(seed)

    def sentence() -> str:
        return " ".join(draw.choices(WORDS, k=14)).capitalize() + "."

    return "\n\n".join(f"Field Note {seed}-{number}\n{sentence()}" for number in range(papers))


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished home with a stored search graph. Read only."""

    def build(folder: Path) -> None:
        folder.mkdir()
        (folder / "notes.txt").write_text(listing(PAPERS))
        library = Library(folder / "home", ToyEmbedder())
        library.add([str(folder / "notes.txt")])
        library.close()

    home = built_once(tmp_path_factory, "finished", build) / "home"
    assert len(integrity.stored(home / "vectors")) == len(PARTS)
    return home


@pytest.fixture
def home(finished: Path, tmp_path: Path) -> Iterator[Path]:
    copy = Path(shutil.copytree(finished, tmp_path / "copy"))
    yield copy


def graph(home: Path) -> Path:
    return integrity.stored(home / "vectors")[0]


def overwrite(file: Path, content: bytes) -> None:
    """In its midst, leaving size and, as a failing disk does, time as they were."""
    before = file.stat()
    with file.open("r+b") as opened:
        opened.seek(before.st_size // 2)
        opened.write(content[: before.st_size - before.st_size // 2])
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns + 1))


def flip(file: Path) -> None:
    content = file.read_bytes()
    overwrite(file, bytes([content[len(content) // 2] ^ 1]))


HARMS: dict[str, Callable[[Path], None]] = {
    "4 kB of 0xff among the vectors": lambda home: overwrite(graph(home) / "data_level0.bin", b"\xff" * 4096),
    "64 kB of zeros among the vectors": lambda home: overwrite(graph(home) / "data_level0.bin", bytes(65536)),
    "random bytes among the links": lambda home: overwrite(graph(home) / "link_lists.bin", random.Random(1).randbytes(600)),
    "a bit of one link": lambda home: flip(graph(home) / "link_lists.bin"),
    "random bytes in the lengths": lambda home: overwrite(graph(home) / "length.bin", random.Random(2).randbytes(40)),
    "a heading of zeros": lambda home: (graph(home) / "header.bin").write_bytes(bytes(100)),  # type: ignore[dict-item,return-value]
    "no table of ids": lambda home: (graph(home) / "index_metadata.pickle").unlink(),
    "a cut table of ids": lambda home: os.truncate(graph(home) / "index_metadata.pickle", 40),
    "no graph": lambda home: shutil.rmtree(graph(home)),
    "pages of the database": lambda home: overwrite(home / "vectors" / "chroma.sqlite3", random.Random(3).randbytes(20 * 4096)),
}


@pytest.mark.parametrize("harm", HARMS.values(), ids=HARMS)
def test_what_was_spoilt_after_work_was_finished_is_made_anew(home: Path, harm: Callable[[Path], None]) -> None:
    harm(home)
    library = Library(home, ToyEmbedder())
    assert library.stale() == PAPERS
    library.catch_up()
    library.close()
    again = Library(home, ToyEmbedder())
    assert len(nearest(again, "amber basalt")) == 10
    assert (again.stale(), again.vectors.count("chunks")) == (0, again.manifest().chunks)  # type: ignore[union-attr]
    again.close()


UNFINISHED = [name for name in HARMS if name != "a bit of one link"]


@pytest.mark.parametrize("name", UNFINISHED)
def test_what_was_spoilt_while_it_was_written_is_made_anew_without_sums(home: Path, name: str) -> None:
    (home / "vectors" / "sums.json").unlink()
    HARMS[name](home)
    assert integrity.fault(home / "vectors", None)
    library = Library(home, ToyEmbedder())
    assert library.stale() == PAPERS
    library.close()


def test_a_home_without_sums_is_looked_through_once_and_nothing_is_embedded(home: Path) -> None:
    (home / "vectors" / "sums.json").unlink()
    library = Library(home, ToyEmbedder())
    assert not library._follower.settled()
    library.catch_up()
    assert library._follower.settled() and library.manifest().generation == 1  # type: ignore[union-attr]
    library.close()


def test_a_copy_with_other_times_is_read_once_and_then_known(home: Path) -> None:
    for file in home.rglob("*"):
        os.utime(file)
    library = Library(home, ToyEmbedder())
    assert not library._follower.settled()
    library.catch_up()
    assert library._follower.settled() and library.manifest().generation == 1  # type: ignore[union-attr]
    library.close()


def test_damage_that_moved_neither_size_nor_time_is_found_when_every_file_is_read(home: Path) -> None:
    file = graph(home) / "data_level0.bin"
    times = file.stat().st_mtime_ns
    overwrite(file, b"\xff" * 64)
    os.utime(file, ns=(times, times))
    folder = home / "vectors"
    assert integrity.fault(folder, 1) is None
    assert integrity.fault(folder, 1, look_again=True) == f"{file} is not what was written"


def test_asking_and_closing_a_home_unsettles_nothing(home: Path) -> None:
    for _ in range(2):
        library = Library(home, ToyEmbedder())
        library.catch_up()
        nearest(library, "cedar dune")
        library.close()
        assert integrity.settled(home / "vectors", 1)


def test_to_see_that_nothing_moved_takes_less_than_20_ms(home: Path) -> None:
    library = Library(home, ToyEmbedder())
    library.catch_up()
    started = time.process_time()
    assert all(library.vectors.settled(1) for _ in range(10))
    assert (time.process_time() - started) / 10 < 0.02
    library.close()


def test_a_process_that_dies_of_a_graph_is_told(home: Path) -> None:
    overwrite(graph(home) / "data_level0.bin", b"\xff" * 65536)
    assert integrity.probe(home / "vectors")
    overwrite(graph(home) / "link_lists.bin", b"\xff" * 65536)
    assert integrity.probe(home / "vectors")


def test_a_file_in_the_place_of_the_vectors_is_told_and_the_papers_are_there(home: Path) -> None:
    shutil.rmtree(home / "vectors")
    (home / "vectors").write_text("not a folder")
    library = Library(home, ToyEmbedder())
    with pytest.raises(HomeError, match="a file lies where the folder of the vectors should be: move it away"):
        library.catch_up()
    assert len(library.papers()) == PAPERS
    (home / "vectors").unlink()
    library.catch_up()
    assert library.stale() == 0 and len(nearest(library, "amber basalt")) == 10
    library.close()


def test_a_small_library_needs_no_process_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "few.txt").write_text(listing(5))
    library = Library(tmp_path / "home", ToyEmbedder())
    library.add([str(tmp_path / "few.txt")])
    (tmp_path / "home" / "vectors" / "sums.json").unlink()
    monkeypatch.setattr(integrity, "probe", lambda folder: pytest.fail("a child was started"))
    assert library.stale() == 0
    check_whole(library, papers=5)
    library.close()
