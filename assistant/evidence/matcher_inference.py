"""The matcher's network as it answers questions: one pair at a time, in numpy.

Goes in: a question with a paper, as token states. Comes out: what `matching.py`, its twin for training,
gives, to within 1e-5. The steps and their names are the twin's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.evidence.pairs import NO_SENTENCE, STATE, WORD_SIGNALS, MatchPair
from index.embedding.base import Vectors

WIDTH, KEY, HEADS = 128, 64, 2
LAYER_HEADS = 4
_EPSILON = 1e-5
_TINY = 1e-12


def shapes() -> dict[str, tuple[int, ...]]:
    """The weights by name."""
    words = "words.layers.0."
    linear = {
        "ask": (KEY, STATE),
        "hold": (KEY, STATE),
        "into": (WIDTH, 4 * KEY + HEADS + 1 + WORD_SIGNALS),
        f"{words}self_attn.out_proj": (WIDTH, WIDTH),
        f"{words}linear1": (2 * WIDTH, WIDTH),
        f"{words}linear2": (WIDTH, 2 * WIDTH),
        "importance": (2, WIDTH),
        "wanted": (KEY, WIDTH),
        "stance.0": (WIDTH, 2 * WIDTH + 3),
        "stance.3": (3, WIDTH),
    }
    found: dict[str, tuple[int, ...]] = {f"{name}.weight": size for name, size in linear.items()}
    found |= {f"{name}.bias": size[:1] for name, size in linear.items()}
    found |= {f"{words}self_attn.in_proj_weight": (3 * WIDTH, WIDTH), f"{words}self_attn.in_proj_bias": (3 * WIDTH,)}
    found |= {f"{words}norm{number}.{part}": (WIDTH,) for number in (1, 2) for part in ("weight", "bias")}
    found |= dict.fromkeys(("learnt", "plain", "nothing"), (HEADS,))
    return found | {"nothing_found": (KEY,), "whole": (WIDTH,), "evidence_weights": (2,), "evidence_bias": ()}


class MatcherRun:
    """Safe to call from several threads."""

    def __init__(self, weights: Mapping[str, NDArray[Any]]) -> None:
        """Raises `ValueError` for weights that are not exactly the network's."""
        wanted = shapes()
        for name in wanted.keys() ^ weights.keys():
            raise ValueError(f"{name} is {'missing' if name in wanted else 'not known'}")
        for name, size in wanted.items():
            if weights[name].shape != size:
                raise ValueError(f"{name} has the shape {weights[name].shape}, not {size}")
        self._weights = {name: np.asarray(value, dtype=np.float32) for name, value in weights.items()}

    def match(self, pair: MatchPair) -> tuple[Vectors, Vectors]:
        """Logits of the stances, shape (3,), and of the sentences, shape (sentences,)."""
        of = self._weights
        question, paper = np.asarray(pair.question, dtype=np.float32), np.asarray(pair.paper, dtype=np.float32)
        asks, holds = self._linear("ask", question), self._linear("hold", paper)
        plain = question @ paper.T
        learnt = _unit(_heads(asks)) @ _unit(_heads(holds)).transpose(0, 2, 1)
        attention = self._attention(plain, learnt)
        found = attention[..., :-1] @ _heads(holds) + attention[..., -1:] * of["nothing_found"].reshape(HEADS, 1, -1)
        found = found.transpose(1, 0, 2).reshape(len(question), KEY)
        nearest = plain.max(axis=1, initial=-1.0)
        parts = [asks, found, asks * found, abs(asks - found), attention[..., -1].T, nearest[:, None], pair.signals]
        words = np.vstack([of["whole"][None], self._linear("into", np.hstack(parts).astype(np.float32))])
        words = self._mixed(words)
        whole, words = words[0], words[1:]
        importance = _softmax(self._linear("importance", words), axis=0)
        evidence = self._evidence(pair, whole, importance, plain, learnt.mean(axis=0), holds)
        best = np.sort(np.append(evidence, [NO_SENTENCE, NO_SENTENCE]))[:-3:-1]
        met = [importance[:, 0] @ nearest]
        told = np.concatenate([whole, words.mean(axis=0), best / 5.0, met]).astype(np.float32)
        return self._linear("stance.3", _gelu(self._linear("stance.0", told))), evidence

    def _attention(self, plain: Vectors, learnt: Vectors) -> Vectors:
        """Shape (heads, pieces, tokens + 1): of each piece of the question over the paper's tokens and, last, over nothing."""
        of = self._weights
        sharpness = 16.0 / (1.0 + np.exp(-of["learnt"]))
        logits = learnt * sharpness[:, None, None] + plain * of["plain"][:, None, None]
        nothing = np.broadcast_to(of["nothing"][:, None, None], (*logits.shape[:2], 1))
        return _softmax(np.concatenate([logits, nothing], axis=2), axis=2)

    def _mixed(self, words: Vectors) -> Vectors:
        """The small transformer over the question's words."""
        of, layer = self._weights, "words.layers.0."
        inside = self._norm(f"{layer}norm1", words) @ of[f"{layer}self_attn.in_proj_weight"].T + of[f"{layer}self_attn.in_proj_bias"]
        query, key, value = (part.reshape(len(words), LAYER_HEADS, -1).transpose(1, 0, 2) for part in np.split(inside, 3, axis=1))
        weights = _softmax(query @ key.transpose(0, 2, 1) / math.sqrt(query.shape[2]), axis=2)
        words = words + self._linear(f"{layer}self_attn.out_proj", (weights @ value).transpose(1, 0, 2).reshape(words.shape))
        return words + self._linear(f"{layer}linear2", _gelu(self._linear(f"{layer}linear1", self._norm(f"{layer}norm2", words))))

    def _evidence(self, pair: MatchPair, whole: Vectors, importance: Vectors, plain: Vectors, learnt: Vectors, holds: Vectors) -> Vectors:
        of = self._weights
        wanted = self._linear("wanted", whole)
        evidence = np.full(pair.sentences, NO_SENTENCE, dtype=np.float32)
        for number in range(1, pair.sentences + 1):
            within = pair.sentence == number
            if within.any():
                by_plain, by_learnt = (np.maximum(scores[:, within].max(axis=1), -1.0) for scores in (plain, learnt))
                met = of["evidence_weights"] @ np.array([importance[:, 0] @ by_plain, importance[:, 1] @ by_learnt])
                evidence[number - 1] = met + _unit(holds[within].sum(axis=0)) @ wanted + of["evidence_bias"]
        return evidence

    def _linear(self, name: str, inputs: Vectors) -> Vectors:
        outputs: Vectors = inputs @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]
        return outputs

    def _norm(self, name: str, inputs: Vectors) -> Vectors:
        centred = inputs - inputs.mean(axis=1, keepdims=True)
        scaled: Vectors = centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + np.float32(_EPSILON))
        return scaled * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]


def _heads(states: Vectors) -> Vectors:
    """Shape (heads, tokens, key / heads)."""
    return states.reshape(len(states), HEADS, KEY // HEADS).transpose(1, 0, 2)


def _unit(vectors: Vectors) -> Vectors:
    unit: Vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), _TINY)
    return unit


def _softmax(logits: Vectors, axis: int) -> Vectors:
    raised = np.exp(logits - logits.max(axis=axis, keepdims=True))
    shares: Vectors = raised / raised.sum(axis=axis, keepdims=True)
    return shares


def _gelu(inputs: Vectors) -> Vectors:
    error = np.array([math.erf(one) for one in (inputs.ravel() / math.sqrt(2.0)).tolist()], dtype=np.float32)
    return np.asarray(0.5 * inputs * (1.0 + error.reshape(inputs.shape)), dtype=np.float32)
