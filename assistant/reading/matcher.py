"""Matches a question's words with an abstract's: which are met, which are not, and what that says.

Goes in: a question and a paper. Comes out: a match. Where the reader (`reader.py`) reads both
together, this compares the encoder's token states of each, so that it sees what of the question no
token of the paper comes near. Knows how common a word is in the library and in questions; knows
nothing of what is done with a match.
"""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from assistant.errors import ReaderError
from assistant.reading import adapter
from index.embedding import MiniLM, Vectors

if TYPE_CHECKING:
    from assistant.reading.matching import MatchNetwork

FILE = Path(__file__).parent / "matcher.safetensors"
SHA256 = "334a85fb16777b183280dc4397b385be02959341f0de5dd198411336b62e07e8"
"""Of `FILE`, as shipped."""
_QUESTION = 40
"""Word pieces of a question that the network sees, the last ones."""
_WINDOW = 254
_TITLE = 60
_FAR = 0.4
"""Cosine below which no token of a paper is like a word."""
_HEAVIEST = 6.463
"""Weight of a word that no paper of the training library held; the scale of the weights."""
_EARLIER = 0.5
"""What a word of a turn before counts, beside one of the question itself."""
_PAPERS = 200
"""Papers whose states are kept at hand; some 230 kB each."""
_MEND = "reinstall paper-assistant, or train it anew with `python -m eval train`"

Rarity = Callable[[str], float]
"""How rare a word is in the library: 0 where every paper holds it, 1 where none does."""


@dataclass(frozen=True)
class Match:
    """How a paper meets a question's words."""

    met: float
    """Mean cosine of the question's words with the nearest token of the paper, by weight."""
    unmet: float
    """Share of the weight of words that no token of the paper is like."""
    worst: float
    """Of the word that is heavy and far: its weight times its distance, at most 1 or so."""
    answers: float
    """Log odds that it answers, against saying nothing."""
    contradicts: float
    """Log odds that it denies what the question takes for granted, against saying nothing."""
    evidence: tuple[float, ...]
    """For each sentence a logit: that it answers, or contradicts."""
    sentences: tuple[float, ...]
    """For each sentence, `met` within it, of the words that the title does not hold."""


@dataclass(frozen=True)
class _Piece:
    """A word of a question: its pieces, and what is known of it."""

    word: str
    places: tuple[int, ...]
    weight: float
    own: bool
    """Whether it is of the question itself rather than of a turn before."""


@dataclass(frozen=True)
class _States:
    """A paper's tokens."""

    vectors: Vectors
    """Shape (tokens, dimension), of length 1."""
    sentence: Any
    """Shape (tokens,): which sentence, from 1; 0 for the title."""
    words: frozenset[str]
    title: frozenset[str]


class Matcher:
    """The matcher of our own, over the embedding model's token states."""

    def __init__(self, embedder: MiniLM, file: Path, sha256: str | None = None) -> None:
        """`embedder`: the tuned model whose states the weights in `file` were trained on; their hash must be `sha256`, where given.

        Raises `ReaderError` where the weights are missing or others.
        """
        adapter.verify(file, sha256)
        self._embedder = embedder
        self._lock = threading.Lock()
        self._network, constants, told = _load(file)
        self._centre, self._projection = constants
        self._asked: dict[str, int] = json.loads(told["words"])
        self._questions = int(told["questions"])
        self._states = lru_cache(_PAPERS)(self._paper_states)

    def match(self, question: str, before: str, title: str, sentences: tuple[str, ...], rarity: Rarity) -> Match:
        """How a paper meets a question. `before`: the turns before it, where it leans on them."""
        earlier, asked = self._embedder.token_ids([before, question])
        ids = [*earlier, *asked][:_WINDOW]
        (states,) = self._embedder.token_states([ids])
        words = self._words(ids, len(earlier), rarity)
        paper = self._states(title, sentences)
        cosines = states @ paper.vectors.T
        stance, evidence = self._ask(states, words, paper, len(sentences))
        met, unmet, worst = _met(words, cosines)
        return Match(met, unmet, worst, stance[0] - stance[2], stance[1] - stance[2], evidence, _by_sentence(words, cosines, paper, len(sentences)))

    def _words(self, ids: Sequence[int], before: int, rarity: Rarity) -> list[_Piece]:
        return [
            _Piece(word, places, self._weight(word, rarity), places[0] >= before) for word, places in _spelled(self._embedder.pieces(ids))
        ]

    def _weight(self, word: str, rarity: Rarity) -> float:
        """A word is as heavy as it is rare both in the library and in questions (`which`, `study`)."""
        if not any(letter.isalnum() for letter in word):
            return 0.0
        in_questions = math.log((self._questions + 1) / (self._asked.get(word, 0) + 1)) / math.log(self._questions + 1)
        return _HEAVIEST * min(rarity(word), in_questions)

    def _ask(self, states: Vectors, words: Sequence[_Piece], paper: _States, sentences: int) -> tuple[list[float], tuple[float, ...]]:
        import torch

        from assistant.reading.matching import WORD_SIGNALS, MatchBatch

        signals = np.zeros((len(states), WORD_SIGNALS), dtype=np.float32)
        for word in words:
            row = [word.weight / 6.0, word.word in paper.words, word.word in paper.title, word.word.isdigit(), word.own]
            signals[list(word.places)] = row
        kept = slice(max(0, len(states) - _QUESTION), None)
        question, signals = torch.from_numpy(self._projected(states)[kept]), torch.from_numpy(signals[kept])
        held = torch.from_numpy(self._projected(paper.vectors))
        batch = MatchBatch(
            question[None],
            torch.ones(1, len(question), dtype=torch.bool),
            signals[None],
            held[None],
            torch.ones(1, len(held), dtype=torch.bool),
            torch.from_numpy(paper.sentence)[None],
            torch.tensor(sentences),
        )
        with self._lock, torch.inference_mode():
            stance, evidence = self._network(batch)
        return stance[0].tolist(), tuple(evidence[0].tolist())

    def _projected(self, states: Vectors) -> Vectors:
        moved = (states - self._centre) @ self._projection
        return np.asarray(moved / np.linalg.norm(moved, axis=1, keepdims=True), dtype=np.float32)

    def _paper_states(self, title: str, sentences: tuple[str, ...]) -> _States:
        """The tokens of title and sentences, in windows that each begin with the title."""
        heading, *rest = self._embedder.token_ids([title, *sentences])
        heading = heading[:_TITLE]
        windows, places = [list(heading)], [[0] * len(heading)]
        for number, tokens in enumerate(rest, 1):
            tokens = tokens[: _WINDOW - len(heading)]
            if len(windows[-1]) + len(tokens) > _WINDOW:
                windows.append(list(heading))
                places.append([-1] * len(heading))
            windows[-1] += tokens
            places[-1] += [number] * len(tokens)
        vectors = np.concatenate(self._embedder.token_states(windows))
        sentence = np.array([place for window in places for place in window], dtype=np.int64)
        words = frozenset(word for window in windows for word, _ in _spelled(self._embedder.pieces(window)))
        in_title = frozenset(word for word, _ in _spelled(self._embedder.pieces(heading)))
        return _States(vectors[sentence >= 0], sentence[sentence >= 0], words, in_title)


