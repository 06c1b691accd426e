"""The vectors: a Chroma collection, in a folder or on a server.

`chunks` find papers by what they are about. They are derived from the catalogue and can always be made anew.
Chroma holds vectors and ids: of a text it would keep four copies, indices among them, three quarters of its size, and the
catalogue has it anyway. `llama_index` puts texts and titles back, so that any LlamaIndex index or query engine can be
opened over a collection; our own search asks Chroma for ids and distances alone.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from index.chroma import Place
from index.chunking import PaperTexts
from index.embedding import Vectors
from index.paper import Paper

if TYPE_CHECKING:
    from llama_index.vector_stores.chroma import ChromaVectorStore

Part = Literal["chunks"]
PARTS: tuple[Part, ...] = ("chunks",)
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


Told = Callable[[Sequence[str]], Mapping[str, tuple[str, Sequence[str]]]]
"""For papers by id, the title and the text of each chunk."""


class _WithTexts:
    """A collection of Chroma's as LlamaIndex reads it: with texts and metadata of nodes, which the collection does not hold."""

    def __init__(self, collection: Any, told: Told) -> None:
        self._collection = collection
        self._told = told

    def query(self, **asked: Any) -> dict[str, Any]:
        found = dict(self._collection.query(**asked))
        filled = [self._filled(ids) for ids in found["ids"]]
        return {**found, "documents": [texts for texts, _ in filled], "metadatas": [metadatas for _, metadatas in filled]}

    def get(self, **asked: Any) -> dict[str, Any]:
        found = dict(self._collection.get(**asked))
        texts, metadatas = self._filled(found["ids"])
        return {**found, "documents": texts, "metadatas": metadatas}

    def _filled(self, ids: Sequence[str]) -> tuple[list[str], list[dict[str, str]]]:
        """The texts of nodes and their metadata as LlamaIndex stores it; a paper that is gone meanwhile has no text."""
        from llama_index.core.schema import NodeRelationship, RelatedNodeInfo, TextNode
        from llama_index.core.vector_stores.utils import node_to_metadata_dict

        hits = [_hit(identifier, 0.0) for identifier in ids]
        papers = self._told(list(dict.fromkeys(hit.paper_id for hit in hits)))
        texts: list[str] = []
        metadatas: list[dict[str, str]] = []
        for identifier, hit in zip(ids, hits, strict=True):
            title, chunks = papers.get(hit.paper_id, ("", ()))
            node = TextNode(
                id_=identifier,
                metadata={"paper_id": hit.paper_id, "title": title},
                excluded_embed_metadata_keys=["paper_id", "title"],
                excluded_llm_metadata_keys=["paper_id"],
                relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id=hit.paper_id)},
            )
            texts.append(chunks[hit.position] if hit.position < len(chunks) else "")
            metadatas.append(node_to_metadata_dict(node, remove_text=True))
        return texts, metadatas


