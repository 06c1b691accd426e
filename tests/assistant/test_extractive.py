"""The extractive answer: whose sentences, how many, in what form."""

from __future__ import annotations

import re

import pytest

from assistant import Assistant

MARKER = re.compile(r" ?\[\d+\]")


@pytest.mark.parametrize("question", ["How does Hydragen speed up decoding?", "Which optimizer has the memory use of SGD?"])
def test_one_papers_answer_is_its_own_sentences_within_110_words(starter: Assistant, question: str) -> None:
    answer = starter.answer(question)
    assert {citation.marker for citation in answer.citations} == {1}
    assert MARKER.sub("", answer.text) == " ".join(citation.quote for citation in answer.citations)
    assert len(MARKER.sub("", answer.text).split()) <= 110


def test_a_theme_gets_a_line_from_each_of_several_papers(starter: Assistant) -> None:
    answer = starter.answer("What approaches are there to speculative decoding?")
    lines = answer.text.splitlines()
    assert len(lines) > 1 and all(line.startswith("- ") for line in lines)
    assert [int(re.findall(r"\[(\d+)\]", line)[-1]) for line in lines] == list(range(1, len(lines) + 1))
    assert sum(len(line.split()) for line in lines) / len(lines) <= 40


def test_a_comparison_gets_both_sides(starter: Assistant) -> None:
    answer = starter.answer("How do CacheBlend and Cache-Craft differ?")
    assert {title.split(":")[0] for _, title, _ in answer.titles()} == {"CacheBlend", "Cache-Craft"}


def test_an_unsure_answer_names_the_next_paper(starter: Assistant) -> None:
    answer = starter.answer("How many parameters does the newest chatbot of the search company have?")
    if answer.answered and answer.confidence < 0.3:
        assert any(answer.retrieved[1].display_title in warning for warning in answer.warnings)
    sure = starter.answer("How does Hydragen speed up decoding?")
    assert sure.confidence > 0.3 and not sure.warnings


def test_what_no_paper_comes_near_is_declined_with_the_words_that_are_missing(starter: Assistant) -> None:
    answer = starter.answer("How long do I boil asparagus?")
    assert not answer.answered and not answer.citations
    assert answer.reason and "asparagus" in answer.reason
    assert all(paper.display_title in answer.text for paper in answer.retrieved[:3])


def test_a_misspelling_is_answered_and_told(starter: Assistant) -> None:
    answer = starter.answer("what does hydragen do for decodnig of shared prefixes")
    assert answer.citations[0].title.startswith("Hydragen")
    assert any("decoding" in warning for warning in answer.warnings)


def test_what_a_misspelt_question_asks_for_is_understood(starter: Assistant) -> None:
    answer = starter.answer("which approches are there to speculative decoding?")
    assert len(answer.titles()) > 1


def test_no_line_of_several_points_back_where_another_sentence_is_there(starter: Assistant) -> None:
    answer = starter.answer("Which papers deal with mixture of experts?")
    assert len(answer.titles()) > 2
    assert not [citation.quote for citation in answer.citations if citation.quote.startswith(("This ", "It ", "These ", "Their "))]
