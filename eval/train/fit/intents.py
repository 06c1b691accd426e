"""Fits what tells a question's intent (`assistant/query/intent.py`), and writes its one file.

Goes in: the examples of `eval/train/intents.jsonl`, and the training questions, of which only is known whether they ask one paper or
several. Comes out: the file, and figures on the fifth of the phrasings of each intent that is never fitted on. Of the rest a
fifth chooses the thresholds and the sharpness of the probabilities, then all of it is fitted. Reads nothing of the fixed set.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.query.intent import FILE, GROUPS, SINGLE, WORD_SCALE, Intent, IntentModel, Weights, decide, features_of, vectors_of
from eval.questions import as_text, read
from eval.train.data import load, load_followups, load_several
from index.embedding import Embedder

EXAMPLES = Path(__file__).parents[1] / "intents.jsonl"
_OF_KIND = {"multi": "several", "overview": "overview", "compare": "comparison"}
_PARTS = 5
_EASE = 1.0
"""The inverse of how strongly weights are held to 0."""
_FEWEST = 4
"""Examples that hold a word, from which it is a feature."""
_ONE_PAPER_COUNTS = 0.06
_SEVERAL_COUNTS = 5.0
"""What a training question counts beside an example, by what is known of it."""
_MOST_TRAINING = 1300
_MISTAKEN = 0.025
"""Share of the questions of one paper that a group may take; of the training questions some do compare."""
_LEAST = 0.25
_ASKING_EXAMPLES = 3
_ASKING_RATIO = 4.0
"""A word of so many record or library examples, and by so much commoner there than in questions on contents, names no theme."""


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


def load_examples(path: Path = EXAMPLES) -> list[Example]:
    """The written examples. Raises `QuestionSetError` naming the line."""
    return read(path, _example, "question, intent")


def load_all() -> list[Example]:
    """The written examples, then the training questions."""
    step = max(1, len(load()) // _MOST_TRAINING)
    single = [one.question for one in load()[::step]] + [one.question for one in load_followups()[::3]]
    several = [Example(one.question, _OF_KIND[one.kind], _SEVERAL_COUNTS, written=False) for one in load_several()]
    return [*load_examples(), *several, *(Example(text, SINGLE, _ONE_PAPER_COUNTS, written=False) for text in dict.fromkeys(single))]


def part_of(examples: Sequence[Example]) -> list[int]:
    """To which fifth each belongs: every fifth of an intent, as they stand."""
    seen: Counter[tuple[str, bool]] = Counter()
    parts = []
    for one in examples:
        parts.append(seen[one.intent, one.written] % _PARTS)
        seen[one.intent, one.written] += 1
    return parts


def fit_intents(embedder: Embedder, file: Path = FILE, write: bool = True) -> str:
    """Writes the file, unless told not to; the figures on the fifth kept back, as text."""
    examples = load_all()
    parts = np.array(part_of(examples))
    vectors = np.stack([vectors_of(one.question, embedder) for one in examples])
    model = _fitted(examples, parts, vectors, embedder.digest)
    if write:
        _write(model, file)
    held = parts == 0
    lines = ["words and vectors", *_figures(model, examples, held, vectors), "words alone", *_figures(model, examples, held, None)]
    return "\n".join(lines)


def _fitted(examples: Sequence[Example], parts: NDArray[np.int64], vectors: Weights, digest: str) -> IntentModel:
    """The model of all but the fifth kept back."""
    known = parts > 0
    counted = Counter(feature for one, take in zip(examples, known, strict=True) if take for feature in features_of(one.question))
    names = tuple(name for of in GROUPS.values() for name in of)
    features = {feature: row for row, feature in enumerate(sorted(f for f, count in counted.items() if count >= _FEWEST))}
    words = np.zeros((len(examples), len(features)), dtype=np.float32)
    for row, one in enumerate(examples):
        words[row, [features[found] for found in features_of(one.question) if found in features]] = WORD_SCALE
    both = np.hstack([words, vectors])
    labels = _labels(examples, known, both, names)
    counts = np.array([one.counts for one in examples])
    fitting, choosing = parts > 1, parts == 1
    trial = _weights(both[fitting], labels[fitting], counts[fitting], names)
    sharpness, thresholds = _choose(_odds(both[choosing], trial), [examples[i] for i in np.flatnonzero(choosing).tolist()], names)
    return IntentModel(
        names=names,
        features=features,
        by_words=_weights(words[known], labels[known], counts[known], names) * np.float32(sharpness),
        by_vectors=_weights(both[known], labels[known], counts[known], names) * np.float32(sharpness),
        digest=digest,
        thresholds=thresholds,
        asking=_asking(examples, known),
        talking=_talking(examples, known),
        fitted_on=hashlib.sha256(json.dumps([(one.question, one.intent) for one in examples]).encode()).hexdigest(),
    )


def _labels(examples: Sequence[Example], known: NDArray[np.bool_], rows: Weights, names: Sequence[str]) -> NDArray[np.int64]:
    """The intents; of questions of which only is known that one paper answers, the likeliest of those."""
    written = np.array([one.intent != SINGLE for one in examples])
    labels = np.array([names.index(one.intent) if one.intent != SINGLE else 0 for one in examples])
    take = written & known
    odds = _odds(rows, _weights(rows[take], labels[take], np.ones(int(take.sum())), names))
    single = [names.index(name) for name in (*GROUPS[SINGLE], "summary")]
    labels[~written] = np.array(single)[odds[~written][:, single].argmax(axis=1)]
    return labels


def _weights(rows: Weights, labels: NDArray[np.int64], counts: NDArray[np.float64], names: Sequence[str]) -> Weights:
    """Shape (features + 1, intents), the intercept last."""
    from sklearn.linear_model import LogisticRegression

    model: Any = LogisticRegression(C=_EASE, max_iter=60, tol=1e-3).fit(rows, labels, sample_weight=counts)
    weights = np.full((rows.shape[1] + 1, len(names)), 0.0, dtype=np.float32)
    weights[:-1, model.classes_], weights[-1, model.classes_] = model.coef_.T, model.intercept_
    return weights


def _odds(rows: Weights, weights: Weights) -> Weights:
    return np.asarray(rows @ weights[:-1] + weights[-1])


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


def _asking(examples: Sequence[Example], known: NDArray[np.bool_]) -> frozenset[str]:
    """Words that are commoner in questions about records and the library than in those about what papers say."""
    asking, telling = Counter[str](), Counter[str]()
    about = {*GROUPS["records"], *GROUPS["talk"], *GROUPS["several"]}
    sizes = Counter[bool]()
    for one, take in zip(examples, known, strict=True):
        if take and (one.intent in about or one.intent in (SINGLE, *GROUPS[SINGLE])):
            sizes[one.intent in about] += 1
            (asking if one.intent in about else telling).update(set(one.question.lower().split()))
    scale = sizes[False] / sizes[True]
    return frozenset(
        word.strip("?.,!:")
        for word, count in asking.items()
        if count >= _ASKING_EXAMPLES and count * scale >= _ASKING_RATIO * (telling[word] + 0.5)
    )


def _talking(examples: Sequence[Example], known: NDArray[np.bool_]) -> frozenset[str]:
    """Every word of the examples of talk."""
    of_talk = [one for one, take in zip(examples, known, strict=True) if take and one.intent in GROUPS["talk"]]
    return frozenset(word for one in of_talk for word in re.findall(r"[^\W_]+(?:['’][^\W_]+)?", one.question.lower()))


def _write(model: IntentModel, file: Path) -> None:
    from safetensors.numpy import save_file

    told = {
        "names": model.names,
        "features": sorted(model.features, key=model.features.__getitem__),
        "encoder": model.digest,
        "thresholds": model.thresholds,
        "asking": sorted(model.asking),
        "talking": sorted(model.talking),
        "fitted_on": model.fitted_on,
    }
    save_file({"by_words": model.by_words, "by_vectors": model.by_vectors}, file, {"intents": json.dumps(told)})


def _figures(model: IntentModel, examples: Sequence[Example], held: NDArray[np.bool_], vectors: Weights | None) -> list[str]:
    """What the fifth kept back is taken for."""
    read: list[tuple[Example, Intent]] = []
    for row in np.flatnonzero(held).tolist():
        text = examples[row].question
        read.append((examples[row], decide(_probabilities(model, text, None if vectors is None else vectors[row]), model.thresholds)))
    written = [(one, found) for one, found in read if one.written]
    lines = [f"  {len(written)} examples kept back: {_share([one.intent == found.name for one, found in written])} right"]
    for group, of in GROUPS.items():
        inside = [found for one, found in written if one.intent in of]
        taken = Counter(found.group for found in inside)
        others = ", ".join(f"{other} {count}" for other, count in taken.most_common() if other != group)
        lines.append(f"  {group}: {taken[group]} of {len(inside)} ({_share([found.group == group for found in inside])}); {others}")
    for name, wanted in (("one paper", SINGLE), ("comparison", "comparison"), ("several", "several"), ("overview", "overview")):
        taken = Counter(found.group for one, found in read if not one.written and one.intent == wanted)
        lines.append(f"  training questions kept back, {name}: {', '.join(f'{group} {count}' for group, count in taken.most_common())}")
    return lines


def _probabilities(model: IntentModel, text: str, vectors: Weights | None) -> dict[str, float]:
    """As `IntentModel.probabilities`, with vectors that are at hand."""
    row = np.zeros(len(model.features), dtype=np.float32)
    row[[model.features[found] for found in features_of(text) if found in model.features]] = WORD_SCALE
    rows = row[None] if vectors is None else np.concatenate([row, vectors])[None]
    return dict(zip(model.names, _shares(_odds(rows, model.by_words if vectors is None else model.by_vectors))[0].tolist(), strict=True))


def _share(values: Sequence[bool]) -> str:
    return f"{sum(values) / len(values):.3f}" if values else "none"


def _example(record: Any) -> Example:
    question, intent = as_text(record["question"]), as_text(record["intent"])
    if not any(intent in of for of in GROUPS.values()):
        raise ValueError(f"{intent!r} is no intent: one of {', '.join(name for of in GROUPS.values() for name in of)}")
    return Example(question, intent)
