"""From what a user names (files, folders, globs) to parsed sources.

Says clearly what cannot be read and why; knows nothing of how papers are stored.
"""

from __future__ import annotations

import glob
import re
from pathlib import Path

from index.errors import SourceError
from index.sources.base import Parsed
from index.sources.registry import FORMATS

_MAGIC = {
    b"%PDF": "this is a PDF; only text is read: save the listing page as text (.txt) and index that",
    b"PK\x03\x04": "this is a zip archive or an office document: save it as plain text (.txt)",
    b"\x1f\x8b": "this is gzip-compressed: unpack it first",
    b"\xff\xfe": "this is UTF-16 text: save it as UTF-8",
    b"\xfe\xff": "this is UTF-16 text: save it as UTF-8",
}

_HTML = re.compile(r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype html|html|head|body)\b", re.IGNORECASE | re.DOTALL)


def expand(pattern: str) -> list[Path]:
    """Absolute paths of the files that `pattern` (a file, a folder or a glob) means, sorted, each once.

    Folders are searched recursively for the known formats' endings, hidden files left out.
    Raises `SourceError` where there is none.
    """
    try:
        path = Path(pattern).expanduser()
        named = [path] if path.exists() else sorted(Path(match) for match in glob.glob(str(path), recursive=True))
        files = {file for one in named for file in (_in_folder(one) if one.is_dir() else [one.resolve()])}
    except (OSError, RuntimeError) as error:  # a name too long, an unknown ~user
        raise SourceError(pattern, f"this cannot be a file or folder ({error}): check the path") from error
    if not named:
        wild = glob.has_magic(pattern)
        raise SourceError(pattern, f"{'nothing matches this pattern' if wild else 'there is no such file or folder'}: check the path")
    if not files:
        endings = ", ".join(sorted(_suffixes()))
        raise SourceError(pattern, f"the folder holds no file that could be a listing ({endings}): save listing pages into it as text")
    return sorted(files)


def read_source(path: Path) -> Parsed:
    """The papers of one file, by the first format that recognises it.

    Raises `SourceError` where it cannot be read or holds none.
    """
    if any("\ud800" <= char <= "\udfff" for char in str(path)):
        name = str(path).encode("utf-8", "replace").decode()
        raise SourceError(name, "the file's name is not UTF-8: rename it")
    text = _read_text(path)
    for known in FORMATS:
        if known.recognise(text):
            return known.parse(text, str(path))
    raise SourceError(str(path), "no known format fits")


def _suffixes() -> set[str]:
    return {suffix for known in FORMATS for suffix in known.suffixes}


def _in_folder(folder: Path) -> list[Path]:
    wanted = _suffixes()
    return [
        path.resolve()
        for path in folder.rglob("*")
        if path.suffix.lower() in wanted and path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]


def _read_text(path: Path) -> str:
    name = str(path)
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise SourceError(name, "the file is not there any more: check the path") from error
    except PermissionError as error:
        raise SourceError(name, "the file may not be read: check its permissions") from error
    except OSError as error:
        raise SourceError(name, f"the file cannot be read ({error.strerror or error})") from error
    if not data.strip():
        raise SourceError(name, "the file is empty: save the listing page again")
    for magic, reason in _MAGIC.items():
        if data.startswith(magic):
            raise SourceError(name, reason)
    if b"\0" in data:
        raise SourceError(name, "this is a binary file: save the listing page as text (.txt)", data[: data.index(b"\0")].count(b"\n") + 1)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceError(name, "this is not UTF-8 text: save it as UTF-8", data[: error.start].count(b"\n") + 1) from error
    if _HTML.match(text):
        raise SourceError(name, "this is a web page's HTML: save the page as text (.txt) and index that", 1)
    return text
