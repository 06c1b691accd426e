"""Which questions of a set are asked."""

from __future__ import annotations

import pytest

from eval.questions import GoldQuestion, QuestionSetError, first_of_each_kind, of_kinds, with_gold

KINDS = ["named", "absent", "named", "typo", "absent", "named"]
QUESTIONS = [GoldQuestion(str(number), "?", kind, () if kind == "absent" else ("A",), ()) for number, kind in enumerate(KINDS)]


def ids(questions: list[GoldQuestion]) -> str:
    return "".join(one.id for one in questions)


def test_kinds_are_kept_in_the_order_of_the_set() -> None:
    assert ids(of_kinds(QUESTIONS, ["typo", "absent"])) == "134"


def test_an_unknown_kind_is_told_with_the_known_ones_and_the_nearest() -> None:
    with pytest.raises(QuestionSetError, match=r"“nmaed” .did you mean “named”.*named, absent, typo"):
        of_kinds(QUESTIONS, ["typo", "nmaed"])


def test_the_first_of_each_kind_are_kept() -> None:
    assert ids(first_of_each_kind(QUESTIONS, 1)) == "013"
    assert ids(first_of_each_kind(QUESTIONS, 2)) == "01234"


def test_questions_without_gold_are_skipped() -> None:
    assert ids(with_gold(QUESTIONS)) == "0235"
    with pytest.raises(QuestionSetError, match="none of these questions has gold"):
        with_gold(QUESTIONS[1:2])
