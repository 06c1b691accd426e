"""Reads papers for a question: does one answer, does it contradict, which sentences show it.

Goes in: a question, and papers with their sentences and what the search says of them. Comes out:
a reading of each. Knows the network; knows nothing of what is done with a reading.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from assistant.evidence import reader_weights
from assistant.evidence.pairs import Pair, row
from index.embedding import minilm
from index.embedding.tokens import SEP

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from index.embedding.bert import Bert

_TOKENISED_PAPERS = 2000
"""Papers whose tokens are kept at hand."""


def searched(chunk: float, sentence: float, coverage: float) -> tuple[float, float, float, float]:
    """What the reader sees of the search: one score of all three, as it was trained with, and each."""
    return 0.6 * chunk + 0.4 * sentence + 0.4 * coverage, chunk, sentence, coverage


@dataclass(frozen=True)
class Text:
    """A paper as the reader takes it."""

    title: str
    sentences: tuple[str, ...]
    search: tuple[float, float, float, float]
    """What `searched` gives: cosine of the best chunk, of the best sentence, coverage, and a score of all before them."""
    cosines: tuple[float, ...]
    """Of each sentence with the question."""


@dataclass(frozen=True)
class Reading:
    """What a paper says to a question."""

    relevance: float
    """A logit, to be compared among the papers of one question."""
    answers: float
    """0 to 1."""
    contradicts: float
    """0 to 1: that it denies what the question takes for granted."""
    evidence: tuple[float, ...]
    """For each sentence a logit: that it answers, or contradicts. Minus infinity for one not read."""


class PaperReader(Protocol):
    """Safe to call from several threads."""

    def read(self, question: str, before: str, texts: Sequence[Text]) -> list[Reading]:
        """A reading of each paper. `before`: the turns before the question, where it leans on them."""
        ...


class Reader:
    """The reader of our own: low-rank adapters over the embedding model."""

    def __init__(self, file: Path, sha256: str | None = None, base: Path | None = None) -> None:
        """`file`: its weights, whose hash must be `sha256`, where given.

        `base`: the embedding model's folder; by default the installed one.
        Raises `ReaderError` where the weights are missing or others. They are loaded at the first reading.
        """
        reader_weights.verify(file, sha256)
        self._file = file
        self._base = base
        self._lock = threading.Lock()
        self._paper_tokens = lru_cache(_TOKENISED_PAPERS)(self._tokenised)

    def read(self, question: str, before: str, texts: Sequence[Text]) -> list[Reading]:
        if not texts:
            return []
        asked = self._tokens([question])[0]
        if before:
            asked = [*self._tokens([before])[0], SEP, *asked]
        pairs = []
        for text in texts:
            title, sentences = self._paper_tokens(text.title, text.sentences)
            pairs.append(Pair(asked, title, sentences, text.search, text.cosines))
        return [_read(self._bert, pair) for pair in pairs]  # one at a time: padding costs more than reading several at once saves

    def _tokenised(self, title: str, sentences: tuple[str, ...]) -> tuple[list[int], list[list[int]]]:
        heading, *rest = self._tokens([title, *sentences])
        return heading, rest

    def _tokens(self, texts: Sequence[str]) -> list[list[int]]:
        return [encoding.ids for encoding in self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)]

    @cached_property
    def _folder(self) -> Path:
        folder = self._base or minilm.installed()
        minilm.verify(folder)
        return folder

    @property
    def _bert(self) -> Bert:
        with self._lock:
            return self._loaded

    @cached_property
    def _loaded(self) -> Bert:
        return reader_weights.load(self._file, self._folder)

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        return minilm.tokenizer(self._folder)


def _read(bert: Bert, pair: Pair) -> Reading:
    made = row(pair)
    search, cosines = (np.array([scores], dtype=np.float32) for scores in (pair.search, pair.cosines))
    places = np.array([made.places], dtype=np.int64)
    relevance, (stance,), (evidence,) = bert.run([made.ids], [made.asked], sentence=places, search=search, cosines=cosines)
    raised = np.exp(stance - stance.max())
    answers, contradicts, _ = (raised / raised.sum()).tolist()
    return Reading(float(relevance[0]), answers, contradicts, tuple(evidence.tolist()))


@cache
def shipped() -> Reader:
    """The reader that the package carries, loaded once for a process. Raises `ReaderError` where it is missing or damaged."""
    return Reader(reader_weights.FILE, reader_weights.SHA256)
