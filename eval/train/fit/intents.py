"""Fits what tells a question's intent (`assistant/query/intent.py`), and writes its one file.

Goes in: the examples of `eval/train/intents.jsonl`, and the training questions, of which only is known whether they ask one paper or
several. Comes out: the file, and how it reads the phrasings of `eval/phrasings.jsonl`, which are never fitted on. Thresholds and the
sharpness of the probabilities are chosen cross-validated; then all is fitted. Reads nothing of the fixed set.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.query.intent import FILE as FILE_OF_MODEL
from assistant.query.intent import GROUPS, SINGLE, WORD_SCALE, IntentModel, Weights, features_of, intent_of, tokens_of, vectors_of
from eval.questions import as_text, read
from eval.train.data import FIELDS, FILE, HARD, MORE, SEVERAL, SEVERAL_FIELDS, load, load_followups, load_several
from index.embedding import Embedder

EXAMPLES = Path(__file__).parents[1] / "intents.jsonl"
PHRASINGS = Path(__file__).parents[2] / "phrasings.jsonl"
"""Questions that are read to measure alone, written apart from the examples."""
_OF_KIND = {"multi": "several", "overview": "overview", "compare": "comparison"}
_PARTS = 3
_EASE = 1.0
"""The inverse of how strongly weights are held to 0."""
_STEPS = 60
_FEWEST = 4
"""Examples that hold a word, from which it is a feature."""
_COMMON = 25
"""Examples that hold a word, from which it is of no theme."""
_ONE_PAPER_COUNTS = 0.3
_SEVERAL_COUNTS = 3.0
"""What a training question counts beside an example, by what is known of it."""
_OF_EACH = 425
"""Training questions of one paper, about so many of each file."""
_MISTAKEN = 0.035
"""Share of the questions of one paper that a group may take; of the training questions some do compare."""
_LEAST = 0.25
_ASKING_EXAMPLES = 3
_ASKING_OFTEN = 12
_ASKING_LEADS = 0.8
_ASKING_RATIO = 4.0
"""A word of so many record or library examples, in this share of them before the theme unless it is so frequent, and by so much
commoner there than in questions on contents, names no theme."""
_STAND_BEFORE = 0.6
"""Share of the questions about records with a word in which it stands before `on`, `about` and the like."""
_BEFORE_THEMES = ("on", "about", "of", "by", "with", "for", "from", "in", "into", "to")


@dataclass(frozen=True)
class Example:
    """A question with what it wants."""

    question: str
    intent: str
    """An intent, or `single`: one of that group's or a summary."""
    counts: float = 1.0
    """Beside the written ones."""
    written: bool = True
    """For this, and not a training question."""


@dataclass(frozen=True)
class _Rows:
    """Examples as numbers."""

    words: Any
    """Sparse, shape (examples, features)."""
    vectors: Weights
    """Shape (examples, dimensions); of none where the encoder is not asked."""

    @staticmethod
    def of(features: Sequence[Sequence[int]], columns: int, vectors: Weights) -> _Rows:
        """`features`: of each example which it has."""
        from scipy.sparse import csr_matrix

        places = np.array([place for each in features for place in each], dtype=np.int32)
        ends = np.cumsum([0, *map(len, features)])
        ones = np.full(len(places), WORD_SCALE, dtype=np.float32)
        return _Rows(csr_matrix((ones, places, ends), shape=(len(features), columns)), vectors)

    @property
    def columns(self) -> int:
        features: int = self.words.shape[1]
        return features + int(self.vectors.shape[1])

    def taken(self, which: NDArray[np.bool_]) -> _Rows:
        return _Rows(self.words[which], self.vectors[which])

    def odds(self, weights: Weights) -> Weights:
        """Shape (examples, intents)."""
        count = self.words.shape[1]
        return np.asarray(self.words @ weights[:count] + self.vectors @ weights[count:-1] + weights[-1])

    def transposed_times(self, values: Weights) -> Weights:
        """Shape (columns + 1, intents), of values of shape (examples, intents); the last row their sum."""
        return np.vstack([self.words.T @ values, self.vectors.T @ values, values.sum(axis=0, keepdims=True)])


def load_examples(path: Path = EXAMPLES) -> list[Example]:
    """The written examples. Raises `QuestionSetError` naming the line."""
    return read(path, _example, "question, intent")


