"""What is read off a question's words."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant import Assistant
from assistant.errors import QuestionError
from assistant.query.naming import held_as, introduces, is_held, is_particular, with_known_names
from assistant.query.question import MAX_CHARACTERS, asked_words, holds_name, names_in, read_question, summarized, understood


@pytest.mark.parametrize("text", ["", "  \n\t", "\u200b\u200e", "\x00"])
def test_a_question_of_nothing_visible_is_refused(text: str) -> None:
    with pytest.raises(QuestionError, match="empty"):
        read_question(text)


def test_an_endless_question_is_refused_with_its_length() -> None:
    with pytest.raises(QuestionError, match="100,000"):
        read_question("a" * 100_000)
    assert read_question("a" * MAX_CHARACTERS).text


@given(st.text(max_size=200))
def test_whatever_is_typed_is_a_question_or_refused(text: str) -> None:
    try:
        read = read_question(text)
    except QuestionError:
        return
    assert read.text == " ".join(read.text.split())


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("How much faster is Gravel than Adam?", {"wants_figure"}),
        ("which speedup was reached on phones", {"wants_figure"}),
        ("Why does momentum cost memory?", {"wants_cause"}),
        ("is there a sorter for apples", {"wants_name"}),
        ("Which method denoises night video?", {"wants_name"}),
        ("how do I keep momentum small", {"wants_name"}),
        ("Does Orchard Sort need a GPU?", set()),
    ],
)
def test_question_words_tell_figures_causes_and_names(question: str, wanted: set[str]) -> None:
    read = read_question(question)
    assert {kind for kind in ("wants_figure", "wants_cause", "wants_name") if getattr(read, kind)} == wanted


def test_a_mended_question_may_be_longer_than_a_typed_one() -> None:
    assert understood("a" * (MAX_CHARACTERS + 1)).text


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("How many calibration samples does Gravel need?", "calibration samples"),
        ("and which optimizer did they use?", "optimizer"),
        ("What is the exact learning rate of Gravel?", "learning rate"),
        ("What speedup and which batch size were reached?", "speedup batch size"),
        ("Does Gravel save memory?", ""),
        ("Why does Gravel save memory?", ""),
        ("how many?", ""),
    ],
)
def test_what_a_question_asks_for_is_named(question: str, wanted: str) -> None:
    assert asked_words(question) == frozenset(wanted.split())


@pytest.mark.parametrize(
    ("question", "of"),
    [
        ("tl;dr of Quiet Votes", "Quiet Votes"),
        ("one-paragraph summary of the sorted apples paper", "the sorted apples"),
        ("Can you sum up 'Moths at Dusk' please?", "'Moths at Dusk'"),
        ("What is MothNet about?", "MothNet"),
        ("TL;DR?", ""),
        ("in a nutshell?", ""),
    ],
)
def test_what_a_summary_is_asked_of(question: str, of: str) -> None:
    assert summarized(understood(question)) == of


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("and against vLLM?", ["vLLM"]),
        ("Does S-LoRA use INT6, or H_2O?", ["S-LoRA", "INT6", "H_2O"]),
        ("Can I use it? What does GPT-4 get in 2 hours?", ["GPT-4"]),
        ("How does Hydragen handle a shared prefix?", ["Hydragen"]),
        ("Why is momentum slow", []),
    ],
)
def test_names_are_told_by_their_look(question: str, names: list[str]) -> None:
    assert names_in(question) == names


def test_a_name_is_held_however_it_is_spelled() -> None:
    text = "Runs on GPUs with INT-6 weights and 3 bits; see S LoRA."
    assert all(holds_name(text, name) for name in ("GPU", "INT6", "3-bit", "S-LoRA", "s-lora"))
    assert not holds_name(text, "TPU") and not holds_name(text, "INT8")


def test_the_plural_of_a_name_that_ends_in_a_figure_is_held(starter: Assistant) -> None:
    texts = " ".join(paper.abstract for paper in starter.library.papers())
    name = re.findall(r"\b[A-Z]{1,4}\d+\b", texts)[0]
    assert is_held(f"{name}s", starter.library) and not is_held(f"{name}7s", starter.library)


def test_a_number_with_what_it_counts_is_no_name() -> None:
    assert not any(is_particular(name) for name in ("90-year-old", "12-week", "3-fold"))
    assert all(is_particular(name) for name in ("GPT-4", "vLLM", "p53-mutant", "Llama-70B"))


@pytest.mark.parametrize(
    ("typed", "read"), [("hydra-gen", "Hydragen"), ("Hydragon", "Hydragen"), ("HydragenX", None), ("Hydragen2", None), ("Hydragens", None)]
)
def test_a_name_is_read_as_the_library_spells_it_but_another_name_is_not(starter: Assistant, typed: str, read: str | None) -> None:
    text, pairs = with_known_names(f"tell me about {typed}", starter.library)
    assert pairs == (((typed, read),) if read else ())
    assert text == f"tell me about {read or typed}"


def test_a_plural_is_the_name_and_a_sign_makes_another(starter: Assistant) -> None:
    assert held_as("Hydragens", starter.library) == "Hydragen"
    assert held_as("Hydragen++", starter.library) is None


@pytest.mark.parametrize(
    "question", ["What is pembrolizumab used for?", "Tell me about HydragenX.", "Explain Mamba-7", "What is Hydragen++?", "what is ozempic"]
)
def test_what_is_asked_of_a_name_that_no_paper_has_is_declined(starter: Assistant, question: str) -> None:
    answer = starter.answer(question)
    assert not answer.answered and not answer.citations


@pytest.mark.parametrize("question", ["What is Hydragen?", "explain Hydragen", "what is hydra-gen"])
def test_what_a_title_names_is_answered_from_its_paper(starter: Assistant, question: str) -> None:
    answer = starter.answer(question)
    assert answer.answered and introduces(answer.citations[0].display_title, "Hydragen")
