"""A run that was stopped half way goes on where it stopped."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from eval.answer_text import Cited
from eval.metrics import Result
from eval.questions import GoldQuestion
from eval.results import Checkpoint

GOLDS = [GoldQuestion(name, f"{name}?", "named", ("T",), (("6x",),)) for name in "abc"]
GIVEN = Result(("T", "U"), "6x [1]", ("T",), True, 5.0, None, 0.4, (Cited(1, "T", "6x", True, True),), "extractive", None, ("w",), 2.0)


@pytest.fixture
def asked() -> list[str]:
    return []


@pytest.fixture
def ask(asked: list[str]) -> Callable[[GoldQuestion], Result]:
    def answer(gold: GoldQuestion) -> Result:
        asked.append(gold.id)
        return GIVEN

    return answer


def test_what_is_known_is_not_asked_again_and_comes_back_as_it_was(tmp_path: Path, asked: list[str], ask: Callable[..., Result]) -> None:
    first = Checkpoint(tmp_path / "out.json", {"llm": "x"}).through("one", ask)
    assert [first(gold) for gold in GOLDS[:2]] == [GIVEN, GIVEN]
    again = Checkpoint(tmp_path / "out.json", {"llm": "x"})
    assert len(again) == 2
    assert [again.through("one", ask)(gold) for gold in GOLDS] == [GIVEN] * 3
    assert asked == ["a", "b", "c"]


def test_other_settings_begin_anew(tmp_path: Path, asked: list[str], ask: Callable[..., Result]) -> None:
    Checkpoint(tmp_path / "out.json", {"llm": "x"}).through("one", ask)(GOLDS[0])
    assert len(Checkpoint(tmp_path / "out.json", {"llm": "y"})) == 0
    assert len(Checkpoint(tmp_path / "out.json", {"llm": "x"})) == 0


def test_another_set_up_is_asked_for_itself(tmp_path: Path, asked: list[str], ask: Callable[..., Result]) -> None:
    kept = Checkpoint(tmp_path / "out.json", {})
    kept.through("one", ask)(GOLDS[0])
    Checkpoint(tmp_path / "out.json", {}).through("two", ask)(GOLDS[0])
    assert asked == ["a", "a"] and len(Checkpoint(tmp_path / "out.json", {})) == 2


def test_a_line_that_was_cut_off_is_asked_again(tmp_path: Path, asked: list[str], ask: Callable[..., Result]) -> None:
    kept = Checkpoint(tmp_path / "out.json", {})
    for gold in GOLDS[:2]:
        kept.through("one", ask)(gold)
    kept.path.write_bytes(kept.path.read_bytes()[:-40])
    again = Checkpoint(tmp_path / "out.json", {})
    assert len(again) == 1
    again.through("one", ask)(GOLDS[1])
    assert asked == ["a", "b", "b"] and len(Checkpoint(tmp_path / "out.json", {})) == 2


def test_what_failed_is_asked_again(tmp_path: Path) -> None:
    failed = Result((), "", (), False, 1.0, "boom")
    assert Checkpoint(tmp_path / "out.json", {}).through("one", lambda gold: failed)(GOLDS[0]) == failed
    assert len(Checkpoint(tmp_path / "out.json", {})) == 0


def test_the_file_goes_when_all_is_written(tmp_path: Path, ask: Callable[..., Result]) -> None:
    kept = Checkpoint(tmp_path / "out.json", {})
    kept.through("one", ask)(GOLDS[0])
    kept.done()
    assert not kept.path.exists()
