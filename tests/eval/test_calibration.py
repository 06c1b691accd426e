"""Calibration against numbers worked by hand."""

from __future__ import annotations

import pytest

from eval.calibration import (
    Judged,
    area_under_risk_coverage,
    brier_score,
    calibrate,
    expected_calibration_error,
    judged,
    reliability,
)
from eval.metrics import Result
from eval.questions import GoldQuestion

ONE = GoldQuestion("q1", "?", "named", ("A",), ())
NONE = GoldQuestion("q2", "?", "absent", (), ())
FOUR = [Judged(0.95, True), Judged(0.85, False), Judged(0.82, True), Judged(0.25, False)]


def result(cited: str, confidence: float, answered: bool = True) -> Result:
    return Result((), "", tuple(cited), answered, 5.0, confidence=confidence)


def test_an_answer_is_right_where_the_first_paper_cited_is_gold() -> None:
    results = [result("AX", 0.9), result("XA", 0.8), result("", 0.7), result("A", 0.6)]
    assert judged([ONE, ONE, ONE, NONE], results) == [Judged(0.9, True), Judged(0.8, False), Judged(0.7, False), Judged(0.6, False)]


def test_what_was_declined_or_failed_is_not_counted() -> None:
    failed = Result((), "", (), False, 5.0, "boom")
    assert judged([ONE, NONE, ONE], [result("", 0.3, answered=False), result("", 0.1, answered=False), failed]) == []


def test_bins_hold_their_lower_end_and_the_last_one_both() -> None:
    counts = [one.count for one in reliability([Judged(value, True) for value in (0.0, 0.1, 0.0999, 0.3, 0.7, 0.9, 1.0)])]
    assert counts == [2, 1, 0, 1, 0, 0, 0, 1, 0, 2]


def test_a_bin_tells_mean_confidence_and_the_share_right() -> None:
    bins = reliability(FOUR)
    assert (bins[8].low, bins[8].high, bins[8].count, bins[8].right) == (0.8, 0.9, 2, 0.5)
    assert bins[8].confidence == pytest.approx(0.835)
    assert (bins[5].count, bins[5].confidence, bins[5].right) == (0, None, None)


def test_the_calibration_error_weighs_bins_by_their_answers() -> None:
    assert expected_calibration_error(FOUR) == pytest.approx((1 * 0.05 + 2 * 0.335 + 1 * 0.25) / 4)


def test_the_brier_score_is_the_mean_square() -> None:
    assert brier_score(FOUR) == pytest.approx((0.05**2 + 0.85**2 + 0.18**2 + 0.25**2) / 4)


def test_the_risk_is_meant_over_every_coverage() -> None:
    assert area_under_risk_coverage(FOUR) == pytest.approx((0 + 1 / 2 + 1 / 3 + 2 / 4) / 4)
    assert area_under_risk_coverage(FOUR[::-1]) == area_under_risk_coverage(FOUR)


def test_confidence_that_ranks_the_wrong_way_round_costs_area() -> None:
    upside_down = [Judged(1.0 - one.confidence, one.right) for one in FOUR]
    assert area_under_risk_coverage(upside_down) == pytest.approx((1 + 1 / 2 + 2 / 3 + 2 / 4) / 4)


def test_answers_of_equal_confidence_stand_in_no_order() -> None:
    tied = [Judged(0.9, True), Judged(0.5, True), Judged(0.5, False)]
    expected = pytest.approx((0 + 0.5 / 2 + 1 / 3) / 3)
    assert area_under_risk_coverage(tied) == expected
    assert area_under_risk_coverage([tied[0], tied[2], tied[1]]) == expected


def test_one_that_is_always_sure_and_half_right_is_off_by_a_half() -> None:
    found = calibrate([ONE, NONE], [result("A", 1.0), result("A", 1.0)])
    assert (found.n, found.right, found.expected_calibration_error, found.brier_score) == (2, 0.5, 0.5, 0.5)
    assert found.area_under_risk_coverage == 0.5


def test_where_nothing_was_answered_there_are_no_figures() -> None:
    found = calibrate([ONE], [result("", 0.2, answered=False)])
    assert found.n == 0 and sum(one.count for one in found.reliability) == 0
    assert found.right is found.expected_calibration_error is found.brier_score is found.area_under_risk_coverage is None
