"""Fits the weights that the check gives to its signals, on papers that the network did not see.

Goes in: trials over the papers kept for this, and the network. Comes out: the section `support` of
`assistant/fitted.json`, each intercept such that a certain share of supported
sentences is doubted. Nothing here sees the papers that are judged.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from assistant.fitted import Section
from assistant.verification import checker
from assistant.verification.model import Seen
from assistant.verification.rules import RULE_SIGNALS, signals
from eval.support.claims import OTHER, Trial
from eval.train.fit.logistic import Logistic, fit_rows

FALSE_ALARMS = 0.05
"""Of each library's supported sentences, at most so many are doubted, by weights fitted without their paper."""
STARTER_SHARE = 0.3
"""Beside the edits over listings, how many over the starter library."""
_OTHER_WEIGHT = 2.0
_STRENGTH = 1.0
_FOLDS = 10


class Looks(Protocol):
    """The network, or what stands for it."""

    def look(self, pairs: Sequence[tuple[str, str]]) -> list[Seen]: ...


@dataclass(frozen=True)
class _Rows:
    """Signals of trials, one row each."""

    rules: list[list[float]]
    seen: list[list[float]]
    shared: list[list[float]]


def fit_support(libraries: Sequence[Sequence[Trial]], model: Looks | None, tick: Callable[[], None] = lambda: None) -> Section:
    """The models, from the trials of one or more libraries; without a network that of the rules alone."""
    trials = [trial for library in libraries for trial in library]
    of = np.repeat(np.arange(len(libraries)), [len(library) for library in libraries])
    rows = _rows(trials, model, tick)
    fitted: list[tuple[str, tuple[str, ...], list[list[float]]]] = [("rules", RULE_SIGNALS, rows.rules)]
    if model is not None:
        fitted.append(("one_paper", (*RULE_SIGNALS, *checker.SEEN_SIGNALS), rows.seen))
        fitted.append(("several_papers", (*RULE_SIGNALS, *checker.SHARED_SIGNALS), rows.shared))
    weights, figures = {}, []
    for name, signals_of, seen in fitted:
        found, told = _fit(seen, trials, of)
        weights[name] = found.named(signals_of)
        figures += [f"{name}, {line}" for line in told]
    return Section(weights, {}, {"sentences": len(trials)}, tuple(figures))


def _rows(trials: Sequence[Trial], model: Looks | None, tick: Callable[[], None]) -> _Rows:
    """Where several papers are cited, a random one stands beside the right one."""
    dice = random.Random(0)
    rows = _Rows([], [], [])
    for trial in trials:
        text, said = trial.paper.for_check, trial.sentence
        rows.rules.append(signals(said, *text))
        if model is not None:
            other = dice.choice(trials).paper.for_check
            both = checker.joined([text, other] if dice.random() < 0.5 else [other, text])
            whole, near, shared = (model.look([(said, paper)])[0] for paper in (text.whole, text.near(said), both.near(said)))
            rows.seen.append(rows.rules[-1] + checker.seen_signals(whole, near))
            rows.shared.append(signals(said, *both) + checker.shared_signals(shared))
        tick()
    return rows


def _fit(rows: Sequence[Sequence[float]], trials: Sequence[Trial], of: Any) -> tuple[Logistic, list[str]]:
    """A model and how it does. `of`: the number of each trial's library. Those that rules alone decide weigh nothing."""
    data = np.array(rows)
    supported = np.array([trial.supported for trial in trials])
    other = np.array([trial.kind.startswith(OTHER) for trial in trials])
    weight = np.where(other, _OTHER_WEIGHT, 1.0)
    weight[[checker.ruled_out(row) for row in rows]] = 0.0
    weight[supported] *= weight[~supported].sum() / weight[supported].sum()
    model = _fitted(data, supported, weight)
    fitted, crossed = model.odds(data), _crossed(data, supported, weight, [trial.paper.title for trial in trials])
    fitted[weight == 0.0] = crossed[weight == 0.0] = -np.inf
    least = min(float(np.quantile(crossed[supported & (of == number)], FALSE_ALARMS)) for number in set(of.tolist()))
    told = []
    for way, scores in (("fitted", fitted), ("cross-validated by paper", crossed)):
        for number in sorted(set(of.tolist())):
            found = [float(np.mean(scores[which & (of == number)] < least)) for which in (supported, ~supported & ~other, other)]
            told.append(f"{way}, library {number + 1}: false alarms {found[0]:.3f}, edits {found[1]:.3f}, other papers {found[2]:.3f}")
    return Logistic(model.weights, model.intercept - least), told


def _crossed(data: Any, labels: Any, weight: Any, papers: Sequence[str]) -> Any:
    """Scores of each trial by weights that were fitted without its paper."""
    from sklearn.model_selection import GroupKFold

    scores = np.zeros(len(labels))
    for train, test in GroupKFold(_FOLDS).split(data, labels, papers):
        scores[test] = _fitted(data[train], labels[train], weight[train]).odds(data[test])
    return scores


def _fitted(data: Any, labels: Any, weight: Any) -> Logistic:
    """Weights of signals as they are; rows that weigh nothing are left out of their spread too."""
    counts = weight > 0.0
    return fit_rows(data[counts], labels[counts].tolist(), weight[counts].tolist(), _STRENGTH)
