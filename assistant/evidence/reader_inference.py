"""The reader's network as it answers questions: ONNX Runtime for the encoder, numpy for the heads.

Goes in: a question with a paper, as token ids. Comes out: what `network.py`, its twin for training, gives,
to within 1e-4. Loading torch would take longer than the answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.evidence.pairs import NO_EVIDENCE, SEARCH_SCORES, SENTENCE_SCORES, STANCES, Pair, Row, row
from index.embedding.base import Vectors
from index.embedding.bert import Bert

_COSINES_WEIGHED = 4.0


@dataclass(frozen=True)
class Heads:
    """The three linear layers over the encoder's states."""

    relevance: tuple[Vectors, Vectors]
    """Weight, shape (1, inputs), and bias."""
    stance: tuple[Vectors, Vectors]
    evidence: tuple[Vectors, Vectors]

    @classmethod
    def of(cls, weights: Mapping[str, NDArray[Any]], width: int) -> Heads:
        """Those of a file. Raises `KeyError` where one is missing, `ValueError` where one has another shape."""
        sizes = {
            "relevance": (1, width + SEARCH_SCORES),
            "stance": (len(STANCES), width + SEARCH_SCORES + 1),
            "evidence": (1, 2 * width + SENTENCE_SCORES),
        }
        for name, size in sizes.items():
            matrix, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
            if matrix.shape != size or bias.shape != size[:1]:
                raise ValueError(f"{name} has the shape {matrix.shape}, not {size}")
        layers = {name: (weights[f"{name}.weight"].astype(np.float32), weights[f"{name}.bias"].astype(np.float32)) for name in sizes}
        return cls(**layers)


@dataclass(frozen=True)
class Logits:
    """What the network says of a pair."""

    relevance: float
    stance: Vectors
    """Shape (3,), in the order of `STANCES`."""
    evidence: Vectors
    """Shape (sentences,); minus infinity for one that was cut off."""


class ReaderRun:
    """Safe to call from several threads."""

    def __init__(self, bert: Bert, heads: Heads) -> None:
        self._bert = bert
        self._heads = heads

    def read(self, pairs: Sequence[Pair]) -> list[Logits]:
        """What it says of each. One is read at a time: padding costs more than reading several at once saves."""
        return [self._logits(pair, row(pair)) for pair in pairs]

    def _logits(self, pair: Pair, made: Row) -> Logits:
        states = self._bert.states([made.ids], [made.asked])[0]
        first = states[0]
        evidence = np.full(len(pair.sentences), -np.inf, dtype=np.float32)
        cosines = np.asarray(pair.cosines, dtype=np.float32)
        places = np.array(made.places)
        for number in range(1, len(pair.sentences) + 1):
            within = places == number
            if within.any():
                cosine = cosines[number - 1]
                scores = _COSINES_WEIGHED * np.array([cosine, cosine - cosines.max()], dtype=np.float32)
                evidence[number - 1] = _linear(self._heads.evidence, np.concatenate([states[within].mean(axis=0), first, scores]))[0]
        paper = np.concatenate([first, np.asarray(pair.search, dtype=np.float32)])
        best = np.maximum(np.max(evidence, initial=-np.inf), np.float32(NO_EVIDENCE))
        return Logits(
            float(_linear(self._heads.relevance, paper)[0]),
            _linear(self._heads.stance, np.append(paper, best).astype(np.float32)),
            evidence,
        )


def _linear(layer: tuple[Vectors, Vectors], inputs: Vectors) -> Vectors:
    outputs: Vectors = layer[0] @ inputs + layer[1]
    return outputs
