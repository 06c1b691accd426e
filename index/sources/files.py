"""From what a user names (files, folders, globs) to parsed sources.

A file is told by its content: plain or gzip, its encoding, its format. Says clearly what cannot be
read and why; knows nothing of how papers are stored.
"""

from __future__ import annotations

import glob
import gzip
import io
import logging
import os
import re
import stat
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from index.errors import SourceError
from index.sources.base import WAY_OUT, Format, Hints, Parsed
from index.sources.encoding import decode
from index.sources.registry import FORMATS, formats, services

_MAGIC = {
    b"%PDF": f"this is a PDF: papers are read from lists of titles and abstracts, not from PDFs; {WAY_OUT}",
    b"PK\x03\x04": "this is a zip archive or an office document: unpack it, or save it as text or CSV",
    b"\x1f\x8b": "this is gzip within gzip: unpack it once",
    b"SQLite format 3\0": f"this is a database: {WAY_OUT}",
    b"\xd0\xcf\x11\xe0": "this is an office document: save it as text or CSV",
    b"7z\xbc\xaf\x27\x1c": "this is a 7z archive: unpack it first",
    b"BZh": "this is compressed by bzip2: unpack it first",
    b"\xfd7zXZ\0": "this is compressed by xz: unpack it first",
    b"(\xb5/\xfd": "this is compressed by zstd: unpack it first",
    b"\x89PNG": "this is a picture",
    b"\xff\xd8\xff": "this is a picture",
}
_GZIP = b"\x1f\x8b"

_MOST_BYTES = 2**30
"""Of a file, unpacked; it is read as a whole."""
_MOST_RATIO = 200
"""Of unpacked to packed bytes; text packs 2 to 20 times, a bomb a thousand times."""
_RATIO_FROM = 2**24
"""Unpacked bytes from which the ratio counts: a small file may be as repetitive as it likes."""
_BLOCK = 2**20

_KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


@dataclass(frozen=True)
class Expanded:
    """What a pattern means."""

    files: tuple[Path, ...]
    """Absolute, sorted, each once."""
    left_out: str = ""
    """In words, how many files of which other endings the folders hold."""


def expand(pattern: str) -> Expanded:
    """The files that `pattern` (a file, a folder or a glob) means.

    Folders are searched recursively for the known formats' endings, hidden files left out.
    Raises `SourceError` where there is none.
    """
    try:
        path = Path(pattern).expanduser()
        named = [path] if path.exists() else sorted(Path(match) for match in glob.glob(str(path), recursive=True))
        held = [file for folder in named if folder.is_dir() for file in _in_folder(folder)]
        wanted = {file.resolve() for file in (*named, *filter(_is_wanted, held)) if not file.is_dir()}
        others = {file.resolve() for file in held} - wanted
    except (OSError, RuntimeError, ValueError) as error:  # a name too long, an unknown ~user, a NUL
        raise SourceError(pattern, f"this cannot be a file or folder ({error}): check the path") from error
    if not named:
        raise SourceError(pattern, _not_there(pattern))
    left_out = _counted(others)
    if not wanted:
        also = f"; it holds {left_out}" if left_out else ""
        raise SourceError(pattern, f"the folder holds no file that could hold papers ({', '.join(sorted(_suffixes()))}){also}")
    return Expanded(tuple(sorted(wanted)), left_out)


def files_in(folder: Path) -> list[Path]:
    """The files of a folder that could hold papers, as `expand` finds them; there may be none."""
    try:
        return sorted({file.resolve() for file in _in_folder(folder) if _is_wanted(file)})
    except OSError as error:
        raise SourceError(str(folder), f"the folder cannot be read ({error.strerror or error})") from error


def read_source(path: Path, hints: Hints = Hints()) -> Parsed:
    """The papers of one file, by the first format that recognises it.

    Raises `SourceError` where it cannot be read or holds none.
    """
    name = str(path)
    if any("\ud800" <= char <= "\udfff" for char in name):
        raise SourceError(name.encode("utf-8", "replace").decode(), "the file's name is not UTF-8: rename it")
    data = _unpacked(_content(path), name)
    if not data.strip():
        raise SourceError(name, "the file is empty: save or export it again")
    for magic, reason in _MAGIC.items():
        if data.startswith(magic):
            raise SourceError(name, reason)
    text, notes = decode(data, name)
    del data
    parsed = read_text(text, name, hints)
    return replace(parsed, notes=(*notes, *parsed.notes))


