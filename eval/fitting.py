"""Fits the weights of evidence and confidence on training questions: `python -m eval fit`.

Goes in: a library that holds the training papers. Comes out: weights to be written into
`assistant/evidence.py` and `assistant/confidence.py`, each with its figure on the questions it was
fitted on and cross-validated by paper. Papers that the fixed question set has as gold are left
out, so that it stays unseen.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant import confidence, evidence
from assistant.question import read_question
from assistant.retrieval import Found, retrieve
from eval import questions, training
from index import Library, Paper

_FOLDS = 5
_MOST_DECLINED = 0.04
"""Share of the answerable training questions that the decision to decline may cost."""

Rows = NDArray[np.float64]


@dataclass(frozen=True)
class Sample:
    """Rows of one training question, kept together with its paper."""

    title: str
    rows: Rows
    """Shape (rows, signals)."""
    labels: NDArray[np.bool_]
    """Shape (rows,)."""


def fit_all(library: Library, path: Path, tick: Callable[[], None] = lambda: None) -> str:
    """The fitted weights and figures, as text."""
    library.reopen_if_moved()
    papers = {paper.title: paper for paper in library.papers()}
    held_out = {title for gold in questions.load(questions.FIXED) for title in gold.gold_titles}
    asked = [one for one in training.load(path) if one.title in papers and one.title not in held_out]
    sentences: list[Sample] = []
    with_paper: list[Sample] = []
    without: list[Sample] = []
    for one in asked:
        tick()
        if one.kind == training.UNSTATED:
            continue
        found = retrieve(library, read_question(one.question).text)
        if sample := _sentences(library, one, papers[one.title], found):
            sentences.append(sample)
        if found.hits:
            with_paper.append(_decision(one.title, found, papers[one.title].paper_id))
        left = replace(found, hits=tuple(hit for hit in found.hits if hit.paper_id != papers[one.title].paper_id))
        if left.hits:
            without.append(_decision(one.title, left, ""))
    off = [_decision(text, found, "") for text in training.load_offtopic() if (found := retrieve(library, text)).hits]
    return "\n\n".join(
        [
            f"{len(asked)} training questions over {len({one.title for one in asked})} papers of which the fixed set asks nothing",
            _fit_evidence(sentences),
            _fit_nearness(with_paper, off),
            _fit_sureness([*with_paper, *without]),
        ]
    )


def _sentences(library: Library, one: training.TrainingQuestion, paper: Paper, found: Found) -> Sample | None:
    spans, vectors = library.sentences([paper.paper_id])[paper.paper_id]
    labels = training.labels(one, paper, spans)
    if labels is None or not any(labels):
        return None
    texts = [paper.abstract[start:end] for start, end in spans]
    rows = evidence.signals(library.lexical, read_question(one.question), found.terms, found.vector, paper.display_title, texts, vectors)
    return Sample(paper.title, rows, np.array(labels))


def _decision(title: str, found: Found, gold: str) -> Sample:
    near = confidence.near_signals(found.hits, found.terms.unknown_share)
    return Sample(title, np.array([[*near, *confidence.sure_signals(found.hits)]]), np.array([found.hits[0].paper_id == gold]))


def _fit_evidence(samples: Sequence[Sample]) -> str:
    def first_right(model: Any, held_out: Sequence[Sample]) -> list[float]:
        return [float(one.labels[int(np.argmax(model.decision_function(one.rows)))]) for one in held_out]

    model = _fit(samples)
    return "\n".join(
        [
            f"evidence: {len(samples)} questions, {sum(len(one.rows) for one in samples)} sentences",
            _weights(evidence.SIGNALS, model),
            f"the best sentence is evidence: fitted {np.mean(first_right(model, samples)):.3f}, "
            f"cross-validated {np.mean(_cross_validated(samples, first_right)):.3f}",
        ]
    )


def _fit_nearness(answerable: Sequence[Sample], off: Sequence[Sample]) -> str:
    count = len(confidence.NEAR_SIGNALS)
    near = [replace(one, rows=one.rows[:, :count], labels=np.array([True])) for one in answerable]
    far = [replace(one, rows=one.rows[:, :count], labels=np.array([False])) for one in off]
    model = _fit([*near, *far], balanced=True)
    threshold = float(np.quantile(model.decision_function(np.vstack([one.rows for one in near])), _MOST_DECLINED))
    model.intercept_ -= threshold

    def declined(fitted: Any, held_out: Sequence[Sample]) -> list[float]:
        shift = threshold if fitted is not model else 0.0
        return [float(fitted.decision_function(one.rows)[0] < shift) for one in held_out if not one.labels[0]]

    return "\n".join(
        [
            f"nearness: {len(near)} answerable questions, {len(far)} of everyday life",
            _weights(confidence.NEAR_SIGNALS, model),
            f"everyday questions declined where {_MOST_DECLINED:.0%} of the answerable are: fitted {np.mean(declined(model, far)):.3f}, "
            f"cross-validated {np.mean(_cross_validated([*near, *far], declined, balanced=True)):.3f}",
        ]
    )


def _fit_sureness(samples: Sequence[Sample]) -> str:
    count = len(confidence.NEAR_SIGNALS)
    sure = [replace(one, rows=one.rows[:, count:]) for one in samples]

    def brier(model: Any, held_out: Sequence[Sample]) -> list[float]:
        return [float((model.predict_proba(one.rows)[0, 1] - one.labels[0]) ** 2) for one in held_out]

    model = _fit(sure)
    return "\n".join(
        [
            f"sureness: {len(sure)} questions, each with and without its paper",
            _weights(confidence.SURE_SIGNALS, model),
            f"Brier score: fitted {np.mean(brier(model, sure)):.3f}, cross-validated {np.mean(_cross_validated(sure, brier)):.3f}, "
            f"of the mean alone {np.var([one.labels[0] for one in sure]):.3f}",
        ]
    )


def _fit(samples: Sequence[Sample], balanced: bool = False) -> Any:
    from sklearn.linear_model import LogisticRegression

    rows = np.vstack([one.rows for one in samples])
    labels = np.concatenate([one.labels for one in samples])
    return LogisticRegression(C=10.0, max_iter=5000, class_weight="balanced" if balanced else None).fit(rows, labels)


def _cross_validated(
    samples: Sequence[Sample], score: Callable[[Any, Sequence[Sample]], list[float]], balanced: bool = False
) -> list[float]:
    """The scores of each fold under a model fitted on the others; a paper's questions stay together."""
    titles = sorted({one.title for one in samples})
    random.Random(0).shuffle(titles)
    fold = {title: number % _FOLDS for number, title in enumerate(titles)}
    scores: list[float] = []
    for number in range(_FOLDS):
        model = _fit([one for one in samples if fold[one.title] != number], balanced)
        scores += score(model, [one for one in samples if fold[one.title] == number])
    return scores


def _weights(names: Sequence[str], model: Any) -> str:
    shown = ", ".join(f"{name} {weight:.2f}" for name, weight in zip(names, model.coef_[0], strict=True))
    return f"weights: {shown}; intercept {model.intercept_[0]:.2f}"
