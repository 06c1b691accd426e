"""What a question wants, as a small classifier has learnt it from examples (`python -m eval fit --only intent`).

Goes in: a clean text and, where there is one, the encoder of the library. Comes out: an `Intent`. Logistic regression over the
text's words, their pairs and triples, its shape (runs of up to four words with the words of its theme reduced to their endings), and
the encoder's vectors of it; where another encoder is in use than the one it was fitted with, over words and shape alone. Knows
nothing of any paper.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from index.embedding import Embedder, Vectors

FILE = Path(__file__).with_name("intent.safetensors")
SINGLE = "single"
GROUPS: dict[str, tuple[str, ...]] = {
    SINGLE: ("fact", "figure", "why", "how", "definition"),
    "summary": ("summary",),
    "comparison": ("comparison",),
    "several": ("several", "overview"),
    "records": ("list", "count", "newest", "record"),
    "instruction": ("shorter", "longer", "simpler", "citation", "similar", "pick"),
    "talk": ("greeting", "thanks", "goodbye", "help", "contents"),
    "chat": ("chat",),
}
"""The intents, by what is done with them."""
WORD_SCALE = 0.8
VECTOR_SCALE = 2.0
"""What a word, and a vector of length 1, counts in the features."""
UNSURE = 0.6
"""Probability of the group below which an intent is called unsure."""
_FIRST_TOKENS = 3
_LONGEST_RUN = 4
_ENDINGS = ("ing", "ed", "ly", "tion", "s")
_TOKEN = re.compile(r"[a-z]+(?:'[a-z]+)?|\d+|[?,:;\"“”/]")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_NAME = re.compile(r"(?<=\w )[A-Z]\w*|\b\w*[A-Z]\w*[A-Z]\w*")
_SENTENCE_ENDS = re.compile(r"(?<=[.?!:])\s+")
_LENGTHS = (3, 5, 9)

Weights = NDArray[np.float32]


@runtime_checkable
class TellsStates(Protocol):
    """An embedder that tells a question's tokens' states, the two that the model adds among them."""

    def query_states(self, query: str) -> Vectors: ...


@dataclass(frozen=True)
class Intent:
    """What a question wants."""

    name: str
    """One of those in `GROUPS`."""
    group: str
    probability: float
    """Of the group."""

    @property
    def unsure(self) -> bool:
        """Whether it may well want something else."""
        return self.probability < UNSURE


@dataclass(frozen=True)
class IntentModel:
    """What the file holds."""

    names: tuple[str, ...]
    """The intents, column by column."""
    features: Mapping[str, int]
    """Words, word pairs and signs of the text, each with its row."""
    by_words: Weights
    """Shape (features + 1, intents); the last row is the intercept."""
    by_vectors: Weights
    """Shape (features + vectors + 1, intents), for the encoder of `digest`."""
    digest: str
    thresholds: Mapping[str, float]
    """The least probability of a group with which it is taken."""
    common: frozenset[str]
    """Words that many examples have: all others are taken to be of a theme."""
    asking: frozenset[str]
    """Words that ask for papers and name no theme (`papers`, `list`)."""
    talking: frozenset[str]
    """Words of greetings, thanks and questions on the library itself."""
    fitted_on: str
    """SHA-256 of the examples."""

    def probabilities(self, text: str, embedder: Embedder | None = None) -> dict[str, float]:
        """Of each intent."""
        row = np.zeros(len(self.features) + 1, dtype=np.float32)
        row[[self.features[found] for found in features_of(text, self.common) if found in self.features]] = WORD_SCALE
        row[-1] = 1.0
        weights = self.by_words
        if embedder is not None and embedder.digest == self.digest:
            row = np.concatenate([row[:-1], vectors_of(text, embedder), row[-1:]])
            weights = self.by_vectors
        odds = row @ weights
        shares = np.exp(odds - odds.max())
        return dict(zip(self.names, (shares / shares.sum()).tolist(), strict=True))


@lru_cache(maxsize=1)
def shipped() -> IntentModel:
    """The model that comes with the program, loaded at first use."""
    from safetensors import safe_open

    with safe_open(str(FILE), "numpy") as opened:
        told = json.loads(opened.metadata()["intents"])
        by_words, by_vectors = (opened.get_tensor(name).astype(np.float32) for name in ("by_words", "by_vectors"))
    return IntentModel(
        names=tuple(told["names"]),
        features={feature: row for row, feature in enumerate(told["features"])},
        by_words=by_words,
        by_vectors=by_vectors,
        digest=told["encoder"],
        thresholds=told["thresholds"],
        common=frozenset(told["common"]),
        asking=frozenset(told["asking"]),
        talking=frozenset(told["talking"]),
        fitted_on=told["fitted_on"],
    )


def intent_of(text: str, embedder: Embedder | None = None, model: IntentModel | None = None) -> Intent:
    """What a clean text wants. A group other than one paper's answer is taken only from its threshold on."""
    model = model or shipped()
    return decide(model.probabilities(text, embedder), model.thresholds)


