"""Two runs over the same questions, compared question by question. Pure functions.

Goes in: two runs. Comes out: for each metric the mean difference with its 95% bounds by a paired
bootstrap, the p-value of a paired randomisation test (Smucker et al. 2007: the sign of each
question's difference is drawn anew), and the questions whose value changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eval.errors import EvalError
from eval.metrics import LOWER_IS_BETTER, METRICS, NEITHER_IS_BETTER, TIMES, Metric, bootstrap
from eval.results import Run

ROUNDS = 10_000
SIGNIFICANT = 0.05

_ENOUGH = 1e-9


class ComparingError(EvalError):
    """The runs cannot be compared; the message says why."""


@dataclass(frozen=True)
class Flip:
    """A question whose value differs."""

    id: str
    kind: str
    question: str
    before: float
    after: float


@dataclass(frozen=True)
class Difference:
    """One metric, compared over the questions to which it applies in both runs."""

    metric: str
    n: int
    before: float
    after: float
    bounds: tuple[float, float]
    """95%, of the mean difference."""
    p: float
    flips: tuple[Flip, ...]
    """In the order asked."""

    @property
    def change(self) -> float:
        """After less before."""
        return self.after - self.before

    @property
    def significant(self) -> bool:
        """Whether chance alone would hardly make it so large."""
        return self.p < SIGNIFICANT

    @property
    def verdict(self) -> str:
        """`better`, `worse` or, where neither can be said, `differs`; empty where it is not significant."""
        if not self.significant:
            return ""
        if self.metric in NEITHER_IS_BETTER:
            return "differs"
        return "better" if (self.change < 0) == _falls_when_better(self.metric) else "worse"


def compare(before: Run, after: Run) -> list[Difference]:
    """Every metric that applies to some question in both runs. Raises `ComparingError` for other questions."""
    check_same_questions(before, after)
    return [found for name, metric in _MEASURES.items() if (found := _difference(name, metric, before, after)) is not None]


def check_same_questions(before: Run, after: Run) -> None:
    """Raises `ComparingError` where the questions, or what is right for them, differ."""
    if before.questions == after.questions:
        return
    olds, news = len(before.questions), len(after.questions)
    if olds != news:
        raise ComparingError(f"the runs are over different questions: {olds} and {news} of them. Run both over one set")
    first, second = next((one, other) for one, other in zip(before.questions, after.questions, strict=True) if one != other)
    what = f"“{first.id}” and “{second.id}”" if first.id != second.id else f"“{first.id}” is asked or judged in another way"
    raise ComparingError(f"the runs are over different questions: the first that differs: {what}. Run both over one set")


def randomisation_test(differences: Sequence[float], rounds: int = ROUNDS) -> float:
    """How likely a mean so far from 0 is, were the sign of each difference chance; always with the same seed."""
    data = np.asarray(differences, dtype=np.float64)
    observed = abs(data.mean())
    if not observed:
        return 1.0
    moved = data[data != 0.0]
    signs = np.random.default_rng(0).choice((-1.0, 1.0), size=(rounds, len(moved)))
    drawn: NDArray[np.float64] = np.abs((signs * moved).sum(axis=1)) / len(data)
    return float((np.sum(drawn >= observed - _ENOUGH) + 1) / (rounds + 1))


def _difference(name: str, metric: Metric, before: Run, after: Run) -> Difference | None:
    pairs = [
        (gold, first, second)
        for gold, old, new in zip(before.questions, before.results, after.results, strict=True)
        if (first := metric(gold, old)) is not None and (second := metric(gold, new)) is not None
    ]
    if not pairs:
        return None
    changes = [second - first for _, first, second in pairs]
    bounds = bootstrap(changes)
    assert bounds is not None
    return Difference(
        metric=name,
        n=len(pairs),
        before=float(np.mean([first for _, first, _ in pairs])),
        after=float(np.mean([second for _, _, second in pairs])),
        bounds=bounds,
        p=randomisation_test(changes),
        flips=tuple(Flip(gold.id, gold.kind, gold.question, first, second) for gold, first, second in pairs if first != second),
    )


def _time(name: str) -> Metric:
    return lambda gold, result: None if result.error else TIMES[name](result)


_MEASURES: dict[str, Metric] = {**METRICS, **{name: _time(name) for name in TIMES}}


def _falls_when_better(metric: str) -> bool:
    return metric in LOWER_IS_BETTER or metric in TIMES
