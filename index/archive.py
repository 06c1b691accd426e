"""A library in one file, and back: `backup` and `restore`.

Goes in: a home, or a zip file that `backup` wrote. Comes out: such a file, or a home. The file holds what cannot
be made anew (the catalogue as of one moment, settings, manifest, whatever else lies in the home) and a listing
with size and SHA-256 of each; vectors and text index only when asked for. Nothing is replaced before all of a
file is unpacked beside the home and found sound, and what was there is set aside, not deleted.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import tempfile
import time
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import IO

from index import manifest as manifests
from index.catalogue import Catalogue, is_database_sound
from index.chroma import copy_database
from index.errors import HomeError
from index.library import CATALOGUE_FILE, LOCK_FILE, VECTORS_FOLDER, is_there, write_lock

LISTING = "backup.json"
_FORMAT = 1
_DERIVED = (VECTORS_FOLDER, "postings-*", "states-*")
"""What can be made anew."""
_LEFT_OUT = (LOCK_FILE, "*.new", "*-wal", "*-shm", "*-journal", "*.damaged-*")
_SQLITE = b"SQLite format 3\0"
_PIECE = 1 << 20


@dataclass(frozen=True)
class Backup:
    """What a backup file holds."""

    file: Path
    papers: int
    files: int
    size: int
    """Of all of them, unpacked, in bytes."""


@dataclass(frozen=True)
class Restored:
    """What a restoring did."""

    home: Path
    papers: int
    aside: Path | None
    """Where what was in the home before lies now."""


def backup(home: Path, target: Path, with_vectors: bool = False) -> Backup:
    """Writes a backup of a home. Raises `HomeError` or `BusyError`; an existing file is never replaced."""
    catalogue = home / CATALOGUE_FILE
    if not is_there(catalogue):
        raise HomeError(f"{home}: there is no library to back up")
    if target.exists():
        raise HomeError(f"{target}: this file is there already: choose another name, or move it away")
    if home.resolve() in target.resolve().parents:
        raise HomeError(f"{target}: lies in the home itself, where it would be lost with it: choose another folder")
    draft = target.with_name(f".{target.name}.{os.getpid()}.new")
    try:
        with _unchanged(home), _private(draft) as opened, zipfile.ZipFile(opened, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            papers = _pack(home, archive, with_vectors)
        draft.replace(target)
    except OSError as error:
        raise HomeError(f"{target}: the backup cannot be written ({error.strerror}): check the disk's space and permissions") from error
    finally:
        draft.unlink(missing_ok=True)
    listing = _listing(target)
    return Backup(target, papers, len(listing), sum(size for size, _ in listing.values()))


def restore(file: Path, home: Path, force: bool = False) -> Restored:
    """Makes a home of a backup. Raises `HomeError`, or `BusyError` where another process writes to the home.

    `force`: a home that is not empty is moved aside; without, it is an error.
    """
    held = home.is_dir() and any(home.iterdir())
    if home.exists() and not home.is_dir():
        raise HomeError(f"{home}: this is a file: choose another home with --home")
    if held and not force:
        raise HomeError(f"{home}: holds something already: choose an empty home with --home, or set what is there aside with --force")
    listing = _listing(file)
    draft = home.absolute().with_name(f".{home.name}.{os.getpid()}.new")
    try:
        home.absolute().parent.mkdir(parents=True, exist_ok=True)
        draft.mkdir(mode=0o700)
        _require_room(draft, sum(size for size, _ in listing.values()))
        _unpack(file, draft, listing)
        papers = _found_sound(draft, file)
        aside = _set_aside(home) if held else None
        if home.exists():
            home.rmdir()
        draft.rename(home)
    except OSError as error:
        raise HomeError(f"{home}: the backup cannot be put there ({error.strerror or error}): check space and permissions") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return Restored(home, papers, aside)


# Packing


@contextmanager
def _unchanged(home: Path) -> Iterator[None]:
    """Nobody writes to the home meanwhile; one that this process cannot write is taken as it is."""
    if not os.access(home, os.W_OK):
        yield
        return
    with write_lock(home):
        yield


@contextmanager
def _private(draft: Path) -> Iterator[IO[bytes]]:
    with open(draft, "xb", opener=lambda path, flags: os.open(path, flags, 0o600)) as opened:
        yield opened
        opened.flush()
        os.fsync(opened.fileno())


def _pack(home: Path, archive: zipfile.ZipFile, with_vectors: bool) -> int:
    """The number of papers packed."""
    files: dict[str, dict[str, int | str]] = {}
    with tempfile.TemporaryDirectory(prefix="paper-assistant-backup-") as folder:
        copy = Path(folder) / "copy.sqlite"
        catalogue = Catalogue(home / CATALOGUE_FILE, read_only=not os.access(home, os.W_OK))
        papers = catalogue.count()
        catalogue.copy_to(copy)
        catalogue.close()
        if not is_database_sound(copy):
            raise HomeError(f"{home / CATALOGUE_FILE}: the catalogue is damaged, and is not backed up: see `assistant check-home`")
        files[CATALOGUE_FILE] = _put(archive, CATALOGUE_FILE, copy)
        for name, file in _kept(home, with_vectors):
            if _is_database(file):
                copy.unlink(missing_ok=True)
                _copied(file, copy)
                files[name] = _put(archive, name, copy)
            else:
                files[name] = _put(archive, name, file)
    archive.writestr(LISTING, json.dumps({"format": _FORMAT, "made": time.strftime("%Y-%m-%dT%H:%M:%S%z"), "files": files}, indent=1))
    return papers


def _kept(home: Path, with_vectors: bool) -> Iterator[tuple[str, Path]]:
    """All files to back up but the catalogue, each with its name in the archive."""
    for file in sorted(home.rglob("*")):
        name = file.relative_to(home).as_posix()
        top = name.partition("/")[0]
        derived = any(fnmatch(top, pattern) for pattern in _DERIVED)
        left_out = any(fnmatch(file.name, pattern) for pattern in _LEFT_OUT) or name in (CATALOGUE_FILE, LISTING)
        if file.is_file() and not left_out and (with_vectors or not derived):
            yield name, file


def _is_database(file: Path) -> bool:
    with file.open("rb") as opened:
        return opened.read(len(_SQLITE)) == _SQLITE


def _copied(file: Path, copy: Path) -> None:
    try:
        copy_database(file, copy)
    except sqlite3.Error as error:
        raise HomeError(f"{file}: cannot be read ({error}): see `assistant check-home`") from error


def _put(archive: zipfile.ZipFile, name: str, file: Path) -> dict[str, int | str]:
    with file.open("rb") as opened, archive.open(name, "w", force_zip64=True) as packed:
        size, digest = _copy(opened, packed)
    return {"size": size, "sha256": digest}


def _copy(source: IO[bytes], target: IO[bytes], most: int | None = None) -> tuple[int, str]:
    """Size and SHA-256 of what was copied; it ends soon after `most` bytes."""
    size, digest = 0, hashlib.sha256()
    while piece := source.read(_PIECE):
        size += len(piece)
        if most is not None and size > most:
            break
        digest.update(piece)
        target.write(piece)
    return size, digest.hexdigest()


# Unpacking


def _listing(file: Path) -> dict[str, tuple[int, str]]:
    """The files of a backup, each with size and SHA-256. Raises `HomeError` for what no backup of ours holds."""
    try:
        with zipfile.ZipFile(file) as archive:
            names = sorted(archive.namelist())
            document = json.loads(archive.read(LISTING))
        if document["format"] != _FORMAT:
            raise HomeError(f"{file}: a backup of format {document['format']}, of which this program knows nothing: update it")
        files = {name: (int(state["size"]), str(state["sha256"])) for name, state in document["files"].items()}
    except OSError as error:
        raise HomeError(f"{file}: the backup cannot be read ({error.strerror})") from error
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
        KeyError,
        ValueError,
        TypeError,
        AttributeError,
    ) as error:
        raise HomeError(f"{file}: not a backup of this program's, or damaged ({error})") from error
    unsafe = next((name for name in names if not _is_safe(name)), None)
    if unsafe is not None:
        raise HomeError(f"{file}: holds {unsafe!r}, which would lie outside the home: nothing was restored")
    if names != sorted([*files, LISTING]) or CATALOGUE_FILE not in files:
        raise HomeError(f"{file}: does not hold what its listing says: nothing was restored")
    return files


def _is_safe(name: str) -> bool:
    """Whether a name stays in the folder that it is unpacked into, on any platform."""
    parts = PurePosixPath(name).parts
    return bool(parts) and ".." not in parts and not name.startswith("/") and not set(name) & set("\\:\0")


def _require_room(folder: Path, size: int) -> None:
    free = shutil.disk_usage(folder).free
    if size > free:
        raise HomeError(f"{folder.parent}: the backup needs {size / 1e6:.0f} MB, and {free / 1e6:.0f} MB are free: make room")


def _unpack(file: Path, folder: Path, listing: dict[str, tuple[int, str]]) -> None:
    try:
        with zipfile.ZipFile(file) as archive:
            for name, stated in listing.items():
                target = folder / name
                target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                with archive.open(name) as packed, _private(target) as opened:
                    found = _copy(packed, opened, most=stated[0])
                if found != stated:
                    raise HomeError(f"{file}: {name} is not what was backed up: the file is damaged, and nothing was restored")
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise HomeError(f"{file}: the file is damaged ({error}), and nothing was restored") from error


def _found_sound(folder: Path, file: Path) -> int:
    """The number of papers of an unpacked home. Raises `HomeError` where it is none that this program can open."""
    if not is_database_sound(folder / CATALOGUE_FILE):
        raise HomeError(f"{file}: its catalogue is damaged: nothing was restored")
    catalogue = Catalogue(folder / CATALOGUE_FILE)
    papers = catalogue.count()
    catalogue.close()
    manifests.read(folder)
    return papers


def _set_aside(home: Path) -> Path:
    aside = home.with_name(f"{home.name}.before-restore-{time.strftime('%Y%m%d-%H%M%S')}")
    with write_lock(home):
        pass  # nobody is writing there
    home.rename(aside)
    return aside
