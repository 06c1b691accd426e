"""The floors that the product must not fall below, over the real listings and the fixed question set.

Measured with the encoder and the matcher that have not seen the papers of that set, as `python -m eval --held-out` does.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant import Assistant
from eval.metrics import Summary
from eval.questions import FIXED, SINGLE_PAPER, load
from eval.run import Run, run
from eval.unseen import held_out_encoder, held_out_readers
from index import Library

pytestmark = pytest.mark.long

TO_DECLINE = ("absent", "offtopic", "missing_detail", "refused_follow_up", "false_premise")


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory, corpus: Path) -> Iterator[Assistant]:
    encoder = held_out_encoder()
    library = Library(tmp_path_factory.mktemp("unseen"), encoder)
    library.add([str(corpus)])
    opened = Assistant(library.home, library=library, readers=held_out_readers(encoder))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def finished(assistant: Assistant) -> Run:
    return run(assistant, load(FIXED), {})


@pytest.fixture(scope="module")
def single(finished: Run) -> Summary:
    return finished.of_kinds(SINGLE_PAPER)


def at_least(summary: Summary, metric: str) -> float:
    value = summary.metrics[metric]
    assert value is not None
    return value


def test_no_question_fails(finished: Run) -> None:
    assert [result.error for result in finished.results if result.error] == []


def test_the_right_paper_comes_first(single: Summary) -> None:
    assert at_least(single, "hit@1") >= 0.83


def test_the_right_paper_is_within_five(single: Summary) -> None:
    assert at_least(single, "recall@5") >= 0.94


def test_the_facts_asked_for_are_in_the_answer(single: Summary) -> None:
    assert at_least(single, "fact_recall") >= 0.73


def test_questions_of_other_fields_are_declined(finished: Run) -> None:
    assert at_least(finished.of_kinds(["offtopic"]), "refusal_rate") >= 0.90


@pytest.mark.parametrize(("kind", "floor"), [("absent", 0.45), ("missing_detail", 0.30)])
def test_what_sounds_like_the_library_and_is_not_in_it_is_often_declined(finished: Run, kind: str, floor: float) -> None:
    assert at_least(finished.of_kinds([kind]), "refusal_rate") >= floor


def test_a_false_premise_is_hardly_ever_endorsed(finished: Run) -> None:
    assert at_least(finished.of_kinds(["false_premise"]), "harm") <= 0.15


def test_wrong_answers_are_few(finished: Run) -> None:
    assert at_least(finished.overall(), "harm") <= 0.24


def test_answerable_questions_are_hardly_ever_declined(finished: Run) -> None:
    answerable = [kind for kind in finished.kinds() if kind not in TO_DECLINE]
    assert at_least(finished.of_kinds(answerable), "refusal_rate") <= 0.08


def test_an_answer_from_one_paper_is_short(finished: Run) -> None:
    lengths = [
        len(result.answer.split())
        for gold, result in zip(finished.questions, finished.results, strict=True)
        if gold.kind in SINGLE_PAPER and result.answered
    ]
    assert sum(lengths) / len(lengths) <= 90


def test_every_quote_is_the_abstracts_own(assistant: Assistant) -> None:
    for gold in load(FIXED)[::10]:
        answer = assistant.answer(gold.question)
        abstracts = {paper.paper_id: paper.abstract for paper in assistant.library.papers([c.paper_id for c in answer.citations])}
        assert all(abstracts[one.paper_id][one.start : one.end] == one.quote and one.quote in answer.text for one in answer.citations)