def load_all() -> list[Example]:
    """The written examples, then the training questions."""
    files = [load(file) for file in (FILE, MORE, HARD, FIELDS)]
    single = [one.question for each in files for one in each[:: max(1, len(each) // _OF_EACH)]]
    single += [one.question for one in load_followups()[::3]]
    several = [
        Example(one.question, _OF_KIND[one.kind], _SEVERAL_COUNTS, written=False)
        for file in (SEVERAL, SEVERAL_FIELDS)
        for one in load_several(file)
    ]
    return [*load_examples(), *several, *(Example(text, SINGLE, _ONE_PAPER_COUNTS, written=False) for text in dict.fromkeys(single))]


def part_of(examples: Sequence[Example]) -> list[int]:
    """To which third each belongs: every third of an intent, as they stand."""
    seen: Counter[tuple[str, bool]] = Counter()
    parts = []
    for one in examples:
        parts.append(seen[one.intent, one.written] % _PARTS)
        seen[one.intent, one.written] += 1
    return parts


def fit_intents(embedder: Embedder, file: Path = FILE_OF_MODEL, write: bool = True) -> str:
    """Writes the file, unless told not to; the figures on the phrasings, as text."""
    examples = load_all()
    model = _fitted(examples, np.stack([vectors_of(one.question, embedder) for one in examples]), embedder.digest)
    if write:
        _write(model, file)
    return "\n".join(["words and vectors", *figures(model, embedder), "words alone", *figures(model, None)])


def _fitted(examples: Sequence[Example], vectors: Weights, digest: str) -> IntentModel:
    tokens = Counter(token for one in examples for token in set(tokens_of(one.question)))
    common = frozenset(token for token, count in tokens.items() if count >= _COMMON)
    found = [features_of(one.question, common) for one in examples]
    counted = Counter(feature for each in found for feature in each)
    names = tuple(name for of in GROUPS.values() for name in of)
    features = {feature: row for row, feature in enumerate(sorted(f for f, count in counted.items() if count >= _FEWEST))}
    rows = _Rows.of([[features[feature] for feature in each if feature in features] for each in found], len(features), vectors)
    labels = _labels(examples, rows, names)
    counts = np.array([one.counts for one in examples], dtype=np.float32)
    parts, odds = np.array(part_of(examples)), np.zeros((len(examples), len(names)), dtype=np.float32)
    for part in range(_PARTS):
        held = parts == part
        odds[held] = rows.taken(held).odds(_weights(rows.taken(~held), labels[~held], counts[~held], len(names)))
    sharpness, thresholds = _choose(odds, examples, names)
    return IntentModel(
        names=names,
        features=features,
        by_words=_weights(replace(rows, vectors=vectors[:, :0]), labels, counts, len(names)) * np.float32(sharpness),
        by_vectors=_weights(rows, labels, counts, len(names)) * np.float32(sharpness),
        digest=digest,
        thresholds=thresholds,
        common=common,
        asking=_asking(examples),
        talking=_talking(examples),
        fitted_on=hashlib.sha256(json.dumps([(one.question, one.intent) for one in examples]).encode()).hexdigest(),
    )


def _labels(examples: Sequence[Example], rows: _Rows, names: Sequence[str]) -> NDArray[np.int64]:
    """The intents; of questions of which only is known that one paper answers, the likeliest of those."""
    written = np.array([one.intent != SINGLE for one in examples])
    labels = np.array([names.index(one.intent) if one.intent != SINGLE else 0 for one in examples])
    known = rows.taken(written)
    odds = rows.odds(_weights(known, labels[written], np.ones(len(known.vectors), dtype=np.float32), len(names)))
    single = [names.index(name) for name in (*GROUPS[SINGLE], "summary")]
    labels[~written] = np.array(single)[odds[~written][:, single].argmax(axis=1)]
    return labels


def _weights(rows: _Rows, labels: NDArray[np.int64], counts: Weights, intents: int) -> Weights:
    """Shape (features + 1, intents), the intercept last: multinomial logistic regression, by L-BFGS. Not scikit-learn's: words are few
    of many and vectors are full, which it takes only as one matrix, in ten times the time."""
    from scipy.optimize import minimize

    wanted = np.eye(intents, dtype=np.float32)[labels]
    shape = (rows.columns + 1, intents)

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights = flat.reshape(shape).astype(np.float32)
        odds = rows.odds(weights)
        shares = _shares(odds)
        gradient = rows.transposed_times((shares - wanted) * counts[:, None])
        gradient[:-1] += weights[:-1] / _EASE
        told = -float((np.log(np.maximum((shares * wanted).sum(axis=1), 1e-12)) * counts).sum())
        return told + float((weights[:-1] ** 2).sum()) / (2 * _EASE), gradient.ravel().astype(np.float64)

    found = minimize(loss, np.zeros(shape[0] * shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": _STEPS})
    return np.asarray(found.x.reshape(shape), dtype=np.float32)


def _choose(odds: Weights, examples: Sequence[Example], names: Sequence[str]) -> tuple[float, dict[str, float]]:
    """The sharpness with which the written examples are likeliest; for each group the least probability that few questions of
    one paper reach, those written for this and the training questions counting alike in all."""
    rows = [row for row, one in enumerate(examples) if one.intent != SINGLE]
    right = [names.index(examples[row].intent) for row in rows]
    sharpness = min(np.linspace(0.5, 3.0, 26), key=lambda by: -np.log(_shares(odds[rows] * by)[range(len(rows)), right]).mean())
    shares = _shares(odds * sharpness)
    one_paper = [row for row, one in enumerate(examples) if one.intent in (SINGLE, *GROUPS[SINGLE])]
    sources = Counter(examples[row].written for row in one_paper)
    counts = np.array([1.0 / (len(sources) * sources[examples[row].written]) for row in one_paper])
    thresholds = {}
    for group, of in GROUPS.items():
        reached = shares[one_paper][:, [names.index(name) for name in of]].sum(axis=1)
        order = np.argsort(-reached)
        place = int(np.searchsorted(np.cumsum(counts[order]), _MISTAKEN))
        thresholds[group] = max(_LEAST, float(reached[order[place]]))
    return float(sharpness), thresholds


def _shares(odds: Weights) -> Weights:
    shares = np.exp(odds - odds.max(axis=1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def _asking(examples: Sequence[Example]) -> frozenset[str]:
    """Words that are commoner in questions about records and the library than in those about what papers say, and are frequent or stand
    before what they ask for: a theme comes after. Besides, those that mostly stand so in questions about records (`number of`), however
    common they are elsewhere."""
    asking, telling, leading = Counter[str](), Counter[str](), Counter[str]()
    of_records, before = Counter[str](), Counter[str]()
    about = {*GROUPS["records"], *GROUPS["talk"], *GROUPS["several"]}
    sizes = Counter[bool]()
    for one in examples:
        if one.intent not in about and one.intent not in (SINGLE, *GROUPS[SINGLE]):
            continue
        words = [word for word in one.question.lower().split() if not any(map(str.isdigit, word))]
        sizes[one.intent in about] += 1
        (asking if one.intent in about else telling).update(set(words))
        if one.intent in about:
            theme = next((place for place, word in enumerate(words) if place and word in _BEFORE_THEMES), len(words) - 1)
            leading.update(set(words[:theme]))
        if one.intent in GROUPS["records"]:
            plain = [word.strip("?.,!:") for word in words]
            of_records.update(set(plain))
            before.update(set(plain[: next((place for place, word in enumerate(plain) if place and word in _BEFORE_THEMES), 0)]))
    scale = sizes[False] / sizes[True]
    stand_before = {word for word, count in before.items() if count >= _ASKING_EXAMPLES and count >= _STAND_BEFORE * of_records[word]}
    return frozenset(stand_before) | frozenset(
        word.strip("?.,!:")
        for word, count in asking.items()
        if count >= _ASKING_EXAMPLES
        and (count >= _ASKING_OFTEN or leading[word] >= _ASKING_LEADS * count)
        and count * scale >= _ASKING_RATIO * (telling[word] + 0.5)
    )


def _talking(examples: Sequence[Example]) -> frozenset[str]:
    """Every word of the examples of talk."""
    of_talk = [one for one in examples if one.intent in GROUPS["talk"]]
    return frozenset(word for one in of_talk for word in re.findall(r"[^\W_]+(?:['’][^\W_]+)?", one.question.lower()))


def _write(model: IntentModel, file: Path) -> None:
    from safetensors.numpy import save_file

    told = {
        "names": model.names,
        "features": sorted(model.features, key=model.features.__getitem__),
        "encoder": model.digest,
        "thresholds": model.thresholds,
        "common": sorted(model.common),
        "asking": sorted(model.asking),
        "talking": sorted(model.talking),
        "fitted_on": model.fitted_on,
    }
    save_file(
        {"by_words": model.by_words.astype(np.float16), "by_vectors": model.by_vectors.astype(np.float16)},
        file,
        {"intents": json.dumps(told)},
    )


def load_phrasings(path: Path = PHRASINGS) -> list[Example]:
    """The questions to measure on. Raises `QuestionSetError` naming the line."""
    return read(path, _example, "question, intent")


def figures(model: IntentModel, embedder: Embedder | None) -> list[str]:
    """For each group what the phrasings written apart are taken for; of records and definitions, which of them."""
    phrasings = load_phrasings()
    read_as = [(one.intent, intent_of(one.question, embedder, model)) for one in phrasings]
    lines = [f"  {len(phrasings)} phrasings written apart"]
    for group, of in GROUPS.items():
        found = Counter(intent.group for name, intent in read_as if name in of)
        if found:
            others = ", ".join(f"{other} {count}" for other, count in found.most_common() if other != group)
            lines.append(f"  {group}: {found[group]} of {found.total()} ({found[group] / found.total():.3f}); {others or 'no others'}")
    for name in (*GROUPS["records"], "definition"):
        right = [intent.name == name for wanted, intent in read_as if wanted == name]
        lines.append(f"  {name}: {sum(right)} of {len(right)}")
    return lines


def _example(record: Any) -> Example:
    question, intent = as_text(record["question"]), as_text(record["intent"])
    if not any(intent in of for of in GROUPS.values()):
        raise ValueError(f"{intent!r} is no intent: one of {', '.join(name for of in GROUPS.values() for name in of)}")
    return Example(question, intent)
