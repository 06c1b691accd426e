"""Ranking papers for a theme by the first of them: against a naive version, and over the starter library."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from assistant import Assistant, Filters
from assistant.generation.extractive import SEVERAL_AT_MOST
from assistant.retrieval.fusion import Weights
from assistant.retrieval.prf import FIRST, SHARE, by_prf
from assistant.retrieval.retriever import retrieve
from index import Library

THEME = "What approaches are there to compressing the KV cache?"


@pytest.fixture(scope="module")
def library(starter: Assistant) -> Library:
    starter.library.reopen_if_moved()
    return starter.library


def test_scores_are_those_of_the_question_moved_towards_the_first_papers(library: Library) -> None:
    found = retrieve(library, THEME)
    first = [hit.paper_id for hit in found.hits[:FIRST]]
    centres = [vectors.mean(axis=0) for _, vectors in library.sentences(first).values()]
    moved = found.vector + SHARE * np.mean([centre / np.linalg.norm(centre) for centre in centres], axis=0)
    moved /= np.linalg.norm(moved)
    coverage = library.lexical.coverage(found.terms, first)
    chunks = {hit.paper_id: hit.score for hit in reversed(library.search_vectors("chunks", moved, 200))}
    ranked = {hit.paper_id: hit for hit in by_prf(library, found).hits}
    for paper_id in first:
        hit = ranked[paper_id]
        assert hit.coverage == coverage[paper_id] and hit.chunk == pytest.approx(chunks[paper_id], abs=1e-4)
        assert hit.score == pytest.approx(Weights().sum_of(hit.chunk, hit.lexical))


def test_hits_fall_and_come_once(library: Library) -> None:
    hits = by_prf(library, retrieve(library, THEME)).hits
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert len({hit.paper_id for hit in hits}) == len(hits) > 20


def test_what_the_conversation_gave_a_paper_stays(library: Library) -> None:
    found = retrieve(library, THEME)
    tenth = found.hits[9]
    given = replace(found, hits=(replace(tenth, score=tenth.score + 0.6), *(hit for hit in found.hits if hit is not tenth)))
    assert by_prf(library, given).hits[0].paper_id == tenth.paper_id


def test_no_paper_comes_in_that_is_not_allowed(library: Library) -> None:
    allowed = {hit.paper_id for hit in retrieve(library, THEME).hits[:7]}
    assert {hit.paper_id for hit in by_prf(library, retrieve(library, THEME, allowed=allowed), allowed).hits} == allowed


def test_a_search_by_words_alone_is_left_as_it_is(library: Library) -> None:
    words = Weights(chunk=0.0)
    found = retrieve(library, THEME, weights=words)
    assert by_prf(library, found, weights=words) is found
    nothing = replace(found, hits=())
    assert by_prf(library, nothing) is nothing


def test_an_overview_shows_five_strands_at_least(starter: Assistant) -> None:
    answer = starter.answer("Give me an overview of the research on KV cache compression")
    cited = {citation.paper_id for citation in answer.citations}
    assert answer.answered and 5 <= len(cited) <= SEVERAL_AT_MOST
    assert answer.retrieved[0].paper_id == answer.citations[0].paper_id


def test_search_and_answer_rank_a_theme_alike(starter: Assistant) -> None:
    asked = starter.answer(THEME).retrieved
    assert [paper.paper_id for paper in starter.search(THEME)] == [paper.paper_id for paper in asked]


def test_filters_hold_for_a_theme(starter: Assistant) -> None:
    only = Filters(text="quantization")
    every = starter.library.allowed(only)
    found = starter.search(THEME, filters=only)
    assert found and {paper.paper_id for paper in found} <= every
