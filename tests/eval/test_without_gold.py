"""Questions asked of a library without the papers that answer them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from assistant import Assistant
from assistant.query.filters import Filters
from eval.questions import GoldQuestion
from eval.run import Manner, run
from eval.without_gold import LibraryWithout, run_without_gold
from index import Library

TIDE = "TideCache: Reusing Prompt Prefixes Across Chat Sessions"
ORCHARD = "Orchard Sort: Ranking Apples with Three Cameras"
QUESTION = "How does TideCache cut time to first token?"
ASKED = GoldQuestion("a", QUESTION, "named", (TIDE,), (("2.4x",),))


@pytest.fixture
def without(toy_library: Library) -> Iterator[LibraryWithout]:
    library = LibraryWithout(toy_library.home, toy_library.embedder)
    library.reopen_if_moved()
    yield library
    library.close()


@pytest.fixture
def assistant(toy_library: Library) -> Assistant:
    return Assistant(toy_library.home, library=toy_library)


def test_a_question_is_not_answered_from_its_paper_when_that_is_left_out(assistant: Assistant) -> None:
    (whole,) = run(assistant, [ASKED], {}).results
    (left,) = run_without_gold(assistant, [ASKED], {}).results
    assert whole.error is left.error is None
    assert whole.retrieved_titles[0] == TIDE == whole.cited_titles[0]
    assert left.retrieved_titles and TIDE not in (*left.retrieved_titles, *left.cited_titles)


def test_the_library_is_unchanged_afterwards(assistant: Assistant, toy_library: Library) -> None:
    before = assistant.answer(QUESTION)
    papers, terms = toy_library.papers(), toy_library.lexical.terms(QUESTION)
    run_without_gold(assistant, [ASKED], {})
    assert assistant.library is toy_library
    assert toy_library.papers() == papers and toy_library.lexical.terms(QUESTION) == terms and toy_library.stale() == 0
    after = assistant.answer(QUESTION)
    assert (after.text, after.retrieved, after.citations) == (before.text, before.retrieved, before.citations)


def test_the_assistant_has_its_library_back_when_asking_is_broken_off(assistant: Assistant, toy_library: Library) -> None:
    def broken_off() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_without_gold(assistant, [ASKED], {}, Manner(tick=broken_off))
    assert assistant.library is toy_library


def test_each_question_misses_its_own_papers_only(assistant: Assistant) -> None:
    other = GoldQuestion("b", "How does Orchard Sort grade apples?", "named", (ORCHARD,), ())
    first, second = run_without_gold(assistant, [ASKED, other], {}).results
    assert ORCHARD in first.retrieved_titles and TIDE not in first.retrieved_titles
    assert TIDE in second.retrieved_titles and ORCHARD not in second.retrieved_titles


def test_papers_that_a_question_is_about_are_left_out_too(assistant: Assistant) -> None:
    about = GoldQuestion("a", QUESTION, "named", (TIDE,), (), about_titles=(ORCHARD,))
    (result,) = run_without_gold(assistant, [about], {}).results
    assert result.retrieved_titles and not {TIDE, ORCHARD} & set(result.retrieved_titles)


def test_earlier_turns_miss_the_papers_too(assistant: Assistant, monkeypatch: pytest.MonkeyPatch) -> None:
    retrieved = []
    answer = assistant.answer

    def noted(*asked: object) -> object:
        given = answer(*asked)  # type: ignore[arg-type]
        retrieved.append([paper.title for paper in given.retrieved])
        return given

    monkeypatch.setattr(assistant, "answer", noted)
    follow_up = GoldQuestion("b", "and by how much is throughput raised?", "follow_up", (TIDE,), (), history=("What is TideCache?",))
    run_without_gold(assistant, [follow_up], {})
    assert len(retrieved) == 2 and all(titles and TIDE not in titles for titles in retrieved)


def test_nothing_is_gold_in_the_run_so_that_an_answer_is_harm(assistant: Assistant) -> None:
    document = run_without_gold(assistant, [ASKED], {"llm": "extractive"}).document()
    assert document["settings"] == {"llm": "extractive", "leave_out_gold": True}
    metrics = document["by_kind"]["named"]
    assert metrics["hit@1"] is metrics["fact_recall"] is metrics["citation_recall"] is None
    assert metrics["harm"] == 1.0 - metrics["refusal_rate"] == float(document["questions"][0]["answered"])


def test_a_name_that_only_the_missing_paper_bears_is_unknown(without: LibraryWithout) -> None:
    assert not without.lexical.terms("TideCache").unknown
    without.leave_out([TIDE])
    assert without.lexical.terms("TideCache").unknown_share == 1.0
    without.leave_out([ORCHARD])
    assert not without.lexical.terms("TideCache").unknown


def test_a_search_for_anything_finds_all_papers_but_the_missing(without: LibraryWithout) -> None:
    every = {paper.paper_id for paper in without.papers()}
    missed = {paper.paper_id for paper in without.papers() if paper.title == TIDE}
    without.leave_out([TIDE, "a title that is not here"])
    (vector,) = without.embedder.embed_queries([QUESTION])
    assert {hit.paper_id for hit in without.search_vectors("chunks", vector, 1000)} == every - missed
    assert not missed & {hit.paper_id for hit in without.search_words(without.lexical.terms(QUESTION), 1000)}
    without.leave_out([])
    assert {hit.paper_id for hit in without.search_vectors("chunks", vector, 1000)} == every


def test_a_filter_still_filters(without: LibraryWithout) -> None:
    without.leave_out([TIDE])
    allowed = without.allowed(Filters(text="apples"))
    (vector,) = without.embedder.embed_queries([QUESTION])
    assert allowed and {hit.paper_id for hit in without.search_vectors("chunks", vector, 1000, allowed)} == allowed
    held = {hit.paper_id for hit in without.search_words(without.lexical.terms("cheap cameras memory"), 1000, allowed)}
    assert held and held <= allowed
