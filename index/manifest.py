"""The manifest: which model and chunking made the vectors, and their generation.

One small JSON file, replaced as a whole, so that a reader sees either the old or the new.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from index import chunking
from index.embedding import Embedder, ModelChoice
from index.errors import HomeError

FILE = "manifest.json"
NEXT = "manifest.next.json"
"""Of vectors that are being made by another model, while those of `FILE` answer."""


_SHIPPED = ModelChoice()


@dataclass(frozen=True)
class Manifest:
    """The state of a home's vectors."""

    fingerprint: str
    """Of model and chunking; names the collections."""
    model: str
    model_digest: str
    dimension: int
    chunk_tokens: int
    chunking_version: int
    place: str = ""
    """The Chroma server that holds them; empty: the home's own folder."""
    generation: int = 0
    """Counts up with every change of papers or vectors; readers then reopen."""
    complete: bool = False
    """Whether the vectors hold exactly the catalogue's papers."""
    papers: int = 0
    chunks: int = 0
    sentences: int = 0
    choice: ModelChoice = _SHIPPED
    """What loads the model again."""


def fresh(embedder: Embedder, place: str = "") -> Manifest:
    """The manifest of a home that holds no vectors yet. `place`: the Chroma server that is to hold them."""
    made_by = f"{embedder.name}:{embedder.digest}:{embedder.dimension}:{embedder.max_tokens}:{chunking.VERSION}"
    return Manifest(
        fingerprint=hashlib.sha256(made_by.encode()).hexdigest()[:8],
        model=embedder.name,
        model_digest=embedder.digest,
        dimension=embedder.dimension,
        chunk_tokens=embedder.max_tokens,
        chunking_version=chunking.VERSION,
        place=place,
        choice=embedder.choice,
    )


def read(home: Path, name: str = FILE) -> Manifest | None:
    """The home's manifest, or None where there is none.

    Raises `HomeError` where it cannot be understood.
    """
    path = home / name
    try:
        told = json.loads(path.read_text())
        return Manifest(**{**told, "choice": ModelChoice(**told.get("choice", {}))})
    except FileNotFoundError:
        return None
    except OSError as error:
        raise HomeError(f"{path}: the file cannot be read ({error.strerror}): check its permissions") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise HomeError(f"{path}: not a manifest of this program ({error}): delete this file, and the vectors are made anew") from error


def write(home: Path, manifest: Manifest, name: str = FILE) -> None:
    """Replaces the home's manifest in one step. Raises `HomeError` where it cannot be written."""
    path = home / name
    draft = path.with_suffix(".new")
    try:
        with open(draft, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            json.dump(asdict(manifest), file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        raise HomeError(f"{path}: the file cannot be written ({error.strerror}): check the disk's space and permissions") from error


def stamp(home: Path) -> int:
    """A number that differs once the manifest was replaced; 0 where there is none."""
    try:
        status = (home / FILE).stat()
    except FileNotFoundError:
        return 0
    return hash((status.st_mtime_ns, status.st_ino))
