"""Finds the papers nearest to a question: vectors and words, fused by score.

Goes in: a question, with what the conversation lends it. Comes out: papers, best first. Knows
the library; knows nothing of sentences chosen or answers written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assistant.conversation import Context, leans_back
from assistant.retrieval.fusion import PaperHit, fuse
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
_LEANING_BONUS = 0.15
"""What the reading with the turn before gains, in fused score, for a question that points back."""


@dataclass(frozen=True)
class Found:
    """The papers found for one reading of a question."""

    query: str
    """The reading: the question alone or with the turn before."""
    vector: Vectors
    """Of the query, shape (dimension,)."""
    terms: Terms
    hits: tuple[PaperHit, ...]
    """Best first."""
    respelled: tuple[tuple[str, str], ...] = ()
    """Words of the question as typed, and as they were read."""

    @property
    def best(self) -> float:
        """The best fused score; 0 where nothing was found."""
        return self.hits[0].score if self.hits else 0.0


def retrieve(library: Library, question: str, context: Context = Context(), allowed: set[str] | None = None) -> Found:
    """The papers nearest to a question, of those `allowed`.

    With history, the question is read both alone and with the turn before, and the reading
    that the library answers better holds: a new topic is not dragged back to the old one. Words
    that point back (`and the second one?`) speak for the joined reading.
    """
    question, respelled = library.lexical.respell(question)
    readings = list(dict.fromkeys([question, context.joined(question)]))
    vectors = library.embedder.embed_queries(readings)
    found = [
        _search(library, reading, vector, allowed, context.cited if reading != question else (), respelled)
        for reading, vector in zip(readings, vectors, strict=True)
    ]
    bonus = _LEANING_BONUS if context.previous and leans_back(question) else 0.0
    return max(found, key=lambda one: one.best + (bonus if one.query != question else 0.0))


def _search(
    library: Library, query: str, vector: Vectors, allowed: set[str] | None, cited: Sequence[str], respelled: tuple[tuple[str, str], ...]
) -> Found:
    terms = library.lexical.terms(query)
    chunks = best_by_paper(library.search_vectors("chunks", vector, _CHUNKS, allowed))
    sentences = best_by_paper(library.search_vectors("sentences", vector, _SENTENCES, allowed))
    words = [hit.paper_id for hit in library.search_words(terms, _WORDS, allowed)]
    chunks |= library.chunk_cosines(vector, [paper_id for paper_id in words[:_FILLED] if paper_id not in chunks])
    coverage = library.lexical.coverage(terms, list({*chunks, *sentences, *words}))
    bonus = dict.fromkeys(cited, _CITED_BONUS)
    return Found(query, vector, terms, tuple(fuse(chunks, sentences, coverage, bonus=bonus)), respelled)


def best_by_paper(hits: Sequence[Hit]) -> dict[str, float]:
    """For each paper its best score, in the order of first appearance."""
    best: dict[str, float] = {}
    for hit in hits:
        best[hit.paper_id] = max(hit.score, best.get(hit.paper_id, hit.score))
    return best
