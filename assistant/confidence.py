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
from assistant.logistic import odds, probability
from assistant.question import Question, holds_name, names_in
from assistant.reading import Match
from assistant.retrieval import Found, PaperHit

NEAR_SIGNALS = ("chunk", "sentence", "unknown")
"""Cosine of the best paper's best chunk and sentence; share of the term weight that no paper holds."""
NEAR_WEIGHTS = (29.22, 14.80, -6.95)
NEAR_INTERCEPT = -10.68

COVERED_SIGNALS = ("met", "unmet", "worst", "chunk", "sentence", "coverage", "margin")
"""Of the first paper: how far it meets the question's words, by the matcher; the search's cosines and coverage; its lead over the next."""
COVERED_WEIGHTS = (-3.60, -1.69, -0.64, 1.17, 2.38, -1.47, 7.16)
COVERED_INTERCEPT = 0.99

STATED_SIGNALS = (
    *("reader answers", "reader contradicts", "reader evidence", "reader second", "reader relevance"),
    *("matcher answers", "matcher contradicts", "matcher evidence", "matcher second"),
    *("asks", "asks figure", "figure near", "lacks"),
)
"""Of the first paper: the log odds that it answers and that it contradicts, each against saying nothing, and
the best two sentences' logits, by reader and by matcher; the reader's relevance.
Whether the question names what it asks for; whether it asks for a figure; and if both, how near that stands to a figure. Whether,
read with the turns before, it has a name that the paper lacks: of those that their paper answers none had, of the others a sixth."""
STATED_WEIGHTS = (0.46, -0.31, 0.14, 0.05, -0.21, 0.57, -0.35, 0.36, -0.08, -0.48, -0.31, 0.89, -5.37)
STATED_INTERCEPT = 3.03

LEAST = -2.065
"""Below this sum of log probabilities, that the subject is covered and the answer stated, a question is declined."""

SURE_READ_SIGNALS = ("verdict", "score", "margin")
"""That sum; the first paper's score, and its lead over the next."""
SURE_READ_WEIGHTS = (1.43, 2.22, 2.22)
SURE_READ_INTERCEPT = 0.29

SURE_SIGNALS = ("score", "margin")
"""Score of the best paper, and its lead over the first that the answer does not quote."""
SURE_WEIGHTS = (0.93, 9.69)
SURE_INTERCEPT = -1.09
NAMED = 0.93
"""How often the first paper is the one meant where a summary names its title: 143 of 153 of 150 held papers' titles, whole or in
part, each asked for with and without its paper in the library."""


@dataclass(frozen=True)
class Verdict:
    """Whether the papers found are taken to answer."""

    answerable: bool
    confidence: float
    """0 to 1: the probability that the answer leads with the right paper."""


def is_near(found: Found) -> bool:
    """Whether a question is of the library's field at all."""
    return bool(found.hits) and odds(near_signals(found.hits, found.terms.unknown_share), NEAR_WEIGHTS, NEAR_INTERCEPT) >= 0.0


def judge(found: Found, studies: Sequence[Study], question: Question, quoted: int = 1, named: bool = False) -> Verdict:
    """The verdict on papers that were looked into, best first; there must be one.

    `quoted`: how many papers the answer may quote. A question that spans several is declined by
    nearness alone: no one of them states the whole. `named`: whether a summary of the first paper is
    asked for, by its title, so that nothing can be left unstated.
    """
    first = studies[0]
    if named:
        return Verdict(True, NAMED)
    if quoted > 1 or first.reading is None or first.match is None:
        return Verdict(True, probability(odds(sure_signals(found.hits, quoted), SURE_WEIGHTS, SURE_INTERCEPT)))
    sum_of_both = verdict(
        odds(covered_signals(found.hits, first.match), COVERED_WEIGHTS, COVERED_INTERCEPT),
        odds(stated_signals(first, question, bool(found.before)), STATED_WEIGHTS, STATED_INTERCEPT),
    )
    sure = odds((sum_of_both, *sure_signals(found.hits)), SURE_READ_WEIGHTS, SURE_READ_INTERCEPT)
    return Verdict(sum_of_both >= LEAST, probability(sure))


def verdict(covered: float, stated: float) -> float:
    """The sum of the log probabilities of two log odds."""
    return -math.log1p(math.exp(-covered)) - math.log1p(math.exp(-stated))


def covered_signals(hits: Sequence[PaperHit], match: Match) -> tuple[float, ...]:
    """What `COVERED_SIGNALS` names; `match` is of the first."""
    first = hits[0]
    return match.met, match.unmet, match.worst, first.chunk, first.sentence, first.coverage, sure_signals(hits)[1]


def stated_signals(first: Study, question: Question, followed: bool = False) -> tuple[float, ...]:
    """What `STATED_SIGNALS` names, of the first paper, which must have been read and matched.

    `followed`: whether the question is read with the turns before.
    """
    reading, match = first.reading, first.match
    assert reading is not None and match is not None
    text = f"{first.paper.display_title} {first.paper.abstract}"
    silent = _log(1.0 - reading.answers - reading.contradicts)
    return (
        _log(reading.answers) - silent,
        _log(reading.contradicts) - silent,
        *_best_two(reading.evidence),
        reading.relevance,
        match.answers,
        match.contradicts,
        *_best_two(match.evidence),
        float(match.asks),
        float(question.wants_figure),
        match.figure if question.wants_figure and match.asks else 0.0,
        float(followed and any(not holds_name(text, name) for name in names_in(question.text))),
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


def _log(probability: float) -> float:
    return math.log(max(probability, 0.0) + 1e-3)
