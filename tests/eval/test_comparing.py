"""Two runs question by question: the test against one worked by hand, and what is told."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import pytest
from typer.testing import CliRunner

from eval.cli import app
from eval.compare import ComparingError, compare, randomisation_test
from eval.metrics import Result
from eval.questions import GoldQuestion
from eval.results import Run

GOLDS = tuple(GoldQuestion(f"q{number:02}", f"Is it {number}?", "named", ("T",), ()) for number in range(20))
RIGHT = Result(("T",), "Yes. [1]", ("T",), True, 5.0)
WRONG = Result(("U",), "Yes. [1]", ("U",), True, 5.0)


def a_run(results: Sequence[Result], golds: tuple[GoldQuestion, ...] = GOLDS) -> Run:
    return Run({"llm": "extractive"}, golds, tuple(results))


def saved(path: Path, run: Run) -> str:
    path.write_text(json.dumps(run.document()))
    return str(path)


def test_the_p_value_is_that_of_all_signs() -> None:
    differences = [1.0, 1.0, 1.0, -1.0, 1.0, 0.0, 1.0, 0.5]
    sums = [abs(sum(sign * one for sign, one in zip(signs, differences, strict=True))) for signs in product((-1, 1), repeat=8)]
    exact = sum(one >= abs(sum(differences)) for one in sums) / len(sums)
    assert randomisation_test(differences) == pytest.approx(exact, abs=0.01)
    assert randomisation_test([0.0, 0.0]) == 1.0


def test_a_run_does_not_differ_from_itself() -> None:
    assert not any(one.significant or one.flips for one in compare(a_run([RIGHT] * 20), a_run([RIGHT] * 20)))


def test_what_differs_is_told_with_the_questions_that_flipped() -> None:
    found = {one.metric: one for one in compare(a_run([RIGHT] * 20), a_run([WRONG] * 8 + [RIGHT] * 12))}
    harm = found["harm"]
    assert (harm.n, harm.before, harm.after, harm.verdict) == (20, 0.0, 0.4, "worse")
    assert harm.bounds[0] > 0 and harm.p < 0.05
    assert [flip.id for flip in harm.flips] == [f"q{number:02}" for number in range(8)]
    assert found["hit@1"].verdict == "worse" and found["coverage"].verdict == ""


def test_one_flip_in_twenty_is_chance() -> None:
    (harm,) = (one for one in compare(a_run([RIGHT] * 20), a_run([WRONG, *[RIGHT] * 19])) if one.metric == "harm")
    assert harm.verdict == "" and len(harm.flips) == 1


@pytest.mark.parametrize(
    ("golds", "told"),
    [
        (GOLDS[:10], "20 and 10"),
        (GOLDS[1:] + GOLDS[:1], "“q00” and “q01”"),
        ((GoldQuestion("q00", "Is it 0?", "named", ("other",), ()), *GOLDS[1:]), "“q00” is asked or judged in another way"),
    ],
)
def test_runs_over_other_questions_are_refused(golds: tuple[GoldQuestion, ...], told: str) -> None:
    with pytest.raises(ComparingError, match=told):
        compare(a_run([RIGHT] * 20), a_run([RIGHT] * len(golds), golds))


def test_the_command_lists_what_flipped(tmp_path: Path) -> None:
    paths = [saved(tmp_path / "a.json", a_run([RIGHT] * 20)), saved(tmp_path / "b.json", a_run([WRONG] * 8 + [RIGHT] * 12))]
    said = CliRunner().invoke(app, ["compare", *paths])
    assert said.exit_code == 0 and "harm is worse: 8 questions flipped" in said.stdout and "q07" in said.stdout
    document = json.loads(CliRunner().invoke(app, ["compare", *paths, "--json"]).stdout)
    assert next(one for one in document if one["metric"] == "harm")["verdict"] == "worse"


def test_files_that_are_no_runs_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"settings": {}}')
    for given, told in ((tmp_path / "a.json", "not the document of a run"), (tmp_path / "none.json", "cannot be read")):
        said = CliRunner().invoke(app, ["compare", str(given), str(given)])
        assert said.exit_code == 1 and told in said.stderr and "Traceback" not in said.output