def read_text(text: str, name: str, hints: Hints = Hints()) -> Parsed:
    """The papers of a text, by the first format that recognises it. Raises `SourceError` as `read_source` does."""
    found = next((known for known in formats() if _recognises(known, text)), FORMATS[-1])  # the last recognises any text
    if hints.columns and found is FORMATS[-1]:  # a table, as the user says
        found = next((known for known in formats() if ".csv" in known.suffixes), found)
    try:
        return found.parse(text, name, hints)
    except SourceError:
        raise
    except Exception as error:
        logging.exception("%s: the %s reader failed", name, found.name)
        reason = f"the reader for {found.name} failed on it ({type(error).__name__}: {error}): please report this, with the file"
        raise SourceError(name, reason) from error


def _recognises(known: Format, text: str) -> bool:
    try:
        return known.recognise(text)
    except Exception:
        logging.exception("the recognition of %s failed", known.name)
        return False


# Folders


def _not_there(pattern: str) -> str:
    if glob.has_magic(pattern):
        return "nothing matches this pattern: check the path"
    if re.match(r"https?://", pattern):
        return "web addresses are not fetched: save the page or the file and index that"
    if re.match(r"[A-Za-z][A-Za-z-]+:", pattern):
        return f"there is no such file, folder or service: services are {', '.join(service.usage for service in services())}"
    return "there is no such file or folder: check the path"


def _suffixes() -> set[str]:
    return {suffix for known in formats() for suffix in known.suffixes}


def _is_wanted(file: Path) -> bool:
    return file.name.lower().removesuffix(".gz").endswith(tuple(_suffixes()))


def _in_folder(folder: Path) -> Iterator[Path]:
    """All plain files but hidden ones. A folder in it that may not be read is an `OSError`."""
    for parent, folders, files in os.walk(folder, onerror=_raise):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (file for name in files if not name.startswith(".") and (file := Path(parent, name)).is_file())


def _raise(error: OSError) -> None:
    raise error


def _counted(files: set[Path]) -> str:
    """`12 files of other kinds (.pdf 10, .docx 2)`."""
    if not files:
        return ""
    endings = Counter(file.suffix.lower() or "without an ending" for file in files)
    most = ", ".join(f"{ending} {count}" for ending, count in endings.most_common(5))
    return f"{len(files)} file{'s' if len(files) > 1 else ''} of other kinds ({most}{', …' if len(endings) > 5 else ''})"


# Bytes


def _content(path: Path) -> bytes:
    """The bytes of a plain file. Anything else is refused without waiting for it."""
    name = str(path)
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                kind = _KINDS.get(stat.S_IFMT(found.st_mode), "no plain file")
                raise SourceError(name, f"this is {kind}: save what it gives to a file, and index that")
            if found.st_size > _MOST_BYTES:
                raise SourceError(name, _too_large())
            return file.read()
    except FileNotFoundError as error:
        raise SourceError(name, "the file is not there any more: check the path") from error
    except PermissionError as error:
        raise SourceError(name, "the file may not be read: check its permissions") from error
    except OSError as error:
        raise SourceError(name, f"the file cannot be read ({error.strerror or error})") from error


def _unpacked(data: bytes, name: str) -> bytes:
    """The bytes themselves, or what gzip packed. A bomb is refused before it is large."""
    if not data.startswith(_GZIP):
        return data
    parts: list[bytes] = []
    size = 0
    try:
        with gzip.open(io.BytesIO(data)) as packed:
            while part := packed.read(_BLOCK):
                parts.append(part)
                size += len(part)
                _check_size(size, len(data), name)
    except EOFError as error:
        raise SourceError(name, "the gzip file is cut off: pack or download it again") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise SourceError(name, f"the gzip file is damaged ({error}): pack or download it again") from error
    return b"".join(parts)


def _check_size(size: int, packed: int, name: str) -> None:
    if size > _MOST_BYTES:
        raise SourceError(name, _too_large())
    if size > _RATIO_FROM and size > _MOST_RATIO * packed:
        raise SourceError(name, f"this unpacks to more than {_MOST_RATIO} times its size, as no list of papers does: unpack it yourself")


def _too_large() -> str:
    return f"this is larger than {_MOST_BYTES >> 30} GB: split it into several files"
