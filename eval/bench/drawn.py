"""Libraries of any size, made without hours of embedding.

Goes in: a number of papers. Comes out: a home whose papers are recombined from the starter library's
sentences, with the common words and the rare ones of real abstracts, and vectors that are drawn: near one of
some hundred directions each, as texts of a subject are. Everything but the embedding is the product's own way
to index. What such a library answers means nothing; how long that takes does.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from index import Library
from index.embedding import Encoded, ModelChoice, Vectors
from index.sentences import sentence_spans
from index.sources import read_source
from index.states import KEPT

DIMENSION = 384
_SUBJECTS = 500
_SPREAD = 1.2
"""Length of what is drawn beside a subject's direction, of length 1: cosines within a subject are about 0.4."""
_WORD = re.compile(r"\S+")
_SENTENCES = 4
"""Of a paper."""


class DrawnEmbedder:
    """Vectors drawn by a text's hash. An `index.embedding.Embedder`."""

    choice = ModelChoice()
    pools_mean = True
    name = "drawn"
    digest = "drawn-1"
    dimension = DIMENSION
    max_tokens = 256

    def __init__(self) -> None:
        self.projection = np.linalg.qr(np.random.default_rng(1).standard_normal((DIMENSION, KEPT)))[0].astype(np.float32)
        self._subjects = _unit(np.random.default_rng(0).standard_normal((_SUBJECTS, DIMENSION), dtype=np.float32))

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]

    def encode(self, texts: Sequence[str]) -> Iterator[tuple[int, Encoded]]:
        for place, text in enumerate(texts):
            yield place, self.encode_query(text)

    def encode_query(self, query: str) -> Encoded:
        dice = np.random.default_rng(int.from_bytes(hashlib.md5(query.encode()).digest()[:8], "little"))
        around = dice.standard_normal(DIMENSION, dtype=np.float32)
        drawn = self._subjects[dice.integers(_SUBJECTS)] + _SPREAD * around / np.linalg.norm(around)
        places = np.array([match.span() for match in _WORD.finditer(query)], dtype=np.int64).reshape(-1, 2)
        states = drawn + dice.standard_normal((len(places), 1), dtype=np.float32) * around / np.linalg.norm(around)
        return Encoded(drawn / np.linalg.norm(drawn), states, places)

    def embed_queries(self, queries: Sequence[str]) -> Vectors:
        return _unit(np.stack([self.encode_query(query).vector for query in queries]))


def build(home: Path, papers: int, starter: Sequence[Path]) -> Library:
    """A library of so many papers, recombined from these listings. One that is there already is taken as it is."""
    library = Library(home, DrawnEmbedder())
    found = library.manifest()
    if found is None or not found.complete:
        listing = home.parent / f"{papers}.txt"
        write(listing, papers, starter)
        library.add([str(listing)])
    return library


def write(listing: Path, papers: int, starter: Sequence[Path]) -> None:
    """A listing of so many papers: a title and an abstract in turn."""
    entries = [entry for file in starter for entry in read_source(file).entries]
    sentences = [entry.abstract[start:end] for entry in entries for start, end in sentence_spans(entry.abstract)]
    words = sorted({word for entry in entries for word in entry.title.split() if word.isalpha() and len(word) > 2})
    dice = random.Random(0)
    with listing.open("w", encoding="utf-8") as file:
        for number in range(papers):
            title = " ".join(dice.sample(words, 6))
            file.write(f"{title} {number}\n{' '.join(dice.sample(sentences, _SENTENCES))}\n")


def _unit(vectors: Vectors) -> Vectors:
    unit: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit
