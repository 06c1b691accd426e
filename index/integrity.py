"""Whether Chroma's files in a folder are the ones that were written.

Goes in: a folder of Chroma's. Comes out: what is wrong with it, or nothing. When work on the vectors is
finished, size, time and SHA-256 of every stored search graph are kept beside them. As long as size and time
are those, nothing is read; where they moved, the sums decide; where there are no sums that hold (work broken
off, a home of an older version) the graphs are looked through, then opened and asked in a process of their
own, because a spoilt graph can end the process that opens it.

`python -m index.integrity FOLDER` is that process. Knows no papers and writes nothing but the sums.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from index.errors import HomeError

SUMS = "sums.json"
DATABASE = "chroma.sqlite3"
_DATABASE_SEEN = "database.json"
_STORED = "index_metadata.pickle"
"""Chroma stores it with a graph. A folder without it is scratch: written anew from the database at every opening."""
_GRAPH = ("header.bin", "data_level0.bin", "length.bin", "link_lists.bin")
_HEADING = struct.Struct("<i6QiI3QdQ")
"""hnswlib's: version, offset of links, room, elements, bytes of each, offsets of label and vector, top level, entry point, links, ..."""
_AT_ONCE = 20_000
"""Elements of a graph looked at in one go, to bound memory."""
_PROBED = 512
"""Vectors of a collection that are searched for by themselves."""
_SAME = 1e-3
"""Distance within which a vector is the same."""
_DAMAGED = 3
_PROBE_SECONDS = 600


@dataclass(frozen=True)
class FileState:
    """One file as it was when work was finished."""

    size: int
    modified: int
    """In nanoseconds."""
    sha256: str


@dataclass(frozen=True)
class Sums:
    """The stored search graphs as they were when work was finished."""

    generation: int
    """Of the manifest that says so."""
    files: dict[str, FileState]
    """By path within the folder."""


def keep(folder: Path, generation: int) -> None:
    """Sums up the stored graphs. Raises `OSError`."""
    before = read(folder)
    known = before.files if before else {}
    files = {}
    for segment in stored(folder):
        for file in sorted(segment.iterdir()):
            name = file.relative_to(folder).as_posix()
            files[name] = known[name] if name in known and _unmoved(file, known[name]) else _state(file)
    _write(folder / SUMS, asdict(Sums(generation, files)))


def read(folder: Path) -> Sums | None:
    """The sums that were kept; None where there are none that can be understood."""
    try:
        document = json.loads((folder / SUMS).read_text())
        return Sums(document["generation"], {name: FileState(**state) for name, state in document["files"].items()})
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None  # what cannot be read is as good as none: the graphs are then looked through


def settled(folder: Path, generation: int) -> bool:
    """Whether sizes and times are those of a generation's sums: nothing is opened, a fraction of a millisecond."""
    kept = read(folder)
    if kept is None or kept.generation != generation or not _is_database_seen(folder):
        return False
    return all(_unmoved(folder / name, state) for name, state in kept.files.items())


def fault(folder: Path, generation: int | None, look_again: bool = False) -> str | None:
    """What is wrong with a folder whose work was finished with `generation`, or broken off (None). None: nothing.

    `look_again`: reads every file, though size and time be those of the sums. Raises `HomeError` where it cannot be found out.
    """
    database = folder / DATABASE
    if not database.exists():
        return None  # nothing there yet, or all lost: which, the number of vectors tells
    if look_again or not _is_database_seen(folder):
        spoilt = _database_fault(database)
        if spoilt:
            return spoilt
    kept = read(folder)
    if kept is not None and kept.generation == generation:
        return next(_differing(folder, kept, look_again), None)
    segments = sorted({*stored(folder), *(folder / name for name in _recorded(database))})
    for segment in segments:
        spoilt = graph_fault(segment)
        if spoilt:
            return spoilt
    return probe(folder) if segments else None


def seen(folder: Path) -> None:
    """Notes size and time of the database: Chroma moves them whenever it opens one."""
    with suppress(OSError):  # costs no more than a look through the database at the next start
        _write(folder / _DATABASE_SEEN, _size_and_time(folder / DATABASE), durable=False)


