"""A question and a paper as the two networks take them. Numbers alone: no text, and no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.embedding.tokens import CLS, SEP

STANCES = ("answers", "contradicts", "silent")
"""What a paper does with a question."""

MAX_TOKENS = 448
"""Of question and paper together, for the reader; what is longer loses its last sentences."""
MAX_QUESTION_TOKENS = 96
SEARCH_SCORES = 4
SENTENCE_SCORES = 2
NO_EVIDENCE = -10.0
"""The reader's best logit where no sentence was read."""

STATE = 128
"""Dimensions of a token state, after projection, for the matcher."""
WORD_SIGNALS = 5
"""Of each word piece of the question: its word's weight, whether the paper and its title hold the word,
whether it is a number, whether it is of the question itself rather than of a turn before."""
NO_SENTENCE = -15.0
"""The matcher's logit of a sentence that is not there."""


@dataclass(frozen=True)
class Pair:
    """For the reader: token ids without the special ones."""

    question: Sequence[int]
    title: Sequence[int]
    sentences: Sequence[Sequence[int]]
    search: Sequence[float]
    """What the search says of the paper: fused score, cosine of the best chunk, of the best sentence, coverage."""
    cosines: Sequence[float]
    """Of each sentence with the question."""


@dataclass(frozen=True)
class MatchPair:
    """For the matcher: token states."""

    question: NDArray[np.floating[Any]]
    """Shape (pieces, STATE), vectors of length 1."""
    signals: NDArray[np.float32]
    """Shape (pieces, WORD_SIGNALS)."""
    paper: NDArray[np.floating[Any]]
    """Shape (tokens, STATE), vectors of length 1."""
    sentence: NDArray[np.int64]
    """Shape (tokens,): which sentence a token is in, from 1; 0 for the title."""
    sentences: int


@dataclass(frozen=True)
class Row:
    """A pair in one row: `[CLS] question [SEP] title sentence sentence ... [SEP]`."""

    ids: list[int]
    asked: int
    """Tokens of the question, special ones included."""
    places: list[int]
    """Of each token: which sentence of the paper it is in, from 1; 0 for none."""


def row(pair: Pair) -> Row:
    """The pair as the reader reads it, cut at `MAX_TOKENS`."""
    ids = [CLS, *pair.question[:MAX_QUESTION_TOKENS], SEP]
    asked = len(ids)
    ids += pair.title
    places = [0] * len(ids)
    for number, tokens in enumerate(pair.sentences, 1):
        ids += tokens
        places += [number] * len(tokens)
    del ids[MAX_TOKENS - 1 :], places[MAX_TOKENS - 1 :]
    return Row([*ids, SEP], asked, [*places, 0])
