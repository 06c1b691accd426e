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
from typing import TYPE_CHECKING, Any

from assistant.checking import weights
from assistant.checking.wording import key, words
from index.embedding import minilm

if TYPE_CHECKING:
    from assistant.checking.network import SupportNetwork, Tokens

_PAPERS = 500
"""Papers whose tokens are kept at hand."""
_AT_ONCE = 8


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
        found: list[Seen] = []
        for first in range(0, len(pairs), _AT_ONCE):
            found += self._look(pairs[first : first + _AT_ONCE])
        return found

    def _look(self, pairs: Sequence[tuple[str, str]]) -> list[Seen]:
        import torch

        from assistant.checking.network import collate

        with self._lock, torch.inference_mode():
            batch = collate([(self._tokens(sentence), self._tokens(paper)) for sentence, paper in pairs])
            support, wrong = self._network(batch)
        lengths = batch.said.sum(1).tolist()
        rows = zip(support.tolist(), wrong.tolist(), lengths, strict=True)
        return [Seen(logit, tuple(tokens[1 : length + 1])) for logit, tokens, length in rows]

    def _tokenised(self, text: str) -> Tokens:
        from assistant.checking.network import Tokens

        said = words(text)
        pieces: list[list[int]] = self._tokenizer(said, add_special_tokens=False, verbose=False)["input_ids"] if said else []
        return Tokens(
            [piece for of_word in pieces for piece in of_word],
            [key(word) for word, of_word in zip(said, pieces, strict=True) for _ in of_word],
        )

    @cached_property
    def _folder(self) -> Path:
        folder = self._base or minilm.installed()
        minilm.verify(folder)
        return folder

    @cached_property
    def _network(self) -> SupportNetwork:
        return weights.load_network(self._file, self._folder)

    @cached_property
    def _tokenizer(self) -> Any:
        from transformers import AutoTokenizer

        return AutoTokenizer.from_pretrained(self._folder, local_files_only=True)
