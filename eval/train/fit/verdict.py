"""Fits when to decline, and how sure an answer is (`assistant/evidence/confidence.py`)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from assistant.evidence import confidence
from assistant.fitted import Section
from eval.train.fit.gather import Case
from eval.train.fit.logistic import Logistic, Sample, cross_validated, fit, fit_rows, folds

_MOST_FAR = 0.02
"""Share of the answerable training questions that the decision on nearness may decline."""
_MOST_DECLINED = 0.04
"""Share of the training questions whose paper came first that the decision on what is stated may decline."""
_EASE = 0.3
"""Fitted freely, the models tell the training questions apart better and other people's worse (docs/LOG.md)."""
_COUNTS = {"answerable": 1.0, "left out": 0.7, "unstated": 1.0, "premise": 0.3, "absent": 1.0, "off-topic": 1.0}
"""What a question of each kind counts; `left out`: answerable, its paper taken away."""
_ONE_IN = {"left out": 6, "unstated": 2, "absent": 2}
"""How sure an answer is, is learnt from those given, of which so many of these kinds are taken: people mostly ask what there is."""
_RIGHT = 0.79
"""Share of the answers given that are right, over the fixed questions (docs/LOG.md): what is fitted on has more that are wrong, by
far, than people ask, so the odds are moved by as much as this share's are apart from theirs."""
_COVERED = ("answerable", "left out", "absent", "off-topic")
_STATED = ("answerable", "unstated", "premise")
"""Whether it is stated is learnt where the right paper came first: whether that is so, the other model judges."""


def fit_verdict(cases: Sequence[Case]) -> Section:
    """All that `assistant/evidence/confidence.py` decides with."""
    parts = (_in_domain(cases), _answered(cases), _unread(cases))
    weights = {name: model for part in parts for name, model in part.weights.items()}
    thresholds = {name: value for part in parts for name, value in part.thresholds.items()}
    counted = {f"{kind} cases": sum(one.kind == kind for one in cases) for kind in _COUNTS}
    return Section(weights, thresholds, counted, tuple(line for part in parts for line in part.figures))


def _in_domain(cases: Sequence[Case]) -> Section:
    """Whether a question is of the library's field."""
    near = [Sample(one.title, one.near[None], np.array([True])) for one in cases if one.kind == "answerable"]
    far = [Sample(one.title, one.near[None], np.array([False])) for one in cases if one.kind == "off-topic"]
    model = fit([*near, *far], balanced=True)
    threshold = float(np.quantile(model.odds(np.vstack([one.rows for one in near])), _MOST_FAR))
    model = Logistic(model.weights, model.intercept - threshold)

    def declined(fitted: Logistic, kept: Sequence[Sample]) -> list[float]:
        shift = threshold if fitted is not model else 0.0
        return [float(fitted.odds(one.rows)[0] < shift) for one in kept if not one.labels[0]]

    told = (
        f"in_domain, everyday questions declined where {_MOST_FAR:.0%} of the answerable are: fitted {np.mean(declined(model, far)):.3f}, "
        f"cross-validated {np.mean(cross_validated([*near, *far], declined, balanced=True)):.3f}"
    )
    return Section({"in_domain": model.named(confidence.IN_DOMAIN_SIGNALS)}, figures=(told,))


def _answered(cases: Sequence[Case]) -> Section:
    """Both models of whether the first paper answers and the threshold of their sum; then how sure an answer is."""
    covered, stated = _fit_both(cases)
    crossed: list[tuple[Case, float]] = []
    for train, test in folds(cases):
        crossed += zip(test, _sums(*_fit_both(train), test), strict=True)
    sums = {kind: np.array([total for one, total in crossed if one.kind == kind]) for kind in _COUNTS}
    least = float(np.quantile([total for one, total in crossed if one.right], _MOST_DECLINED))
    given = [(one, total) for one, total in crossed if total >= least and one.kind in {"answerable", *_ONE_IN}]
    sure = [
        Sample(one.title, np.array([[total, *one.sure]]), np.array([one.right]))
        for place, (one, total) in enumerate(given)
        if place % _ONE_IN.get(one.kind, 1) == 0
    ]
    weights = {
        "topic_match": covered.named(confidence.TOPIC_MATCH_SIGNALS),
        "answerability": stated.named(confidence.ANSWERABILITY_SIGNALS),
        "confidence": _moved(sure).named(confidence.CONFIDENCE_SIGNALS),
    }
    declined = ", ".join(f"{kind} {np.mean(totals < least):.3f}" for kind, totals in sums.items() if len(totals))
    told = (f"{_DECLINED}{declined}", f"confidence, {_calibration(sure)}")
    return Section(weights, {"answered_from": round(least, 3)}, figures=told)


_DECLINED = "declined, cross-validated: "


def _unread(cases: Sequence[Case]) -> Section:
    """How sure an answer is where nothing was read."""
    samples = [Sample(one.title, one.sure[None], np.array([one.right])) for one in cases if one.kind in {"answerable", "left out"}]
    told = (f"confidence_unread, {_calibration(samples)}",)
    return Section({"confidence_unread": _moved(samples).named(confidence.CONFIDENCE_UNREAD_SIGNALS)}, figures=told)


def _calibration(samples: Sequence[Sample]) -> str:
    return (
        f"Brier score before moving: cross-validated {np.mean(cross_validated(samples, _brier)):.3f}, "
        f"of the mean alone {np.var([one.labels[0] for one in samples]):.3f}, over {len(samples)} answers"
    )


def _moved(samples: Sequence[Sample]) -> Logistic:
    """A model of whether answers are right, for as many right ones as `_RIGHT` tells."""
    model, share = fit(samples), float(np.mean([one.labels[0] for one in samples]))
    return Logistic(model.weights, model.intercept + _log_odds(_RIGHT) - _log_odds(share))


def _log_odds(share: float) -> float:
    return math.log(share / (1.0 - share))


def _brier(model: Logistic, kept: Sequence[Sample]) -> list[float]:
    return [float((1.0 / (1.0 + np.exp(-model.odds(one.rows)[0])) - one.labels[0]) ** 2) for one in kept]


def _fit_both(cases: Sequence[Case]) -> tuple[Logistic, Logistic]:
    """The models of what is covered and of what is stated."""
    models = []
    for kinds, rows in ((_COVERED, "covered"), (_STATED, "stated")):
        kept = [one for one in cases if one.kind in kinds and (rows == "covered" or one.right or one.kind != "answerable")]
        matrix = np.vstack([getattr(one, rows) for one in kept])
        models.append(fit_rows(matrix, [one.kind == "answerable" for one in kept], [_COUNTS[one.kind] for one in kept], _EASE))
    return models[0], models[1]


def _sums(covered: Logistic, stated: Logistic, cases: Sequence[Case]) -> list[float]:
    ours = covered.odds(np.vstack([one.covered for one in cases]))
    theirs = stated.odds(np.vstack([one.stated for one in cases]))
    return [confidence.verdict(*both) for both in zip(ours.tolist(), theirs.tolist(), strict=True)]
