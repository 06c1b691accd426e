"""Whatever instant the work is broken off, the next start finishes it, and nothing is twice."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from index import HomeError, Library
from index import following as module
from index.catalogue import Catalogue
from index.embedding import MiniLM, ToyEmbedder
from tests.conftest import LISTINGS, ROOT
from tests.index.test_library import GRAVEL, PAPERS, CountingEmbedder, check_whole, nearest


class PowerCut(BaseException):
    """What no code can plan for."""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "library"


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The small listings, embedded two papers at a time."""
    monkeypatch.setattr(module, "_PAPERS_AT_ONCE", 2)
    return Path(shutil.copytree(LISTINGS, tmp_path / "sources"))


def cut_at(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, call: int, after: bool) -> None:
    """Makes the `call`-th call of a method the last thing that happens, before or after it did its work."""
    real, calls = getattr(owner, name), iter(range(1, 1000))

    def wrapped(*arguments: Any, **options: Any) -> Any:
        last = next(calls) == call
        if last and not after:
            raise PowerCut
        result = real(*arguments, **options)
        if last:
            raise PowerCut
        return result

    monkeypatch.setattr(owner, name, wrapped)


STEPS = [
    *[("embedder", "embed_texts", call) for call in (1, 2)],
    *[("catalogue", name, call) for name in ("put_sources", "mark_embedded") for call in (1, 2, 3) if name != "put_sources" or call == 1],
    *[("vectors", name, call) for name in ("add", "remove") for call in (1, 2)],
    ("manifest", "write", 1),
    ("manifest", "write", 2),
]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("part", "name", "call"), STEPS)
def test_a_first_run_and_a_change_broken_off_anywhere_are_finished(
    home: Path, sources: Path, monkeypatch: pytest.MonkeyPatch, part: str, name: str, call: int, after: bool
) -> None:
    for change in (False, True):
        if change:
            file = sources / "dated.txt"
            file.write_text(file.read_text().replace("Momentum doubles", "Zebras double").partition("Quiet Votes")[0])
            (sources / "more.txt").write_text("Get trending papers in your email inbox!\nZebra\nIt has stripes. It is fast.\n")
        library = Library(home, ToyEmbedder())
        with monkeypatch.context() as fault:
            owner = module.manifests if part == "manifest" else getattr(library, part)
            cut_at(fault, owner, name, call, after)
            with suppress(PowerCut) if change else pytest.raises(PowerCut):  # a change takes fewer steps
                library.add([str(sources)])
        library.close()
        again = Library(home, ToyEmbedder())
        again.catch_up()
        if again.catalogue.count():
            check_whole(again)
        again.add([str(sources)])
        check_whole(again)
        again.close()
    assert nearest(again, "zebras double")[0] == GRAVEL
    again.close()


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_run_broken_off_while_it_stores_keeps_what_was_stored_before(
    home: Path, sources: Path, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    library = Library(home, ToyEmbedder())
    with monkeypatch.context() as fault, pytest.raises(PowerCut):
        cut_at(fault, library.vectors, "add", 2, after)
        library.add([str(sources)])
    library.close()
    again = Library(home, ToyEmbedder())
    assert again.stale() == PAPERS - 2
    again.close()


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    ("part", "name"),
    [
        ("catalogue", "remove_source"),
        ("catalogue", "doubt_embedded"),
        ("vectors", "remove"),
        ("catalogue", "forget_embedded"),
        ("manifest", "write"),
    ],
)
def test_a_removal_broken_off_anywhere_is_finished_without_embedding(
    home: Path, sources: Path, monkeypatch: pytest.MonkeyPatch, part: str, name: str, after: bool
) -> None:
    library = Library(home, ToyEmbedder())
    library.add([str(sources)])
    with monkeypatch.context() as fault, pytest.raises(PowerCut):
        cut_at(fault, module.manifests if part == "manifest" else getattr(library, part), name, 1, after)
        library.remove(str(sources / "dated.txt"))
    library.close()
    embedder = CountingEmbedder()
    again = Library(home, embedder)
    again.catch_up()
    assert embedder.embedded == 0
    check_whole(again, papers=6 if name == "remove_source" and not after else 3)
    again.close()


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("part", "name", "call"), [("vectors", "empty", 1), ("catalogue", "forget_embedded", 1), ("vectors", "add", 2)])
def test_a_change_of_model_broken_off_is_finished_with_either_model(
    home: Path, sources: Path, monkeypatch: pytest.MonkeyPatch, part: str, name: str, call: int, after: bool
) -> None:
    first = Library(home, ToyEmbedder())
    first.add([str(sources)])
    first.close()
    for dimension in (32, 64, 32):
        library = Library(home, ToyEmbedder(32))
        with monkeypatch.context() as fault:
            cut_at(fault, getattr(library, part), name, call, after)
            try:
                library.catch_up()
            except PowerCut:
                assert library.stale()
        library.close()
        again = Library(home, ToyEmbedder(dimension))
        again.catch_up()
        check_whole(again)
        assert len(again.vectors.place.client.list_collections()) == 2
        again.close()


