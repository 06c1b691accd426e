"""LlamaIndex's parts over one way of cutting papers: a vector index over Chroma, BM25, their fusion.

Goes in: papers and how to cut them. Comes out: hits, and papers in the order of their best chunk. Both
embed with the published MiniLM. Knows nothing of questions' gold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eval.baselines.base import PUBLISHED, Material, Ranked

if TYPE_CHECKING:
    from llama_index.core.base.base_retriever import BaseRetriever
    from llama_index.core.schema import NodeWithScore, TextNode

STOCK_SIZE = 1024
"""Tokens of a chunk, LlamaIndex's default."""
_STOCK_OVERLAP = 200
_DEPTH = 50
"""Chunks that each retriever gives."""


@dataclass(frozen=True)
class Cutting:
    """How papers become nodes; without a size, the library's own chunks are taken."""

    size: int | None = None
    """Tokens of LlamaIndex's sentence splitter."""
    title: bool = True
    """Whether the title is part of what is embedded and searched."""

    def __str__(self) -> str:
        if self.size is None:
            return "our chunks"
        return f"chunks of {self.size} tokens {'with' if self.title else 'without'} the title"


@dataclass(frozen=True)
class Fusion:
    """How the two retrievers' hits become one ranking."""

    mode: str
    """`dense`, `bm25`, or one of LlamaIndex's: `reciprocal_rerank`, `relative_score`, `dist_based_score`."""
    dense: float = 0.5
    """The weight of the vector index; the rest is BM25's."""

    def __str__(self) -> str:
        return f"{self.mode}, {self.dense:.1f} dense" if self.mode.endswith("score") else self.mode


CUTTINGS = (Cutting(), *(Cutting(size, title) for size in (128, 256, STOCK_SIZE) for title in (True, False)))
FUSIONS = (
    Fusion("dense"),
    Fusion("bm25"),
    Fusion("reciprocal_rerank"),
    *(Fusion(mode, weight) for mode in ("relative_score", "dist_based_score") for weight in (0.3, 0.5, 0.7)),
)


class Parts:
    """A vector index over Chroma and BM25 over the same nodes; one of them where that is all that is asked for."""

    def __init__(self, folder: Path, nodes: Sequence[TextNode], mode: str) -> None:
        """`mode`: `dense`, `bm25`, or anything else for both."""
        self.dense = _dense(folder, nodes) if mode != "bm25" else None
        self.bm25 = _bm25(nodes) if mode != "dense" else None

    def retriever(self, fusion: Fusion) -> BaseRetriever:
        """What searches."""
        alone = {"dense": self.dense, "bm25": self.bm25}.get(fusion.mode)
        return alone or _fused(fusion, [self.dense, self.bm25])

    def both(self, question: str) -> tuple[list[NodeWithScore], list[NodeWithScore]]:
        """The hits of each."""
        if self.dense is None or self.bm25 is None:
            raise RuntimeError("made for one of them alone")
        return self.dense.retrieve(question), self.bm25.retrieve(question)


def fuse(fusion: Fusion, hits: tuple[list[NodeWithScore], list[NodeWithScore]]) -> list[NodeWithScore]:
    """Hits found before, fused by LlamaIndex's own fusion."""
    from llama_index.core.schema import NodeWithScore

    if fusion.mode in {"dense", "bm25"}:
        return hits[fusion.mode == "bm25"]
    copies = [[NodeWithScore(node=hit.node, score=hit.score) for hit in one] for one in hits]  # fusing overwrites scores
    return list(_fused(fusion, [_remembered(one) for one in copies]).retrieve("asked before"))


def by_paper(hits: Sequence[NodeWithScore]) -> list[Ranked]:
    """Papers in the order of their best chunk."""
    best: dict[str, float] = {}
    for hit in hits:
        best.setdefault(hit.node.metadata["paper_id"], float(hit.score or 0.0))
    return [Ranked(paper_id, score) for paper_id, score in best.items()]


def nodes(material: Material, cutting: Cutting) -> list[TextNode]:
    """The papers cut."""
    from llama_index.core.node_parser import SentenceSplitter
    from llama_index.core.schema import Document, TextNode

    if cutting.size is None:
        return [
            TextNode(text=chunk, metadata={"paper_id": texts.paper_id}, excluded_embed_metadata_keys=["paper_id"])
            for texts in material.chunks
            for chunk in texts.chunks
        ]
    hidden = ["paper_id"] if cutting.title else ["paper_id", "title"]
    documents = [
        Document(
            text=paper.abstract,
            metadata={"paper_id": paper.paper_id, "title": paper.display_title},
            excluded_embed_metadata_keys=hidden,
            excluded_llm_metadata_keys=["paper_id"],
        )
        for paper in material.papers
    ]
    splitter = SentenceSplitter(chunk_size=cutting.size, chunk_overlap=_STOCK_OVERLAP if cutting.size == STOCK_SIZE else cutting.size // 8)
    found: list[Any] = splitter.get_nodes_from_documents(documents)
    return found


def _dense(folder: Path, nodes: Sequence[TextNode]) -> BaseRetriever:
    import chromadb
    from chromadb.config import Settings
    from llama_index.core import StorageContext, VectorStoreIndex
    from llama_index.vector_stores.chroma import ChromaVectorStore

    folder.mkdir(parents=True)
    client = chromadb.PersistentClient(str(folder), settings=Settings(anonymized_telemetry=False))
    store = ChromaVectorStore(chroma_collection=client.get_or_create_collection("papers", embedding_function=None))
    index = VectorStoreIndex(
        list(nodes), storage_context=StorageContext.from_defaults(vector_store=store), embed_model=PUBLISHED.llama_index
    )
    return index.as_retriever(similarity_top_k=min(_DEPTH, len(nodes)))


def _bm25(nodes: Sequence[TextNode]) -> BaseRetriever:
    from llama_index.retrievers.bm25 import BM25Retriever

    found: BaseRetriever = BM25Retriever.from_defaults(nodes=list(nodes), similarity_top_k=min(_DEPTH, len(nodes)))
    return found


def _fused(fusion: Fusion, retrievers: Sequence[BaseRetriever | None]) -> BaseRetriever:
    from llama_index.core.llms import MockLLM
    from llama_index.core.retrievers import QueryFusionRetriever
    from llama_index.core.retrievers.fusion_retriever import FUSION_MODES

    return QueryFusionRetriever(
        [one for one in retrievers if one is not None],
        llm=MockLLM(),  # asked for nothing, since there is one query
        mode=FUSION_MODES(fusion.mode),
        similarity_top_k=_DEPTH,
        num_queries=1,
        use_async=False,
        retriever_weights=[fusion.dense, 1.0 - fusion.dense],
    )


def _remembered(hits: list[NodeWithScore]) -> BaseRetriever:
    """A retriever that gives what was found before."""
    from llama_index.core.base.base_retriever import BaseRetriever
    from llama_index.core.schema import QueryBundle

    class Remembered(BaseRetriever):
        def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
            return hits

    return Remembered()