class VectorStore:
    """The collections of one fingerprint in one place. Safe to call from several threads."""

    def __init__(self, place: Place, fingerprint: str) -> None:
        self.place = place
        self._fingerprint = fingerprint
        self._lock = place.lock
        self._collections: dict[Part, Any] = {}
        self._opening = 0

    def close(self) -> None:
        """Lets go of the place; the next call opens it again and sees what others wrote."""
        self.place.close()

    def settled(self, generation: int) -> bool:
        """Whether nothing moved since work was finished with this generation, as far as can be seen without opening anything."""
        with self._lock, self.place.told():
            return self.place.settled(generation)

    def fault(self, generation: int | None, look_again: bool = False) -> str | None:
        """Why what is stored cannot be relied on, so that only `empty` helps; None: it can.

        `generation`: that work was finished with; None: it was broken off. `look_again`: though nothing seems to have moved.
        """
        with self._lock, self.place.told():
            return self.place.fault(generation, look_again)

    def finish(self, generation: int) -> None:
        """Says that work is finished with this generation."""
        with self._lock, self.place.told():
            self.place.finish(generation)

    def require_writable(self) -> None:
        """Raises `HomeError` where nothing can be stored."""
        self.place.require_writable()

    def count(self, part: Part) -> int:
        """The number of vectors."""
        with self._lock, self.place.told():
            return int(self._collection(part).count())

    def add(self, papers: Sequence[Paper], texts: Sequence[PaperTexts], digests: dict[str, str], vectors: dict[Part, Vectors]) -> None:
        """Stores the vectors of these papers: rows of `vectors` run over papers, then parts."""
        owners = [(paper.paper_id, position) for paper, cut in zip(papers, texts, strict=True) for position in range(len(cut.chunks))]
        ids = [f"{paper_id}-{digests[paper_id][:8]}-{position}" for paper_id, position in owners]
        for part in PARTS:
            with self._lock, self.place.told():
                collection, at_once = self._collection(part), self.place.client.get_max_batch_size()
                for first in range(0, len(ids), at_once):
                    some = slice(first, first + at_once)
                    metadatas = [{"paper_id": paper_id} for paper_id, _ in owners[some]]
                    collection.add(ids=ids[some], embeddings=vectors[part][some], metadatas=metadatas)

    def remove(self, paper_ids: Sequence[str]) -> None:
        """Removes all vectors of these papers."""
        for first in range(0, len(paper_ids), _REMOVED_AT_ONCE):
            some = list(paper_ids[first : first + _REMOVED_AT_ONCE])
            with self._lock, self.place.told():
                for part in PARTS:
                    self._collection(part).delete(where={"paper_id": {"$in": some}})

    def empty(self) -> None:
        """Removes all vectors, of every fingerprint, and what cannot be read."""
        with self._lock, self.place.told():
            self.place.empty()

    def ids(self, part: Part) -> Iterator[tuple[str, str, int]]:
        """Of every vector (paper_id, first 8 digits of the digest, position), as `VectorHit` has them."""
        for first in range(0, self.count(part), _LISTED_AT_MOST):
            page = functools.partial(_page_of_ids, first)
            for identifier in self._read(part, page):
                hit = _hit(identifier, 0.0)
                yield hit.paper_id, hit.digest, hit.position

    def drop(self) -> None:
        """Removes the vectors of this fingerprint alone."""
        self._delete(lambda name: name in {self._name(part) for part in PARTS})

    def drop_others(self) -> None:
        """Removes the vectors of every other fingerprint."""
        self._delete(lambda name: name not in {self._name(part) for part in PARTS})

    def _delete(self, unwanted: Callable[[str], bool]) -> None:
        with self._lock, self.place.told():
            for collection in self.place.client.list_collections():
                if collection.name.endswith(self.place.suffix) and unwanted(collection.name):
                    self.place.client.delete_collection(collection.name)
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

    def llama_index(self, part: Part, told: Told) -> ChromaVectorStore:
        """The collection as LlamaIndex's vector store, to be asked; only `add` writes. `told`: titles and texts of papers."""
        from llama_index.vector_stores.chroma import ChromaVectorStore

        return ChromaVectorStore(chroma_collection=_WithTexts(self._collection(part), told))

    def _name(self, part: Part) -> str:
        return f"{part}-{self._fingerprint}{self.place.suffix}"

    def _collection(self, part: Part) -> Any:
        if self._opening != self.place.times_closed:
            self._collections = {}
            self._opening = self.place.times_closed
        if part not in self._collections:
            self._collections[part] = self.place.client.get_or_create_collection(
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

        with self._lock, self.place.told():
            try:
                return ask(self._collection(part))
            except NotFoundError:
                self.close()
                return ask(self._collection(part))


def _page_of_ids(first: int, collection: Any) -> list[str]:
    return list(collection.get(limit=_LISTED_AT_MOST, offset=first, include=[])["ids"])


def _hit(identifier: str, cosine: float) -> VectorHit:
    match = _ID.fullmatch(identifier)
    if match is None:
        return VectorHit("", "", 0, cosine)  # another program's: the catalogue will not confirm it
    return VectorHit(match[1], match[2], int(match[3]), cosine)
