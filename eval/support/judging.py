"""Judges the check on trials: what part of edits it catches, and of supported sentences it doubts.

Goes in: trials and a checker. Comes out: shares by kind with their 95% bounds. Pure but for the
checker. Knows no rule of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from assistant.verification.checker import SUPPORTED_FROM, SUPPORTED_FROM_IN_ANSWERS, Checker
from eval.metrics import bootstrap
from eval.support.claims import BY_HAND, IN_ANSWERS, OTHER, SUPPORTED, Trial
from eval.support.edits import KINDS

ALL_EDITS = "all edits"
FALSE_ALARMS = "false alarms"


@dataclass(frozen=True)
class Share:
    """Of some trials, the share that was found unsupported."""

    name: str
    trials: int
    caught: float
    bounds: tuple[float, float]
    """95%."""

    def __str__(self) -> str:
        return f"{self.name:<32} {self.caught:6.1%}  [{self.bounds[0]:.1%}, {self.bounds[1]:.1%}]  of {self.trials}"


@dataclass(frozen=True)
class Judgement:
    """What a check does."""

    shares: tuple[Share, ...]
    ms: float
    """Median time of a sentence."""

    def share(self, name: str) -> float:
        """What was caught of a kind."""
        return next(one.caught for one in self.shares if one.name == name)

    def __str__(self) -> str:
        return "\n".join([*map(str, self.shares), f"{self.ms:.0f} ms a sentence (median)"])


def judge(checker: Checker, trials: Sequence[Trial], tick: Callable[[], None] = lambda: None) -> Judgement:
    """Checks each sentence against its paper."""
    caught: dict[str, list[float]] = {}
    times = []
    for trial in trials:
        started = time.perf_counter()
        least = SUPPORTED_FROM_IN_ANSWERS if trial.kind.endswith(IN_ANSWERS) else SUPPORTED_FROM
        holds = any(checker.check(trial.sentence, [paper.for_check for paper in (trial.paper, *trial.also)], least).holds)
        times.append(time.perf_counter() - started)
        for name in _names(trial):
            caught.setdefault(name, []).append(float(not holds))
        tick()
    order = [FALSE_ALARMS, ALL_EDITS, *KINDS, OTHER]
    names = [f"{kind}{suffix}" for suffix in ("", BY_HAND, IN_ANSWERS) for kind in order]
    return Judgement(tuple(_share(name, caught[name]) for name in names if name in caught), 1000.0 * float(np.median(times)))


def _names(trial: Trial) -> list[str]:
    """What a trial counts for."""
    edited = not trial.supported and trial.kind != OTHER
    suffix = next((each for each in (BY_HAND, IN_ANSWERS) if trial.kind.endswith(each)), "")
    return [trial.kind.replace(SUPPORTED, FALSE_ALARMS), *([f"{ALL_EDITS}{suffix}"] if edited else [])]


def _share(name: str, caught: Sequence[float]) -> Share:
    bounds = bootstrap(caught)
    assert bounds is not None  # there is one at least
    return Share(name, len(caught), float(np.mean(caught)), bounds)
