"""Whether to answer, and how sure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from assistant.evidence.confidence import Verdict, is_in_domain, judge, verdict, written_confidence
from assistant.evidence.matcher import Match
from assistant.evidence.reader import Reading
from assistant.evidence.selection import Study
from assistant.query.question import understood
from assistant.retrieval.fusion import PaperHit
from assistant.retrieval.retriever import RetrievalResult
from index import Paper
from index.lexical import Terms

PAPER = Paper("0" * 12, "T", "T", "One sentence. And another.", "One sentence. And another.")
KNOWN = Terms(("alpha",), {"alpha": 1.0})
UNKNOWN = Terms(("alpha", "beta"), {"alpha": 1.0, "beta": 9.0}, frozenset({"beta"}))
ANSWERS = Reading(10.0, 0.9, 0.02, (3.0, -2.0))
SILENT = Reading(2.0, 0.01, 0.01, (-7.0, -8.0))
MEETS = Match(0.8, 0.0, 0.1, 2.0, -2.0, (2.0, -2.0), (0.8, 0.3), together=0.8)
MISSES = Match(0.3, 0.8, 0.9, -6.0, -6.0, (-7.0, -8.0), (0.3, 0.2), together=0.3)


def hit(score: float, chunk: float = 0.5, sentence: float = 0.5) -> PaperHit:
    return PaperHit("0" * 12, score, chunk, sentence, 0.5, lexical=0.5, maxsim=0.6)


def found(*hits: PaperHit, terms: Terms = KNOWN) -> RetrievalResult:
    return RetrievalResult("alpha?", "alpha?", np.zeros(3, dtype=np.float32), terms, terms, hits)


def judged(*hits: PaperHit, reading: Reading | None = None, match: Match | None = None, asked: str = "alpha?", **how: Any) -> Verdict:
    """The verdict where the first paper was read and matched so."""
    first, *rest = (replace(hits[0], match=match), *hits[1:])
    return judge(found(first, *rest), [Study(PAPER, first, (), reading)], understood(asked), **how)


def sure(*hits: PaperHit, quoted: int = 1) -> float:
    """Confidence where nothing was read."""
    return judged(*hits, quoted=quoted).confidence


def test_nothing_found_is_not_near() -> None:
    assert not is_in_domain(found())


def test_a_near_paper_is_near_and_a_far_one_is_not() -> None:
    assert is_in_domain(found(hit(0.9, 0.7, 0.7)))
    assert not is_in_domain(found(hit(0.2, 0.05, 0.1)))


def test_words_that_no_paper_knows_speak_against_it() -> None:
    close = hit(0.5, 0.25, 0.30)
    assert is_in_domain(found(close))
    assert not is_in_domain(found(close, terms=UNKNOWN))


def test_a_paper_that_answers_is_answered_from_and_a_silent_one_declined() -> None:
    yes = judged(hit(0.6), hit(0.5), reading=ANSWERS, match=MEETS)
    no = judged(hit(0.6), hit(0.5), reading=SILENT, match=MISSES)
    assert yes.answerable and not no.answerable
    assert yes.confidence > 0.5 > no.confidence


def test_each_of_reader_and_matcher_speaks() -> None:
    both = judged(hit(0.6), reading=ANSWERS, match=MEETS).confidence
    assert judged(hit(0.6), reading=SILENT, match=MEETS).confidence < both
    assert judged(hit(0.6), reading=ANSWERS, match=MISSES).confidence < both


def test_a_figure_that_stands_by_what_is_asked_for_speaks_for_an_answer() -> None:
    far, near = (
        judged(hit(0.6), reading=ANSWERS, match=replace(MEETS, asks=True, figure=figure), asked="How many alphas?").confidence
        for figure in (-1.0, 0.8)
    )
    assert far < near
    assert judged(hit(0.6), reading=ANSWERS, match=replace(MEETS, figure=-1.0)) == judged(hit(0.6), reading=ANSWERS, match=MEETS)


def test_a_question_that_spans_papers_is_not_declined_for_what_the_first_does_not_state() -> None:
    assert judged(hit(0.6), hit(0.5), reading=SILENT, match=MISSES, quoted=6).answerable


def test_a_summary_of_a_named_paper_is_never_unstated() -> None:
    assert judged(hit(0.6), hit(0.5), reading=SILENT, match=MISSES, named=True).answerable


def test_without_a_reading_what_is_near_is_answered() -> None:
    assert judged(hit(0.6)).answerable


def test_the_sum_of_both_falls_with_either() -> None:
    assert verdict(50.0, 50.0) > -1e-6
    assert np.isclose(verdict(0.0, 0.0), 2 * np.log(0.5))
    assert verdict(-3.0, 5.0) < verdict(3.0, 5.0) and verdict(5.0, -3.0) < verdict(5.0, 3.0)


def test_confidence_grows_with_score_and_lead() -> None:
    low, clear, high = (sure(hit(top), hit(next_)) for top, next_ in [(0.5, 0.49), (0.5, 0.3), (0.9, 0.3)])
    assert 0.0 < low < clear < high < 1.0


def test_the_verdict_on_one_paper_ignores_those_below_the_second() -> None:
    assert sure(hit(0.9), hit(0.5)) == sure(hit(0.9), hit(0.5), hit(0.4))


def test_papers_that_are_quoted_too_are_no_rivals() -> None:
    alike = [hit(0.8), hit(0.79), hit(0.78), hit(0.3)]
    assert sure(*alike, quoted=3) > sure(*alike, quoted=1)


def test_with_fewer_papers_than_are_quoted_the_lead_is_the_score() -> None:
    assert sure(hit(0.8), quoted=6) == sure(hit(0.8))


def test_an_llms_answer_is_surer_than_a_quote_and_less_sure_where_citations_do_not_hold() -> None:
    assert written_confidence(0.8, [True, True]) == pytest.approx(0.98)
    assert written_confidence(0.8, [True, False]) == pytest.approx(0.49)
    assert written_confidence(0.0, [True]) == pytest.approx(0.9) and written_confidence(1.0, []) == 0.0
