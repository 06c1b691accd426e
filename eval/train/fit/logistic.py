"""Logistic models, fitted and cross-validated by paper. Knows nothing of what their signals mean."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from assistant.fitted import INTERCEPT
from eval.errors import EvalError

_FOLDS = 5

Rows = NDArray[np.float64]


class Titled(Protocol):
    """What is kept together in cross-validation."""

    @property
    def title(self) -> str:
        """Of the paper that it is about, or the question where it is about none."""
        ...


T = TypeVar("T", bound=Titled)


@dataclass(frozen=True)
class Sample:
    """Rows of one training question, kept together with its paper."""

    title: str
    rows: Rows
    """Shape (rows, signals)."""
    labels: NDArray[np.bool_]
    """Shape (rows,)."""


@dataclass(frozen=True)
class Logistic:
    """A logistic model of plain signals."""

    weights: Rows
    """Shape (signals,)."""
    intercept: float

    def odds(self, rows: Rows) -> Rows:
        """The log odds of rows, shape (rows,)."""
        return np.asarray(rows @ self.weights + self.intercept)

    def named(self, names: Sequence[str]) -> dict[str, float]:
        """Weights and intercept by name, to four figures: more would tell nothing."""
        pairs = zip((*names, INTERCEPT), (*self.weights.tolist(), self.intercept), strict=True)
        return {name: float(f"{value:.4g}") for name, value in pairs}


def fit_rows(rows: Rows, labels: Sequence[bool], counts: Sequence[float] | None = None, ease: float = 10.0) -> Logistic:
    """A model of rows (rows, signals). `counts`: what each row counts. `ease`: the inverse of how strongly weights are held
    to 0, with the signals scaled alike: little of it where the questions of use will differ from those fitted on.

    Raises `EvalError` where all labels are the same.
    """
    if len(set(labels)) < 2:
        raise EvalError(f"{len(labels)} examples that are all of one label tell nothing apart: fit on more of them (a smaller --every)")
    from sklearn.linear_model import LogisticRegression

    centre, scale = rows.mean(axis=0), rows.std(axis=0) + 1e-9
    model: Any = LogisticRegression(C=ease, max_iter=10000).fit((rows - centre) / scale, labels, sample_weight=counts)
    weights = model.coef_[0] / scale
    return Logistic(weights, float(model.intercept_[0] - weights @ centre))


def fit(samples: Sequence[Sample], balanced: bool = False) -> Logistic:
    """A model of all rows of samples; `balanced`: both labels count the same in all."""
    labels = np.concatenate([one.labels for one in samples])
    counts = np.where(labels, 0.5 / max(labels.mean(), 1e-9), 0.5 / max(1 - labels.mean(), 1e-9)) if balanced else None
    return fit_rows(np.vstack([one.rows for one in samples]), labels.tolist(), None if counts is None else counts.tolist())


def folds(cases: Sequence[T]) -> list[tuple[list[T], list[T]]]:
    """Five times training and test; a paper's questions stay together."""
    titles = sorted({one.title for one in cases})
    random.Random(0).shuffle(titles)
    fold = {title: number % _FOLDS for number, title in enumerate(titles)}
    return [
        ([one for one in cases if fold[one.title] != number], [one for one in cases if fold[one.title] == number])
        for number in range(_FOLDS)
    ]


def cross_validated(
    samples: Sequence[Sample], score: Callable[[Logistic, Sequence[Sample]], list[float]], balanced: bool = False
) -> list[float]:
    """The scores of each fold under a model fitted on the others."""
    return [value for train, test in folds(samples) for value in score(fit(train, balanced), test)]
