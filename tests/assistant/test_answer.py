"""The answer's contract: over the toy library where that is enough, over the starter library with the real model else."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import assistant
from assistant import Answer, Assistant, Done, Event, Retrieved, Text
from assistant.errors import EmptyLibraryError, QuestionError
from index import SUMMARY_NOTE, Library
from index.embedding import ToyEmbedder
from tests.assistant.conftest import TIDECACHE

NUMBER = (int, float)
KEYS: dict[str, Any] = {
    "question": str,
    "text": str,
    "answered": bool,
    "mode": str,
    "confidence": float,
    "reason": (str, type(None)),
    "citations": list,
    "retrieved": list,
    "warnings": list,
    "timings_ms": dict,
    "usage": (dict, type(None)),
}
CITATION_KEYS: dict[str, Any] = {
    "marker": int,
    "paper_id": str,
    "title": str,
    "display_title": str,
    "quote": str,
    "start": int,
    "end": int,
    "score": NUMBER,
    "supported": bool,
    "url": (str, type(None)),
    "date": (str, type(None)),
    "sources": list,
    "note": (str, type(None)),
    "authors": list,
    "venue": (str, type(None)),
    "doi": (str, type(None)),
    "arxiv_id": (str, type(None)),
    "contradicted": bool,
}
RETRIEVED_KEYS: dict[str, Any] = {
    "paper_id": str,
    "title": str,
    "display_title": str,
    "score": NUMBER,
    "date": (str, type(None)),
    "url": (str, type(None)),
}
OFF_TOPIC = "What is the best recipe for sourdough bread with olives?"
QUESTIONS = [
    "How does speculative decoding speed up language models?",
    "Which papers compress the key-value cache?",
    "Compare quantization and pruning of large language models.",
    "What is retrieval-augmented generation?",
    OFF_TOPIC,
]


def assert_typed(record: dict[str, Any], keys: dict[str, Any]) -> None:
    assert list(record) == list(keys)
    for key, kind in keys.items():
        assert isinstance(record[key], kind), (key, record[key])


def assert_contract(answer: Answer, library: Library) -> None:
    """Everything that scripts hold on to."""
    document = json.loads(json.dumps(answer.to_dict()))
    assert document == answer.to_dict()
    assert_typed(document, KEYS)
    for citation in document["citations"]:
        assert_typed(citation, CITATION_KEYS)
    for paper in document["retrieved"]:
        assert_typed(paper, RETRIEVED_KEYS)
    assert list(document["timings_ms"]) == ["retrieve", "read", "generate", "first_text", "total"]
    assert all(0 <= value <= document["timings_ms"]["total"] for value in document["timings_ms"].values())
    assert 0 <= answer.confidence <= 1
    assert len(answer.retrieved) == min(10, library.catalogue.count())
    scores = [paper.score for paper in answer.retrieved]
    assert scores == sorted(scores, reverse=True)
    assert_markers(answer)
    papers = {paper.paper_id: paper for paper in library.papers([citation.paper_id for citation in answer.citations])}
    for citation in answer.citations:
        paper = papers[citation.paper_id]
        assert citation.quote == paper.abstract[citation.start : citation.end]
        assert citation.quote
        assert (citation.title, citation.display_title, citation.note) == (paper.title, paper.display_title, paper.note)
        assert 0 <= citation.score <= 1
    if answer.answered:
        assert answer.citations and answer.reason is None
    else:
        assert not answer.citations and answer.reason
        assert answer.reason in answer.text
        assert all(paper.display_title in answer.text for paper in answer.retrieved[:3])


def assert_markers(answer: Answer) -> None:
    """Numbered by first use, one for each paper, and each has its citation."""
    used = [int(number) for number in re.findall(r"\[(\d+)\]", answer.text)] if answer.answered else []
    assert list(dict.fromkeys(used)) == list(range(1, len(set(used)) + 1))
    assert set(used) == {citation.marker for citation in answer.citations}
    assert len({(citation.marker, citation.paper_id) for citation in answer.citations}) == len(set(used))


@pytest.mark.parametrize("question", QUESTIONS)
def test_answers_of_the_starter_library_keep_the_contract(starter: Assistant, question: str) -> None:
    answer = starter.answer(question)
    assert_contract(answer, starter.library)
    assert answer.question == question
    assert (answer.mode, answer.usage) == ("extractive", None)


def test_what_the_library_answers_is_answered_and_what_it_cannot_is_declined(starter: Assistant) -> None:
    assert starter.answer(QUESTIONS[0]).answered
    assert not starter.answer(OFF_TOPIC).answered


def test_starter_papers_are_marked_as_summaries_wherever_quoted(starter: Assistant) -> None:
    answer = starter.answer(QUESTIONS[0])
    assert {citation.note for citation in answer.citations} == {SUMMARY_NOTE}
    assert SUMMARY_NOTE in str(answer)


def test_as_text_an_answer_is_its_text_then_its_numbered_titles(starter: Assistant) -> None:
    answer = starter.answer(QUESTIONS[1])
    text, _, titles = str(answer).partition("\n\n")
    assert text == answer.text
    lines = titles.splitlines()
    assert len(lines) == len({citation.marker for citation in answer.citations})
    for number, line in enumerate(lines, 1):
        [title] = {citation.display_title for citation in answer.citations if citation.marker == number}
        assert line.startswith(f"[{number}] {title}")


@pytest.mark.parametrize("question", [TIDECACHE, OFF_TOPIC])
def test_toy_answers_keep_the_contract(toy: Assistant, question: str) -> None:
    assert_contract(toy.answer(question), toy.library)


def assert_stream(events: list[Event]) -> None:
    assert isinstance(events[0], Retrieved)
    done = events[-1]
    assert isinstance(done, Done)
    assert events[0].papers == done.answer.retrieved
    middle = events[1:-1]
    assert all(isinstance(event, Text) for event in middle)
    assert "".join(event.delta for event in middle if isinstance(event, Text)) == done.answer.text


@pytest.mark.parametrize("question", [QUESTIONS[1], OFF_TOPIC])
def test_a_stream_is_what_was_retrieved_then_the_text_then_the_answer(starter: Assistant, question: str) -> None:
    assert_stream(list(starter.stream(question)))


def same(answers: list[Answer]) -> list[dict[str, Any]]:
    """Without what differs from run to run."""
    return [{key: value for key, value in answer.to_dict().items() if key != "timings_ms"} for answer in answers]


def test_threads_at_once_get_the_answers_of_one_after_the_other(starter: Assistant) -> None:
    asked = QUESTIONS * 5
    alone = same([starter.answer(question) for question in QUESTIONS]) * 5
    with ThreadPoolExecutor(8) as pool:
        together = same(list(pool.map(starter.answer, asked)))
    assert together == alone


def test_threads_that_are_first_on_a_fresh_assistant_get_the_same_answer(toy_library: Library) -> None:
    home = toy_library.home
    toy_library.close()
    fresh = Assistant(home, library=Library(home, ToyEmbedder()))
    with ThreadPoolExecutor(8) as pool:
        answers = same(list(pool.map(fresh.answer, [TIDECACHE] * 16)))
    assert all(answer == answers[0] for answer in answers)
    assert answers[0]["answered"]


def test_search_gives_papers_best_first_and_at_most_so_many(starter: Assistant) -> None:
    found = starter.search("kv cache compression", k=7)
    assert len(found) == 7
    assert [paper.score for paper in found] == sorted((paper.score for paper in found), reverse=True)
    assert len({paper.paper_id for paper in found}) == 7
    assert "cache" in found[0].title.lower()


@pytest.mark.parametrize("question", ["", " \n\t ", "\u200b", "x" * 100_000])
def test_a_question_that_cannot_be_read_is_refused(toy: Assistant, question: str) -> None:
    with pytest.raises(QuestionError, match="the question"):
        toy.answer(question)


@pytest.mark.parametrize("question", ["?", "the of and", "fruit \ud800", "🦉" * 50, "' OR 1=1 --", '"unclosed (NEAR', "a" * 3999, "naïve"])
def test_an_odd_question_still_gets_an_answer_that_keeps_the_contract(toy: Assistant, question: str) -> None:
    assert_contract(toy.answer(question), toy.library)


def test_an_empty_home_says_what_to_do(own_home: object) -> None:
    with pytest.raises(EmptyLibraryError, match=r"has no papers yet.*assistant index"):
        Assistant(own_home).answer("How?")  # type: ignore[arg-type]


def test_the_plain_function_answers_from_the_home_in_the_environment(
    starter_home: object, starter: Assistant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSISTANT_HOME", str(starter_home))
    assert same([assistant.answer(QUESTIONS[0])]) == same([starter.answer(QUESTIONS[0])])
