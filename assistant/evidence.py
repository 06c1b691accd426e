"""Chooses the sentences of an abstract that answer a question.

Goes in: a question with its terms and vector, and a paper's sentences with theirs. Comes out:
evidence, each sentence with the odds that it answers, by a logistic model over a few plain
signals. Its weights are fitted on training questions over other papers (`python -m eval fit`).
Knows nothing of which paper is right.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assistant.question import Question
from index import Library, Paper
from index.embedding import Vectors
from index.lexical import Terms

SIGNALS = ("cosine", "words", "figure", "background", "own", "result", "first", "last", "short")
"""What is looked at: nearness, the question's terms, a figure where one is asked for, phrases of
background, of the authors' own work, of results, place in the abstract, a fragment's length."""

WEIGHTS = np.array([2.87, 2.49, 0.89, -0.25, 0.37, 0.16, -1.54, -0.12, -2.62])
INTERCEPT = -3.9

_BACKGROUND = re.compile(
    r"^(?:however|recent(?:ly)?|despite|although|while|existing|most|many|traditional(?:ly)?|in recent|current(?:ly)?|prior|previous)\b"
    r"|\b(?:has|have) (?:been|become|emerged|gained|shown|achieved|demonstrated)\b"
    r"|\b(?:is|are) (?:crucial|essential|important|critical|challenging|widely|often|typically)\b|\bsuffer|\bremains?\b",
    re.IGNORECASE,
)
_OWN = re.compile(r"\b(?:we|our|ours|us|this (?:paper|work|study|article|survey)|the authors|in this|here,)\b", re.IGNORECASE)
_RESULT = re.compile(
    r"\b(?:achiev|outperform|improv|reduc|show|demonstrat|results?|experiment|speedup|faster|accuracy|save|find|found|observe|"
    r"reveal|yield)",
    re.IGNORECASE,
)
_DIGIT = re.compile(r"\d")
_SHORT_WORDS = 9


@dataclass(frozen=True)
class Evidence:
    """A sentence of one abstract that bears on a question."""

    paper: Paper
    position: int
    """Which sentence, from 0."""
    start: int
    end: int
    """Place in `paper.abstract`."""
    score: float
    """0 to 1: how likely it answers, if the paper does."""

    @property
    def text(self) -> str:
        """The sentence."""
        return self.paper.abstract[self.start : self.end]

    @property
    def words(self) -> int:
        """The number of words."""
        return len(self.text.split())


def read_papers(library: Library, question: Question, terms: Terms, vector: Vectors, papers: Sequence[Paper]) -> list[list[Evidence]]:
    """For each paper all its sentences as evidence, in the abstract's order."""
    parts = library.sentences([paper.paper_id for paper in papers])
    read: list[list[Evidence]] = []
    for paper in papers:
        spans, vectors = parts.get(paper.paper_id, ((), None))
        sentences = [paper.abstract[start:end] for start, end in spans]
        if vectors is None:
            read.append([])
            continue
        held = [library.lexical.terms_in(sentence) for sentence in sentences]
        odds = signals(question, terms, sentences, held, vectors @ vector) @ WEIGHTS + INTERCEPT
        read.append(
            [
                Evidence(paper, position, start, end, 1.0 / (1.0 + math.exp(-odd)))
                for position, ((start, end), odd) in enumerate(zip(spans, odds, strict=True))
            ]
        )
    return read


def signals(
    question: Question, terms: Terms, sentences: Sequence[str], held: Sequence[set[str]], cosines: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Shape (sentences, len(SIGNALS)). `held`: the stemmed terms of each sentence."""
    total = terms.total or 1.0
    last = len(sentences) - 1
    rows = []
    for position, (sentence, found) in enumerate(zip(sentences, held, strict=True)):
        rows.append(
            [
                float(cosines[position]),
                sum(weight for term, weight in terms.weights.items() if term in found) / total,
                question.wants_figure and bool(_DIGIT.search(sentence)),
                bool(_BACKGROUND.search(sentence)),
                bool(_OWN.search(sentence)),
                bool(_RESULT.search(sentence)),
                position == 0,
                position == last,
                len(sentence.split()) < _SHORT_WORDS,
            ]
        )
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(SIGNALS))


def choose(evidence: Sequence[Evidence], words: int, sentences: int) -> list[Evidence]:
    """The best sentences within a budget of words: the best first, the rest as the abstract has them.

    The best is taken whatever its length.
    """
    ranked = sorted(evidence, key=lambda one: (-one.score, one.position))
    chosen: list[Evidence] = []
    used = 0
    for one in ranked:
        if len(chosen) == sentences:
            break
        if not chosen or used + one.words <= words:
            chosen.append(one)
            used += one.words
    return chosen[:1] + sorted(chosen[1:], key=lambda one: one.position)
