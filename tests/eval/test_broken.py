"""Assistants broken on purpose, over the starter library: the metrics see each."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from assistant import Answer, Assistant, Citation
from eval.metrics import Summary
from eval.questions import FIXED, SINGLE_PAPER, GoldQuestion, first_of_each_kind, load
from eval.run import run
from index import Library

Change = Callable[[Library, Answer], Answer]


class Broken(Assistant):
    """Gives the answers of a sound assistant, changed."""

    def __init__(self, library: Library, sound: dict[str, Answer], change: Change) -> None:
        self.library = library
        self.mode = "extractive"
        self._sound = sound
        self._change = change

    def answer(self, question: str, history: object = (), filters: object = None) -> Answer:
        return self._change(self.library, self._sound[question])

    def search(self, query: str, k: int = 10, filters: object = None) -> list[object]:  # type: ignore[override]
        return []


@pytest.fixture(scope="module")
def questions() -> list[GoldQuestion]:
    return [one for one in first_of_each_kind(load(FIXED), 2) if not one.history]


@pytest.fixture(scope="module")
def sound(starter: Assistant, questions: Sequence[GoldQuestion]) -> dict[str, Answer]:
    return {one.question: starter.answer(one.question) for one in questions}


@pytest.fixture
def measured(starter: Assistant, sound: dict[str, Answer], questions: Sequence[GoldQuestion]) -> Callable[[Change], Summary]:
    return lambda change: run(Broken(starter.library, sound, change), questions, {}).overall()


@pytest.fixture
def measured_single(starter: Assistant, sound: dict[str, Answer], questions: Sequence[GoldQuestion]) -> Callable[[Change], Summary]:
    """The same over questions that one paper answers: what compares two is as long as an abstract."""
    return lambda change: run(Broken(starter.library, sound, change), questions, {}).of_kinds(SINGLE_PAPER)


def as_it_is(library: Library, answer: Answer) -> Answer:
    return answer


def figures(summary: Summary, *names: str) -> list[float]:
    values = [summary.metrics[name] for name in names]
    assert all(value is not None for value in values)
    return [value for value in values if value is not None]


def test_a_broken_retriever_finds_less(measured: Callable[[Change], Summary]) -> None:
    def upside_down(library: Library, answer: Answer) -> Answer:
        return replace(answer, retrieved=answer.retrieved[::-1][:5])

    names = ("hit@1", "recall@5", "recall@10", "mrr@10", "ndcg@10")
    before, after = figures(measured(as_it_is), *names), figures(measured(upside_down), *names)
    assert all(new < old - 0.2 for old, new in zip(before, after, strict=True))


def test_a_citer_at_random_is_seen_at_papers_and_at_sentences(measured: Callable[[Change], Summary]) -> None:
    papers = random.Random(0)

    def at_random(library: Library, answer: Answer) -> Answer:
        every = library.papers()

        def cited(one: Citation) -> Citation:
            paper = papers.choice(every)
            return replace(one, paper_id=paper.paper_id, title=paper.title)

        return replace(answer, citations=tuple(map(cited, answer.citations)))

    before, after = measured(as_it_is), measured(at_random)
    names = ("citation_precision", "citation_recall", "sentence_citation_precision", "sentence_citation_recall", "fact_recall")
    assert all(new < 0.2 < old for old, new in zip(figures(before, *names), figures(after, *names), strict=True))
    assert figures(after, "harm") > figures(before, "harm")


def test_one_that_never_refuses_does_harm(measured: Callable[[Change], Summary]) -> None:
    def never_refuses(library: Library, answer: Answer) -> Answer:
        return answer if answer.answered else replace(_quoting_all(library, answer), answered=True)

    before, after = measured(as_it_is), measured(never_refuses)
    assert figures(after, "coverage", "refusal_rate", "false_refusal") == [1.0, 0.0, 0.0]
    assert figures(after, "harm")[0] > figures(before, "harm")[0] + 0.1


def test_one_that_always_refuses_does_no_harm_and_covers_nothing(measured: Callable[[Change], Summary]) -> None:
    def always_refuses(library: Library, answer: Answer) -> Answer:
        return replace(answer, text="The library has no answer.", answered=False, citations=())

    after = measured(always_refuses)
    names = ("harm", "coverage", "fact_recall", "citation_recall", "refusal_rate", "false_refusal")
    assert figures(after, *names) == [0.0, 0.0, 0.0, 0.0, 1.0, 1.0]
    assert after.metrics["citation_precision"] is None and after.metrics["sentence_citation_precision"] is None


def test_one_that_copies_the_top_abstract_supports_itself_and_says_too_much(
    measured: Callable[[Change], Summary], measured_single: Callable[[Change], Summary]
) -> None:
    def copies(library: Library, answer: Answer) -> Answer:
        return _quoting_all(library, answer) if answer.answered else answer

    before, after = measured(as_it_is), measured(copies)
    assert figures(after, "sentence_citation_precision", "sentence_citation_recall") == [1.0, 1.0]
    assert figures(after, "fact_precision") < figures(before, "fact_precision")
    before, after = measured_single(as_it_is), measured_single(copies)
    assert figures(after, "answer_words")[0] > figures(before, "answer_words")[0] * 1.2


def _quoting_all(library: Library, answer: Answer) -> Answer:
    """The whole abstract of the first paper found, each sentence cited."""
    (paper,) = library.papers([answer.retrieved[0].paper_id])
    spans = library.sentences([paper.paper_id])[paper.paper_id][0]
    citations = tuple(
        Citation(1, paper.paper_id, paper.title, paper.display_title, paper.abstract[start:end], start, end, 1.0, True)
        for start, end in spans
    )
    return replace(answer, text=" ".join(f"{one.quote} [1]" for one in citations), citations=citations)
