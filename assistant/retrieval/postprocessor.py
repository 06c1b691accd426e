"""Any LlamaIndex node postprocessor as a reranker: Cohere's, an LLM's, one's own.

Goes in: a question and papers, which become nodes. Comes out: a score for each paper that keeps the
order in which the nodes came back. Knows nothing of what the postprocessor does.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from assistant.errors import RerankerError
from assistant.retrieval.reranking import passage
from index import Paper

if TYPE_CHECKING:
    from llama_index.core.postprocessor.types import BaseNodePostprocessor
    from llama_index.core.schema import NodeWithScore


class PostprocessorReranker:
    """Papers that come back are scored by their place; those dropped get 0, which is lower."""

    def __init__(self, postprocessor: BaseNodePostprocessor) -> None:
        """`postprocessor`: called by one thread at a time, for it need not be safe for several."""
        self.name = type(postprocessor).__name__
        self._postprocessor = postprocessor
        self._lock = threading.Lock()

    def scores(self, question: str, papers: Sequence[Paper]) -> list[float]:
        if not papers:
            return []
        nodes = [_node(paper) for paper in papers]
        with self._lock:
            kept = self._postprocessor.postprocess_nodes(nodes, query_str=question)
        places = {paper_id: place for place, paper_id in enumerate(dict.fromkeys(one.node.node_id for one in kept))}
        if kept and places.keys().isdisjoint(paper.paper_id for paper in papers):
            raise RerankerError(f"the reranker {self.name} returns nodes of its own making: use one that keeps the nodes' ids")
        return [float(len(places) - places.get(paper.paper_id, len(places))) for paper in papers]


def _node(paper: Paper) -> NodeWithScore:
    """A paper as a node without a score. The title is in the text already, so models are not shown it twice."""
    from llama_index.core.schema import NodeWithScore, TextNode

    node = TextNode(
        id_=paper.paper_id,
        text=passage(paper),
        metadata={"title": paper.title},
        excluded_embed_metadata_keys=["title"],
        excluded_llm_metadata_keys=["title"],
    )
    return NodeWithScore(node=node)
