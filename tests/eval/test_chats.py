"""What is right alone, asked after turns about other papers."""

from __future__ import annotations

from assistant import Assistant
from eval.chats import NAMED, WORDINGS, by_name, is_right, measure
from eval.questions import GoldQuestion
from index import Library

TIDE = "TideCache: Reusing Prompt Prefixes Across Chat Sessions"
ORCHARD = "Orchard Sort: Ranking Apples with Three Cameras"
GOLDS = [
    GoldQuestion("t", "How does TideCache cut time to first token?", "named", (TIDE,), ()),
    GoldQuestion("o", "Which fruit does Orchard Sort grade, and with how many cameras?", "named", (ORCHARD,), ()),
    GoldQuestion("n", "What is Sandcastle-9?", "absent", (), ()),
    GoldQuestion("f", "and how fast is it?", "follow_up", (TIDE,), (), history=("What is TideCache?",)),
]


def test_each_is_asked_alone_then_after_another_paper(toy_library: Library) -> None:
    assistant = Assistant(toy_library.home, library=toy_library)
    ticks: list[int] = []
    found = measure(assistant, GOLDS[:3], names=0, chats=1, tick=lambda: ticks.append(1))
    one, none = found.groups
    assert (one.group, one.n, one.alone) == ("one paper", 2, 2)
    assert (none.group, none.n, none.alone) == ("absent", 1, 1)
    assert found.long is not None and len(ticks) > 2 + 1


def test_follow_ups_are_left_to_the_question_set(toy_library: Library) -> None:
    found = measure(Assistant(toy_library.home, library=toy_library), GOLDS[3:], names=0, chats=0)
    assert found.groups == () and found.long is None


def test_a_name_of_its_own_is_asked_for_in_every_wording(toy_library: Library) -> None:
    asked = by_name(toy_library, 1)
    assert len(asked) == len(WORDINGS) and {one.kind for one in asked} == {NAMED} and len({one.gold_titles for one in asked}) == 1


def test_right_is_the_gold_paper_first_or_a_decline_where_there_is_none(toy_library: Library) -> None:
    answer = Assistant(toy_library.home, library=toy_library).answer(GOLDS[0].question)
    assert is_right(GOLDS[0], answer) and not is_right(GOLDS[1], answer) and not is_right(GOLDS[2], answer)