def decide(probabilities: Mapping[str, float], thresholds: Mapping[str, float]) -> Intent:
    """The likeliest of the groups that reach their threshold, else one paper's answer; in it, the likeliest intent."""
    of_group = {group: sum(probabilities[name] for name in names) for group, names in GROUPS.items()}
    able = [group for group in GROUPS if group != SINGLE and of_group[group] >= thresholds[group]]
    group = max(able, key=of_group.__getitem__, default=SINGLE)
    return Intent(max(GROUPS[group], key=probabilities.__getitem__), group, of_group[group])


def is_talk(text: str) -> bool:
    """Whether all words of a text are such as greetings, thanks and questions on the library itself have: any other names a theme."""
    words = set(_WORD.findall(text.lower()))
    return bool(words) and words <= shipped().talking


def features_of(text: str, common: frozenset[str] = frozenset()) -> set[str]:
    """The words, pairs and triples of words of a text, figures as one, its length, whether it has names, and its shape, for which
    `common` are the words that are kept."""
    words = tokens_of(text)
    placed = ["^", *words, "$"]
    pairs = {" ".join(pair) for pair in itertools.pairwise(placed)}
    triples = {" ".join(triple) for triple in zip(placed, placed[1:], placed[2:], strict=False)}
    length = sum(len(text.split()) >= least for least in _LENGTHS)
    names = min(2, len(_NAME.findall(text)))
    return {*words, *pairs, *triples, f"<length {length}>", f"<names {names}>", *_shape(text, common)}


def tokens_of(text: str) -> list[str]:
    """The words and signs of a text in small letters, figures as one."""
    return ["<number>" if word.isdigit() else word for word in _TOKEN.findall(text.lower())]


def _shape(text: str, common: frozenset[str]) -> set[str]:
    """Runs of up to four words, words of the theme as their endings and those side by side as the last of them; the beginning of the
    last sentence, which asks where those before tell; how many sentences and commas there are."""
    reduced = ["^", *_reduced(text, common), "$"]
    runs = {" ".join(reduced[place : place + length]) for length in range(1, _LONGEST_RUN + 1) for place in range(len(reduced))}
    found = {f"~{run}" for run in runs} | {f"<commas {min(3, text.count(','))}>"}
    sentences = _SENTENCE_ENDS.split(text)
    if len(sentences) > 1:
        last = ["^^", *_reduced(sentences[-1], common)]
        found |= {f"~{' '.join(last[:length])}" for length in range(2, _LONGEST_RUN + 1)}
        found.add("<asks first>" if "?" in sentences[0] else "<asks later>")
    return {*found, f"<sentences {min(3, len(sentences))}>"}


def _reduced(text: str, common: frozenset[str]) -> list[str]:
    """The words of a text, those of its theme as `*` and their ending; of several side by side only the last."""
    kept: list[str] = []
    for word in tokens_of(text):
        plain = word in common or not word[0].isalnum()
        ending = next((each for each in _ENDINGS if word.endswith(each)), "")
        if not plain and kept and kept[-1].startswith("*"):
            kept.pop()
        kept.append(word if plain else f"*{ending}")
    return kept


def vectors_of(text: str, embedder: Embedder) -> Weights:
    """The encoder's vector of a question, its states at both ends and at the first words, which say what is asked, and their mean;
    each of one length."""
    parts = [embedder.embed_queries([text])[0]]
    if isinstance(embedder, TellsStates):
        states = embedder.query_states(text)
        inner = states[1:-1] if len(states) > 2 else states
        parts += [states[0], *(inner[min(place, len(inner) - 1)] for place in range(_FIRST_TOKENS)), states[-1], inner.mean(axis=0)]
    return np.concatenate([VECTOR_SCALE * part / (np.linalg.norm(part) or 1.0) for part in parts]).astype(np.float32)
