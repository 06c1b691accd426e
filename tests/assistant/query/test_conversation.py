"""What earlier turns lend a question."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant import Answer, Assistant, Citation
from assistant.query.conversation import Context, Turn, asks_the_same, chooses_among, context_of, leans_back, leaves_the_paper, questions
from index import Library
from index.embedding import MiniLM
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


def test_a_question_is_lent_all_the_turns_back_to_one_that_stands_alone() -> None:
    history = ["What is Gravel?", "How does TideCache evict?", "and what does it save?", "is that much?"]
    assert context_of(history).previous == "How does TideCache evict? and what does it save? is that much?"


@pytest.mark.parametrize("question", ["and on phones?", "why?", "How fast is it?", "what about apples", "Does the second one need labels?"])
def test_words_that_point_back_are_seen(question: str) -> None:
    assert leans_back(question)


@pytest.mark.parametrize(
    "question", ["How does MothNet wire hidden units?", "forget it, how are apples graded?", "Which methods denoise video?"]
)
def test_a_question_that_stands_alone_or_turns_away_does_not_lean(question: str) -> None:
    assert not leans_back(question)


@pytest.mark.parametrize(
    ("question", "paper"),
    [
        ("how fast is the first one?", "a"),
        ("And the second?", "b"),
        ("[3]?", "c"),
        ("does the latter need labels", None),
        ("the latter, does it need labels", "b"),
        ("and the last paper", "c"),
        ("the first of these", "a"),
        ("the fifth one", None),
        ("[7]", None),
        ("what happens in the first half of training", None),
        ("What is the first method for training on spikes?", None),
        ("Which paper was the first paper to quantize diffusion models?", None),
        ("Which of them came first?", None),
        ("why did it fail at first?", None),
        ("what does their second method save", None),
    ],
)
def test_a_paper_of_the_last_answer_can_be_meant_by_its_number(question: str, paper: str | None) -> None:
    assert Context("q", ("a", "b", "c")).pointed_at(question) == paper
    assert Context("q", ()).pointed_at(question) is None


def test_where_fewer_were_cited_the_next_one_found_is_meant() -> None:
    context = Context("q", ("b",), found=("a", "b", "c"))
    assert [context.pointed_at(f"[{number}]?") for number in range(1, 5)] == ["b", "a", "c", None]
    assert context.pointed_at("and the last one?") == "b"


def test_of_one_paper_an_ordinal_names_something_that_it_tells_of() -> None:
    context = Context("q", ("b",), found=("a", "b", "c"))
    assert context.pointed_at("which format does the second one beat?") is None
    assert Context("q", (), found=("a", "b")).pointed_at("and the second one?") == "b"


@pytest.mark.parametrize("question", ["same but for phones?", "and the same for mice?", "Same with fewer labels"])
def test_the_question_before_asked_of_something_else_says_nothing_alone(question: str) -> None:
    assert asks_the_same(question) and leaves_the_paper(question)


def test_who_is_put_right_is_not_held_to_the_paper_before() -> None:
    assert leaves_the_paper("no, I meant for training") and leaves_the_paper("sorry, with labels")
    assert not leaves_the_paper("and for training?") and not leaves_the_paper("is it the same paper?")
    assert not asks_the_same("the same paper, how many runs?")


def test_one_of_those_at_hand_is_told_from_one_of_all() -> None:
    assert chooses_among("which of these is fastest?") and chooses_among("do any of them need labels?")
    assert not chooses_among("which one is fastest?") and not chooses_among("what is made of this?")


def test_the_paper_meant_by_its_number_answers(starter: Assistant) -> None:
    first = starter.answer("Which papers deal with speculative decoding?")
    assert len(first.titles()) > 2
    for number, word in ((2, "second"), (3, "third")):
        follow_up = starter.answer(f"and how much faster is the {word} one?", [(first.question, first)])
        assert follow_up.citations[0].display_title == first.titles()[number - 1][1]


def test_a_new_question_with_an_ordinal_is_not_dragged_back(starter: Assistant) -> None:
    first = starter.answer("How do CacheBlend and Cache-Craft differ?")
    question = "What is the first method for training spiking neural networks?"
    after, alone = starter.answer(question, [(first.question, first)]), starter.answer(question)
    assert after.retrieved[0].title == alone.retrieved[0].title


def test_earlier_turns_may_hold_anything_that_a_question_may(toy: Assistant) -> None:
    assert toy.answer("and how fast is it?", ["What is \ud800 TideCache\x00?"]).retrieved


def test_what_leans_on_a_question_without_an_answer_has_none_either(starter: Assistant) -> None:
    first = starter.answer("How do I bake sourdough bread?")
    assert not first.answered
    follow_up = starter.answer("and how much memory does it save?", [(first.question, first)])
    assert not follow_up.answered
    assert starter.answer("How does Hydragen speed up decoding?", [(first.question, first)]).answered


def test_after_a_decline_a_question_that_says_enough_stands_alone(starter: Assistant) -> None:
    asked = "What is the boiling point of ethanol?"
    declined = starter.answer(asked)
    assert not declined.answered
    follow_up = starter.answer("What about quantizing the KV cache?", [(asked, declined)])
    assert follow_up.answered and follow_up.titles() == starter.answer("What about quantizing the KV cache?").titles()
    leaning = starter.answer("and how hot is it there?", [(asked, declined)])
    assert not leaning.answered


@pytest.mark.parametrize(
    "question", ["How does Hydragen work?", "What is Hydragen?", "what about Hydragen?", "and Hydragen?", "Tell me about Hydragen"]
)
def test_a_question_that_names_what_the_turn_before_lacks_stands_alone(starter: Assistant, question: str) -> None:
    before = "What problem does SVDQuant solve?"
    answer = starter.answer(question, [(before, starter.answer(before))])
    assert answer.answered
    assert answer.citations[0].title.startswith("Hydragen")


def test_a_name_asked_about_after_a_decline_is_answered(starter: Assistant) -> None:
    before = "How do I bake sourdough bread?"
    declined = starter.answer(before)
    assert not declined.answered
    assert starter.answer("what about Hydragen?", [(before, declined)]).citations[0].title.startswith("Hydragen")


@pytest.mark.parametrize("question", ["and the other number from the same paper?", "and that one there?"])
def test_a_few_words_about_the_paper_before_are_of_its_field(starter: Assistant, question: str) -> None:
    first = starter.answer("How does Hydragen handle a shared prefix?")
    then = starter.answer(question, [(first.question, first)])
    assert then.retrieved[0].paper_id == first.citations[0].paper_id
    assert "comes near" not in (then.reason or "")


def test_turns_whose_answers_cite_other_papers_do_not_go_on() -> None:
    first = Answer("What is Gravel?", "text", True, "extractive", 0.5, citations=(cited("x", 1),))
    second = Answer("and TideCache?", "text", True, "extractive", 0.5, citations=(cited("y", 1),))
    assert context_of([("What is Gravel?", first), ("and TideCache?", second)]).previous == "and TideCache?"


def test_no_turn_before_makes_a_decline(tmp_path: Path, minilm: MiniLM) -> None:
    """In a library of two papers no word is rare enough to tell a change of subject by."""
    (tmp_path / "two.bib").write_text(
        "@article{a, title={Beavers and the Water Table}, abstract={Groundwater levels were followed for ten years in twelve wetlands, six "
        "of which beavers had resettled. Where they built dams the water rose by 41 cm.}}\n"
        "@article{b, title={Counting Bees by Ear}, abstract={Visits of bumblebees to clover were counted by microphones and by people. A "
        "classifier on wingbeat sound found 93 in 100 of the visits, at one false alarm an hour.}}\n"
    )
    library = Library(tmp_path / "home", minilm)
    library.add([str(tmp_path / "two.bib")])
    assistant = Assistant(tmp_path / "home", library=library)
    first = assistant.answer("How were bumblebee visits counted?")
    then = assistant.answer("What about beavers, how long were levels followed?", [(first.question, first)])
    assistant.close()
    assert first.answered and then.answered and then.citations[0].title == "Beavers and the Water Table"


@pytest.fixture(scope="module")
def after_several(starter: Assistant) -> list[Turn]:
    """A turn whose answer cites several papers."""
    several = starter.answer("Which papers deal with speculative decoding?")
    assert len(several.titles()) > 2
    return [(several.question, several)]


@pytest.fixture(scope="module")
def after_one(starter: Assistant) -> list[Turn]:
    """A turn whose answer cites one paper."""
    one = starter.answer("How does Hydragen handle a shared prefix?")
    return [(one.question, one)]


@pytest.mark.parametrize("question", ["list their authors", "which of them is the most recent?", "just the titles", "who wrote them?"])
def test_records_are_those_of_the_papers_at_hand(starter: Assistant, after_several: list[Turn], question: str) -> None:
    before = after_several[-1][1]
    answer = starter.answer(question, after_several)
    assert isinstance(before, Answer) and answer.titles() == before.titles()


def test_a_year_that_no_paper_at_hand_is_of_is_said(starter: Assistant, after_several: list[Turn]) -> None:
    for question in ("the 1987 one", "only those from 1987"):
        assert "1987" in (starter.answer(question, after_several).reason or "")


@pytest.mark.parametrize("question", ["the second one", "number 2"])
def test_a_picked_paper_answers_alone(starter: Assistant, after_several: list[Turn], question: str) -> None:
    before = after_several[-1][1]
    assert isinstance(before, Answer)
    assert [title for _, title, _ in starter.answer(question, after_several).titles()] == [before.titles()[1][1]]


@pytest.mark.parametrize("question", ["who are the authors?", "is there a link?", "whose work is it?"])
def test_what_is_asked_of_the_record_is_told_from_it(starter: Assistant, after_one: list[Turn], question: str) -> None:
    assert "Its record" in starter.answer(question, after_one).text


@pytest.mark.parametrize("question", ["any newer ones?", "are there others?", "anything else?", "more like this"])
def test_other_papers_are_the_nearest_to_the_one_at_hand(starter: Assistant, after_one: list[Turn], question: str) -> None:
    answer = starter.answer(question, after_one)
    assert answer.text.startswith("Nearest to “Hydragen") and all("Hydragen" not in title for _, title, _ in answer.titles())


def test_a_name_that_the_paper_before_lacks_is_not_answered_from_it(starter: Assistant, after_one: list[Turn]) -> None:
    assert not starter.answer("and how does it run on MI300X?", after_one).answered


def test_a_count_of_something_in_the_paper_is_no_count_of_papers(starter: Assistant, after_one: list[Turn]) -> None:
    assert "papers" not in starter.answer("How many runs is that based on?", after_one).text.splitlines()[0]


def test_the_same_of_what_the_paper_before_never_mentions_is_not_sought_in_it(starter: Assistant, after_one: list[Turn]) -> None:
    answer = starter.answer("same but for optical flow?", after_one)
    assert not answer.retrieved[0].title.startswith("Hydragen")


def test_what_is_compared_with_a_name_that_neither_paper_has_is_declined(starter: Assistant, after_one: list[Turn]) -> None:
    answer = starter.answer("and against MI300X?", after_one)
    assert not answer.answered


@pytest.mark.parametrize("question", ["How is a library of texts searched fast?", "What makes training on many cards cheap?"])
def test_what_is_answered_surely_alone_is_not_answered_from_the_turn_before(
    starter: Assistant, after_one: list[Turn], question: str
) -> None:
    alone = starter.answer(question)
    after = starter.answer(question, after_one)
    assert not alone.answered or alone.confidence < 0.5 or after.titles() == alone.titles()
