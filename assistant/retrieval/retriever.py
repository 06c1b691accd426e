"""Finds the papers nearest to a question: vectors and words, fused by score.

Goes in: a question, with what the conversation lends it. Comes out: papers, best first. Knows
the library; knows nothing of sentences chosen or answers written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assistant.conversation import Context, leans_back
from assistant.retrieval.fusion import PaperHit, Weights, fuse
from index import Hit, Library
from index.embedding import Vectors
from index.lexical import Terms

_CHUNKS = 100
_SENTENCES = 100
_WORDS = 50
_FILLED = 20
"""Of the papers that only words found, how many get their exact cosine."""
_CITED_BONUS = 0.05
"""What a paper cited in the turn before gains, in fused score."""
_POINTED_BONUS = 0.3
"""What the one of them gains that the question names by its number."""
_LEANING_BONUS = 0.15
"""What the reading with the turn before gains, in fused score, for a question that points back."""


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

    With history, the question is read both alone and with the turn before, and the reading
    that the library answers better holds: a new topic is not dragged back to the old one. Words
    that point back (`and the second one?`) speak for the joined reading.
    """
    asked, respelled = library.lexical.respell(question)
    readings = list(dict.fromkeys([asked, context.joined(asked)]))
    vectors = library.embedder.embed_queries(readings)
    own = library.lexical.terms(asked)
    found = []
    for reading, vector in zip(readings, vectors, strict=True):
        terms = own if reading == asked else library.lexical.terms(reading)
        hits = _search(library, terms, vector, allowed, _bonus(context, asked) if reading != asked else {}, weights)
        found.append(Found(asked, reading, vector, terms, own, tuple(hits), respelled, "" if reading == asked else context.previous))
    leaning = _LEANING_BONUS if context.previous and leans_back(asked) else 0.0
    return max(found, key=lambda one: one.best + (leaning if one.query != asked else 0.0))


def _bonus(context: Context, question: str) -> dict[str, float]:
    """What the papers of the turn before gain."""
    bonus = dict.fromkeys(context.cited, _CITED_BONUS)
    if pointed_at := context.pointed_at(question):
        bonus[pointed_at] = _POINTED_BONUS
    return bonus


def _search(
    library: Library, terms: Terms, vector: Vectors, allowed: set[str] | None, bonus: Mapping[str, float], weights: Weights
) -> list[PaperHit]:
    chunks = best_by_paper(library.search_vectors("chunks", vector, _CHUNKS, allowed))
    sentences = best_by_paper(library.search_vectors("sentences", vector, _SENTENCES, allowed))
    words = [hit.paper_id for hit in library.search_words(terms, _WORDS, allowed)]
    chunks |= library.chunk_cosines(vector, [paper_id for paper_id in words[:_FILLED] if paper_id not in chunks])
    brought = {*(words if weights.by_words else ()), *((*chunks, *sentences) if weights.by_vectors else ())}
    return fuse(chunks, sentences, library.lexical.coverage(terms, list(brought)), weights, bonus)


def best_by_paper(hits: Sequence[Hit]) -> dict[str, float]:
    """For each paper its best score, in the order of first appearance."""
    best: dict[str, float] = {}
    for hit in hits:
        best[hit.paper_id] = max(hit.score, best.get(hit.paper_id, hit.score))
    return best
