"""Ranking the first papers by late interaction: by hand, and over real stores."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from assistant import Assistant
from assistant.evidence.selection import matched
from assistant.retrieval.fusion import Weights
from assistant.retrieval.maxsim import by_maxsim, maxsim, token_weights
from assistant.retrieval.retriever import retrieve
from index import Library
from index.embedding import Encoded


def test_each_token_of_the_question_counts_its_best_cosine_by_its_weight() -> None:
    question = np.array([[1.0, 0.0], [0.0, 1.0]], dtype=np.float32)
    paper = np.array([[0.6, 0.8], [1.0, 0.0]], dtype=np.float32)
    assert maxsim(question, paper, np.array([3.0, 1.0])) == pytest.approx((3 * 1.0 + 1 * 0.8) / 4)
    assert maxsim(question, np.zeros((0, 2), dtype=np.float32), np.ones(2)) == 0.0


def test_the_tokens_of_a_word_share_its_rarity() -> None:
    places = np.array([(0, 2), (2, 5), (6, 9), (9, 10)])
    encoded = Encoded(np.zeros(2, dtype=np.float32), np.zeros((4, 2), dtype=np.float32), places)
    weights = token_weights("rarer the?", encoded, {"rarer": 0.8, "the": 0.0}.__getitem__)
    assert weights - weights.min() == pytest.approx([0.4, 0.4, 0.0, 0.0])


def test_papers_come_back_once_in_falling_order_and_those_not_looked_at_as_they_were(starter: Assistant) -> None:
    starter.library.reopen_if_moved()
    searched = retrieve(starter.library, "What limits the speed of decoding with long contexts?")
    ranked = by_maxsim(starter.library, searched, first=5)
    assert {hit.paper_id for hit in ranked.hits[:5]} == {hit.paper_id for hit in searched.hits[:5]}
    assert ranked.hits[5:] == searched.hits[5:]
    scores = [hit.score for hit in ranked.hits]
    assert scores == sorted(scores, reverse=True)
    assert all(hit.fused == pytest.approx(one.score) for hit in ranked.hits[:5] for one in searched.hits if one.paper_id == hit.paper_id)


def test_of_papers_that_are_as_near_the_one_that_speaks_of_what_is_asked_comes_first(starter: Assistant) -> None:
    library = starter.library
    library.reopen_if_moved()
    searched = retrieve(library, "sharing a common prefix between sequences of a batch")
    level = replace(searched, hits=tuple(replace(hit, score=0.5) for hit in searched.hits[:20]))
    first = library.papers([by_maxsim(library, level).hits[0].paper_id])[0]
    assert "prefix" in f"{first.title} {first.abstract}".lower()


def test_without_token_states_the_order_stays(toy_library: Library) -> None:
    toy_library.reopen_if_moved()
    found = retrieve(toy_library, "apples graded by cameras")
    nothing = replace(found, hits=())
    assert by_maxsim(toy_library, nothing) is nothing
    assert [hit.gain for hit in by_maxsim(toy_library, found, Weights(maxsim=0.0)).hits] == [0.0] * len(found.hits)
    toy_library.states.empty()
    assert by_maxsim(toy_library, found) is found


def test_the_first_papers_are_matched_in_their_order(starter: Assistant) -> None:
    assert starter.readers.matcher is not None
    starter.library.reopen_if_moved()
    found = retrieve(starter.library, "How does Hydragen speed up decoding?")
    seen = matched(starter.library, starter.readers.matcher, found, 2).hits
    assert [hit.paper_id for hit in seen] == [hit.paper_id for hit in found.hits]
    assert [hit.match is not None for hit in seen[:4]] == [True, True, False, False]
    assert math.isfinite(seen[0].match.met) if seen[0].match else False
