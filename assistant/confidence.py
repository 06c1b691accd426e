"""Decides whether the library answers, and how sure that is.

Goes in: the papers found, and how much of the question no paper knows. Comes out: whether to
decline, and a probability that the best paper is the right one. Two logistic models: one of
plain nearness, which tells questions of another field apart; one of the lead over the next paper,
which tells how sure the choice is. Both are fitted on training questions, asked with and without
their paper in the library, and on everyday questions (`python -m eval fit`; figures in docs/LOG.md).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.retrieval import PaperHit

NEAR_SIGNALS = ("chunk", "sentence", "unknown")
"""Cosine of the best paper's best chunk and sentence; share of the term weight that no paper holds."""
NEAR_WEIGHTS = (16.70, 10.96, -5.02)
NEAR_INTERCEPT = -7.55

SURE_SIGNALS = ("score", "margin")
"""Fused score of the best paper, and its lead over the first that the answer does not quote."""
SURE_WEIGHTS = (3.33, 16.49)
SURE_INTERCEPT = -4.73


@dataclass(frozen=True)
class Verdict:
    """Whether the best paper found is taken to answer."""

    answerable: bool
    confidence: float
    """0 to 1: the probability that the best paper is the right one."""


def judge(hits: Sequence[PaperHit], unknown_share: float, quoted: int = 1) -> Verdict:
    """The verdict on papers, best first. `quoted`: how many of them the answer may quote."""
    if not hits:
        return Verdict(False, 0.0)
    near = _odds(near_signals(hits, unknown_share), NEAR_WEIGHTS, NEAR_INTERCEPT)
    sure = _odds(sure_signals(hits, quoted), SURE_WEIGHTS, SURE_INTERCEPT)
    return Verdict(near >= 0.0, 1.0 / (1.0 + math.exp(-sure)))


def near_signals(hits: Sequence[PaperHit], unknown_share: float) -> tuple[float, ...]:
    """What `NEAR_SIGNALS` names; there must be a hit."""
    return hits[0].chunk, hits[0].sentence, unknown_share


def sure_signals(hits: Sequence[PaperHit], quoted: int = 1) -> tuple[float, ...]:
    """What `SURE_SIGNALS` names; there must be a hit."""
    return hits[0].score, hits[0].score - (hits[quoted].score if len(hits) > quoted else 0.0)


def _odds(signals: Sequence[float], weights: Sequence[float], intercept: float) -> float:
    return sum(signal * weight for signal, weight in zip(signals, weights, strict=True)) + intercept
