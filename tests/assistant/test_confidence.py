"""Whether to answer, and how sure."""

from __future__ import annotations

from assistant.confidence import judge
from assistant.retrieval import PaperHit


def hit(score: float, chunk: float = 0.5, sentence: float = 0.5) -> PaperHit:
    return PaperHit("0" * 12, score, chunk, sentence, 0.5)


def test_nothing_found_is_declined() -> None:
    assert not judge([], 0.0).answerable


def test_a_near_paper_is_answered_and_a_far_one_declined() -> None:
    assert judge([hit(0.9, 0.7, 0.7)], 0.0).answerable
    assert not judge([hit(0.2, 0.1, 0.15)], 0.0).answerable


def test_words_that_no_paper_knows_speak_against_an_answer() -> None:
    close = [hit(0.5, 0.34, 0.40)]
    assert judge(close, 0.0).answerable
    assert not judge(close, 0.9).answerable


def test_confidence_grows_with_score_and_lead() -> None:
    low, clear, high = (judge([hit(top), hit(next_)], 0.0).confidence for top, next_ in [(0.5, 0.49), (0.5, 0.3), (0.9, 0.3)])
    assert 0.0 < low < clear < high < 1.0


def test_the_verdict_on_one_paper_ignores_those_below_the_second() -> None:
    assert judge([hit(0.9), hit(0.5)], 0.1) == judge([hit(0.9), hit(0.5), hit(0.4)], 0.1)


def test_papers_that_are_quoted_too_are_no_rivals() -> None:
    alike = [hit(0.8), hit(0.79), hit(0.78), hit(0.3)]
    assert judge(alike, 0.0, quoted=3).confidence > judge(alike, 0.0, quoted=1).confidence


def test_with_fewer_papers_than_are_quoted_the_lead_is_the_score() -> None:
    assert judge([hit(0.8)], 0.0, quoted=6) == judge([hit(0.8)], 0.0)
