"""The retriever as LlamaIndex's users want it: a `BaseRetriever` over a library."""

from __future__ import annotations

from typing import Any

from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

from assistant.retrieval.maxsim import ranked
from index import Library, link


class PaperRetriever(BaseRetriever):
    """Whole abstracts, one node for each paper, best first, with fused scores.

    The node's text is title and abstract; its metadata holds `paper_id`, `title`, `date`, `url`.
    """

    def __init__(self, library: Library, k: int = 5, **options: Any) -> None:
        """`k`: how many papers; `options` go to `BaseRetriever`."""
        super().__init__(**options)
        self._library = library
        self._k = k

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return [
            NodeWithScore(
                node=TextNode(
                    id_=paper.paper_id,
                    text=f"{paper.display_title}\n{paper.abstract}",
                    metadata={"paper_id": paper.paper_id, "title": paper.title, "date": paper.date, "url": link(paper)},
                    excluded_llm_metadata_keys=["paper_id", "date", "url"],
                ),
                score=score,
            )
            for paper, score in ranked(self._library, query_bundle.query_str, self._k)
        ]
