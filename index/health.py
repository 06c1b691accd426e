"""Whether a home is in order: catalogue, text index, vectors, manifest, lock, permissions, disk.

Goes in: a home. Comes out: a finding for each part, with what to do where one is wrong. Looks through everything
and changes nothing, but for `make_private`; knows no settings, no questions.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from index import manifest as manifests
from index import postings
from index.catalogue import Catalogue
from index.chroma import ChromaServer
from index.errors import BusyError, HomeError, IndexingError
from index.library import CATALOGUE_FILE, VECTORS_FOLDER, is_there, place_of, write_lock
from index.manifest import Manifest
from index.states import StateStore
from index.vectors import PARTS, VectorStore

_LEAST_FREE = 200_000_000
"""Bytes; below, the next run may not fit."""
_INDEX = "`assistant index` finishes it"
_MAKE = "`assistant index` makes them anew"
_REBUILD = "`assistant index --rebuild` makes it anew"
_RESTORE = "`assistant restore FILE --force` brings a backup back; without one, `assistant index SOURCES --rebuild` begins anew"


@dataclass(frozen=True)
class Finding:
    """What was found of one part."""

    part: str
    ok: bool
    found: str
    advice: str = ""
    """What to do, where something is wrong."""


def check(home: Path, chroma: ChromaServer | None = None) -> Iterator[Finding]:
    """The findings, one by one, as they are made."""
    if not home.is_dir():
        yield Finding("home", not home.exists(), f"{home}: " + ("not a folder" if home.exists() else "nothing there yet"))
        return
    yield _permissions(home)
    yield _disk(home)
    busy = _is_busy(home)
    yield Finding("lock", True, "another process is writing: what it has in hand is not judged" if busy else "nobody is writing")
    manifest, told = _manifest(home, busy)
    yield told
    catalogue: Catalogue | None = None
    if is_there(home / CATALOGUE_FILE):
        try:
            catalogue = Catalogue(home / CATALOGUE_FILE, read_only=not os.access(home, os.W_OK))
            findings = list(_catalogue(catalogue, manifest))
            yield from findings
            if not findings[0].ok:
                catalogue.close()
                return  # what is derived from it cannot be judged by it
        except IndexingError as error:
            yield Finding("catalogue", False, str(error))
            return
    else:
        lost = manifest is not None and manifest.papers > 0
        yield Finding("catalogue", not lost, f"gone, with {manifest.papers} papers" if lost and manifest else "none yet", _RESTORE * lost)
    if catalogue is not None and manifest is not None and not busy:
        yield from _derived(home, catalogue, manifest, chroma)
    if catalogue is not None:
        catalogue.close()


def make_private(home: Path) -> None:
    """Takes a home from all but its owner. Raises `HomeError`."""
    try:
        for path in [home, *home.rglob("*")]:
            if not path.is_symlink():
                path.chmod(stat.S_IMODE(path.stat().st_mode) & 0o700)
    except OSError as error:
        raise HomeError(f"{error.filename}: the permissions cannot be changed ({error.strerror})") from error


def _permissions(home: Path) -> Finding:
    mode = stat.S_IMODE(home.stat().st_mode)
    if os.name == "posix" and mode & 0o077:
        return Finding("permissions", False, f"others can reach {home} ({mode:o})", "`assistant check-home --private` takes it from them")
    if not os.access(home, os.W_OK):
        return Finding("permissions", True, f"{home} can be read, not written")
    return Finding("permissions", True, f"{home} is its owner's alone")


def _disk(home: Path) -> Finding:
    free = shutil.disk_usage(home).free
    return Finding("disk", free >= _LEAST_FREE, f"{free / 1e6:,.0f} MB free", "" if free >= _LEAST_FREE else "make room")


def _is_busy(home: Path) -> bool:
    if not os.access(home, os.W_OK):
        return False
    try:
        with write_lock(home, seconds=0):
            return False
    except BusyError:
        return True


def _manifest(home: Path, busy: bool) -> tuple[Manifest | None, Finding]:
    try:
        manifest = manifests.read(home)
    except HomeError as error:
        return None, Finding("manifest", False, str(error))
    if manifest is None:
        return None, Finding("manifest", True, "none yet")
    if not manifest.complete and not busy:
        return manifest, Finding("manifest", False, "the last work was broken off", _INDEX)
    return manifest, Finding("manifest", True, f"{manifest.papers} papers by {manifest.model}, generation {manifest.generation}")


def _catalogue(catalogue: Catalogue, manifest: Manifest | None) -> Iterator[Finding]:
    faults = catalogue.faults()
    if faults:
        yield Finding("catalogue", False, "; ".join(faults), _RESTORE)
    elif manifest is not None and manifest.papers and catalogue.is_blank():
        yield Finding("catalogue", False, f"empty, though this home held {manifest.papers} papers", _RESTORE)
    else:
        yield Finding("catalogue", True, f"sound: {catalogue.count()} papers of {len(catalogue.sources())} sources")
    fault = catalogue.text_fault()
    yield Finding("text index", not fault, fault or "holds what the catalogue holds", _REBUILD if fault else "")


def _derived(home: Path, catalogue: Catalogue, manifest: Manifest, chroma: ChromaServer | None) -> Iterator[Finding]:
    if manifest.papers >= postings.PAPERS_FROM:
        made = postings.load(home, manifest.generation) is not None
        yield Finding("fast text index", made, "there" if made else "missing", "" if made else _INDEX)
    states = StateStore(home, manifest.fingerprint, manifest.dimension, read_only=not os.access(home, os.W_OK))
    if fault := states.fault():
        yield Finding("token states", False, fault, "`assistant index` makes them anew")
        return
    digests, held = catalogue.digests(), states.digests()
    states.close()
    stale = sum(held.get(paper_id) != digest for paper_id, digest in digests.items())
    gone = len(held.keys() - digests.keys())
    found = f"{stale} papers to embed, {gone} to remove" if stale or gone else f"all {len(digests)} papers are embedded"
    yield Finding("marks", not (stale or gone), found, _INDEX if stale or gone else "")
    yield from _vectors(home, manifest, chroma, {paper_id: digest for paper_id, digest in held.items() if digest})


def _vectors(home: Path, manifest: Manifest, chroma: ChromaServer | None, marked: dict[str, str]) -> Iterator[Finding]:
    if manifest.place != (chroma.name if chroma else ""):
        where = manifest.place or "the home's own folder"
        yield Finding("vectors", False, f"they are in {where}, where the settings do not point", _MAKE)
        return
    if chroma is None and manifest.chunks and not (home / VECTORS_FOLDER).exists():
        yield Finding("vectors", False, "gone", _MAKE)
        return
    try:
        vectors = VectorStore(place_of(home, chroma), manifest.fingerprint)
        fault = vectors.fault(manifest.generation if manifest.complete else None, look_again=True)
        if fault:
            yield Finding("vectors", False, fault, _REBUILD)
            return
        for part in PARTS:
            yield _part(vectors, part, marked, getattr(manifest, part) if manifest.complete else None)
        vectors.close()
    except HomeError as error:
        yield Finding("vectors", False, str(error))


def _part(vectors: VectorStore, part: str, marked: dict[str, str], counted: int | None) -> Finding:
    """Whether a collection holds vectors of exactly the papers marked, and as many as the manifest says."""
    seen: set[str] = set()
    number = strange = 0
    for paper_id, digest, _ in vectors.ids(part):  # type: ignore[arg-type]
        number += 1
        seen.add(paper_id)
        strange += not marked.get(paper_id, "").startswith(digest or "?")
    missing = len(marked.keys() - seen) if part == "chunks" else 0
    wrong = [f"{strange} of no paper that is marked"] if strange else []
    wrong += [f"none of {missing} papers that are marked"] if missing else []
    wrong += [f"{number} where the manifest says {counted}"] if counted not in (None, number) else []
    return Finding(
        part,
        not wrong,
        "; ".join(wrong) or f"{number} vectors, each of a paper that is marked",
        (_REBUILD if counted in (None, number) else _MAKE) * bool(wrong),
    )
