"""What earlier turns lend a question."""

from __future__ import annotations

from assistant import Answer, Assistant, Citation
from assistant.conversation import context_of, questions
from tests.assistant.conftest import TIDECACHE


def cited(paper_id: str, marker: int) -> Citation:
    return Citation(marker, paper_id, "T", "T", "q", 0, 1, 0.5, True)


def test_no_history_lends_nothing() -> None:
    assert context_of([]).joined("How?") == "How?"
    assert context_of([]).cited == ()


def test_turns_are_questions_alone_or_with_their_answers() -> None:
    answer = Answer("b", "text", True, "extractive", 0.5)
    assert questions(["a", ("b", answer)]) == ["a", "b"]


def test_the_last_answers_papers_are_lent_once_each_in_order() -> None:
    answer = Answer("b", "text", True, "extractive", 0.5, citations=(cited("y", 1), cited("x", 2), cited("y", 1)))
    assert context_of(["a", ("b", answer)]).cited == ("y", "x")
    assert context_of([("b", answer), "a"]).cited == ()


def test_a_follow_up_is_read_with_the_turn_before(toy: Assistant) -> None:
    first = toy.answer(TIDECACHE)
    for history in ([TIDECACHE], [(TIDECACHE, first)]):
        follow_up = toy.answer("And by how much does it raise throughput?", history)
        assert follow_up.retrieved[0].title.startswith("TideCache")


def test_a_new_topic_is_not_dragged_back(toy: Assistant) -> None:
    answer = toy.answer("Which fruit does Orchard Sort grade, and with how many cameras?", [(TIDECACHE, toy.answer(TIDECACHE))])
    assert answer.retrieved[0].title.startswith("Orchard Sort")
