"""The question sets that ship, and bad ones."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from eval import questions
from eval.train import data
from index import Library, Paper


def test_the_fixed_set_is_whole() -> None:
    fixed = questions.load(questions.FIXED)
    assert len(fixed) == 340 == len({one.id for one in fixed})
    kinds = Counter(one.kind for one in fixed)
    assert kinds["paraphrase"] == 40 and kinds["refused_follow_up"] == 12 and len(kinds) == 16
    assert all(one.history for one in fixed if one.kind == "follow_up")
    assert all(not one.gold_titles for one in fixed if one.kind in {"absent", "offtopic", "missing_detail", "refused_follow_up"})


def test_every_gold_title_is_a_starter_paper(starter_home: Path) -> None:
    titles = {paper.title for paper in Library(starter_home).papers()}
    assert {title for one in questions.load(questions.FIXED) for title in one.gold_titles} <= titles
    assert {one.title for one in data.load()} <= titles


def test_the_training_set_is_whole() -> None:
    assert len(data.load()) == 2550
    assert len({one.title for one in data.load()}) == 425
    assert all(bool(one.evidence) != (one.kind == data.UNSTATED) for one in data.load())


def test_everyday_questions_are_not_in_the_fixed_set() -> None:
    everyday = data.load_offtopic()
    assert len(everyday) == 100 == len(set(everyday))
    assert not set(everyday) & {one.question for one in questions.load(questions.FIXED)}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no question"),
        ("\n\n", "holds no question"),
        ("{", "line 1: not a question"),
        ('{"id": "a"}', "line 1: 'question' is missing"),
        ('{"id": "a", "question": "b", "kind": "c", "gold_titles": 3, "facts": []}', "line 1: not a question"),
        ("[]", "line 1: not a question"),
        ('{"id": "a", "question": 3, "kind": "c", "gold_titles": [], "facts": []}', "line 1: not a question.*3 is not text"),
        ('{"id": "a", "question": "b", "kind": "c", "gold_titles": "T", "facts": []}', "line 1: not a question.*is not a list"),
    ],
)
def test_a_bad_set_is_refused_naming_the_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text(text)
    with pytest.raises(questions.QuestionSetError, match=message):
        questions.load(path)


def test_a_set_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(questions.QuestionSetError, match="cannot be read"):
        questions.load(tmp_path / "none.jsonl")


def test_evidence_in_the_sources_text_is_found_in_the_repaired_one() -> None:
    raw = "Cache it. It is 2.4times faster. Done."
    paper = Paper("0" * 12, "T", "T", "Cache it. It is 2.4× faster. Done.", raw)
    start = raw.index("It is")
    asked = data.TrainingQuestion("t", "?", "detail", "T", ((start, start + len("It is 2.4times faster.")),))
    assert data.labels(asked, paper, ((0, 9), (10, 28), (29, 34))) == [False, True, False]


def test_evidence_of_another_text_is_not_used() -> None:
    paper = Paper("0" * 12, "T", "T", "A summary.", "A summary.")
    assert data.labels(data.TrainingQuestion("t", "?", "detail", "T", ((50, 80),)), paper, ((0, 10),)) is None


def test_our_own_set_is_shown_without_the_folder_of_this_machine(tmp_path: Path) -> None:
    assert questions.shown(questions.FIXED) == "eval/questions.jsonl"
    assert questions.shown(tmp_path / "own.csv") == str(tmp_path / "own.csv")
