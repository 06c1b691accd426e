"""A backup holds all that cannot be made anew, and nothing is replaced by one that is not sound."""

from __future__ import annotations

import json
import os
import shutil
import stat
import threading
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import filelock
import pytest

from index import BusyError, HomeError, Library, archive
from index import library as module
from index.embedding import ToyEmbedder
from tests.conftest import LISTINGS
from tests.index.test_library import PAPERS, CountingEmbedder, check_whole


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A finished home with settings and something of another part of the program."""
    made = tmp_path / "library"
    with closing(Library(made, ToyEmbedder())) as library:
        library.add([str(LISTINGS)])
    (made / "settings.toml").write_text('llm = "extractive"\n')
    (made / "conversations").mkdir()
    (made / "conversations" / "one.json").write_text('{"turns": []}')
    return made


@pytest.fixture
def saved(home: Path, tmp_path: Path) -> Path:
    return archive.backup(home, tmp_path / "saved.zip").file


@pytest.mark.parametrize("with_vectors", [False, True])
def test_what_was_backed_up_comes_back_whole(home: Path, tmp_path: Path, with_vectors: bool) -> None:
    made = archive.backup(home, tmp_path / "saved.zip", with_vectors)
    assert (made.papers, stat.S_IMODE(made.file.stat().st_mode)) == (PAPERS, 0o600)
    done = archive.restore(made.file, tmp_path / "back")
    assert (done.papers, done.aside) == (PAPERS, None)
    for name in ("settings.toml", "conversations/one.json", "manifest.json"):
        assert (done.home / name).read_bytes() == (home / name).read_bytes()
    assert (done.home / "vectors").exists() == with_vectors and stat.S_IMODE(done.home.stat().st_mode) == 0o700
    embedder = CountingEmbedder()
    with closing(Library(done.home, embedder)) as library:
        library.catch_up()
        assert (embedder.embedded == 0) == with_vectors
        check_whole(library)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["back", "library", "saved.zip"]


def test_a_backup_holds_what_was_written_though_the_catalogue_is_open(home: Path, tmp_path: Path) -> None:
    (tmp_path / "more.txt").write_text("Get trending papers in your email inbox!\nZebra\nIt has stripes. It is fast.\n")
    with closing(Library(home, ToyEmbedder())) as library:
        library.add([str(tmp_path / "more.txt")])
        assert (home / "catalogue.sqlite-wal").stat().st_size
        assert archive.backup(home, tmp_path / "saved.zip").papers == PAPERS + 1
    assert archive.restore(tmp_path / "saved.zip", tmp_path / "back").papers == PAPERS + 1


def test_a_backup_waits_for_who_writes(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with filelock.FileLock(home / "write.lock"):
        monkeypatch.setattr(module, "_LOCK_SECONDS", 0.1)
        with pytest.raises(BusyError):
            archive.backup(home, tmp_path / "saved.zip")
        assert not [*tmp_path.glob("*saved*")]
        monkeypatch.setattr(module, "_LOCK_SECONDS", 60)
        waiting = threading.Thread(target=archive.backup, args=(home, tmp_path / "saved.zip"))
        waiting.start()
    waiting.join()
    assert archive.restore(tmp_path / "saved.zip", tmp_path / "back").papers == PAPERS


def test_no_backup_replaces_a_file_or_lies_in_the_home_or_is_made_of_nothing(home: Path, saved: Path, tmp_path: Path) -> None:
    before = saved.read_bytes()
    with pytest.raises(HomeError, match="this file is there already"):
        archive.backup(home, saved)
    with pytest.raises(HomeError, match="lies in the home itself"):
        archive.backup(home, home / "saved.zip")
    with pytest.raises(HomeError, match="there is no library to back up"):
        archive.backup(tmp_path / "none", tmp_path / "none.zip")
    assert saved.read_bytes() == before and not (tmp_path / "none.zip").exists()


def test_a_damaged_catalogue_is_not_backed_up(home: Path, tmp_path: Path) -> None:
    with (home / "catalogue.sqlite").open("r+b") as file:
        file.seek(4096 * 4)
        file.write(b"\xff" * 4096 * 4)
    with pytest.raises(HomeError, match="damaged"):
        archive.backup(home, tmp_path / "saved.zip")
    assert not [*tmp_path.glob("*saved*")]


def test_a_home_that_holds_something_is_set_aside_only_when_told(home: Path, saved: Path, tmp_path: Path) -> None:
    with closing(Library(home, ToyEmbedder())) as library:
        library.remove(str(LISTINGS))
    with pytest.raises(HomeError, match=r"holds something already: choose an empty home .*--force"):
        archive.restore(saved, home)
    done = archive.restore(saved, home, force=True)
    assert done.aside is not None and done.aside.parent == tmp_path
    with closing(Library(done.aside, ToyEmbedder())) as library:
        assert library.catalogue.count() == 0
    with closing(Library(home, ToyEmbedder())) as library:
        library.catch_up()
        check_whole(library)


def test_an_empty_folder_is_filled_and_a_file_refused(saved: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert archive.restore(saved, tmp_path / "empty").papers == PAPERS
    (tmp_path / "file").touch()
    with pytest.raises(HomeError, match="this is a file"):
        archive.restore(saved, tmp_path / "file", force=True)


def rewritten(saved: Path, change: Callable[[dict[str, bytes]], None]) -> None:
    """The same archive with other content, its listing left as it is unless `change` changes it."""
    with zipfile.ZipFile(saved) as old:
        files = {name: old.read(name) for name in old.namelist()}
    change(files)
    with zipfile.ZipFile(saved, "w") as new:
        for name, content in files.items():
            new.writestr(name, content)


def named(name: str) -> Callable[[dict[str, bytes]], None]:
    def change(files: dict[str, bytes]) -> None:
        listing = json.loads(files["backup.json"])
        listing["files"][name] = listing["files"]["settings.toml"]
        files[name] = files["settings.toml"]
        files["backup.json"] = json.dumps(listing).encode()

    return change


def other_format(files: dict[str, bytes]) -> None:
    files["backup.json"] = json.dumps({**json.loads(files["backup.json"]), "format": 2}).encode()


def spoilt_catalogue(files: dict[str, bytes]) -> None:
    import hashlib

    files["catalogue.sqlite"] = files["catalogue.sqlite"][: 4096 * 3] + b"\xff" * 4096 * 6
    listing = json.loads(files["backup.json"])
    size, digest = len(files["catalogue.sqlite"]), hashlib.sha256(files["catalogue.sqlite"]).hexdigest()
    listing["files"]["catalogue.sqlite"] = {"size": size, "sha256": digest}
    files["backup.json"] = json.dumps(listing).encode()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (named("../outside.txt"), "would lie outside the home"),
        (named("/outside.txt"), "would lie outside the home"),
        (named("a/../../outside.txt"), "would lie outside the home"),
        (named("..\\outside.txt"), "would lie outside the home"),
        (named("C:outside.txt"), "would lie outside the home"),
        (lambda files: files.update({"more.txt": b"more"}), "does not hold what its listing says"),
        (lambda files: files.pop("settings.toml"), "does not hold what its listing says"),
        (lambda files: files.pop("backup.json"), "not a backup of this program's"),
        (lambda files: files.update({"settings.toml": b"x" * len(files["settings.toml"])}), "settings.toml is not what was backed up"),
        (lambda files: files.update({"settings.toml": bytes(10_000_000)}), "settings.toml is not what was backed up"),
        (lambda files: files.update({"backup.json": b"[]"}), "not a backup of this program's"),
        (other_format, "a backup of format 2.*update it"),
        (spoilt_catalogue, "its catalogue is damaged"),
    ],
)
def test_a_backup_that_is_not_sound_replaces_nothing(
    home: Path, saved: Path, tmp_path: Path, change: Callable[[dict[str, bytes]], None], told: str
) -> None:
    rewritten(saved, change)
    before = {file: file.read_bytes() for file in home.rglob("*") if file.is_file()}
    with pytest.raises(HomeError, match=told):
        archive.restore(saved, home, force=True)
    assert {file: file.read_bytes() for file in home.rglob("*") if file.is_file()} == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["library", "saved.zip"]


@pytest.mark.parametrize(
    "harm", [lambda file: os.truncate(file, 900), lambda file: file.write_bytes(b"no zip"), lambda file: file.unlink()]
)
def test_a_cut_or_missing_backup_is_told(saved: Path, tmp_path: Path, harm: Callable[[Path], None]) -> None:
    harm(saved)
    with pytest.raises(HomeError, match=r"saved\.zip: (not a backup|the backup cannot be read)"):
        archive.restore(saved, tmp_path / "back")
    assert not (tmp_path / "back").exists()


def test_a_flipped_byte_anywhere_restores_nothing_wrong(saved: Path, tmp_path: Path) -> None:
    content = saved.read_bytes()
    whole = archive.restore(saved, tmp_path / "whole").home
    expected = {file.relative_to(whole): file.read_bytes() for file in whole.rglob("*") if file.is_file() and file.suffix != ".sqlite"}
    for place in range(0, len(content), len(content) // 40):
        saved.write_bytes(content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :])
        try:
            back = archive.restore(saved, tmp_path / "back").home
        except HomeError:
            assert not (tmp_path / "back").exists()
        else:  # a byte that nothing depends on
            assert {name: (back / name).read_bytes() for name in expected} == expected
            shutil.rmtree(back)
