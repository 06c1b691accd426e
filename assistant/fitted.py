"""The numbers that are fitted rather than chosen: small logistic models and thresholds, from one file.

Goes in: `fitted.json`, which `python -m eval fit` writes and nothing else does. Comes out: models by section and name, checked
to weigh just the signals that the code gives. Each section tells what it was fitted on and how it did, cross-validated. Knows
nothing of what signals mean, nor of how they are fitted (`eval/train/fit`).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.errors import FittedError

FILE = Path(__file__).with_name("fitted.json")
_FARTHEST = 30.0
"""Log odds beyond which a probability is as good as 0 or 1."""


@dataclass(frozen=True)
class Logistic:
    """A logistic model of a few plain signals."""

    weights: tuple[float, ...]
    intercept: float

    def log_odds(self, signals: Sequence[float]) -> float:
        """Of one row of signals. Raises `ValueError` where there are not as many as weights."""
        return sum(signal * weight for signal, weight in zip(signals, self.weights, strict=True)) + self.intercept

    def probability(self, signals: Sequence[float]) -> float:
        """Between 0 and 1."""
        return 1.0 / (1.0 + math.exp(-max(-_FARTHEST, min(_FARTHEST, self.log_odds(signals)))))

    def probabilities(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """Of rows, shape (rows, signals); comes out in shape (rows,)."""
        log_odds = rows @ np.array(self.weights) + self.intercept
        return np.asarray(1.0 / (1.0 + np.exp(-np.clip(log_odds, -_FARTHEST, _FARTHEST))))


@dataclass(frozen=True)
class Section:
    """What is fitted together."""

    weights: Mapping[str, Mapping[str, float]]
    """Of each model, by the names of its signals; its intercept as `INTERCEPT`."""
    thresholds: Mapping[str, float] = field(default_factory=dict)
    fitted_on: Mapping[str, str | int] | None = None
    """How many examples, and the SHA-256 of the questions, papers and models that they came of; None where it was not kept."""
    figures: tuple[str, ...] = ()
    """How the models did, cross-validated by paper; for people."""


INTERCEPT = "intercept"


@cache
def logistic(section: str, name: str, signals: tuple[str, ...]) -> Logistic:
    """The model of this name, for these signals.

    Raises `FittedError` where the file is missing or damaged, or the model weighs other signals.
    """
    weights = dict(_section(section).weights.get(name, {}))
    intercept = weights.pop(INTERCEPT, None)
    if intercept is None or set(weights) != set(signals):
        wrong = ", ".join(sorted(set(weights) ^ set(signals))) or "it has no intercept"
        raise FittedError(f"{FILE}: {section}/{name} does not fit the code's signals ({wrong}): {_MEND}")
    return Logistic(tuple(weights[signal] for signal in signals), intercept)


def threshold(section: str, name: str) -> float:
    """The threshold of this name. Raises `FittedError`, as `logistic` does."""
    found = _section(section).thresholds.get(name)
    if found is None:
        raise FittedError(f"{FILE}: {section} has no threshold {name}: {_MEND}")
    return found


def load(file: Path = FILE) -> dict[str, Section]:
    """All sections by name. Raises `FittedError` where the file cannot be read as such."""
    try:
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return {name: _read(one) for name, one in found.items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise FittedError(f"{file}: cannot be read as fitted numbers ({error}): {_MEND}") from error


def save(name: str, section: Section, file: Path = FILE) -> None:
    """Puts a section in place of the one of its name; the others stay, and what was read before is read again."""
    sections = {**(load(file) if file.exists() else {}), name: section}
    text = json.dumps({each: _written(sections[each]) for each in sorted(sections)}, ensure_ascii=False, indent=1)
    beside = file.with_suffix(".new")
    beside.write_text(text + "\n", encoding="utf-8")
    beside.replace(file)
    _section.cache_clear()
    logistic.cache_clear()


_MEND = "reinstall paper-assistant, or in a checkout fit anew with `python -m eval fit`"


@cache
def _section(name: str) -> Section:
    sections = load()
    if name not in sections:
        raise FittedError(f"{FILE}: has no section {name}: {_MEND}")
    return sections[name]


def _read(one: dict[str, Any]) -> Section:
    weights = {model: {signal: float(weight) for signal, weight in each.items()} for model, each in one["weights"].items()}
    thresholds = {each: float(value) for each, value in one["thresholds"].items()}
    return Section(weights, thresholds, one["fitted_on"], tuple(one["figures"]))


def _written(section: Section) -> dict[str, Any]:
    return {"weights": section.weights, "thresholds": section.thresholds, "fitted_on": section.fitted_on, "figures": section.figures}
