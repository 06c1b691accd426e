"""The vectors: a Chroma collection, written through LlamaIndex.

`chunks` find papers by what they are about. They are derived from the catalogue and can always
be made anew. Nodes are stored as LlamaIndex stores them, so that
any LlamaIndex index or query engine can be opened over the collections; our own search asks
Chroma for ids and distances alone, which saves building nodes that the catalogue has anyway.
"""

from __future__ import annotations

import re
import shutil
import sqlite3
import struct
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from index.chunking import PaperTexts
from index.embedding import Vectors
from index.errors import HomeError
from index.paper import Paper

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from llama_index.vector_stores.chroma import ChromaVectorStore

Part = Literal["chunks"]
PARTS: tuple[Part, ...] = ("chunks",)
_HEADING = struct.Struct("<i6Q")
"""Of a search graph: version, offset, room, elements, bytes of each, two offsets within."""
_WRITTEN = 0.5
"""Seconds in which another process has written a search graph's files."""
_PROBES = 8
_SAME = 1e-3
"""Cosine distance within which a vector is the same."""
_REMOVED_AT_ONCE = 200
"""Papers; Chroma limits how many vectors one call may delete."""
_LISTED_AT_MOST = 5000
"""Papers in one condition; Chroma fails above some 30,000, and is slow before."""
_ID = re.compile(r"([0-9a-f]{12})-([0-9a-f]{8})-(\d+)")


@dataclass(frozen=True)
class VectorHit:
    """A chunk found for a question."""

    paper_id: str
    digest: str
    """First 8 hex digits of the digest of the text that was embedded."""
    position: int
    """Which chunk of the paper, from 0."""
    cosine: float


class _Folder:
    """One folder of Chroma as this process has it open.

    Chroma gives all who open a folder in one process the same client, and a client that is open
    does not see what another process writes. So whoever wants to see it must close everyone's.
    """

    _known: ClassVar[dict[Path, _Folder]] = {}
    _all: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lock = threading.RLock()
        self.times_closed = 0
        self._client: ClientAPI | None = None

    @classmethod
    def of(cls, path: Path) -> _Folder:
        """The one of this process for a path."""
        with cls._all:
            return cls._known.setdefault(path.absolute(), cls(path))

    @property
    def client(self) -> ClientAPI:
        """Chroma's client, opened where it is not. To be used under the lock."""
        if self._client is None:
            import chromadb
            from chromadb.config import Settings

            self._client = chromadb.PersistentClient(str(self.path), settings=Settings(anonymized_telemetry=False))
        return self._client

    def close(self) -> None:
        """Lets go of the folder; collections got before are no longer to be used."""
        with self.lock:
            self.times_closed += 1
            if self._client is not None:
                self._client.close()  # type: ignore[attr-defined]
                self._client = None

    def damaged(self) -> bool:
        """Whether Chroma could not open what is there. (Its own attempt would spoil the next one.)"""
        file = self.path / "chroma.sqlite3"
        if not file.exists():
            return False
        try:
            with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as db:
                db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.DatabaseError as error:
            return getattr(error, "sqlite_errorcode", None) in {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}
        return self._has_cut_graph() and self._has_cut_graph(after=_WRITTEN)

    def _has_cut_graph(self, after: float = 0.0) -> bool:
        """Whether a search graph's files are shorter than its heading says: to open such a one may end the process.

        Asked again `after` some seconds, it is not one that another process is just writing.
        """
        time.sleep(after)
        return any(_is_cut(header.parent) for header in self.path.glob("*/header.bin"))


def _is_cut(segment: Path) -> bool:
    """By the files that hnswlib writes, version 1: the heading tells how many elements there are, and the bytes of each."""
    try:
        heading = (segment / "header.bin").read_bytes()
        if len(heading) < _HEADING.size:
            return True
        version, _, _, elements, each, *_ = _HEADING.unpack(heading[: _HEADING.size])
        least = {"data_level0.bin": elements * each, "length.bin": 4 * elements, "link_lists.bin": 4 * elements}
        return version == 1 and any((segment / name).stat().st_size < size for name, size in least.items())
    except FileNotFoundError:
        return False  # a lost file is noticed by what is not found


