"""Matches a question's words with an abstract's: which are met, which are not, and what that says.

Goes in: a question and a paper. Comes out: a match. Where the reader (`reader.py`) reads both
together, this compares the encoder's token states of each, so that it sees what of the question no
token of the paper comes near. Knows how common a word is in the library and in questions; knows
nothing of what is done with a match.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from assistant.errors import ReaderError
from assistant.evidence import reader_weights
from assistant.evidence.pairs import WORD_SIGNALS, MatchPair
from assistant.query.question import asked_words
from index import ModelError
from index.embedding import MiniLM, Vectors
from index.embedding.onnx import Network
from index.embedding.tokens import ROOM

FILE = Path(__file__).parent / "matcher.safetensors"
GRAPH = FILE.with_name("matcher.onnx")
"""Its inputs are those of a `MatchPair` with 1 before their shapes, and a number for each sentence; it gives the logits of the
stances, shape (1, 3), and of the sentences, shape (1, sentences)."""
SHA256 = "47127b5cc1ea6e76d3f37cb9201ccfcaeae8fb4036a75333070d07742c7d298f"
"""Of `FILE`, as shipped."""
WINDOW = ROOM
"""Word pieces of a text that are encoded at once, beside the special ones."""
_QUESTION = 40
"""Word pieces of a question that the network sees, the last ones."""
_TITLE = 60
_FAR = 0.4
"""Cosine below which no token of a paper is like a word."""
_HEAVIEST = 6.463
"""Weight of a word that no paper of the training library held; the scale of the weights."""
_SCALE = 6.0
"""What weights are divided by where the network sees them."""
_EARLIER = 0.5
"""What a word of a turn before counts, beside one of the question itself."""
_NAMES = 0.5
"""Weight from which a word names what is asked for, rather than being any question's word."""
_ABOUT = (6, 8)
"""Tokens before and after a figure that may say what it is a figure of."""
_PAPERS = 200
"""Papers whose states are kept at hand; some 230 kB each."""
_MEND = "reinstall paper-assistant, or train it anew with `python -m eval train`"

States = NDArray[np.floating[Any]]
"""Token states, shape (tokens, dimension), of length 1."""
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
    """Of the word that is heavy and far: its weight times its distance, at most 1 or so.
    These three are of the question's own words, not of a turn before: that another answered tells nothing of this one."""
    answers: float
    """Log odds that it answers, against saying nothing."""
    contradicts: float
    """Log odds that it denies what the question takes for granted, against saying nothing."""
    evidence: tuple[float, ...]
    """For each sentence a logit: that it answers, or contradicts."""
    sentences: tuple[float, ...]
    """For each sentence, `met` within it, of the words that the title does not hold."""
    asks: bool = False
    """Whether the question names what it asks for (`how many tokens`)."""
    together: float = 0.0
    """As `met`, with the words of a turn before."""
    figure: float = 0.0
    """Mean cosine of the words of what is asked for with the nearest tokens about a figure, where that is best;
    -1 where the abstract has no figure, 0 where nothing is named."""


@dataclass(frozen=True)
class Word:
    """A word of a question: its pieces, and what is known of it."""

    text: str
    places: tuple[int, ...]
    weight: float
    own: bool
    """Whether it is of the question itself rather than of a turn before."""


@dataclass(frozen=True)
class PaperStates:
    """A paper's tokens."""

    vectors: States
    sentence: NDArray[np.int64]
    """Shape (tokens,): which sentence, from 1; 0 for the title."""
    words: frozenset[str]
    title: frozenset[str]
    """Words of the title."""
    figures: tuple[int, ...] = ()
    """Places of tokens that are digits, of the abstract's sentences."""


@dataclass(frozen=True)
class Constants:
    """What training found of states and questions, beside the network."""

    centre: Vectors
    """Shape (dimension,): the mean of papers' states."""
    projection: Vectors
    """Shape (dimension, STATE): onto where states differ most."""
    questions: int
    asked: Mapping[str, int]
    """How many of the questions hold a word, for words of several questions."""

    def projected(self, states: States) -> Vectors:
        """States as the network sees them, shape (tokens, STATE), of length 1."""
        moved = (states - self.centre) @ self.projection
        return np.asarray(moved / np.linalg.norm(moved, axis=1, keepdims=True), dtype=np.float32)

    def weight(self, word: str, rarity: Rarity) -> float:
        """A word is as heavy as it is rare both in the library and in questions (`which`, `study`)."""
        if not any(letter.isalnum() for letter in word):
            return 0.0
        return _HEAVIEST * min(rarity(word), rareness(self.questions, self.asked.get(word, 0)))


@dataclass(frozen=True)
class Window:
    """Word pieces that are encoded at once."""

    ids: list[int]
    sentence: list[int]
    """Of each piece: which sentence, from 1; 0 for the title; -1 for the title once more."""


