"""What is wrong with a home is found and told part by part, with what to do."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import filelock
import pytest

from index import Library, health
from index.embedding import ToyEmbedder
from tests.conftest import LISTINGS
from tests.index.test_integrity import HARMS, finished, graph, overwrite

__all__ = ["finished"]


@pytest.fixture
def home(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "copy"))


def wrong(home: Path) -> dict[str, str]:
    return {finding.part: f"{finding.found}. {finding.advice}" for finding in health.check(home) if not finding.ok}


def execute(file: Path, *statements: str) -> None:
    with closing(sqlite3.connect(file)) as db:
        for statement in statements:
            db.execute(statement)
        db.commit()


def test_nothing_is_wrong_with_a_finished_home_and_every_part_is_told(home: Path) -> None:
    findings = list(health.check(home))
    assert [finding.part for finding in findings] == [
        "permissions", "disk", "lock", "manifest", "catalogue", "text index", "marks", "chunks",
    ]  # fmt: skip
    assert all(finding.ok and not finding.advice for finding in findings)
    assert "1050 papers of 1 sources" in findings[4].found


def test_a_home_that_is_not_there_or_not_begun_is_not_wrong_and_a_file_is(tmp_path: Path) -> None:
    assert wrong(tmp_path / "none") == {} and not (tmp_path / "none").exists()
    (tmp_path / "begun").mkdir(mode=0o700)
    assert wrong(tmp_path / "begun") == {}
    (tmp_path / "file").touch()
    assert list(wrong(tmp_path / "file")) == ["home"]


def same_time(home: Path) -> None:
    file = graph(home) / "data_level0.bin"
    times = file.stat().st_mtime_ns
    overwrite(file, b"\xff" * 40)
    os.utime(file, ns=(times, times))


DAMAGE: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "catalogue deleted": (lambda home: [file.unlink() for file in home.glob("catalogue*")], "catalogue", "gone, with 1050 papers.*restore"),
    "catalogue overwritten": (
        lambda home: overwrite(home / "catalogue.sqlite", random.Random(1).randbytes(40_000)),
        "catalogue",
        "restore FILE --force",
    ),
    "a paper without its text": (
        lambda home: execute(home / "catalogue.sqlite", "DELETE FROM papers_text WHERE rowid = 3"),
        "text index",
        "holds 1049 papers of 1050.*--rebuild",
    ),
    "a text index that forgot a word": (
        lambda home: execute(home / "catalogue.sqlite", "UPDATE papers_text_content SET c1 = 'other words' WHERE id = 3"),
        "text index",
        "--rebuild",
    ),
    "a mark lost": (
        lambda home: execute(next(home.glob("states-*.sqlite")), "DELETE FROM papers WHERE paper_id = (SELECT min(paper_id) FROM papers)"),
        "marks",
        "1 papers to embed.*assistant index",
    ),
    "vectors of other papers": (
        lambda home: execute(home / "vectors" / "chroma.sqlite3", "UPDATE embeddings SET embedding_id = 'x' || embedding_id WHERE id < 9"),
        "chunks",
        "of no paper that is marked.*--rebuild",
    ),
    "vectors deleted": (lambda home: shutil.rmtree(home / "vectors"), "vectors", "gone.*assistant index"),
    "a byte of a graph": (same_time, "vectors", "data_level0.bin is not what was written.*--rebuild"),
    "manifest": (lambda home: (home / "manifest.json").write_text("{"), "manifest", "delete this file"),
    "others may read it": (lambda home: home.chmod(0o755), "permissions", r"others can reach .* \(755\).*check-home --private"),
}


@pytest.mark.parametrize(("harm", "part", "told"), DAMAGE.values(), ids=DAMAGE)
def test_what_is_wrong_is_told_with_what_to_do(home: Path, harm: Callable[[Path], object], part: str, told: str) -> None:
    import re

    harm(home)
    found = wrong(home)
    assert part in found and re.search(told, found[part]), found


@pytest.mark.parametrize("name", HARMS)
def test_every_damage_to_the_vectors_is_found(home: Path, name: str) -> None:
    HARMS[name](home)
    assert "vectors" in wrong(home)


def test_token_states_that_are_not_what_was_written_are_found_and_made_anew_alone(home: Path) -> None:
    (states,) = home.glob("states-*.sqlite")
    execute(states, "UPDATE papers SET tokens = zeroblob(length(tokens)) WHERE paper_id = (SELECT min(paper_id) FROM papers)")
    assert wrong(home) == {"token states": "of 1 papers they are not what was written. `assistant index` makes them anew"}
    done: list[tuple[int, int]] = []
    with closing(Library(home, ToyEmbedder())) as library:
        library.refresh(lambda papers, of: done.append((papers, of)))
    assert done[-1] == (1, 1) and wrong(home) == {}


def test_work_that_was_broken_off_is_told_and_finished(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with closing(Library(home, ToyEmbedder())) as library:
        library.add([str(LISTINGS)])
        library.rebuild()
        assert "broken off. `assistant index` finishes it" in wrong(home)["manifest"]
        library.catch_up()
    assert wrong(home) == {}


def test_a_home_that_is_being_written_is_not_judged_by_what_is_in_hand(home: Path) -> None:
    with closing(Library(home, ToyEmbedder())) as library:
        library.rebuild()
    with filelock.FileLock(home / "write.lock"):
        assert wrong(home) == {}


def test_to_look_changes_no_paper_and_no_vector(home: Path) -> None:
    names = ("catalogue.sqlite", "manifest.json", "vectors/sums.json")
    before = {name: (home / name).read_bytes() for name in names}
    assert wrong(home) == {}
    assert {name: (home / name).read_bytes() for name in names} == before
    with closing(Library(home, ToyEmbedder())) as library:
        assert library._follower.settled()


def test_a_home_is_taken_from_all_but_its_owner(home: Path) -> None:
    for path in [home, *home.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    health.make_private(home)
    assert {path for path in [home, *home.rglob("*")] if path.stat().st_mode & 0o077} == set()
    assert wrong(home) == {}