def test_a_changed_model_embeds_everything_again_once(home: Path, sources: Path) -> None:
    embedded = []
    for dimension in (64, 32, 32):
        embedder = CountingEmbedder(dimension)
        library = Library(home, embedder)
        library.add([str(sources)])
        embedded.append(embedder.embedded)
        check_whole(library)
        library.close()
    assert embedded == [embedded[0], embedded[0], 0]


# What else may happen to the files


@pytest.fixture
def whole(home: Path, sources: Path) -> Iterator[Path]:
    """A finished home, closed."""
    library = Library(home, ToyEmbedder())
    library.add([str(sources)])
    library.close()
    yield home


def emptied(home: Path) -> None:
    shutil.rmtree(home / "vectors")
    (home / "vectors").mkdir()


def overwritten(home: Path) -> None:
    (home / "vectors" / "chroma.sqlite3").write_bytes(b"not a database" * 1000)


def emptied_behind_a_broken_run(home: Path) -> None:
    manifest = home / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"complete": true', '"complete": false'))
    emptied(home)


@pytest.mark.parametrize(
    "harm",
    [lambda home: shutil.rmtree(home / "vectors"), emptied, overwritten, emptied_behind_a_broken_run],
    ids=["deleted", "emptied", "overwritten", "emptied behind a broken run"],
)
def test_lost_vectors_are_made_anew(whole: Path, harm: Callable[[Path], None]) -> None:
    harm(whole)
    library = Library(whole, ToyEmbedder())
    assert library.stale() == PAPERS
    library.catch_up()
    check_whole(library)
    library.close()


def deleted(home: Path) -> None:
    for file in home.glob("catalogue.sqlite*"):
        file.unlink()


def cut_to_nothing(home: Path) -> None:
    os.truncate(home / "catalogue.sqlite", 0)


def begun_anew_by_another_program(home: Path) -> None:
    deleted(home)
    Catalogue(home / "catalogue.sqlite").close()


@pytest.mark.parametrize("harm", [deleted, cut_to_nothing, begun_anew_by_another_program])
def test_a_lost_catalogue_stops_everything_and_nothing_is_deleted(whole: Path, sources: Path, harm: Callable[[Path], None]) -> None:
    harm(whole)
    before = {file: file.read_bytes() for file in whole.rglob("*") if file.is_file() and "catalogue" not in file.name}
    for _ in range(2):
        with pytest.raises(HomeError, match=r"held 6 papers. Nothing was deleted. .*restore FILE.*index SOURCES --rebuild"):
            Library(whole, ToyEmbedder())
    assert {file: file.read_bytes() for file in before} == before
    library = Library(whole, ToyEmbedder(), begin_anew=True)
    library.rebuild()
    library.add([str(sources / "compact.txt")])
    check_whole(library, papers=2)
    library.close()