def probe(folder: Path) -> str | None:
    """Opens all collections and searches them, in a process of its own. What is wrong, or None."""
    command = [sys.executable, "-m", "index.integrity", str(folder)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    try:
        child = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=_PROBE_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return f"to open the search graphs took more than {_PROBE_SECONDS} seconds"
    except OSError as error:
        raise HomeError(f"{folder}: the vectors cannot be tried in a process of their own ({error.strerror})") from error
    if child.returncode in (0, _DAMAGED):
        return child.stdout.strip() or None
    if child.returncode < 0 or child.returncode >= 128:
        return f"to open the search graphs ends the process (signal {abs(child.returncode) % 128})"
    last = (child.stderr.strip().splitlines() or ["no message"])[-1]
    raise HomeError(f"{folder}: the vectors cannot be tried in a process of their own ({last}): free memory, or mend the installation")


def graph_fault(segment: Path) -> str | None:
    """What is wrong in the files that hnswlib wrote, by their own layout (version 1); None: nothing that can be seen."""
    try:
        (segment / _STORED).stat()
        heading = (segment / "header.bin").read_bytes()
        if len(heading) < _HEADING.size:
            return f"{segment / 'header.bin'} is cut"
        version, _, _, elements, each, label_at, vector_at, _, _, links_up, links, *_ = _HEADING.unpack_from(heading)
        if version != 1:
            return f"{segment / 'header.bin'} is not a heading that is known"
        if not _fits(each, label_at, vector_at, links, links_up):
            return f"{segment / 'header.bin'} makes no sense"
        least = {"data_level0.bin": elements * each, "length.bin": 4 * elements, "link_lists.bin": 4 * elements}
        short = next((name for name, size in least.items() if (segment / name).stat().st_size < size), None)
        if short:
            return f"{segment / short} is cut"
        if not _is_level_sound(segment / "data_level0.bin", elements, each, label_at, vector_at, links):
            return f"{segment / 'data_level0.bin'} holds what was never written there"
        if not _are_lists_sound((segment / "link_lists.bin").read_bytes(), elements, links_up):
            return f"{segment / 'link_lists.bin'} holds what was never written there"
    except FileNotFoundError as error:
        return f"{error.filename} is missing"
    return None


def _fits(each: int, label_at: int, vector_at: int, links: int, links_up: int) -> bool:
    return vector_at == 4 + 4 * links and label_at > vector_at and each == label_at + 8 and 0 < links_up <= links <= 4096


def _is_level_sound(file: Path, elements: int, each: int, label_at: int, vector_at: int, links: int) -> bool:
    """Links lead to elements, vectors are of length 1 (as the cosine's are) or all zero, and no label comes twice."""
    labels = []
    with file.open("rb") as opened:
        for first in range(0, elements, _AT_ONCE):
            count = min(_AT_ONCE, elements - first)
            rows = np.frombuffer(opened.read(count * each), dtype=np.uint8).reshape(count, each)
            held = rows[:, :2].copy().view("<u2")[:, 0]
            targets = rows[:, 4:vector_at].copy().view("<u4")
            used = np.arange(links) < held[:, None]
            lengths = np.linalg.norm(rows[:, vector_at:label_at].copy().view("<f4").astype(np.float64), axis=1)
            if (held > links).any() or (targets[used] >= elements).any():
                return False
            if not (np.isfinite(lengths) & ((abs(lengths - 1.0) < _SAME) | (lengths == 0.0))).all():
                return False
            labels.append(rows[:, label_at:].copy().view("<u8")[:, 0])
    together = np.concatenate(labels) if labels else np.zeros(0, dtype=np.uint64)
    return len(np.unique(together)) == len(together)


def _are_lists_sound(content: bytes, elements: int, links: int) -> bool:
    """For each element the bytes of its upper links, then those: a number of links and room for them, level by level."""
    place, each = 0, 4 + 4 * links
    for _ in range(elements):
        if place + 4 > len(content):
            return False
        (size,) = struct.unpack_from("<I", content, place)
        place += 4
        if size % each or place + size > len(content):
            return False
        for start in range(place, place + size, each):
            held = int.from_bytes(content[start : start + 2], "little")
            if held > links or any(target >= elements for target in struct.unpack_from(f"<{held}I", content, start + 4)):
                return False
        place += size
    return True


def stored(folder: Path) -> list[Path]:
    """The search graphs that Chroma stored."""
    return sorted(file.parent for file in folder.glob(f"*/{_STORED}"))


def _recorded(database: Path) -> list[str]:
    """The graphs that the database of Chroma 1.5 says were stored."""
    query = "SELECT id FROM segments JOIN max_seq_id ON segment_id = id WHERE scope = 'VECTOR'"
    try:
        with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as db:
            return [row[0] for row in db.execute(query)]
    except sqlite3.OperationalError:  # another schema
        return []


def _differing(folder: Path, kept: Sums, look_again: bool) -> Iterator[str]:
    for name, state in kept.files.items():
        file = folder / name
        if not look_again and _unmoved(file, state):
            continue
        try:
            if _state(file).sha256 != state.sha256:
                yield f"{file} is not what was written"
        except OSError as error:
            yield f"{file} cannot be read ({error.strerror})"


def _unmoved(file: Path, state: FileState) -> bool:
    try:
        return _size_and_time(file) == [state.size, state.modified]
    except OSError:
        return False


def _size_and_time(file: Path) -> list[int]:
    status = file.stat()
    return [status.st_size, status.st_mtime_ns]


def _state(file: Path) -> FileState:
    size, modified = _size_and_time(file)
    with file.open("rb") as opened:
        return FileState(size, modified, hashlib.file_digest(opened, "sha256").hexdigest())


def _is_database_seen(folder: Path) -> bool:
    try:
        return bool(json.loads((folder / _DATABASE_SEEN).read_text()) == _size_and_time(folder / DATABASE))
    except (OSError, ValueError):
        return False


def _database_fault(file: Path) -> str | None:
    """What SQLite finds wrong in its pages."""
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as db:
            (found,) = db.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            return None  # another process is at it
        return f"{file}: {error}"
    return None if found == "ok" else f"{file}: {found}"


def _write(file: Path, document: Any, durable: bool = True) -> None:
    draft = file.with_suffix(f".{os.getpid()}.new")
    with open(draft, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as opened:
        json.dump(document, opened)
        opened.flush()
        if durable:
            os.fsync(opened.fileno())
    draft.replace(file)


def _first_fault(folder: Path) -> str | None:
    """Whether each vector of a sample from all over the collections is found by itself: a spoilt graph gives others, in silence."""
    import chromadb
    from chromadb.config import Settings
    from chromadb.errors import ChromaError

    try:
        client = chromadb.PersistentClient(str(folder), settings=Settings(anonymized_telemetry=False))
        for collection in client.list_collections():
            found = client.get_collection(collection.name, embedding_function=None)
            if not _finds_itself(found):
                return f"the search graph of {collection.name} does not find its own vectors"
    except ChromaError as error:
        return f"the search graphs cannot be opened ({error})"
    return None


def _finds_itself(collection: Any, sample: int = _PROBED) -> bool:
    """Whether vectors from all over a collection of Chroma's are found by themselves."""
    count = collection.count()
    pages = max(1, min(8, count))
    for page in range(pages):
        held = collection.get(limit=max(1, sample // pages), offset=page * count // pages, include=["embeddings"])["embeddings"]
        if len(held) == 0:
            return bool(count == 0)
        held = held[np.linalg.norm(held, axis=1) > 0]  # what has no direction is nowhere near itself
        if len(held) == 0:
            continue
        found = collection.query(query_embeddings=held, n_results=1, include=["distances"])["distances"]
        if any(not nearest or abs(nearest[0]) > _SAME for nearest in found):
            return False
    return True


if __name__ == "__main__":
    told = _first_fault(Path(sys.argv[1]))
    sys.stdout.write(told or "")
    sys.exit(_DAMAGED if told else 0)
