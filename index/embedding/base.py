"""The contract of an embedding model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


class Embedder(Protocol):
    """Turns texts into vectors of length 1. Safe to call from several threads."""

    name: str
    """For people and for the manifest."""
    digest: str
    """Of the weights: vectors of another digest are never mixed with these."""
    dimension: int
    max_tokens: int
    """Longer texts are cut off by the model."""

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """The number of tokens of each text, without the two that the model adds."""
        ...

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """Vectors of shape (len(texts), dimension), in the order of the texts."""
        ...

    def embed_queries(self, queries: Sequence[str]) -> Vectors:
        """The same for questions."""
        ...
