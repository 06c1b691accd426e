"""A toy embedder for testing code that uses the library: no model, no meaning.

A text's vector counts its words, hashed into a few dimensions, so that texts sharing words are
near each other. Deterministic, instant, and not to be used for answers.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import numpy as np

from index.embedding.base import Vectors


class ToyEmbedder:
    """Hashed bag of words."""

    name = "toy"

    def __init__(self, dimension: int = 64, max_tokens: int = 256) -> None:
        self.dimension = dimension
        self.max_tokens = max_tokens
        self.digest = f"toy-{dimension}"

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(_words(text)) for text in texts]

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        vectors = np.full((len(texts), self.dimension), 1e-3, dtype=np.float32)
        for row, text in enumerate(texts):
            for word in _words(text):
                vectors[row, int(hashlib.md5(word.encode()).hexdigest(), 16) % self.dimension] += 1
        unit: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit

    def embed_queries(self, queries: Sequence[str]) -> Vectors:
        return self.embed_texts(queries)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())
