"""Decides whether the library answers, and how sure that is.

Goes in: the papers found, and what looking into the first of them gave. Comes out: whether to decline,
and a probability that the answer leads with the right paper. Small logistic models: one of plain
nearness tells questions of another field apart before anything is read; one tells whether the first
paper covers the question's subject, one whether it states what is asked, and both must be likely
together; one tells how sure the choice is. All are fitted on training questions, asked with and
without their paper in the library (`python -m eval fit --only verdict`; the numbers stand in `fitted.json`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from assistant import fitted
from assistant.evidence.matcher import Match
from assistant.evidence.selection import NOT_READ, Study
from assistant.query.question import Question, holds_name, names_in
from assistant.retrieval.fusion import PaperHit
from assistant.retrieval.retriever import RetrievalResult

_SECTION = "verdict"
"""Of `fitted.json`. Its threshold `answered_from`: below this sum of log probabilities, that the topic is met and the answer stated,
a question is declined."""

IN_DOMAIN_SIGNALS = ("chunk", "sentence", "unknown")
"""Cosine of the best paper's best chunk and sentence; share of the term weight that no paper holds."""

TOPIC_MATCH_SIGNALS = (
    *("met", "unmet", "worst", "chunk", "sentence", "coverage", "margin"),
    *("maxsim", "maxsim margin", "lexical", "lexical margin", "chunk margin", "lead over five", "unknown", "log words", "together"),
)
"""Of the first paper: how far it meets the question's words, by the matcher; the search's cosines and coverage; its lead over the next.
Its maxsim and BM25 score; its leads over the next in these and in cosine; its lead over the mean of the next five; the share of the
question's term weight that no paper holds; the logarithm of one more than its words; the mean of the matcher's cosines."""

ANSWERABILITY_SIGNALS = (
    *("reader answers", "reader contradicts", "reader evidence", "reader second", "reader relevance"),
    *("matcher answers", "matcher contradicts", "matcher evidence", "matcher second"),
    *("asks", "asks figure", "figure near", "lacks"),
)
"""Of the first paper: the log odds that it answers and that it contradicts, each against saying nothing, and
the best two sentences' logits, by reader and by matcher; the reader's relevance.
Whether the question names what it asks for; whether it asks for a figure; and if both, how near that stands to a figure. Whether,
read with the turns before, it has a name that the paper lacks: of those that their paper answers none had, of the others a sixth."""

CONFIDENCE_SIGNALS = ("verdict", "score", "margin")
"""That sum; the first paper's score, and its lead over the next."""

CONFIDENCE_UNREAD_SIGNALS = ("score", "margin")
"""Score of the best paper, and its lead over the first that the answer does not quote."""
NAMED = 0.93
"""Counted, not fitted: how often the first paper is the one meant where a summary names its title. 143 of 153, of 150 held
papers' titles, whole or in part, each asked for with and without its paper in the library."""


@dataclass(frozen=True)
class Verdict:
    """Whether the papers found are taken to answer."""

    answerable: bool
    confidence: float
    """0 to 1: the probability that the answer leads with the right paper."""


def is_in_domain(found: RetrievalResult) -> bool:
    """Whether a question is of the library's field at all."""
    model = fitted.logistic(_SECTION, "in_domain", IN_DOMAIN_SIGNALS)
    return bool(found.hits) and model.log_odds(in_domain_signals(found.hits, found.terms.unknown_share)) >= 0.0


def judge(found: RetrievalResult, studies: Sequence[Study], question: Question, quoted: int = 1, named: bool = False) -> Verdict:
    """The verdict on papers that were looked into, best first; there must be one.

    `quoted`: how many papers the answer may quote. A question that spans several is declined by
    nearness alone: no one of them states the whole. `named`: whether a summary of the first paper is
    asked for, by its title, so that nothing can be left unstated.
    """
    first = studies[0]
    if named:
        return Verdict(True, NAMED)
    if quoted > 1 or first.reading is None or first.match is None:
        return Verdict(
            True,
            fitted.logistic(_SECTION, "confidence_unread", CONFIDENCE_UNREAD_SIGNALS).probability(confidence_signals(found.hits, quoted)),
        )
    sum_of_both = verdict(
        fitted.logistic(_SECTION, "topic_match", TOPIC_MATCH_SIGNALS).log_odds(topic_match_signals(found, first.match)),
        fitted.logistic(_SECTION, "answerability", ANSWERABILITY_SIGNALS).log_odds(
            answerability_signals(first, question, bool(found.before))
        ),
    )
    sure = fitted.logistic(_SECTION, "confidence", CONFIDENCE_SIGNALS).probability((sum_of_both, *confidence_signals(found.hits)))
    return Verdict(sum_of_both >= fitted.threshold(_SECTION, "answered_from"), sure)


def verdict(covered: float, stated: float) -> float:
    """The sum of the log probabilities of two log odds."""
    return -math.log1p(math.exp(-covered)) - math.log1p(math.exp(-stated))


def topic_match_signals(found: RetrievalResult, match: Match) -> tuple[float, ...]:
    """What `TOPIC_MATCH_SIGNALS` names; `match` is of the first paper."""
    hits = found.hits
    first, second = hits[0], hits[1] if len(hits) > 1 else None
    five = [hit.score for hit in hits[1:6]]
    return (
        *(match.met, match.unmet, match.worst, first.chunk, first.sentence, first.coverage, confidence_signals(hits)[1]),
        first.maxsim or 0.0,
        (first.maxsim or 0.0) - ((second.maxsim or 0.0) if second else 0.0),
        first.lexical,
        first.lexical - (second.lexical if second else 0.0),
        first.chunk - (second.chunk if second else 0.0),
        first.score - sum(five) / len(five) if five else 0.0,
        found.terms.unknown_share,
        math.log(1 + len(found.own.words)),
        match.together,
    )


def answerability_signals(first: Study, question: Question, followed: bool = False) -> tuple[float, ...]:
    """What `ANSWERABILITY_SIGNALS` names, of the first paper, which must have been read and matched.

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


def in_domain_signals(hits: Sequence[PaperHit], unknown_share: float) -> tuple[float, ...]:
    """What `IN_DOMAIN_SIGNALS` names; there must be a hit."""
    return hits[0].chunk, hits[0].sentence, unknown_share


def confidence_signals(hits: Sequence[PaperHit], quoted: int = 1) -> tuple[float, ...]:
    """What `CONFIDENCE_UNREAD_SIGNALS` names; there must be a hit."""
    return hits[0].score, hits[0].score - (hits[quoted].score if len(hits) > quoted else 0.0)


def _log(probability: float) -> float:
    return math.log(max(probability, 0.0) + 1e-3)


_LEFT_DOUBT = 0.1
"""Of the doubt about a quoting answer, what is left of one that an LLM wrote from all the near papers. Chosen by hand and
cautiously: of 156 answers of a strong model 0.99 were right where the quoting confidence said 0.80 on average, which is a
twentieth of the doubt; weaker models were not measured."""


def written_confidence(quoting: float, supported: Sequence[bool]) -> float:
    """Of an LLM's answer, from that of an answer that quotes; less by the share of its citations that do not hold."""
    share = sum(supported) / len(supported) if supported else 0.0
    return (1.0 - _LEFT_DOUBT * (1.0 - quoting)) * share
