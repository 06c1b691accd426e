"""The vectors: two Chroma collections, written through LlamaIndex.

`chunks` find papers by what they are about, `sentences` by one remark. Both are derived from
the catalogue and can always be made anew. Nodes are stored as LlamaIndex stores them, so that
any LlamaIndex index or query engine can be opened over the collections; our own search asks
Chroma for ids and distances alone, which saves building nodes that the catalogue has anyway.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from index.chunking import PaperTexts
from index.embedding import Vectors
from index.paper import Paper

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from llama_index.vector_stores.chroma import ChromaVectorStore

Part = Literal["chunks", "sentences"]
PARTS: tuple[Part, ...] = ("chunks", "sentences")
_ID = re.compile(r"([0-9a-f]{12})-([0-9a-f]{8})-(\d+)")


@dataclass(frozen=True)
class VectorHit:
    """A chunk or sentence found for a question."""

    paper_id: str
    digest: str
    """First 8 hex digits of the digest of the text that was embedded."""
    position: int
    """Which chunk or sentence of the paper, from 0."""
    cosine: float


class VectorStore:
    """The collections of one fingerprint in one folder. Safe to call from several threads."""

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self._folder = folder
        self._fingerprint = fingerprint
        self._lock = threading.RLock()
        self._client: ClientAPI | None = None
        self._collections: dict[Part, Any] = {}

    def close(self) -> None:
        """Lets go of the folder; the next call opens it again and sees what others wrote."""
        with self._lock:
            self._collections = {}
            if self._client is not None:
                self._client.close()  # type: ignore[attr-defined]
                self._client = None

    def count(self, part: Part) -> int:
        """The number of vectors."""
        with self._lock:
            return int(self._collection(part).count())

    def add(self, papers: Sequence[Paper], texts: Sequence[PaperTexts], digests: dict[str, str], vectors: dict[Part, Vectors]) -> None:
        """Stores the vectors of these papers: rows of `vectors` run over papers, then parts."""
        from llama_index.core.schema import NodeRelationship, RelatedNodeInfo, TextNode

        for part in PARTS:
            nodes: list[TextNode] = []
            for paper, cut in zip(papers, texts, strict=True):
                for position, text in enumerate(cut.chunks if part == "chunks" else cut.sentences):
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
            with self._lock:
                store = self.llama_index(part)
                at_once = self._opened().get_max_batch_size()
                for first in range(0, len(nodes), at_once):
                    store.add(nodes[first : first + at_once])  # type: ignore[arg-type]

    def remove(self, paper_ids: Sequence[str]) -> None:
        """Removes all vectors of these papers."""
        if not paper_ids:
            return
        with self._lock:
            for part in PARTS:
                self._collection(part).delete(where={"paper_id": {"$in": list(paper_ids)}})

    def drop_others(self) -> None:
        """Removes the collections of other fingerprints."""
        with self._lock:
            ours = {self._name(part) for part in PARTS}
            for collection in self._opened().list_collections():
                if collection.name not in ours:
                    self._opened().delete_collection(collection.name)

    def empty(self) -> None:
        """Removes all vectors of this fingerprint."""
        with self._lock:
            existing = {collection.name for collection in self._opened().list_collections()}
            for part in PARTS:
                if self._name(part) in existing:
                    self._opened().delete_collection(self._name(part))
            self._collections = {}

    def search(self, part: Part, query: Vectors, limit: int, allowed: set[str] | None = None) -> list[VectorHit]:
        """The nearest vectors to `query` (shape (dimension,)), best first, by cosine."""
        with self._lock:
            collection = self._collection(part)
            where = None if allowed is None else {"paper_id": {"$in": sorted(allowed)}}
            found = collection.query(query_embeddings=[query], n_results=limit, where=where, include=["distances"])
        return [_hit(identifier, 1.0 - distance) for identifier, distance in zip(found["ids"][0], found["distances"][0], strict=True)]

    def fetch(self, part: Part, wanted: Sequence[tuple[str, str, int]]) -> Vectors:
        """The vectors of (paper_id, digest, position), in that order; all must be there."""
        ids = [f"{paper_id}-{digest[:8]}-{position}" for paper_id, digest, position in wanted]
        with self._lock:
            found = self._collection(part).get(ids=ids, include=["embeddings"])
        row = {identifier: number for number, identifier in enumerate(found["ids"])}
        embeddings = np.asarray(found["embeddings"], dtype=np.float32)
        return embeddings[[row[identifier] for identifier in ids]]

    def llama_index(self, part: Part) -> ChromaVectorStore:
        """The collection as LlamaIndex's vector store."""
        from llama_index.vector_stores.chroma import ChromaVectorStore

        return ChromaVectorStore(chroma_collection=self._collection(part))

    def _name(self, part: Part) -> str:
        return f"{part}-{self._fingerprint}"

    def _opened(self) -> ClientAPI:
        if self._client is None:
            import chromadb
            from chromadb.config import Settings

            self._client = chromadb.PersistentClient(str(self._folder), settings=Settings(anonymized_telemetry=False))
        return self._client

    def _collection(self, part: Part) -> Any:
        if part not in self._collections:
            self._collections[part] = self._opened().get_or_create_collection(
                self._name(part), embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
            )
        return self._collections[part]


def _hit(identifier: str, cosine: float) -> VectorHit:
    match = _ID.fullmatch(identifier)
    if match is None:
        return VectorHit("", "", 0, cosine)  # another program's: the catalogue will not confirm it
    return VectorHit(match[1], match[2], int(match[3]), cosine)
