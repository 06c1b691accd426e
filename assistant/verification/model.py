"""Asks the trained network whether papers support sentences.

Goes in: sentences, each with a paper. Comes out: for each the logit of support and, for each of its
tokens, the logit that it is wrong. Loads the network at the first question. Knows no rule and
takes no decision.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.verification import weights
from assistant.verification.support_run import SupportRun, Tokens
from assistant.verification.wording import key, words
from index.embedding import minilm

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_PAPERS = 500
"""Papers whose tokens are kept at hand."""


@dataclass(frozen=True)
class Seen:
    """What the network says of a sentence with a paper."""

    support: float
    """A logit."""
    wrong: tuple[float, ...]
    """For each token of the sentence a logit."""


class SupportModel:
    """The trained network. Safe to use from several threads."""

    def __init__(self, file: Path, sha256: str | None = None, base: Path | None = None) -> None:
        """`file`: its weights, whose hash must be `sha256`, where given. `base`: the embedding model's folder.

        Raises `ReaderError` where the weights are missing or others.
        """
        weights.verify(file, sha256)
        self._file = file
        self._base = base
        self._lock = threading.Lock()
        self._tokens = lru_cache(_PAPERS)(self._tokenised)

    def look(self, pairs: Sequence[tuple[str, str]]) -> list[Seen]:
        """What it sees of each (sentence, paper's text)."""
        return [self._look(sentence, paper) for sentence, paper in pairs]

    def _look(self, sentence: str, paper: str) -> Seen:
        said = self._tokens(sentence)
        if not said.ids:
            return Seen(0.0, ())
        support, wrong = self._run.look(said, self._tokens(paper))
        return Seen(support, tuple(wrong))

    def _tokenised(self, text: str) -> Tokens:
        said = words(text)
        pieces = [encoding.ids for encoding in self._tokenizer.encode_batch_fast(said, add_special_tokens=False)]
        return Tokens(
            [piece for of_word in pieces for piece in of_word],
            [key(word) for word, of_word in zip(said, pieces, strict=True) for _ in of_word],
        )

    @cached_property
    def _folder(self) -> Path:
        folder = self._base or minilm.installed()
        minilm.verify(folder)
        return folder

    @property
    def _run(self) -> SupportRun:
        with self._lock:
            return self._loaded

    @cached_property
    def _loaded(self) -> SupportRun:
        return weights.load(self._file, self._folder)

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        return minilm.tokenizer(self._folder)
