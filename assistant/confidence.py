"""Decides whether the library answers, and how sure that is.

Goes in: the papers found, and what looking into the first of them gave. Comes out: whether to decline,
and a probability that the answer leads with the right paper. Small logistic models: one of plain
nearness tells questions of another field apart before anything is read; one tells whether the first
paper covers the question's subject, one whether it states what is asked, and both must be likely
together; one tells how sure the choice is. All are fitted on training questions, asked with and
without their paper in the library (`python -m eval fit`; figures in docs/LOG.md).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.evidence import NOT_READ, Study
from assistant.reading import Match, Reading
from assistant.retrieval import Found, PaperHit

NEAR_SIGNALS = ("chunk", "sentence", "unknown")
"""Cosine of the best paper's best chunk and sentence; share of the term weight that no paper holds."""
NEAR_WEIGHTS = (19.77, 11.79, -5.65)
NEAR_INTERCEPT = -6.48

COVERED_SIGNALS = ("met", "unmet", "worst", "chunk", "sentence", "coverage")
"""Of the first paper: how far it meets the question's words, by the matcher; the search's cosines and coverage."""
COVERED_WEIGHTS = (6.00, -1.21, 0.17, -0.39, 2.69, -0.99)
COVERED_INTERCEPT = -3.49

STATED_SIGNALS = (
    *("reader answers", "reader contradicts", "reader evidence", "reader second", "reader elsewhere", "reader relevance"),
    *("matcher answers", "matcher contradicts", "matcher evidence", "matcher second"),
)
"""Of the first paper: the log odds that it answers and that it contradicts, each against saying nothing, and
the best two sentences' logits, by reader and by matcher; the best log odds of any paper read; the reader's relevance."""
STATED_WEIGHTS = (0.12, -0.18, 0.20, -0.10, 0.16, -0.09, 0.15, 0.06, 0.32, -0.17)
STATED_INTERCEPT = 0.85

LEAST = -2.064
"""Below this sum of log probabilities, that the subject is covered and the answer stated, a question is declined."""

SURE_READ_SIGNALS = ("verdict", "score", "margin")
"""That sum; the first paper's fused score, and its lead over the next."""
SURE_READ_WEIGHTS = (1.63, 1.70, 7.73)
SURE_READ_INTERCEPT = 0.02

SURE_SIGNALS = ("score", "margin")
"""Fused score of the best paper, and its lead over the first that the answer does not quote."""
SURE_WEIGHTS = (3.71, 15.43)
SURE_INTERCEPT = -4.76


CLEAR_LEAD = 0.25
"""A paper so far behind the first, in fused score, is not read."""


@dataclass(frozen=True)
class Verdict:
    """Whether the papers found are taken to answer."""

    answerable: bool
    confidence: float
    """0 to 1: the probability that the answer leads with the right paper."""


def is_near(found: Found) -> bool:
    """Whether a question is of the library's field at all."""
    return bool(found.hits) and _odds(near_signals(found.hits, found.terms.unknown_share), NEAR_WEIGHTS, NEAR_INTERCEPT) >= 0.0


def worth_reading(hits: Sequence[PaperHit], most: int) -> int:
    """How many papers to read, at most `most`: the first alone where it is far ahead, else all that come about as near."""
    if not hits:
        return 0
    return min(most, sum(hits[0].score - hit.score < CLEAR_LEAD for hit in hits[:most]))


def judge(found: Found, studies: Sequence[Study], quoted: int = 1) -> Verdict:
    """The verdict on papers that were looked into, best first; there must be one.

    `quoted`: how many papers the answer may quote. A question that spans several is declined by
    nearness alone: no one of them states the whole.
    """
    first = studies[0]
    if quoted > 1 or first.reading is None or first.match is None:
        return Verdict(True, _probability(_odds(sure_signals(found.hits, quoted), SURE_WEIGHTS, SURE_INTERCEPT)))
    sum_of_both = verdict(
        _odds(covered_signals(first, first.match), COVERED_WEIGHTS, COVERED_INTERCEPT),
        _odds(stated_signals(studies, first.reading, first.match), STATED_WEIGHTS, STATED_INTERCEPT),
    )
    sure = _odds((sum_of_both, *sure_signals(found.hits)), SURE_READ_WEIGHTS, SURE_READ_INTERCEPT)
    return Verdict(sum_of_both >= LEAST, _probability(sure))


def verdict(covered: float, stated: float) -> float:
    """The sum of the log probabilities of two log odds."""
    return -math.log1p(math.exp(-covered)) - math.log1p(math.exp(-stated))


def covered_signals(first: Study, match: Match) -> tuple[float, ...]:
    """What `COVERED_SIGNALS` names."""
    return match.met, match.unmet, match.worst, first.hit.chunk, first.hit.sentence, first.hit.coverage


def stated_signals(studies: Sequence[Study], reading: Reading, match: Match) -> tuple[float, ...]:
    """What `STATED_SIGNALS` names; `reading` and `match` are of the first study."""
    elsewhere = max(_log(one.reading.answers + one.reading.contradicts) for one in studies if one.reading)
    silent = _log(1.0 - reading.answers - reading.contradicts)
    return (
        _log(reading.answers) - silent,
        _log(reading.contradicts) - silent,
        *_best_two(reading.evidence),
        elsewhere,
        reading.relevance,
        match.answers,
        match.contradicts,
        *_best_two(match.evidence),
    )


def _best_two(logits: Sequence[float]) -> tuple[float, float]:
    first, second = sorted((*(max(NOT_READ, logit) for logit in logits), NOT_READ, NOT_READ), reverse=True)[:2]
    return first, second


def near_signals(hits: Sequence[PaperHit], unknown_share: float) -> tuple[float, ...]:
    """What `NEAR_SIGNALS` names; there must be a hit."""
    return hits[0].chunk, hits[0].sentence, unknown_share


def sure_signals(hits: Sequence[PaperHit], quoted: int = 1) -> tuple[float, ...]:
    """What `SURE_SIGNALS` names; there must be a hit."""
    return hits[0].score, hits[0].score - (hits[quoted].score if len(hits) > quoted else 0.0)


def _odds(signals: Sequence[float], weights: Sequence[float], intercept: float) -> float:
    return sum(signal * weight for signal, weight in zip(signals, weights, strict=True)) + intercept


def _log(probability: float) -> float:
    return math.log(max(probability, 0.0) + 1e-3)


def _probability(odds: float) -> float:
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, odds))))
