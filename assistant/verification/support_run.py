"""The check's network as it checks sentences.

    [CLS] sentence [SEP] title abstract [SEP]

Goes in: word pieces of a sentence and of a paper, each with a key that like words share. Comes out: a logit that
the paper supports the sentence, and for each of the sentence's pieces a logit that it is wrong.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.embedding.bert import Bert
from index.embedding.tokens import CLS, SEP

MAX_TOKENS = 480
"""Of sentence and paper together; what is longer loses its end."""
MAX_SENTENCE_TOKENS = 160
STATES = 4
"""Of a token: special; its word is not on the other side; it is; so is the pair of words that it ends."""


@dataclass(frozen=True)
class Tokens:
    """A text's word pieces."""

    ids: Sequence[int]
    keys: Sequence[Hashable]
    """For each piece what its word is known by: like words share it."""


def row(sentence: Tokens, paper: Tokens) -> tuple[list[int], list[int], int]:
    """Token ids, what the other side holds of each, and the number of the sentence's tokens."""
    length = min(len(sentence.ids), MAX_SENTENCE_TOKENS)
    room = MAX_TOKENS - length - 3
    ids = [CLS, *sentence.ids[:length], SEP, *paper.ids[:room], SEP]
    held = [0, *_held(sentence, paper)[:length], 0, *_held(paper, sentence)[:room], 0]
    return ids, held, length


def _held(text: Tokens, other: Tokens) -> list[int]:
    words, pairs = set(other.keys), set(_bigrams(other.keys))
    before: Hashable = None
    current: Hashable = None
    found = []
    for key in text.keys:
        if key != current:
            before, current = current, key
        found.append(3 if (before, key) in pairs else 2 if key in words else 1)
    return found


def _bigrams(keys: Sequence[Hashable]) -> list[tuple[Hashable, Hashable]]:
    words = [key for place, key in enumerate(keys) if place == 0 or key != keys[place - 1]]
    return list(pairwise(words))


class SupportRun:
    """Safe to call from several threads."""

    def __init__(self, bert: Bert, held: NDArray[Any]) -> None:
        """`bert`: the encoder with the check's heads. `held`: shape (`STATES`, width), added to a token's embedding by what the other
        side holds of it. Raises `ValueError` where it has another shape."""
        if len(held) != STATES:
            raise ValueError(f"held.weight has the shape {held.shape}, not ({STATES}, width)")
        self._bert = bert
        self._held = held.astype(np.float32)

    def look(self, sentence: Tokens, paper: Tokens) -> tuple[float, list[float]]:
        """The logit of support, and for each of the sentence's pieces the logit that it is wrong."""
        ids, held, length = row(sentence, paper)
        said = np.zeros((1, len(ids)), dtype=np.int64)
        said[0, 1 : length + 1] = 1
        support, wrong = self._bert.run([ids], [length + 2], self._held[held][None], said=said)
        return float(support[0]), wrong[0, 1 : length + 1].tolist()
