"""A home on a full disk, one that may only be read, and who else may read it."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from index import Library
from index.embedding import ToyEmbedder
from tests.conftest import LISTINGS, ROOT
from tests.index.test_integrity import listing
from tests.index.test_library import PAPERS

ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]), "PYTHONDONTWRITEBYTECODE": "1"}


def can_mount() -> bool:
    return (
        shutil.which("unshare") is not None and subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode == 0
    )


mounting = pytest.mark.skipif(not can_mount(), reason="this user may not mount, which the test needs")


# Read only

READER = """
import sys
from pathlib import Path
from index import IndexingError, open_library
from index.embedding import ToyEmbedder

library = open_library(sys.argv[1], ToyEmbedder(), announce=print)
library.reopen_if_moved()
hits = library.search_vectors("chunks", library.embedder.embed_queries(["gravel momentum"])[0], 10)
words = library.search_words(library.lexical.terms("gravel"), 5)
print(len(library.papers()), len(hits), len(words), library.stale(), len(library.sentences([hits[0].paper_id])) if hits else 0)
for write in (lambda: library.add([sys.argv[2]]), lambda: library.remove(sys.argv[2]), library.rebuild):
    try:
        write()
    except IndexingError as error:
        print(error)
library.close()
"""


def made(home: Path) -> Path:
    library = Library(home, ToyEmbedder())
    library.add([str(LISTINGS)])
    library.close()
    return home


def contents(home: Path) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in home.rglob("*") if file.is_file()}


def by_permission_bits(home: Path) -> str:
    """What a reader says whom permission bits keep from writing there; root without what lets it pass them."""
    for path in [home, *home.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    bound = ["setpriv", "--bounding-set", "-dac_override"] if os.geteuid() == 0 else []
    if bound and shutil.which("setpriv") is None:
        pytest.skip("root may write everywhere, and there is no setpriv to take that from it")
    command = [*bound, sys.executable, "-c", READER, str(home), str(LISTINGS / "dated.txt")]
    done = subprocess.run(command, cwd="/", env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def on_a_read_only_mount(home: Path) -> str:
    script = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && exec "$2" -c "$3" "$1" "$4"'
    command = ["unshare", "-m", "sh", "-c", script, "sh", str(home), sys.executable, READER, str(LISTINGS / "dated.txt")]
    done = subprocess.run(command, cwd="/", env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("way", [by_permission_bits, pytest.param(on_a_read_only_mount, marks=mounting)])
def test_a_home_that_cannot_be_written_is_searched_and_said_so_in_one_line(tmp_path: Path, way: Callable[[Path], str]) -> None:
    home = made(tmp_path / "home")
    before = contents(home)
    note, found, *refused = way(home).splitlines()
    assert note == f"{home} cannot be written: it is read as it is, its vectors by way of a temporary folder"
    assert found == f"{PAPERS} {PAPERS} 1 0 1"
    assert refused == [f"{home}: the home cannot be written, only read: check its permissions, or choose another with --home"] * 3
    assert contents(home) == before


def test_what_a_killed_process_left_is_read_where_nothing_can_be_written(tmp_path: Path) -> None:
    home = tmp_path / "home"
    code = "import os,sys; from pathlib import Path; from index import Library; from index.embedding import ToyEmbedder\n"
    code += "Library(Path(sys.argv[1]), ToyEmbedder()).add([sys.argv[2]]); os.kill(os.getpid(), 9)"
    subprocess.run([sys.executable, "-c", code, str(home), str(LISTINGS)], cwd=ROOT, check=False)
    assert (home / "catalogue.sqlite-wal").stat().st_size
    assert f"{PAPERS} {PAPERS} 1 0 1" in by_permission_bits(home)


def test_a_read_only_home_whose_vectors_are_spoilt_says_where_to_mend_it(tmp_path: Path) -> None:
    home = made(tmp_path / "home")
    (home / "vectors" / "chroma.sqlite3").write_bytes(b"not a database" * 999)
    with pytest.raises(
        AssertionError, match=r"none of its 6 papers can be searched: .*Run `assistant index` where the home may be written"
    ):
        by_permission_bits(home)


# A full disk

WRITER = """
import sys
from pathlib import Path
from index import IndexingError, Library
from index.embedding import ToyEmbedder

try:
    Library(Path(sys.argv[1]), ToyEmbedder()).add([sys.argv[2]])
    print("done")
except IndexingError as error:
    print(type(error).__name__, error)
"""


def indexed(disk: Path, source: Path, kilobytes: int) -> str:
    subprocess.run(["mount", "-o", f"remount,size={kilobytes}k", str(disk)], check=True)
    command = [sys.executable, "-c", WRITER, str(disk / "home"), str(source)]
    done = subprocess.run(command, cwd="/", env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@mounting
def test_a_full_disk_is_told_whatever_it_was_that_did_not_fit_and_room_is_enough_to_finish(tmp_path: Path) -> None:
    papers = 300
    (tmp_path / "notes.txt").write_text(listing(papers))
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100k", "none", str(disk)], check=True)
    try:
        for kilobytes in (40, 800, 1200):
            told = indexed(disk, tmp_path / "notes.txt", kilobytes)
            assert told.startswith("HomeError ") and told.count("\n") == 1, (kilobytes, told)
            assert "space" in told or "room" in told, (kilobytes, told)
        assert indexed(disk, tmp_path / "notes.txt", 64_000) == "done\n"
        library = Library(disk / "home", ToyEmbedder())
        assert (library.stale(), library.catalogue.count()) == (0, papers)
        library.close()
    finally:
        subprocess.run(["umount", str(disk)], check=True)


# Who else may read it


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("there", [False, True])
def test_a_new_home_is_its_owners_alone(tmp_path: Path, there: bool) -> None:
    before = os.umask(0)
    try:
        if there:
            (tmp_path / "home").mkdir(mode=0o777)
        made(tmp_path / "home")
    finally:
        os.umask(before)
    home = tmp_path / "home"
    assert mode(home) == mode(home / "vectors") == 0o700
    assert {file.name: oct(mode(file)) for file in home.iterdir() if file.is_file() and mode(file) != 0o600} == {}


def test_a_home_that_others_may_read_is_left_so(tmp_path: Path) -> None:
    home = made(tmp_path / "home")
    home.chmod(0o755)
    made(home)
    assert mode(home) == 0o755
