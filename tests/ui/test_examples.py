from __future__ import annotations

from tests.ui.records import paper
from ui.examples import example_questions, questions_on


def library(titles: list[str]) -> list[str]:
    """What is asked of such a library before single papers are."""
    return [one for one in example_questions([paper(display_title=title) for title in titles]) if "“" not in one]


def test_examples_name_works_and_themes_of_the_library() -> None:
    questions = library(["TideKettle: Faster Tea", "OakPot: Iron Pots", "Water Heating at Sea", "Cheap Water Heating"])
    assert any("TideKettle" in question or "OakPot" in question for question in questions)
    assert "Which papers deal with water heating?" in questions


def test_a_fragment_of_a_longer_phrase_is_no_theme() -> None:
    questions = library(["Copper Kettle Handles", "New Copper Kettle Handles", "Copper Kettle Handles at Sea"])
    assert "Which papers deal with copper kettle handles?" in questions
    assert "Which papers deal with copper kettle?" not in questions


def test_what_most_titles_share_is_no_theme() -> None:
    assert library([f"Water Heating in Room{number}" for number in range(300)]) == []


def test_works_and_themes_come_in_turn_and_single_papers_last() -> None:
    titles = ["TideKettle: Faster Tea", "OakPot: Iron Pots", "Water Heating at Sea", "Cheap Water Heating"]
    first, second, *_, last = example_questions([paper(display_title=title) for title in titles])
    assert first.startswith("What does ") and second.startswith("Which papers deal with ") and last.startswith("What is “")


def test_of_several_papers_those_that_name_their_work_are_compared_and_asked_about() -> None:
    on = questions_on(["TideKettle: Faster Tea", "Water Heating at Sea", "OakPot: Iron Pots"])
    assert on[0] == "Compare TideKettle and OakPot" and len(on) == 3
    assert questions_on(["Water Heating at Sea"]) == []


def test_an_empty_library_has_no_examples() -> None:
    assert library([]) == []
