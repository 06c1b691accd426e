"""Adds the scores of several retrievers, paper by paper. Pure functions.

Scores are fused rather than ranks: a rank throws away by how much a paper is better (Bruch et
al., An Analysis of Fusion Functions for Hybrid Retrieval, 2023). Cosines and the share of the
question's term weight stand on absolute scales, so they are added as they are, and a score means
the same for every question. BM25 brings papers in; they are then scored by coverage, which one
word said often does not inflate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assistant.reading import Match


@dataclass(frozen=True)
class Weights:
    """How much each retriever counts; measured on the training questions (docs/LOG.md). One of weight 0 brings no papers in."""

    chunk: float = 0.6
    sentence: float = 0.4
    coverage: float = 0.4

    @property
    def by_vectors(self) -> bool:
        """Whether papers are sought by meaning."""
        return self.chunk > 0 or self.sentence > 0

    @property
    def by_words(self) -> bool:
        """Whether papers are sought by words."""
        return self.coverage > 0

    def sum_of(self, chunk: float, sentence: float, coverage: float) -> float:
        """The fused score."""
        return self.chunk * chunk + self.sentence * sentence + self.coverage * coverage


@dataclass(frozen=True)
class PaperHit:
    """A paper found, with what each retriever says of it."""

    paper_id: str
    score: float
    chunk: float
    """Cosine of its best chunk."""
    sentence: float
    """Cosine of its best sentence."""
    coverage: float
    """Share of the question's term weight that it holds, 0 to 1."""
    match: Match | None = None
    """How it meets the question's words, where it was looked at."""
    named: bool = False
    """Whether its title holds a word of the question that hardly any other paper does: a name. Only told where it was looked at."""
    gain: float = 0.0
    """What of the score is for all this."""

    @property
    def fused(self) -> float:
        """The score that the retrievers gave."""
        return self.score - self.gain


def fuse(
    chunks: Mapping[str, float],
    sentences: Mapping[str, float],
    coverage: Mapping[str, float],
    weights: Weights = Weights(),
    bonus: Mapping[str, float] | None = None,
) -> list[PaperHit]:
    """Papers by weighted sum of scores, best first; ties by id.

    `coverage` names every paper to be ranked. One that a vector search did not return is at most as
    near as the last that it did.
    `bonus` is added for papers that speak for themselves otherwise.
    """
    chunk_floor = min(chunks.values(), default=0.0)
    sentence_floor = min(sentences.values(), default=0.0)
    hits = []
    for paper_id, share in coverage.items():
        chunk = chunks.get(paper_id, chunk_floor)
        sentence = sentences.get(paper_id, sentence_floor)
        score = weights.sum_of(chunk, sentence, share)
        hits.append(PaperHit(paper_id, score + (bonus or {}).get(paper_id, 0.0), chunk, sentence, share))
    return sorted(hits, key=lambda hit: (-hit.score, hit.paper_id))
