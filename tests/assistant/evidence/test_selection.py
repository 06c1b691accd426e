"""Which sentences are taken for an answer."""

from __future__ import annotations

import pytest

from assistant.evidence.readers import Readers
from assistant.evidence.selection import Evidence, choose, study
from assistant.query.question import read_question
from assistant.retrieval.retriever import retrieve
from index import Library, Paper
from index.sentences import sentence_spans


def evidence(abstract: str, scores: list[float]) -> list[Evidence]:
    paper = Paper("0" * 12, "T", "T", abstract, abstract)
    spans = sentence_spans(abstract)
    return [Evidence(paper, number, *span, score) for number, (span, score) in enumerate(zip(spans, scores, strict=True))]


FOUR = "Alpha comes first here. Beta follows it now. Gamma is the third one. Delta ends it all."


def test_the_best_sentence_leads_then_come_the_others_as_the_abstract_has_them() -> None:
    chosen = choose(evidence(FOUR, [0.5, 0.4, 0.9, 0.6]), words=100, sentences=4)
    assert [one.position for one in chosen] == [2, 0, 1, 3]


def test_the_budgets_of_words_and_sentences_hold() -> None:
    assert [one.position for one in choose(evidence(FOUR, [0.5, 0.4, 0.9, 0.6]), words=9, sentences=4)] == [2, 3]
    assert [one.position for one in choose(evidence(FOUR, [0.5, 0.4, 0.9, 0.6]), words=100, sentences=2)] == [2, 3]


def test_the_best_is_taken_whatever_its_length() -> None:
    assert [one.position for one in choose(evidence(FOUR, [0.1, 0.1, 0.9, 0.1]), words=2, sentences=4)] == [2]


@pytest.mark.parametrize(
    ("sentence", "alone"),
    [
        ("Trees help caches.", True),
        ("We show that it helps.", False),
        ("Together they help caches.", False),
        ("In addition, trees help.", False),
        ("This wastes time.", False),
        ("Experiments with five models show that it holds.", True),
        ("Item counts fall by half.", True),
    ],
)
def test_a_line_of_its_own_is_understood_without_the_sentence_before(sentence: str, alone: bool) -> None:
    assert evidence(sentence, [0.5])[0].stands_alone == alone


def test_a_sentence_that_points_back_brings_the_one_before() -> None:
    found = evidence("Prefixes repeat. This wastes time. Trees help.", [0.3, 0.9, 0.5])
    assert [one.position for one in choose(found, words=100, sentences=2)] == [0, 1]


def test_it_comes_alone_where_there_is_no_room_for_both() -> None:
    found = evidence("Prefixes repeat. This wastes time. Trees help.", [0.3, 0.9, 0.5])
    assert [one.position for one in choose(found, words=4, sentences=2)] == [1]


def test_what_is_far_less_likely_to_answer_is_left_out() -> None:
    assert [one.position for one in choose(evidence(FOUR, [0.9, 0.5, 0.05, 0.01]), words=100, sentences=4)] == [0, 1]


def test_nothing_is_chosen_of_nothing() -> None:
    assert choose([], 90, 4) == []


@pytest.mark.parametrize(
    ("question", "start"),
    [
        ("By how much does TideCache cut time to first token?", "On three traces"),
        ("Why does TideCache leave accuracy unchanged?", "Accuracy is unchanged"),
    ],
)
def test_the_sentence_that_answers_scores_best(toy_library: Library, question: str, start: str) -> None:
    asked = read_question(question)
    toy_library.reopen_if_moved()
    found = retrieve(toy_library, asked.text)
    (paper,) = [paper for paper in toy_library.papers() if paper.title.startswith("TideCache")]
    (found_out,) = study(toy_library, Readers(), found, asked, [hit for hit in found.hits if hit.paper_id == paper.paper_id], reads=4)
    assert found_out.reading is None
    assert max(found_out.sentences, key=lambda one: one.score).text.startswith(start)
