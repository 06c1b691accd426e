"""The check's network as it checks sentences: ONNX Runtime for the encoder, numpy for the heads.

    [CLS] sentence [SEP] title abstract [SEP]

Goes in: word pieces of a sentence and of a paper, each with a key that like words share. Comes out: a logit that
the paper supports the sentence, and for each of the sentence's pieces a logit that it is wrong: what `network.py`,
its twin for training, gives, to within 1e-3. Loading torch would take longer than the answer.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.embedding.base import Vectors
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


@dataclass(frozen=True)
class Heads:
    """What the check adds to the encoder."""

    held: Vectors
    """Shape (`STATES`, width): added to a token's embedding by what the other side holds of it."""
    wrong: tuple[Vectors, Vectors]
    """Weight, shape (1, inputs), and bias."""
    support: tuple[Vectors, Vectors]

    @classmethod
    def of(cls, weights: Mapping[str, NDArray[Any]], width: int) -> Heads:
        """Those of a file. Raises `KeyError` where one is missing, `ValueError` where one has another shape."""
        sizes = {
            "held.weight": (STATES, width),
            "wrong.weight": (1, width),
            "wrong.bias": (1,),
            "support.weight": (1, 2 * width + 1),
            "support.bias": (1,),
        }
        for name, size in sizes.items():
            if weights[name].shape != size:
                raise ValueError(f"{name} has the shape {weights[name].shape}, not {size}")
        held, wrong, wrong_bias, support, support_bias = (weights[name].astype(np.float32) for name in sizes)
        return cls(held, (wrong, wrong_bias), (support, support_bias))


class SupportRun:
    """Safe to call from several threads."""

    def __init__(self, bert: Bert, heads: Heads) -> None:
        self._bert = bert
        self._heads = heads

    def look(self, sentence: Tokens, paper: Tokens) -> tuple[float, list[float]]:
        """The logit of support, and for each of the sentence's pieces the logit that it is wrong."""
        ids, held, length = row(sentence, paper)
        states = self._bert.states([ids], [length + 2], self._heads.held[held][None])[0]
        said = states[1 : length + 1]
        (matrix, bias), (support, support_bias) = self._heads.wrong, self._heads.support
        wrong = said @ matrix[0] + bias[0]
        inputs = np.concatenate([states[0], said.mean(axis=0), [wrong.max() / 5.0]]).astype(np.float32)
        return float(support[0] @ inputs + support_bias[0]), wrong.tolist()
