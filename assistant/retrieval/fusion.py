"""Adds the scores of several retrievers, paper by paper. Pure functions.

Scores are fused rather than ranks: a rank throws away by how much a paper is better (Bruch et
al., An Analysis of Fusion Functions for Hybrid Retrieval, 2023). Cosines, and BM25 as a share of the
question's term weight, stand on scales that neither a question's length nor a library's size moves,
so they are added as they are, and a score means the same for every question.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assistant.evidence.matcher import Match


@dataclass(frozen=True)
class Weights:
    """How much each retriever counts; measured in three fields (docs/LOG.md). One of weight 0 brings no papers in."""

    chunk: float = 1.0
    """Of the cosine of a paper's best chunk."""
    lexical: float = 0.4
    """Of its share of BM25."""
    maxsim: float = 1.25
    """Of how well its tokens meet the question's, for the first papers."""

    @property
    def by_vectors(self) -> bool:
        """Whether papers are sought by meaning."""
        return self.chunk > 0

    @property
    def by_words(self) -> bool:
        """Whether papers are sought by words."""
        return self.lexical > 0

    def sum_of(self, chunk: float, lexical: float) -> float:
        """The fused score."""
        return self.chunk * chunk + self.lexical * lexical


@dataclass(frozen=True)
class PaperHit:
    """A paper found, with what each retriever says of it."""

    paper_id: str
    score: float
    chunk: float
    """Cosine of its best chunk."""
    sentence: float
    """Cosine of its best sentence, for the first papers; of the others that of the chunk."""
    coverage: float
    """Share of the question's term weight that it holds, 0 to 1."""
    lexical: float = 0.0
    """Its BM25 score as a share of that weight, about 0 to 2."""
    maxsim: float | None = None
    """How well its tokens meet the question's, where that was looked at."""
    match: Match | None = None
    """What the matcher says, where it looked at the paper."""
    gain: float = 0.0
    """What of the score is for `maxsim`."""

    @property
    def fused(self) -> float:
        """The score that the retrievers gave."""
        return self.score - self.gain


def fuse(
    chunks: Mapping[str, float],
    lexical: Mapping[str, float],
    coverage: Mapping[str, float],
    weights: Weights = Weights(),
    bonus: Mapping[str, float] | None = None,
) -> list[PaperHit]:
    """Papers by weighted sum of scores, best first; ties by id.

    `coverage` names every paper to be ranked. One that the vector search did not return is at most as
    near as the last that it did; one without any of the question's words has no BM25 score.
    `bonus` is added for papers that speak for themselves otherwise.
    """
    floor = min(chunks.values(), default=0.0)
    hits = []
    for paper_id, covered in coverage.items():
        chunk, share = chunks.get(paper_id, floor), lexical.get(paper_id, 0.0)
        score = weights.sum_of(chunk, share) + (bonus or {}).get(paper_id, 0.0)
        hits.append(PaperHit(paper_id, score, chunk, chunk, covered, share))
    return sorted(hits, key=lambda hit: (-hit.score, hit.paper_id))
