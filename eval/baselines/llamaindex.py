"""LlamaIndex's own parts: a vector index over Chroma, BM25, and their fusion, with the published MiniLM.

Each indexes the same chunks that the product's library cuts, but for `stock`, the pipeline of
`VectorStoreIndex.from_documents` as it comes, and `tuned`, whose cutting is chosen. All find chunks,
which are grouped by paper, the best chunk's score being the paper's. An answer, where one is given,
is the first paper's three nearest sentences; it is declined where the nearest chunk is farther than
for 5% of the training questions. Stock answers (`CitationQueryEngine`) need an LLM, so there are none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np

from eval.baselines.base import PUBLISHED, Given, Judged, Material, Place, Ranked
from eval.baselines.llamaindex_parts import CUTTINGS, FUSIONS, STOCK_SIZE, Cutting, Fusion, Parts, by_paper, fuse, nodes
from eval.ir.measures import ndcg
from index import Paper
from index.sentences import sentence_spans

_DECLINED = 0.05
"""The share of the answerable training questions that the threshold declines: about what ours declines."""
_QUOTED = 3


class LlamaIndexSearcher:
    """One way of cutting and one of fusing."""

    def __init__(self, name: str, folder: Path, cutting: Cutting, fusion: Fusion) -> None:
        self.name = name
        self._folder = folder
        self._cutting = cutting
        self._fusion = fusion
        self._parts: Parts | None = None

    @property
    def what(self) -> str:
        """How it is made."""
        return f"{self._cutting}; {self._fusion}"

    def index(self, material: Material) -> None:
        self._parts = Parts(self._folder / "measured", nodes(material, self._cutting), self._fusion.mode)

    def search(self, question: str, k: int) -> Sequence[Ranked]:
        return by_paper(self._held.retriever(self._fusion).retrieve(question))[:k]

    def close(self) -> None:
        self._parts = None

    @property
    def _held(self) -> Parts:
        if self._parts is None:
            raise RuntimeError("search comes after index")
        return self._parts


class Declining(LlamaIndexSearcher):
    """Answers with sentences of the first paper, unless no chunk is near."""

    _training: Sequence[Judged] = ()

    def tune(self, material: Material, training: Sequence[Judged]) -> None:
        """Remembers what the threshold is to be fitted on, once there is an index."""
        self._training = training

    def index(self, material: Material) -> None:
        super().index(material)
        self._papers = {paper.paper_id: paper for paper in material.papers}

    def answer(self, question: str) -> Given:
        if self._nearest(question) < self._threshold:
            return Given("", (), False)
        first = self.search(question, 1)[0].paper_id
        return Given(_quoted(question, self._papers[first]), (first,), True)

    @cached_property
    def _threshold(self) -> float:
        """0, so that all is answered, where there is no training question to fit it on."""
        return float(np.quantile([self._nearest(one.question) for one in self._training], _DECLINED)) if self._training else 0.0

    def _nearest(self, question: str) -> float:
        return by_paper(self._held.retriever(Fusion("dense")).retrieve(question))[0].score


class Tuned(Declining):
    """Chooses cutting and fusion on the training questions, by nDCG@10; without any it keeps what it began with."""

    tried: Mapping[tuple[Cutting, Fusion], float] = {}

    @property
    def what(self) -> str:
        """How it is made, and of how many ways that was the best."""
        if not self.tried:
            return super().what
        best, *_, least = sorted(self.tried.values(), reverse=True)
        return f"{super().what}; the best of {len(self.tried)} settings on other questions (nDCG@10 {best:.3f}, the worst {least:.3f})"

    def tune(self, material: Material, training: Sequence[Judged]) -> None:
        super().tune(material, training)
        if not training:
            return
        tried: dict[tuple[Cutting, Fusion], float] = {}
        for number, cutting in enumerate(CUTTINGS):
            parts = Parts(self._folder / f"tried-{number}", nodes(material, cutting), "both")
            found = [parts.both(one.question) for one in training]
            for fusion in FUSIONS:
                gains = [
                    ndcg({one.paper_id: 1}, [hit.paper_id for hit in by_paper(fuse(fusion, hits))], 10)
                    for one, hits in zip(training, found, strict=True)
                ]
                tried[cutting, fusion] = float(np.mean(gains))
        self.tried = tried
        self._cutting, self._fusion = max(tried, key=lambda setting: tried[setting])


def stock(place: Place) -> Declining:
    """As the tutorial has it: documents with their title as metadata, 1,024 tokens a chunk."""
    return Declining("LlamaIndex, as it comes", place.folder, Cutting(STOCK_SIZE), Fusion("dense"))


def dense(place: Place) -> LlamaIndexSearcher:
    """The vector index over our chunks."""
    return LlamaIndexSearcher("LlamaIndex, dense", place.folder, Cutting(), Fusion("dense"))


def bm25(place: Place) -> LlamaIndexSearcher:
    """BM25 over our chunks."""
    return LlamaIndexSearcher("LlamaIndex, BM25", place.folder, Cutting(), Fusion("bm25"))


def reciprocal(place: Place) -> LlamaIndexSearcher:
    """Both, fused by reciprocal rank."""
    return LlamaIndexSearcher("LlamaIndex, rank fusion", place.folder, Cutting(), Fusion("reciprocal_rerank"))


def tuned(place: Place) -> Tuned:
    """The best of its parts."""
    return Tuned("LlamaIndex, tuned", place.folder, Cutting(), Fusion("reciprocal_rerank"))


def _quoted(question: str, paper: Paper) -> str:
    """The nearest sentences of an abstract, nearest first."""
    sentences = [paper.abstract[start:end] for start, end in sentence_spans(paper.abstract)]
    if not sentences:
        return paper.display_title
    nearness = PUBLISHED.embed_texts(sentences) @ PUBLISHED.embed_queries([question])[0]
    return " ".join(sentences[place] for place in np.argsort(-nearness)[:_QUOTED])
