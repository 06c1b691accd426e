"""Finds the papers nearest to a question: vectors and words, fused by score.

Goes in: a question, with what the conversation lends it. Comes out: papers, best first. Knows
the library; knows nothing of sentences chosen or answers written.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assistant import fitted
from assistant.query.conversation import Context, asks_the_same, leans_back, leaves_the_paper, points_by_number
from assistant.retrieval.fusion import PaperHit, Weights, fuse
from index import Hit, Library
from index.embedding import Vectors
from index.lexical import Terms

_CHUNKS = 100
_WORDS = 50
_FILLED = 20
"""Of the papers that only words found, how many get their exact cosine."""
_CITED_BONUS = 0.4
"""What a paper cited in the turn before gains, in fused score."""
_POINTED_BONUS = 1.0
"""What the one of them gains that the question names by its number."""
JOIN_SIGNALS = ("leans", "log words", "weight", "gain", "new rarity", "new share", "new weight", "new named", "lead alone", "lead joined")
"""Whether a question points back; the logarithm of its number of words; the weight of its terms; by how much
better the library answers it, in fused score, when it is read with the turn before. Of the words that the library
has and the turn before and its papers have not: the rarest one's rarity, their share of the question's weight, that
weight, and the rarity of the rarest in the title of the paper found first. By how much the first paper leads in either reading.
What they weigh is fitted: `python -m eval fit --only joining`."""


@dataclass(frozen=True)
class RetrievalResult:
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

    @property
    def lead(self) -> float:
        """By how much the first paper's fused score is above the second's; 0 where there are not two."""
        return self.hits[0].score - self.hits[1].score if len(self.hits) > 1 else 0.0


def retrieve(
    library: Library,
    question: str,
    context: Context = Context(),
    allowed: set[str] | None = None,
    weights: Weights = Weights(),
    joined: bool | None = None,
) -> RetrievalResult:
    """The papers nearest to a question, of those `allowed`.

    With history, the question is read both alone and with the turn before. Which reading holds is seen
    from the question, how much it says by itself, and from what the library answers to either, unless `joined` says it.
    """
    found = readings(library, question, context, allowed, weights)
    if len(found) == 1:
        return found[0]
    alone, together = found
    return together if (is_joined(library, alone, together, context) if joined is None else joined) else alone


def is_joined(library: Library, alone: RetrievalResult, joined: RetrievalResult, context: Context) -> bool:
    """Whether a question is meant together with the turn before."""
    return (
        asks_the_same(alone.question)
        or (bool(context.cited) and points_by_number(alone.question))
        or fitted.logistic("joining", "joined", JOIN_SIGNALS).log_odds(join_signals(library, alone, joined, context)) >= 0.0
    )


def readings(
    library: Library, question: str, context: Context = Context(), allowed: set[str] | None = None, weights: Weights = Weights()
) -> list[RetrievalResult]:
    """What a question finds alone and, where there is a turn before, together with that."""
    asked, respelled = library.lexical.respell(question)
    texts = list(dict.fromkeys([asked, context.joined(asked)]))
    vectors = library.embedder.embed_queries(texts)
    own = library.lexical.terms(asked)
    found = []
    for text, vector in zip(texts, vectors, strict=True):
        terms = own if text == asked else library.lexical.terms(text)
        hits = search(library, terms, vector, allowed, _bonus(library, context, asked) if text != asked else {}, weights)
        found.append(RetrievalResult(asked, text, vector, terms, own, tuple(hits), respelled, "" if text == asked else context.previous))
    return found


def join_signals(library: Library, alone: RetrievalResult, joined: RetrievalResult, context: Context) -> tuple[float, ...]:
    """What `JOIN_SIGNALS` names, for the two readings of a question."""
    lexical, own = library.lexical, alone.own
    said = set().union(
        lexical.terms_in(context.previous),
        *(lexical.terms_in(f"{paper.display_title} {paper.abstract}") for paper in library.papers(context.cited)),
    )
    new = {word: terms for word in own.words if (terms := lexical.terms_in(word)) and not terms & (said | own.unknown)}
    rarity = {word: lexical.rarity(word) for word in new}
    new_weight = sum(own.weights.get(term, 0.0) for term in set().union(*new.values()))
    title = lexical.terms_in(library.papers([alone.hits[0].paper_id])[0].display_title) if alone.hits else set()
    return (
        float(leans_back(alone.question)),
        math.log(len(alone.question.split())),
        own.total,
        joined.best - alone.best,
        max(rarity.values(), default=0.0),
        new_weight / (own.total or 1.0),
        new_weight,
        max((rarity[word] for word, terms in new.items() if terms & title), default=0.0),
        alone.lead,
        joined.lead,
    )


def _bonus(library: Library, context: Context, question: str) -> dict[str, float]:
    """What the papers of the turn before gain; what they lose where the same is asked of something that they never mention."""
    bonus = {} if leaves_the_paper(question) else dict.fromkeys(context.cited, _CITED_BONUS)
    if asks_the_same(question):
        of = library.lexical.terms_in(" ".join(library.lexical.terms(question).words)) - library.lexical.terms_in("same")
        texts = {paper.paper_id: f"{paper.display_title} {paper.abstract}" for paper in library.papers(list(context.cited))}
        bonus = {paper_id: -_POINTED_BONUS for paper_id, text in texts.items() if not of & library.lexical.terms_in(text)}
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
