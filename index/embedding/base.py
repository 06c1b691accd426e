"""The contract of an embedding model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Encoded:
    """What one run of the encoder over a text gives."""

    vector: Vectors
    """Of the whole text, shape (dimension,), of length 1."""
    states: Vectors
    """The last state of each token, those that the model adds left out, shape (tokens, dimension)."""
    places: NDArray[np.int64]
    """Where each token stands in the text, from and to, shape (tokens, 2)."""


@dataclass(frozen=True)
class ModelChoice:
    """Which model embeds a library, as a user says it."""

    name: str = ""
    """A folder or hub name; empty for the one that is shipped."""
    query_prefix: str | None = None
    """Put before each question; None for what the model says."""
    text_prefix: str | None = None
    """Put before each text; None for what the model says."""


class Embedder(Protocol):
    """Turns texts into vectors of length 1, and into the token states that these are pooled from. Safe to call from several threads."""

    choice: ModelChoice
    """What it is loaded by again; empty for doubles too, which are not."""
    name: str
    """For people and for the manifest."""
    digest: str
    """Of the weights: vectors of another digest are never mixed with these."""
    dimension: int
    max_tokens: int
    """Longer texts are cut off by the model."""
    pools_mean: bool
    """Whether its vector is the mean of its token states, so that a sentence's is too; else sentences are encoded apart."""

    @property
    def projection(self) -> Vectors | None:
        """Onto the directions in which its token states differ most, shape (dimension, fewer); None: a library finds its own."""
        ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """The number of tokens of each text, without those that the model adds."""
        ...

    def encode(self, texts: Sequence[str]) -> Iterator[tuple[int, Encoded]]:
        """Each text's place among them with what it gives, in whatever order is quickest."""
        ...

    def encode_query(self, query: str) -> Encoded:
        """The same for a question."""
        ...

    def embed_queries(self, queries: Sequence[str]) -> Vectors:
        """The vectors of questions alone, shape (len(queries), dimension)."""
        ...


def embed(embedder: Embedder, texts: Sequence[str]) -> Vectors:
    """The vectors of texts alone, shape (len(texts), dimension), in the order of the texts."""
    vectors = np.empty((len(texts), embedder.dimension), dtype=np.float32)
    for place, encoded in embedder.encode(texts):
        vectors[place] = encoded.vector
    return vectors
