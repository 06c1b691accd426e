"""Fusion against numbers worked by hand; retrieval over real stores."""

from __future__ import annotations

import pytest

from assistant import Assistant
from assistant.query.conversation import Context
from assistant.retrieval.fusion import Weights, fuse
from assistant.retrieval.retriever import retrieve
from index import Library


def test_fused_scores_are_weighted_sums() -> None:
    hits = fuse({"a": 0.5, "b": 0.4}, {"a": 0.6, "c": 1.0}, {"a": 0.25, "b": 0.0, "c": 1.0}, Weights(chunk=0.9, lexical=0.5))
    scores = {hit.paper_id: hit.score for hit in hits}
    assert scores["a"] == pytest.approx(0.9 * 0.5 + 0.5 * 0.6)
    assert scores["b"] == pytest.approx(0.9 * 0.4)  # holds none of the words
    assert scores["c"] == pytest.approx(0.9 * 0.4 + 0.5 * 1.0)  # as near as the last that was found by meaning
    assert [hit.paper_id for hit in hits] == ["c", "a", "b"]


def test_ties_are_broken_by_id_and_a_bonus_counts() -> None:
    same = {"b": 0.5, "a": 0.5}
    assert [hit.paper_id for hit in fuse(same, same, same)] == ["a", "b"]
    assert [hit.paper_id for hit in fuse(same, same, same, bonus={"b": 0.1})] == ["b", "a"]


def test_nothing_fused_is_nothing() -> None:
    assert fuse({}, {}, {}) == []


def test_every_paper_of_a_small_library_is_ranked(toy_library: Library) -> None:
    toy_library.reopen_if_moved()
    found = retrieve(toy_library, "apples graded by cameras")
    assert len(found.hits) == toy_library.catalogue.count()
    assert toy_library.papers([found.hits[0].paper_id])[0].title.startswith("Orchard Sort")
    assert [hit.score for hit in found.hits] == sorted((hit.score for hit in found.hits), reverse=True)


def test_only_allowed_papers_are_found(toy_library: Library) -> None:
    toy_library.reopen_if_moved()
    allowed = {paper.paper_id for paper in toy_library.papers() if "MothNet" in paper.title}
    assert {hit.paper_id for hit in retrieve(toy_library, "apples graded by cameras", allowed=allowed).hits} == allowed


def test_a_question_that_points_back_is_read_with_the_one_before(starter: Assistant) -> None:
    library = starter.library
    context = Context("How does Hydragen speed up decoding?")
    found = retrieve(library, "and by how much?", context)
    assert library.papers([found.hits[0].paper_id])[0].title.startswith("Hydragen")


def test_a_new_topic_is_not_dragged_back(starter: Assistant) -> None:
    context = Context("How does Hydragen speed up decoding?")
    found = retrieve(starter.library, "Which chart libraries does FlashAttention-2 split work between warps with?", context)
    assert starter.library.papers([found.hits[0].paper_id])[0].title.startswith("FlashAttention-2")


def test_misspelt_words_are_read_as_the_librarys(starter: Assistant) -> None:
    found = retrieve(starter.library, "quantizaton of transfomers with Hessian infromation")
    assert ("quantizaton", "quantization") in found.respelled and ("infromation", "information") in found.respelled
    assert "quantization" in found.query


@pytest.mark.parametrize("word", ["condolence", "Hydragin", "xqzvwy", "medusas"])
def test_words_of_the_language_names_and_nonsense_are_left_alone(starter: Assistant, word: str) -> None:
    assert retrieve(starter.library, f"what about {word} here").respelled == ()