class PaperMatcher(Protocol):
    """Says how papers meet a question. Safe to call from several threads."""

    def match(self, question: str, before: str, title: str, sentences: tuple[str, ...], rarity: Rarity) -> Match:
        """How a paper meets a question. `before`: the turns before it, where it leans on them."""
        ...


class Matcher:
    """The matcher of our own, over the embedding model's token states."""

    def __init__(self, embedder: MiniLM, file: Path, sha256: str | None = None) -> None:
        """`embedder`: the tuned model whose states the weights in `file` were trained on; their hash must be `sha256`, where given.

        Raises `ReaderError` where the weights are missing or others.
        """
        reader_weights.verify(file, sha256, "the matcher's weights")
        self._embedder = embedder
        self._network, self._constants = load(file)
        self._states = lru_cache(_PAPERS)(self._paper_states)

    def match(self, question: str, before: str, title: str, sentences: tuple[str, ...], rarity: Rarity) -> Match:
        """How a paper meets a question. `before`: the turns before it, where it leans on them."""
        earlier, asked = self._embedder.token_ids([before, question])
        ids = [*earlier, *asked][-WINDOW:]
        (states,) = self._embedder.token_states([ids])
        words = question_words(self._embedder.pieces(ids), len(ids) - len(asked), lambda word: self._constants.weight(word, rarity))
        paper = self._states(title, sentences)
        cosines = np.asarray(states @ paper.vectors.T, dtype=np.float32)
        stance, evidence = self._ask(states, words, paper, len(sentences))
        counted = _counted(words)
        together = _met(counted, cosines)[0]
        met, unmet, worst = _met([(word, weight) for word, weight in counted if word.own] or counted, cosines)
        within = _by_sentence(words, cosines, paper, len(sentences))
        named = _asked(words, asked_words(question))
        figure = _by_figure(named, cosines, paper)
        return Match(met, unmet, worst, stance[0] - stance[2], stance[1] - stance[2], evidence, within, bool(named), together, figure)

    def _ask(self, states: Vectors, words: Sequence[Word], paper: PaperStates, sentences: int) -> tuple[list[float], tuple[float, ...]]:
        """The logits of the stances, and of the sentences."""
        projected = replace(paper, vectors=self._constants.projected(paper.vectors))
        stance, evidence = matched(self._network, pair(self._constants.projected(states), words, projected, sentences))
        return stance.tolist(), tuple(evidence.tolist())

    def _paper_states(self, title: str, sentences: tuple[str, ...]) -> PaperStates:
        heading, *rest = self._embedder.token_ids([title, *sentences])
        windows = paper_windows(heading, rest)
        return paper_states(windows, self._embedder.token_states([window.ids for window in windows]), self._embedder.pieces)


@cache
def shipped() -> Matcher:
    """The matcher that the package carries, loaded once for a process. Raises `ReaderError` where it is missing or damaged.

    It was trained on the states of the whole adapter, whatever share of it the search uses.
    """
    try:
        return Matcher(MiniLM(strength=1.0), FILE, SHA256)
    except ModelError as error:
        raise ReaderError(str(error)) from error


def load(file: Path) -> tuple[Network, Constants]:
    """What `eval.train.matcher_network.save` wrote, to answer questions. Raises `ReaderError` where the file holds something else."""
    from safetensors import SafetensorError

    try:
        weights, constants = parts(file)
        return Network(GRAPH, weights), constants
    except (SafetensorError, KeyError, ValueError) as error:
        raise ReaderError(f"{file}: not a matcher's weights ({error}): {_MEND}") from error


def parts(file: Path) -> tuple[dict[str, NDArray[np.float32]], Constants]:
    """The network's weights by name, and what was found beside them. Raises `SafetensorError` or `KeyError` for another file."""
    from safetensors import safe_open

    with safe_open(file, "np") as opened:
        weights = {name: np.asarray(opened.get_tensor(name), dtype=np.float32) for name in opened.keys()}  # noqa: SIM118 - not a mapping
        told = opened.metadata() or {}
    centre, projection = weights.pop("centre"), weights.pop("projection")
    return weights, Constants(centre, projection, int(told["questions"]), json.loads(told["words"]))


def matched(network: Network, pair: MatchPair) -> tuple[Vectors, Vectors]:
    """Logits of the stances, shape (3,), and of the sentences, shape (sentences,)."""
    (stance,), (evidence,) = network.run(
        question=np.asarray(pair.question, dtype=np.float32)[None],
        signals=pair.signals[None],
        paper=np.asarray(pair.paper, dtype=np.float32)[None],
        sentence=pair.sentence[None],
        sentences=np.arange(pair.sentences, dtype=np.int64),
    )
    return stance, evidence


def rareness(texts: int, holding: int) -> float:
    """0 where all of so many texts hold a word, 1 where none does."""
    return math.log((texts + 1) / (holding + 1)) / math.log(texts + 1)


