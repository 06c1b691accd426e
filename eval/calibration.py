"""How far confidence can be trusted. Pure functions of gold and results.

What is counted: the questions that got an answer, those without gold among them. An answer is
right where the first paper it cites is gold; so one to a question without gold is wrong, and one
that cites gold but endorses a false premise is right here, since confidence is about the paper.
What was declined or failed is counted nowhere here: the refusal rate tells of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from eval.metrics import Result
from eval.questions import GoldQuestion

BINS = 10
ROUNDS = 1000
"""Of resampling."""


@dataclass(frozen=True)
class Judged:
    """One answer that was given."""

    confidence: float
    """0 to 1."""
    right: bool
    """Whether the first paper cited is gold."""


@dataclass(frozen=True)
class Bin:
    """The answers whose confidence lies within one of ten ranges of equal width."""

    low: float
    """Lowest confidence that belongs here."""
    high: float
    """Belongs to the next bin, but for 1, which is in the last."""
    count: int
    confidence: float | None
    """Mean; None where no answer is here."""
    right: float | None
    """Share of the answers that are right; None where no answer is here."""


@dataclass(frozen=True)
class Calibration:
    """Confidence against what was right; the figures are None where nothing was answered."""

    n: int
    """The number of answers given."""
    right: float | None
    """Share of them that are right."""
    expected_calibration_error: float | None
    brier_score: float | None
    area_under_risk_coverage: float | None
    reliability: tuple[Bin, ...]
    intervals: dict[str, tuple[float, float] | None]
    """The 95% bounds of each figure, by resampling the answers."""


def calibrate(golds: Sequence[GoldQuestion], results: Sequence[Result]) -> Calibration:
    """All figures over the questions that got an answer."""
    answers = judged(golds, results)
    return Calibration(
        n=len(answers),
        right=share_right(answers),
        expected_calibration_error=expected_calibration_error(answers),
        brier_score=brier_score(answers),
        area_under_risk_coverage=area_under_risk_coverage(answers),
        reliability=reliability(answers),
        intervals={name: _bounds(answers, figure) for name, figure in _FIGURES.items()},
    )


def judged(golds: Sequence[GoldQuestion], results: Sequence[Result]) -> list[Judged]:
    """The answers given, in the order asked; neither what was declined nor what failed."""
    return [
        Judged(result.confidence, bool(result.cited_titles) and result.cited_titles[0] in gold.gold_titles)
        for gold, result in zip(golds, results, strict=True)
        if result.answered
    ]


def share_right(answers: Sequence[Judged]) -> float | None:
    """Share of the answers that are right."""
    return float(np.mean([one.right for one in answers])) if answers else None


def reliability(answers: Sequence[Judged]) -> tuple[Bin, ...]:
    """Ten bins of equal width from 0 to 1, empty ones among them."""
    held: list[list[Judged]] = [[] for _ in range(BINS)]
    for one in answers:
        held[min(int(one.confidence * BINS), BINS - 1)].append(one)
    return tuple(_bin(number, inside) for number, inside in enumerate(held))


def expected_calibration_error(answers: Sequence[Judged]) -> float | None:
    """Mean distance of confidence from the share right, over bins weighted by their answers (Guo et al. 2017)."""
    if not answers:
        return None
    bins = reliability(answers)
    gaps = [one.count * abs(one.confidence - one.right) for one in bins if one.confidence is not None and one.right is not None]
    return sum(gaps) / len(answers)


def brier_score(answers: Sequence[Judged]) -> float | None:
    """Mean squared distance of confidence from 1 where right and 0 where wrong (Brier 1950)."""
    return float(np.mean([(one.confidence - one.right) ** 2 for one in answers])) if answers else None


def area_under_risk_coverage(answers: Sequence[Judged]) -> float | None:
    """Share wrong among the most confident k answers, meant over every k from 1 to all (El-Yaniv and Wiener 2010).

    Coverage is of the answers given, not of the questions asked. Answers of equal confidence stand
    in no order: each counts as wrong by the share wrong among them.
    """
    if not answers:
        return None
    wrong: list[float] = []
    for _, tied in groupby(sorted(answers, key=lambda one: -one.confidence), key=lambda one: one.confidence):
        group = list(tied)
        wrong += [sum(not one.right for one in group) / len(group)] * len(group)
    return float(np.mean(np.cumsum(wrong) / np.arange(1, len(wrong) + 1)))


_FIGURES: dict[str, Callable[[Sequence[Judged]], float | None]] = {
    "right": share_right,
    "expected_calibration_error": expected_calibration_error,
    "brier_score": brier_score,
    "area_under_risk_coverage": area_under_risk_coverage,
}


def _bounds(answers: Sequence[Judged], figure: Callable[[Sequence[Judged]], float | None]) -> tuple[float, float] | None:
    if not answers:
        return None
    draws = np.random.default_rng(0).integers(0, len(answers), size=(ROUNDS, len(answers)))
    low, high = np.percentile([float(figure([answers[place] for place in draw]) or 0.0) for draw in draws], [2.5, 97.5])
    return float(low), float(high)


def _bin(number: int, inside: Sequence[Judged]) -> Bin:
    return Bin(
        low=number / BINS,
        high=(number + 1) / BINS,
        count=len(inside),
        confidence=float(np.mean([one.confidence for one in inside])) if inside else None,
        right=float(np.mean([one.right for one in inside])) if inside else None,
    )
