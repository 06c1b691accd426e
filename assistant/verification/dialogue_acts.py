"""What a sentence of a model's does: it states something, declines to answer, is a courtesy, or thinks aloud.

Goes in: an embedder and a sentence. Comes out: its act, by a linear model over the sentence's embedding and its words,
fitted when first needed on the examples in `dialogue_acts.txt`, so that it fits whatever embedder there is. Knows
nothing of papers: whether a statement holds is for the check to say, and goes before this.
"""

from __future__ import annotations

import re
import threading
import zlib
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from index.embedding.base import Embedder, Vectors

STATEMENT, DECLINE, COURTESY, THOUGHT = "statement", "decline", "courtesy", "thought"
ActOf = Callable[[str], str]

EXAMPLES = Path(__file__).with_name("dialogue_acts.txt")
_WORD_DIMENSIONS = 4096
_RIDGE = 1.0
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?|[!?:]|\d+")
_LONGEST = 600
"""Characters of a sentence that are read."""
_KEPT = 2000


def examples() -> list[tuple[str, str]]:
    """(act, sentence) of each example."""
    found, act = [], ""
    for line in EXAMPLES.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            act = line.strip("[]")
        elif line.strip() and not line.startswith("#"):
            found.append((act, line))
    return found


_made: dict[str, DialogueActs] = {}
"""By the digest of the embedder."""


class DialogueActs:
    """Tells the act of a sentence. Safe to use from several threads."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._fitting = threading.Lock()
        self._weights: Vectors | None = None
        self._acts = (STATEMENT, DECLINE, COURTESY, THOUGHT)
        self._told = lru_cache(_KEPT)(self._tell)

    def __call__(self, sentence: str) -> str:
        """The act of this sentence."""
        return self._told(sentence[:_LONGEST])

    def warm(self) -> None:
        """Fits in the background, so that it is done by the time an LLM has written."""
        if self._weights is None:
            # No daemon: native code that the end of the process cuts off aborts it.
            threading.Thread(target=self._fitted, name="dialogue acts").start()

    def _tell(self, sentence: str) -> str:
        if not any(char.isalpha() for char in sentence):
            return STATEMENT
        scores = self._features([sentence]) @ self._fitted()
        return self._acts[int(scores[0].argmax())]

    def _fitted(self) -> Vectors:
        with self._fitting:
            if self._weights is None:
                acts, sentences = zip(*examples(), strict=True)
                wanted = np.array([[float(act == each) for each in self._acts] for act in acts], dtype=np.float32)
                features = self._features(sentences)
                # Ridge regression in its dual form: there are fewer examples than features.
                gram = features @ features.T + _RIDGE * np.eye(len(features), dtype=np.float32)
                self._weights = (features.T @ np.linalg.solve(gram, wanted)).astype(np.float32)
            return self._weights

    def _features(self, sentences: Sequence[str]) -> Vectors:
        ones = np.ones((len(sentences), 1), dtype=np.float32)
        # Not as many texts together: those take a pool of threads, which nobody gets any more while the process ends.
        return np.hstack([self._embedder.embed_queries(list(sentences)), np.stack([_words(each) for each in sentences]), ones])


def acts_by(embedder: Embedder) -> DialogueActs:
    """The one for this embedder, the same for all who ask."""
    return _made.setdefault(embedder.digest, DialogueActs(embedder))


def _words(sentence: str) -> Vectors:
    """A vector of length 1 of the sentence's words and pairs of words, hashed."""
    words = ["<", *_WORD.findall(sentence.lower().replace("’", "'")), ">"]
    vector = np.zeros(_WORD_DIMENSIONS, dtype=np.float32)
    for term in [*words[1:-1], *(f"{one} {other}" for one, other in pairwise(words))]:
        vector[zlib.crc32(term.encode()) % _WORD_DIMENSIONS] = 1.0
    unit: Vectors = vector / np.sqrt(vector.sum())
    return unit
