"""A drop beyond the interval is told with the questions that are worse."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from eval import expected
from eval.expected import CHECKS, ExpectedError, drops, load, measured, record
from eval.metrics import Result
from eval.questions import FIXED, GoldQuestion
from eval.questions import load as load_questions
from eval.results import Run

KINDS = ("named", "offtopic", "absent", "missing_detail", "false_premise")
GOLDS = tuple(
    GoldQuestion(f"{kind}{number}", "?", kind, ("T",) if kind in {"named", "false_premise"} else (), (("6x",),) if kind == "named" else ())
    for kind in KINDS
    for number in range(10)
)
RIGHT = Result(("T", "U"), "It is 6x. [1]", ("T",), True, 5.0)
DECLINED = Result(("U", "T"), "None.", (), False, 5.0)
RESULTS = tuple(RIGHT if gold.kind == "named" and not gold.id.endswith("9") else DECLINED for gold in GOLDS)
RUN = Run({"held_out": False, "papers": 1}, GOLDS, RESULTS)


def with_results(**changed: Result) -> Run:
    return replace(RUN, results=tuple(changed.get(gold.id, result) for gold, result in zip(GOLDS, RESULTS, strict=True)))


def test_a_run_is_not_worse_than_itself(tmp_path: Path) -> None:
    record("toy", RUN, tmp_path / "expected.json")
    assert drops(RUN, load("toy", tmp_path / "expected.json")) == []


def test_within_the_interval_nothing_is_told_and_beyond_it_the_questions_are() -> None:
    before = measured(RUN)
    assert drops(with_results(named0=DECLINED), before) == []
    worse = with_results(named0=DECLINED, named1=DECLINED, named2=DECLINED, named3=DECLINED, named4=DECLINED)
    told = {drop.check.name: str(drop) for drop in drops(worse, before)}
    assert set(told) >= {"declined though answerable", "right paper first", "facts asked for"}
    assert "worse in named0 (1.00 -> 0.00), named1" in told["right paper first"] and "named9" not in told["right paper first"]


def test_answering_what_should_be_declined_is_a_drop() -> None:
    answered = Result(("U",), "So it is. [1]", ("U",), True, 5.0)
    found = {drop.check.name for drop in drops(with_results(**{f"absent{number}": answered for number in range(6)}), measured(RUN))}
    assert {"harm", "declined, in no paper here"} <= found and "declined, of other fields" not in found


def test_getting_better_is_no_drop() -> None:
    assert drops(with_results(named9=RIGHT), measured(RUN)) == []


def test_what_was_recorded_of_others_stays(tmp_path: Path) -> None:
    path = tmp_path / "expected.json"
    record("toy", RUN, path)
    record("other", RUN, path)
    assert load("toy", path) == load("other", path)


def test_a_run_over_other_questions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ExpectedError, match="--record"):
        drops(replace(RUN, questions=GOLDS[1:], results=RESULTS[1:]), measured(RUN))
    with pytest.raises(ExpectedError, match="nothing expected of the starter"):
        load("starter", tmp_path / "none.json")


@pytest.mark.parametrize("library", [expected.STARTER, expected.LISTINGS])
def test_what_stands_in_the_repository_is_of_the_fixed_set(library: str) -> None:
    found = load(library)
    assert set(found.questions) == {gold.id for gold in load_questions(FIXED)}
    assert set(found.scores) == {check.name for check in CHECKS}
    assert all(score.low <= score.figure <= score.high for score in found.scores.values())
