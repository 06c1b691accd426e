"""Finds the papers nearest to a question: vectors and words, fused by score.

Goes in: a question, with what the conversation lends it. Comes out: papers, best first. Knows
the library; knows nothing of sentences chosen or answers written.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assistant.conversation import Context, leans_back
from assistant.logistic import odds
from assistant.retrieval.fusion import PaperHit, Weights, fuse
from index import Hit, Library
from index.embedding import Vectors
from index.lexical import Terms

_CHUNKS = 100
_WORDS = 50
_FILLED = 20
"""Of the papers that only words found, how many get their exact cosine."""
_CITED_BONUS = 0.05
"""What a paper cited in the turn before gains, in fused score."""
_POINTED_BONUS = 0.6
"""What the one of them gains that the question names by its number."""
JOIN_SIGNALS = ("leans", "log words", "weight", "gain")
"""Whether a question points back; the logarithm of its number of words; the weight of its terms; by how much
better the library answers it, in fused score, when it is read with the turn before."""
JOIN_WEIGHTS = (1.52, -3.51, -0.27, 7.15)
JOIN_INTERCEPT = 10.06
"""A small logistic model of whether a question is meant so (`python -m eval fit`)."""


@dataclass(frozen=True)
class Found:
    """The papers found for one reading of a question."""

    question: str
    """The question alone, respelled."""
    query: str
    """The reading: the question alone or with the turn before."""
    vector: Vectors
    """Of the query, shape (dimension,)."""
    terms: Terms
    """Of the query."""
    own: Terms
    """Of the question alone: what is asked now."""
    hits: tuple[PaperHit, ...]
    """Best first."""
    respelled: tuple[tuple[str, str], ...] = ()
    """Words of the question as typed, and as they were read."""
    before: str = ""
    """The turns before, where the question is read with them."""

    @property
    def best(self) -> float:
        """The best fused score; 0 where nothing was found."""
        return self.hits[0].score if self.hits else 0.0


def retrieve(
    library: Library, question: str, context: Context = Context(), allowed: set[str] | None = None, weights: Weights = Weights()
) -> Found:
    """The papers nearest to a question, of those `allowed`.

    With history, the question is read both alone and with the turn before. Which reading holds is seen
    from the question, how much it says by itself, and from what the library answers to either.
    """
    found = readings(library, question, context, allowed, weights)
    return found[-1] if len(found) > 1 and odds(join_signals(*found), JOIN_WEIGHTS, JOIN_INTERCEPT) >= 0.0 else found[0]


def readings(
    library: Library, question: str, context: Context = Context(), allowed: set[str] | None = None, weights: Weights = Weights()
) -> list[Found]:
    """What a question finds alone and, where there is a turn before, together with that."""
    asked, respelled = library.lexical.respell(question)
    texts = list(dict.fromkeys([asked, context.joined(asked)]))
    vectors = library.embedder.embed_queries(texts)
    own = library.lexical.terms(asked)
    found = []
    for text, vector in zip(texts, vectors, strict=True):
        terms = own if text == asked else library.lexical.terms(text)
        hits = search(library, terms, vector, allowed, _bonus(context, asked) if text != asked else {}, weights)
        found.append(Found(asked, text, vector, terms, own, tuple(hits), respelled, "" if text == asked else context.previous))
    return found


def join_signals(alone: Found, joined: Found) -> tuple[float, ...]:
    """What `JOIN_SIGNALS` names, for the two readings of a question."""
    words = len(alone.question.split())
    return float(leans_back(alone.question)), math.log(words), alone.own.total, joined.best - alone.best


def _bonus(context: Context, question: str) -> dict[str, float]:
    """What the papers of the turn before gain."""
    bonus = dict.fromkeys(context.cited, _CITED_BONUS)
    if pointed_at := context.pointed_at(question):
        bonus[pointed_at] = _POINTED_BONUS
    return bonus


def search(
    library: Library, terms: Terms, vector: Vectors, allowed: set[str] | None, bonus: Mapping[str, float], weights: Weights
) -> list[PaperHit]:
    """Papers near a vector, shape (dimension,), or holding the terms, of those `allowed`, best first."""
    chunks = best_by_paper(library.search_vectors("chunks", vector, _CHUNKS, allowed))
    lexical = {hit.paper_id: hit.score for hit in library.search_words(terms, _WORDS, allowed, chunks)}
    words = list(lexical)[:_WORDS]
    chunks |= library.chunk_cosines(vector, [paper_id for paper_id in words[:_FILLED] if paper_id not in chunks])
    brought = {*(words if weights.by_words else ()), *(chunks if weights.by_vectors else ())}
    return fuse(chunks, lexical, library.lexical.coverage(terms, list(brought)), weights, bonus)


def best_by_paper(hits: Sequence[Hit]) -> dict[str, float]:
    """For each paper its best score, in the order of first appearance."""
    best: dict[str, float] = {}
    for hit in hits:
        best[hit.paper_id] = max(hit.score, best.get(hit.paper_id, hit.score))
    return best
