"""Fits the weights that the check gives to its signals, on papers that the network did not see.

Goes in: trials over the papers kept for this, and the network. Comes out: the weights of
`assistant.checking.checker`, as Python, each intercept such that a certain share of supported
sentences is doubted. Nothing here sees the papers that are judged.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from assistant.checking import Text, checker
from assistant.checking.model import SupportModel
from assistant.checking.rules import signals
from eval.support.claims import OTHER, Trial
from eval.support.judging import text_of

FALSE_ALARMS = 0.035
"""Of supported sentences, doubted where weights are fitted; below what is allowed, as unseen papers are a little worse."""
_OTHER_WEIGHT = 0.5
_STRENGTH = 1.0


def fit(trials: Sequence[Trial], model: SupportModel | None, tick: Callable[[], None] = lambda: None) -> str:
    """The constants; without a model those of the rules alone."""
    dice = random.Random(0)
    rules, seen, shared = [], [], []
    for trial in trials:
        text = text_of(trial)
        row = signals(trial.sentence, *text)
        rules.append(row)
        if model is not None:
            other = text_of(dice.choice(trials))
            both = [text, other] if dice.random() < 0.5 else [other, text]
            looks = model.look([(trial.sentence, one.whole) for one in (text, other)])
            seen.append(row + checker.seen_signals(looks[0]))
            joined = Text(" / ".join(one.title for one in both), both[0].sentences + both[1].sentences)
            shared.append(signals(trial.sentence, *joined) + checker.shared_signals(looks))
        tick()
    told = [_constants("RULE", rules, trials)]
    if model is not None:
        told += [_constants("SEEN", seen, trials), _constants("SHARED", shared, trials)]
    return "\n".join(told)


def _constants(name: str, rows: Sequence[Sequence[float]], trials: Sequence[Trial]) -> str:
    data = np.array(rows)
    supported = np.array([trial.supported for trial in trials])
    weight = np.array([_OTHER_WEIGHT if trial.kind.startswith(OTHER) else 1.0 for trial in trials])
    weight[supported] *= weight[~supported].sum() / weight[supported].sum()
    model = _fitted(data, supported, weight)
    least = float(np.quantile(model.decision_function(data)[supported], FALSE_ALARMS))
    values = ", ".join(f"{value:.3f}" for value in model.coef_[0])
    edited = np.array([not trial.supported and not trial.kind.startswith(OTHER) for trial in trials])
    caught = float(np.mean(model.decision_function(data)[edited] < least))
    return (
        f"{name}_WEIGHTS = ({values})\n{name}_INTERCEPT = {model.intercept_[0] - least:.3f}\n"
        f"# edits caught at {FALSE_ALARMS:.1%} of false alarms, on what it was fitted on: {caught:.3f}"
    )


def _fitted(data: Any, labels: Any, weight: Any) -> Any:
    """Weights of signals as they are, a logistic regression over signals of one spread."""
    from sklearn.linear_model import LogisticRegression

    spread = data.std(axis=0) + 1e-9
    model = LogisticRegression(C=_STRENGTH, max_iter=5000).fit(data / spread, labels, sample_weight=weight)
    model.coef_ = model.coef_ / spread
    return model
