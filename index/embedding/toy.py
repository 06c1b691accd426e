"""A toy embedder for testing code that uses the library: no model, no meaning.

A text's vector counts its words, hashed into a few dimensions, so that texts sharing words are
near each other. Deterministic, instant, and not to be used for answers.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence

import numpy as np

from index.embedding.base import Encoded, ModelChoice, Vectors

_WORD = re.compile(r"\w+")
_NOWHERE = 1e-3
"""Of every dimension, so that a text without words has a direction too."""


class ToyEmbedder:
    """Hashed bag of words. A word is a token, and its state the direction that it is hashed to."""

    name = "toy"
    choice = ModelChoice()
    pools_mean = True
    projection = None

    def __init__(self, dimension: int = 64, max_tokens: int = 256) -> None:
        self.dimension = dimension
        self.max_tokens = max_tokens
        self.digest = f"toy-{dimension}"

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(_WORD.findall(text)) for text in texts]

    def encode(self, texts: Sequence[str]) -> Iterator[tuple[int, Encoded]]:
        for place, text in enumerate(texts):
            yield place, self.encode_query(text)

    def encode_query(self, query: str) -> Encoded:
        found = list(_WORD.finditer(query))
        states = np.zeros((len(found), self.dimension), dtype=np.float32)
        for row, match in enumerate(found):
            states[row, int(hashlib.md5(match[0].casefold().encode()).hexdigest(), 16) % self.dimension] = 1.0
        total = states.sum(axis=0) + np.float32(_NOWHERE)
        places = np.array([match.span() for match in found], dtype=np.int64).reshape(-1, 2)
        return Encoded(total / np.linalg.norm(total), states, places)

    def embed_queries(self, queries: Sequence[str]) -> Vectors:
        return np.stack([self.encode_query(query).vector for query in queries])
