"""Ranks the first papers found anew, by how well their tokens meet the question's (late interaction).

Goes in: papers as the search ranks them. Comes out: the same papers, the first of them ranked by maxsim too: for each
token of the question the best cosine with the paper's tokens, averaged with the rarity of its word as weight (Khattab
and Zaharia, ColBERT, 2020). A vector of a whole chunk tells the subject; of two papers on one subject, this sees which
one speaks of what is asked. Knows nothing of answers.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from assistant.query.question import read_question
from assistant.retrieval.fusion import Weights
from assistant.retrieval.retriever import RetrievalResult, retrieve
from index import Library, Paper
from index.embedding import Encoded, Vectors
from index.states import projected

FIRST = 20
"""Papers that are looked at."""
_LENGTH = 0.05
"""What a paper e times as long as the others loses: more tokens meet a question's better by chance."""
_LEAST = 1e-3
"""Weight of a token whose word every paper holds."""
_WORD = re.compile(r"\w+")


def ranked(library: Library, query: str, k: int) -> list[tuple[Paper, float]]:
    """The `k` papers nearest to a query, best first, each with its score: for other frameworks' retrievers. Raises `QuestionError`."""
    library.reopen_if_moved()
    found = by_maxsim(library, retrieve(library, read_question(query).text))
    scores = {hit.paper_id: hit.score for hit in found.hits[:k]}
    return [(paper, scores[paper.paper_id]) for paper in library.papers(list(scores))]


def by_maxsim(library: Library, found: RetrievalResult, weights: Weights = Weights(), first: int = FIRST) -> RetrievalResult:
    """The same papers, the first of them ranked by fused score and maxsim together, the others after them.

    The gains of a question's papers are counted from their mean, so that scores stay on the scale of the fused ones.
    A paper that another process is replacing at this moment gains what the least does.
    """
    looked_at, rest = found.hits[:first], found.hits[first:]
    states = library.states_of([hit.paper_id for hit in looked_at])
    query, projection = library.embedder.encode_query(found.query), library.projection
    if not states or not len(query.states) or projection is None:
        return found
    tokens, rarity = projected(query.states, projection), token_weights(found.query, query, library.lexical.rarity)
    mean_length = float(np.mean([len(one.rounded_tokens) for one in states.values()])) or 1.0
    found_sums = {
        paper_id: maxsim(tokens, one.tokens, rarity) - _LENGTH * math.log(max(1, len(one.rounded_tokens)) / mean_length)
        for paper_id, one in states.items()
    }
    mean, least = float(np.mean(list(found_sums.values()))), min(found_sums.values())
    floor = rest[0].score if rest else -math.inf
    moved = []
    for hit in looked_at:
        gain = max(floor - hit.score, weights.maxsim * (found_sums.get(hit.paper_id, least) - mean))
        one = states.get(hit.paper_id)
        sentence = float(np.max(one.sentences @ found.vector)) if one is not None and one.spans else hit.sentence
        moved.append(replace(hit, score=hit.score + gain, gain=gain, maxsim=found_sums.get(hit.paper_id), sentence=sentence))
    return replace(found, hits=(*sorted(moved, key=lambda hit: (-hit.score, hit.paper_id)), *rest))


def maxsim(question: Vectors, paper: Vectors, weights: NDArray[np.float64]) -> float:
    """The weighted mean of each question token's best cosine. `question`, `paper`: states of length 1, shape (tokens, dimension)."""
    if not len(paper):
        return 0.0
    return float(weights @ (question @ paper.T).max(axis=1) / weights.sum())


def token_weights(text: str, encoded: Encoded, rarity: Callable[[str], float]) -> NDArray[np.float64]:
    """For each token of a question the rarity of the word that it is of, shared among the word's tokens."""
    weights = np.full(len(encoded.places), _LEAST)
    starts = encoded.places[:, 0]
    for word in _WORD.finditer(text):
        first, last = np.searchsorted(starts, word.span())
        if last > first:
            weights[first:last] += rarity(word[0]) / (last - first)
    return weights
