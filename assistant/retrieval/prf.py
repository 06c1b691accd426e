"""Searches again with what was found: for questions that several papers answer.

Goes in: papers as the search ranks them. Comes out: papers ranked by the question's vector moved towards the
first of them (Rocchio, Relevance Feedback in Information Retrieval, 1971; the first papers taken for relevant,
unseen). A theme is met in more words than a question about it holds; one paper's answer is not, so
other questions are better off without. Knows nothing of answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from assistant.retrieval.fusion import Weights
from assistant.retrieval.retriever import RetrievalResult, search
from index import Library

FIRST = 5
"""Papers that the question is moved towards."""
SHARE = 0.6
"""Weight of their mean beside the question's own vector, both of length 1. Four to eight papers and 0.5 to 1 do alike (docs/LOG.md)."""


def by_prf(library: Library, found: RetrievalResult, allowed: set[str] | None = None, weights: Weights = Weights()) -> RetrievalResult:
    """The papers nearest to question and first papers together, of those `allowed`; the same where none was found by meaning."""
    sentences = library.sentences([hit.paper_id for hit in found.hits[:FIRST]])
    centres = [vectors.mean(axis=0) for _, vectors in sentences.values() if len(vectors)]
    if not centres or not weights.by_vectors:
        return found
    mean = np.mean([centre / np.linalg.norm(centre) for centre in centres], axis=0)
    moved = found.vector + SHARE * mean
    hits = search(library, found.terms, moved / np.linalg.norm(moved), allowed, _bonus(found, weights), weights)
    return replace(found, hits=tuple(hits))


def _bonus(found: RetrievalResult, weights: Weights) -> Mapping[str, float]:
    """What papers have gained from the conversation."""
    return {hit.paper_id: hit.fused - weights.sum_of(hit.chunk, hit.lexical) for hit in found.hits}