def spelled(pieces: Sequence[str]) -> list[tuple[str, tuple[int, ...]]]:
    """Word pieces (`##` continues a word) as words, with the places of their pieces."""
    words: list[tuple[str, tuple[int, ...]]] = []
    for place, piece in enumerate(pieces):
        if piece.startswith("##") and words:
            word, places = words[-1]
            words[-1] = (word + piece.removeprefix("##"), (*places, place))
        else:
            words.append((piece.removeprefix("##"), (place,)))
    return words


def question_words(pieces: Sequence[str], before: int, weight: Callable[[str], float]) -> list[Word]:
    """The words of a question, of which the first `before` pieces are of turns before."""
    return [Word(word, places, weight(word), places[0] >= before) for word, places in spelled(pieces)]


def paper_windows(title: Sequence[int], sentences: Sequence[Sequence[int]]) -> list[Window]:
    """A paper's word pieces in windows that each begin with the title. What is longer than a window is cut."""
    title = title[:_TITLE]
    windows = [Window(list(title), [0] * len(title))]
    for number, sentence in enumerate(sentences, 1):
        sentence = sentence[: WINDOW - len(title)]
        if len(windows[-1].ids) + len(sentence) > WINDOW:
            windows.append(Window(list(title), [-1] * len(title)))
        windows[-1].ids.extend(sentence)
        windows[-1].sentence.extend([number] * len(sentence))
    return windows


def paper_states(windows: Sequence[Window], states: Sequence[States], pieces: Callable[[Sequence[int]], list[str]]) -> PaperStates:
    """A paper from its windows, with the states of each. `pieces`: spells word pieces."""
    vectors = np.concatenate(states)
    sentence = np.array([place for window in windows for place in window.sentence], dtype=np.int64)
    words = frozenset(word for window in windows for word, _ in spelled(pieces(window.ids)))
    title = [token for token, place in zip(windows[0].ids, windows[0].sentence, strict=True) if place == 0]
    kept = [piece for window in windows for piece, place in zip(pieces(window.ids), window.sentence, strict=True) if place >= 0]
    figures = tuple(at for at, piece in enumerate(kept) if piece.isdigit() and sentence[sentence >= 0][at] > 0)
    in_title = frozenset(word for word, _ in spelled(pieces(title)))
    return PaperStates(vectors[sentence >= 0], sentence[sentence >= 0], words, in_title, figures)


def pair(states: States, words: Sequence[Word], paper: PaperStates, sentences: int) -> MatchPair:
    """A question and a paper for the network, both with projected states."""
    signals = np.zeros((len(states), WORD_SIGNALS), dtype=np.float32)
    for word in words:
        row = [word.weight / _SCALE, word.text in paper.words, word.text in paper.title, word.text.isdigit(), word.own]
        signals[list(word.places)] = row
    return MatchPair(states[-_QUESTION:], signals[-_QUESTION:], paper.vectors, paper.sentence, sentences)


def _counted(words: Sequence[Word]) -> list[tuple[Word, float]]:
    """The words that are not punctuation, with what each counts."""
    real = [word for word in words if any(letter.isalnum() for letter in word.text)] or list(words)
    return [(word, word.weight * (1.0 if word.own else _EARLIER) + 1e-3) for word in real]


def _met(counted: Sequence[tuple[Word, float]], cosines: Vectors) -> tuple[float, float, float]:
    weights = np.array([weight for _, weight in counted])
    nearest = cosines.max(axis=1)
    near = np.array([nearest[list(word.places)].mean() for word, _ in counted])
    total = float(weights.sum())
    return float(weights @ near) / total, float(weights[near < _FAR].sum()) / total, float((weights * (1.0 - near)).max()) / _SCALE


def _asked(words: Sequence[Word], names: frozenset[str]) -> list[Word]:
    """The words that name what is asked for."""
    return [word for word in words if word.own and word.text in names and word.weight > _NAMES]


def _by_figure(asked: Sequence[Word], cosines: Vectors, paper: PaperStates) -> float:
    """As `Match.figure`."""
    if not asked:
        return 0.0
    weights = np.array([word.weight + 1e-3 for word in asked])
    best = -1.0
    for at in paper.figures:
        start, end = max(0, at - _ABOUT[0]), at + _ABOUT[1]
        about = cosines[:, start:end][:, paper.sentence[start:end] == paper.sentence[at]].max(axis=1)
        best = max(best, float(weights @ np.array([about[list(word.places)].mean() for word in asked])) / float(weights.sum()))
    return best


def _by_sentence(words: Sequence[Word], cosines: Vectors, paper: PaperStates, sentences: int) -> tuple[float, ...]:
    counted = _counted(words)
    asked = [(word, weight) for word, weight in counted if word.text not in paper.title] or counted
    weights = np.array([weight for _, weight in asked])
    scores = []
    for number in range(1, sentences + 1):
        within = cosines[:, paper.sentence == number]
        nearest = within.max(axis=1) if within.shape[1] else np.full(len(cosines), -1.0)
        scores.append(float(weights @ np.array([nearest[list(word.places)].mean() for word, _ in asked])) / float(weights.sum()))
    return tuple(scores)
