"""A logistic model of a few plain signals. Knows nothing of what they mean, nor of how weights are fitted (`eval/fitting`)."""

from __future__ import annotations

import math
from collections.abc import Sequence

_FARTHEST = 30.0
"""Log odds beyond which a probability is as good as 0 or 1."""


def odds(signals: Sequence[float], weights: Sequence[float], intercept: float) -> float:
    """The log odds. Raises `ValueError` where there are not as many weights as signals."""
    return sum(signal * weight for signal, weight in zip(signals, weights, strict=True)) + intercept


def probability(log_odds: float) -> float:
    """Of log odds, between 0 and 1."""
    return 1.0 / (1.0 + math.exp(-max(-_FARTHEST, min(_FARTHEST, log_odds))))
