"""Targets beside what a run gives, by numbers worked by hand."""

from __future__ import annotations

from dataclasses import replace

from eval.metrics import METRICS
from eval.questions import FIXED, load
from eval.targets import TARGETS, Target, against_targets
from tests.eval.test_report import RUN

HARM = Target("harm", "harm", 0.2, at_most=True)
DECLINED = Target("declined", "refusal_rate", 0.5, ("absent",))
FIRST = Target("first", "hit@1", 0.7, ("named",))


def test_a_floor_and_a_ceiling_are_held_at_their_bound_and_missed_beyond() -> None:
    found = against_targets(RUN, (HARM, DECLINED, FIRST))
    assert [(one.target.what, round(one.value, 3), one.held) for one in found] == [
        ("harm", 0.2, True),  # one of five
        ("declined", 0.5, True),  # the one that failed counts as declined
        ("first", 0.667, False),  # two of three
    ]
    assert not against_targets(RUN, (replace(HARM, bound=0.19),))[0].held


def test_a_target_whose_questions_were_not_asked_is_not_shown() -> None:
    assert against_targets(RUN, (replace(FIRST, kinds=("named", "typo")),)) == []
    assert against_targets(replace(RUN, settings={"leave_out_gold": True})) == []


def test_every_target_is_of_a_known_measure_and_of_kinds_that_the_fixed_set_has() -> None:
    kinds = {one.kind for one in load(FIXED)}
    assert all(one.metric in METRICS and set(one.kinds) <= kinds for one in TARGETS)
    assert len({one.what for one in TARGETS}) == len(TARGETS)
