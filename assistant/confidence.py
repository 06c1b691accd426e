"""Decides whether the library answers, and how sure that is.

Goes in: the scores of the papers found. Comes out: a probability that the best paper is the
right one, and whether to decline. The fused score stands on an absolute scale, which tells
questions of another field apart (area under the curve 0.99); the margin to the next paper tells
how clear the lead is. Weights are fitted on training questions, asked with and without their
paper in the library (`python -m eval fit`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.retrieval import PaperHit

DECLINE_BELOW = 0.40
"""Fused score of the best paper under which the library is taken to have no answer."""

SCORE_WEIGHT, MARGIN_WEIGHT, INTERCEPT = 2.51, 16.15, -4.28


@dataclass(frozen=True)
class Verdict:
    """Whether the best paper found is taken to answer."""

    answerable: bool
    confidence: float
    """0 to 1: the probability that the best paper is the right one."""


def judge(hits: Sequence[PaperHit]) -> Verdict:
    """The verdict on papers, best first."""
    if not hits:
        return Verdict(False, 0.0)
    score = hits[0].score
    margin = score - hits[1].score if len(hits) > 1 else score
    odds = SCORE_WEIGHT * score + MARGIN_WEIGHT * margin + INTERCEPT
    return Verdict(score >= DECLINE_BELOW, 1.0 / (1.0 + math.exp(-odds)))