@cache
def shipped(embedder: MiniLM) -> Matcher:
    """The matcher that the package carries, loaded once for an embedder. Raises `ReaderError` where it is missing or damaged."""
    return Matcher(embedder, FILE, SHA256)


def _load(file: Path) -> tuple[MatchNetwork, tuple[Vectors, Vectors], dict[str, str]]:
    """The network, the centre and projection of the states, and the word counts."""
    from safetensors import SafetensorError, safe_open

    from assistant.reading.matching import MatchNetwork

    try:
        with safe_open(file, "pt") as opened:
            weights = {name: opened.get_tensor(name).float() for name in opened.keys()}  # noqa: SIM118 - not a mapping
            told = opened.metadata() or {}
        constants = weights.pop("centre").numpy(), weights.pop("projection").numpy()
        network = MatchNetwork()
        network.load_state_dict(weights)
        told["words"], told["questions"]
    except (SafetensorError, KeyError, RuntimeError) as error:
        raise ReaderError(f"{file}: not a matcher's weights ({error}): {_MEND}") from error
    return network.eval().requires_grad_(False), constants, told


def _spelled(pieces: Sequence[str]) -> list[tuple[str, tuple[int, ...]]]:
    """Word pieces (`##` continues a word) as words, with the places of their pieces."""
    words: list[tuple[str, tuple[int, ...]]] = []
    for place, piece in enumerate(pieces):
        if piece.startswith("##") and words:
            word, places = words[-1]
            words[-1] = (word + piece.removeprefix("##"), (*places, place))
        else:
            words.append((piece.removeprefix("##"), (place,)))
    return words


def _counted(words: Sequence[_Piece]) -> list[tuple[_Piece, float]]:
    """The words that are not punctuation, with what each counts."""
    real = [word for word in words if any(letter.isalnum() for letter in word.word)] or list(words)
    return [(word, word.weight * (1.0 if word.own else _EARLIER) + 1e-3) for word in real]


def _met(words: Sequence[_Piece], cosines: Vectors) -> tuple[float, float, float]:
    counted = _counted(words)
    weights = np.array([weight for _, weight in counted])
    nearest = cosines.max(axis=1)
    near = np.array([nearest[list(word.places)].mean() for word, _ in counted])
    total = float(weights.sum())
    return float(weights @ near) / total, float(weights[near < _FAR].sum()) / total, float((weights * (1.0 - near)).max()) / 6.0


def _by_sentence(words: Sequence[_Piece], cosines: Vectors, paper: _States, sentences: int) -> tuple[float, ...]:
    counted = _counted(words)
    asked = [(word, weight) for word, weight in counted if word.word not in paper.title] or counted
    weights = np.array([weight for _, weight in asked])
    scores = []
    for number in range(1, sentences + 1):
        within = cosines[:, paper.sentence == number]
        nearest = within.max(axis=1) if within.shape[1] else np.full(len(cosines), -1.0)
        scores.append(float(weights @ np.array([nearest[list(word.places)].mean() for word, _ in asked])) / float(weights.sum()))
    return tuple(scores)