@pytest.mark.parametrize("page", [0, 3])
def test_a_damaged_catalogue_is_told_and_set_aside_when_it_is_begun_anew(whole: Path, sources: Path, page: int) -> None:
    file = whole / "catalogue.sqlite"
    with file.open("r+b") as opened:
        opened.seek(page * 4096)
        opened.write(b"\xff" * 4096 * 8)
    spoilt = file.read_bytes()
    with pytest.raises(HomeError, match=r"the catalogue is damaged .*Nothing was deleted.*restore FILE.*--rebuild"):
        Library(whole, ToyEmbedder()).catch_up()
    library = Library(whole, ToyEmbedder(), begin_anew=True)
    library.rebuild()
    library.add([str(sources)])
    check_whole(library)
    library.close()
    (aside,) = whole.glob("catalogue.sqlite.damaged-????????-??????")
    assert aside.read_bytes() == spoilt


def test_a_sound_catalogue_is_kept_when_all_is_made_anew(whole: Path) -> None:
    embedder = CountingEmbedder()
    library = Library(whole, embedder, begin_anew=True)
    library.rebuild()
    assert library.stale() == PAPERS
    library.catch_up()
    check_whole(library)
    assert embedder.embedded > PAPERS and not [*whole.glob("*damaged*")]
    library.close()


def test_removing_the_last_papers_is_no_loss(whole: Path, sources: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for cut in ("doubt_embedded", "forget_embedded", "write"):
        library = Library(whole, ToyEmbedder())
        library.add([str(sources)])
        with monkeypatch.context() as fault, pytest.raises(PowerCut):
            cut_at(fault, module.manifests if cut == "write" else library.catalogue, cut, 1, after=True)
            library.remove(str(sources))
        library.close()
        again = Library(whole, ToyEmbedder())
        again.catch_up()
        check_whole(again, papers=0)
        again.close()


# Other processes

CHILD = """
import sys, time
from pathlib import Path
from index import Library, following
from index.embedding import MiniLM, ToyEmbedder

class Slow(ToyEmbedder):
    def embed_texts(self, texts):
        print("embedding", flush=True)
        time.sleep(float(sys.argv[3]))
        return super().embed_texts(texts)

following._PAPERS_AT_ONCE = 2
library = Library(Path(sys.argv[1]), Slow())
library.add([sys.argv[2]])
print("done", flush=True)
"""


def child(home: Path, source: Path, seconds: float) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, str(home), str(source), str(seconds)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


def test_a_killed_process_leaves_work_that_is_finished_and_not_repeated(home: Path, sources: Path) -> None:
    with child(home, sources, 0.3) as process:
        assert process.stdout is not None
        for _ in range(3):
            assert process.stdout.readline() == "embedding\n"
        os.kill(process.pid, signal.SIGKILL)
    embedder = CountingEmbedder()
    library = Library(home, embedder)
    assert 0 < library.stale() < PAPERS
    library.catch_up()
    check_whole(library)
    library.close()
    everything = CountingEmbedder()
    fresh = Library(home.parent / "fresh", everything)
    fresh.add([str(sources)])
    fresh.close()
    assert 0 < embedder.embedded < everything.embedded


def test_readers_see_what_another_process_wrote(home: Path, sources: Path) -> None:
    readers = [Library(home, ToyEmbedder()) for _ in range(2)]
    readers[0].add([str(sources / "compact.txt")])
    assert [len(nearest(reader, "the")) for reader in readers] == [2, 2]
    with child(home, sources / "dated.txt", 0) as process:
        assert process.communicate()[0].endswith("done\n")
    for reader in readers:
        assert nearest(reader, "gravel stores momentum")[0] == GRAVEL
        check_whole(reader, papers=5)
    for reader in readers:
        reader.close()


@pytest.mark.parametrize("cut", [False, True])
def test_a_lost_or_cut_search_graph_is_noticed_and_made_anew(starter_home: Path, tmp_path: Path, minilm: MiniLM, cut: bool) -> None:
    home = Path(shutil.copytree(starter_home, tmp_path / "starter"))
    segments = [path for path in (home / "vectors").iterdir() if path.is_dir()]
    assert segments
    for segment in segments:
        if cut:
            for file in segment.glob("*.bin"):
                os.truncate(file, 100)
        else:
            shutil.rmtree(segment)
    library = Library(home, minilm)
    assert library.stale() == library.catalogue.count()
    library.close()