@contextmanager
def told(folder: Path) -> Iterator[None]:
    """What Chroma and the disk raise in this block becomes a `HomeError` that says what to do."""
    from chromadb.errors import ChromaError, NotFoundError

    try:
        yield
    except NotFoundError:
        raise
    except ChromaError as error:
        raise HomeError(
            f"{folder}: the vectors cannot be read or written ({error}). Make room or mend permissions where that is why; "
            "`assistant index` then finishes the work, or makes damaged vectors anew"
        ) from error
    except OSError as error:
        raise HomeError(f"{folder}: {error.strerror or error}: check the disk and the folder's permissions") from error


class VectorStore:
    """The collections of one fingerprint in one folder. Safe to call from several threads."""

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self._folder = _Folder.of(folder)
        self._fingerprint = fingerprint
        self._lock = self._folder.lock
        self._collections: dict[Part, Any] = {}
        self._opening = 0

    def close(self) -> None:
        """Lets go of the folder; the next call opens it again and sees what others wrote."""
        self._folder.close()

    def damaged(self) -> bool:
        """Whether the folder holds what cannot be opened or searched; only `empty` then helps.

        The collections must have been made.
        """
        if self._folder.damaged():
            return True
        from chromadb.errors import InternalError

        try:
            with self._lock:
                return not all(_finds_itself(self._collection(part)) for part in PARTS)
        except InternalError:
            return True

    def count(self, part: Part) -> int:
        """The number of vectors."""
        with self._lock, told(self._folder.path):
            return int(self._collection(part).count())

    def add(self, papers: Sequence[Paper], texts: Sequence[PaperTexts], digests: dict[str, str], vectors: dict[Part, Vectors]) -> None:
        """Stores the vectors of these papers: rows of `vectors` run over papers, then parts."""
        from llama_index.core.schema import NodeRelationship, RelatedNodeInfo, TextNode

        for part in PARTS:
            nodes: list[TextNode] = []
            for paper, cut in zip(papers, texts, strict=True):
                for position, text in enumerate(cut.chunks):
                    nodes.append(
                        TextNode(
                            id_=f"{paper.paper_id}-{digests[paper.paper_id][:8]}-{position}",
                            text=text,
                            embedding=vectors[part][len(nodes)].tolist(),
                            metadata={"paper_id": paper.paper_id, "title": paper.title},
                            excluded_embed_metadata_keys=["paper_id", "title"],
                            excluded_llm_metadata_keys=["paper_id"],
                            relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id=paper.paper_id)},
                        )
                    )
            with self._lock, told(self._folder.path):
                store = self.llama_index(part)
                at_once = self._folder.client.get_max_batch_size()
                for first in range(0, len(nodes), at_once):
                    store.add(nodes[first : first + at_once])  # type: ignore[arg-type]

    def remove(self, paper_ids: Sequence[str]) -> None:
        """Removes all vectors of these papers."""
        for first in range(0, len(paper_ids), _REMOVED_AT_ONCE):
            some = list(paper_ids[first : first + _REMOVED_AT_ONCE])
            with self._lock, told(self._folder.path):
                for part in PARTS:
                    self._collection(part).delete(where={"paper_id": {"$in": some}})

    def empty(self) -> None:
        """Removes all vectors, of every fingerprint, and what cannot be read."""
        with self._lock, told(self._folder.path):
            if self.damaged():
                self.close()
                shutil.rmtree(self._folder.path)
            for collection in self._folder.client.list_collections():
                self._folder.client.delete_collection(collection.name)
            self.close()

    def drop(self) -> None:
        """Removes the vectors of this fingerprint alone."""
        self._delete(lambda name: name in {self._name(part) for part in PARTS})

    def drop_others(self) -> None:
        """Removes the vectors of every other fingerprint."""
        self._delete(lambda name: name not in {self._name(part) for part in PARTS})

    def _delete(self, unwanted: Callable[[str], bool]) -> None:
        with self._lock, told(self._folder.path):
            for collection in self._folder.client.list_collections():
                if unwanted(collection.name):
                    self._folder.client.delete_collection(collection.name)
            self.close()

    def search(self, part: Part, query: Vectors, limit: int, allowed: set[str] | None = None) -> list[VectorHit]:
        """The nearest vectors to `query` (shape (dimension,)), best first, by cosine."""
        if allowed is None:
            return self._query(part, query, limit)
        if len(allowed) > _LISTED_AT_MOST:
            return self._query_and_drop(part, query, limit, allowed)
        return self._query(part, query, limit, {"paper_id": {"$in": sorted(allowed)}}) if allowed else []

    def fetch(self, part: Part, wanted: Sequence[tuple[str, str, int]]) -> dict[tuple[str, str, int], Vectors]:
        """The vectors (shape (dimension,)) of (paper_id, digest, position). Those that another process is replacing are missing."""
        ids = {f"{paper_id}-{digest[:8]}-{position}": (paper_id, digest, position) for paper_id, digest, position in wanted}
        if not ids:
            return {}
        found = self._read(part, lambda held: held.get(ids=list(ids), include=["embeddings"]))
        vectors = np.asarray(found["embeddings"], dtype=np.float32)
        return {ids[identifier]: vector for identifier, vector in zip(found["ids"], vectors, strict=True)}

    def llama_index(self, part: Part) -> ChromaVectorStore:
        """The collection as LlamaIndex's vector store."""
        from llama_index.vector_stores.chroma import ChromaVectorStore

        return ChromaVectorStore(chroma_collection=self._collection(part))

    def _name(self, part: Part) -> str:
        return f"{part}-{self._fingerprint}"

    def _collection(self, part: Part) -> Any:
        if self._opening != self._folder.times_closed:
            self._collections = {}
            self._opening = self._folder.times_closed
        if part not in self._collections:
            self._collections[part] = self._folder.client.get_or_create_collection(
                self._name(part), embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
            )
        return self._collections[part]

    def _query(self, part: Part, query: Vectors, limit: int, where: dict[str, Any] | None = None) -> list[VectorHit]:
        found = self._read(part, lambda held: held.query(query_embeddings=[query], n_results=limit, where=where, include=["distances"]))
        return [_hit(identifier, 1.0 - distance) for identifier, distance in zip(found["ids"][0], found["distances"][0], strict=True)]

    def _query_and_drop(self, part: Part, query: Vectors, limit: int, allowed: set[str]) -> list[VectorHit]:
        asked = 2 * limit
        while True:
            hits = self._query(part, query, asked)
            kept = [hit for hit in hits if hit.paper_id in allowed]
            if len(kept) >= limit or len(hits) < asked:
                return kept[:limit]
            asked *= 4

    def _read(self, part: Part, ask: Callable[[Any], Any]) -> Any:
        """What a collection answers; asked again where another process has replaced it."""
        from chromadb.errors import NotFoundError

        with self._lock, told(self._folder.path):
            try:
                return ask(self._collection(part))
            except NotFoundError:
                self.close()
                return ask(self._collection(part))


def _finds_itself(collection: Any) -> bool:
    """Whether vectors from all over a collection are found by themselves: a cut search graph gives others, in silence."""
    count = collection.count()
    for offset in range(0, count, max(1, count // _PROBES)):
        held = collection.get(limit=1, offset=offset, include=["embeddings"])
        nearest = collection.query(query_embeddings=held["embeddings"], n_results=1, include=["distances"])["distances"][0]
        if not nearest or abs(nearest[0]) > _SAME:
            return False
    return True


def _hit(identifier: str, cosine: float) -> VectorHit:
    match = _ID.fullmatch(identifier)
    if match is None:
        return VectorHit("", "", 0, cosine)  # another program's: the catalogue will not confirm it
    return VectorHit(match[1], match[2], int(match[3]), cosine)
