"""The benchmark's arithmetic, against numbers worked by hand."""

from __future__ import annotations

import pytest

from eval.bench.commands import BenchError
from eval.bench.figures import Lap, Ratio, quantile, rate, rate_ratio, ratio, row
from eval.bench.parts import PARTS, chosen

OURS = [Lap(1.0, 0.5), Lap(4.0, 2.0), Lap(3.0, 3.0)]
BARE = [Lap(2.0, 1.0), Lap(2.0, 2.0), Lap(2.0, 1.0)]


def test_a_row_is_the_median_in_its_unit() -> None:
    assert (row("x", OURS).value, row("x", OURS).cpu) == (3000.0, 2000.0)
    assert row("x", OURS, "s").value == 3.0
    assert rate("x", 12, OURS, "tokens/s").value == 4.0


def test_a_ratio_is_the_median_of_each_rounds_ratio() -> None:
    assert (ratio("x", OURS, BARE).value, ratio("x", OURS, BARE).cpu) == (1.5, 1.0)


def test_a_ratio_of_rates_is_higher_for_the_faster_one() -> None:
    found = rate_ratio("x", 10, BARE, 20, OURS, wanted=0.5)
    assert found.value == 0.75 and found.held
    assert not rate_ratio("x", 10, BARE, 20, OURS, wanted=0.8).held


def test_what_is_wanted_is_a_ceiling_or_a_floor() -> None:
    assert Ratio("x", 0.4, 0.4, 0.5).held and not Ratio("x", 0.6, 0.6, 0.5).held
    assert Ratio("x", 0.6, 0.6, 0.5, at_most=False).held and Ratio("x", 1.0, 1.0).held is None


def test_a_quantile_is_of_the_nearest_rank() -> None:
    assert quantile(range(1, 21), 0.95) == 19 and quantile([7.0], 0.95) == 7.0


def test_parts_are_chosen_by_name() -> None:
    assert chosen("cold, search") == ["search", "cold"] and chosen(None) == list(PARTS)
    with pytest.raises(BenchError, match="no such part: colt; there are search"):
        chosen("colt")
