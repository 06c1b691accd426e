"""LlamaIndex's stock pipeline, as its starter example has it: `python -m eval.bench.stock FOLDER QUESTION`.

A `VectorStoreIndex` over Chroma with `HuggingFaceEmbedding` on the same model, everything at its default.
It answers nothing and reads nothing: it finds the ten nearest chunks. Knows nothing of this program, so that
what it takes to start is its own.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llama_index.core import VectorStoreIndex
    from llama_index.core.schema import BaseNode
    from llama_index.embeddings.huggingface import HuggingFaceEmbedding

COLLECTION = "papers"
_FOUND = 10


def model_of(folder: str) -> HuggingFaceEmbedding:
    """The embedding model in a folder."""
    from llama_index.embeddings.huggingface import HuggingFaceEmbedding

    return HuggingFaceEmbedding(model_name=folder, device="cpu")


def nodes_of(papers: Sequence[tuple[str, str]]) -> list[BaseNode]:
    """The chunks of (title, abstract) pairs, cut by the default splitter."""
    from llama_index.core import Document
    from llama_index.core.node_parser import SentenceSplitter

    return SentenceSplitter().get_nodes_from_documents([Document(text=f"{title}\n{abstract}") for title, abstract in papers])


def index(folder: Path, papers: Sequence[tuple[str, str]], model: HuggingFaceEmbedding) -> VectorStoreIndex:
    """An index of these papers, kept in a folder."""
    from llama_index.core import StorageContext, VectorStoreIndex

    return VectorStoreIndex(nodes_of(papers), storage_context=StorageContext.from_defaults(vector_store=_store(folder)), embed_model=model)


def ask(folder: Path, model_folder: str, question: str) -> list[str]:
    """The first lines of the chunks found."""
    from llama_index.core import VectorStoreIndex

    opened = VectorStoreIndex.from_vector_store(_store(folder), embed_model=model_of(model_folder))
    found = opened.as_retriever(similarity_top_k=_FOUND).retrieve(question)
    return [one.node.get_content().partition("\n")[0] for one in found]


def _store(folder: Path) -> Any:
    import chromadb
    from llama_index.vector_stores.chroma import ChromaVectorStore

    return ChromaVectorStore(chroma_collection=chromadb.PersistentClient(str(folder)).get_or_create_collection(COLLECTION))


if __name__ == "__main__":
    sys.stdout.write("\n".join(ask(Path(sys.argv[1]), sys.argv[2], sys.argv[3])) + "\n")
