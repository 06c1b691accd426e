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
from index.lexical import LexicalIndex, Terms

SIGNALS = ("nearness", "terms", "figure", "cause", "introduces", "own", "first", "short")
"""What is looked at: cosine, less that of the abstract's nearest sentence; the share of the question's
terms beyond the title's own; a figure where one is asked for; words of cause where it asks why; words
that introduce a work where it asks what there is; the authors' own work; the abstract's first sentence;
a fragment."""

WEIGHTS = np.array([8.70, 4.63, 1.02, 1.48, 1.02, 0.44, -1.49, -2.01])
INTERCEPT = -1.53

_OWN = re.compile(r"\b(?:we|our|ours|us|this (?:paper|work|study|article|survey)|the authors|in this|here,)\b", re.IGNORECASE)
_CAUSE = re.compile(
    r"\b(?:because|due to|since|caus\w+|leads? to|owing to|results? (?:in|from)|resulting (?:in|from)|attribut\w+|stem\w* from|arises?|"
    r"reasons?|factors?|therefore|thus|which (?:makes|leads))\b",
    re.IGNORECASE,
)
_INTRODUCES = re.compile(
    r"\b(?:we|this (?:paper|work|article|study|report|survey)|the authors|the paper) (?:\w+ ){0,2}?"
    r"(?:propos|introduc|present|develop|describ|design|releas|build|stud|investigat|examin|analy[sz]e|address|explore|show|curate|"
    r"provide|offer)\w*|\b(?:called|namely|termed|dubbed|named)\b",
    re.IGNORECASE,
)
_POINTS_BACK = re.compile(r"(?:this|these|those|such|it|its|they|their|both|here|the (?:former|latter))\b", re.IGNORECASE)
_DIGIT = re.compile(r"\d")
_SHORT_WORDS = 9
_FAR_BEHIND = 20.0
"""By how much lower odds than the best sentence's one is left out: a fifth fewer words, one fact in a hundred fewer."""


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

    @property
    def odds(self) -> float:
        """The score as odds."""
        return self.score / max(1e-9, 1.0 - self.score)

    @property
    def points_back(self) -> bool:
        """Whether it begins with a word that stands for something in the sentence before."""
        return bool(_POINTS_BACK.match(self.text))


def read_papers(library: Library, question: Question, terms: Terms, vector: Vectors, papers: Sequence[Paper]) -> list[list[Evidence]]:
    """For each paper all its sentences as evidence, in the abstract's order."""
    parts = library.sentences([paper.paper_id for paper in papers])
    read: list[list[Evidence]] = []
    for paper in papers:
        if paper.paper_id not in parts:
            read.append([])
            continue
        spans, vectors = parts[paper.paper_id]
        sentences = [paper.abstract[start:end] for start, end in spans]
        odds = signals(library.lexical, question, terms, vector, paper.display_title, sentences, vectors) @ WEIGHTS + INTERCEPT
        read.append(
            [
                Evidence(paper, position, start, end, 1.0 / (1.0 + math.exp(-odd)))
                for position, ((start, end), odd) in enumerate(zip(spans, odds, strict=True))
            ]
        )
    return read


def signals(
    lexical: LexicalIndex, question: Question, terms: Terms, vector: Vectors, title: str, sentences: Sequence[str], vectors: Vectors
) -> NDArray[np.float64]:
    """Shape (sentences, len(SIGNALS)). `vector`: the question's, shape (dimension,); `vectors`: the sentences', row by row.

    Where a summary is asked for, a sentence is near if it is near to the abstract as a whole.
    """
    if question.wants_summary:
        cosines, term_shares = vectors @ vectors.mean(axis=0), [0.0] * len(sentences)
    else:
        cosines, term_shares = vectors @ vector, _shares(lexical, terms, title, sentences)
    nearest = float(np.max(cosines, initial=-1.0))
    rows = [
        [
            float(cosine) - nearest,
            share,
            question.wants_figure and bool(_DIGIT.search(sentence)),
            question.wants_cause and bool(_CAUSE.search(sentence)),
            (question.wants_name or question.wants_summary or question.wants_several) and bool(_INTRODUCES.search(sentence)),
            bool(_OWN.search(sentence)),
            position == 0,
            len(sentence.split()) < _SHORT_WORDS,
        ]
        for position, (sentence, share, cosine) in enumerate(zip(sentences, term_shares, cosines, strict=True))
    ]
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(SIGNALS))


def _shares(lexical: LexicalIndex, terms: Terms, title: str, sentences: Sequence[str]) -> list[float]:
    """For each sentence the share of the terms' weight that it holds, the title's terms left out: they
    tell which paper is meant, not which of its sentences."""
    in_title = lexical.terms_in(title)
    asked = {term: weight for term, weight in terms.weights.items() if term not in in_title}
    total = terms.total or 1.0
    return [sum(weight for term, weight in asked.items() if term in held) / total for held in map(lexical.terms_in, sentences)]


def choose(evidence: Sequence[Evidence], words: int, sentences: int) -> list[Evidence]:
    """The best sentences within a budget of words: the best first, then those after it as the abstract
    has them, then those before it.

    A sentence that begins by pointing back (`This ...`) comes with the one before it, where there
    is room. The best is taken whatever its length; what is far less likely to answer is left out.
    """
    by_position = {one.position: one for one in evidence}
    least = max((one.odds for one in evidence), default=0.0) / _FAR_BEHIND
    chosen: list[Evidence] = []
    lead: list[Evidence] = []
    for one in sorted(evidence, key=lambda one: (-one.score, one.position)):
        before = by_position.get(one.position - 1) if one.points_back else None
        block = [each for each in (before, one) if each is not None and each not in chosen]
        fits = len(chosen) + len(block) <= sentences and sum(each.words for each in chosen + block) <= words
        if not chosen:
            lead = block if fits else [one]
            chosen += lead
        elif fits and one.odds >= least:
            chosen += block
    rest = [one for one in chosen if one not in lead]
    return lead + sorted(rest, key=lambda one: (one.position < lead[0].position, one.position))
