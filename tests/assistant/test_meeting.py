"""Ranking the first papers by how they meet the question: by hand, and over the starter library."""

from __future__ import annotations

import numpy as np
import pytest

from assistant import Assistant
from assistant.reading import Match
from assistant.retrieval import Found, PaperHit, by_meeting, meet, retrieve
from assistant.retrieval.meeting import LEAD, MEET_WEIGHTS
from index.lexical import Terms

TERMS = Terms(("alpha",), {"alpha": 1.0})


def match(together: float, best: float) -> Match:
    return Match(together, 0.0, 0.0, 0.0, 0.0, (0.0,), (best, 0.0), together=together)


def hit(paper_id: str, score: float, matched: Match | None = None) -> PaperHit:
    return PaperHit(paper_id, score, 0.5, 0.5, 0.5, matched)


def found(*hits: PaperHit) -> Found:
    return Found("alpha?", "alpha?", np.zeros(3, dtype=np.float32), TERMS, TERMS, hits)


def test_papers_that_meet_the_question_better_come_first() -> None:
    ranked = by_meeting(found(hit("a", 0.9, match(0.5, 0.4)), hit("b", 0.85, match(0.8, 0.7)), hit("c", 0.1)))
    assert [each.paper_id for each in ranked.hits] == ["b", "a", "c"]
    apart = ranked.hits[0].score - ranked.hits[1].score
    assert apart == pytest.approx(-0.05 + 0.3 * MEET_WEIGHTS[0] + 0.3 * MEET_WEIGHTS[1])
    assert [each.fused for each in ranked.hits] == pytest.approx([0.85, 0.9, 0.1])


def test_a_matched_paper_never_falls_behind_one_that_was_not_looked_at() -> None:
    ranked = by_meeting(found(hit("a", 0.9, match(-1.0, -1.0)), hit("b", 0.6)))
    assert [(each.paper_id, each.score) for each in ranked.hits] == [("a", 0.6), ("b", 0.6)]


def test_scores_fall() -> None:
    ranked = by_meeting(found(*(hit(str(place), 0.9 - place / 50, match(0.1 * place, 0.5)) for place in range(4)), hit("rest", 0.7)))
    assert [each.score for each in ranked.hits] == sorted((each.score for each in ranked.hits), reverse=True)


def test_none_overtakes_a_paper_that_the_question_names() -> None:
    named = PaperHit("a", 0.9, 0.5, 0.5, 0.5, match(0.6, 0.5), named=True)
    ranked = by_meeting(found(named, hit("b", 0.85, match(0.9, 0.9)), hit("c", 0.8, match(0.5, 0.4))))
    assert [each.paper_id for each in ranked.hits] == ["a", "b", "c"]
    assert ranked.hits[0].score == ranked.hits[1].score > ranked.hits[2].score
    assert [each.fused for each in ranked.hits] == pytest.approx([0.9, 0.85, 0.8])


def test_a_paper_is_named_by_a_word_of_its_title_that_no_other_paper_holds(starter: Assistant) -> None:
    assert starter.readers.matcher is not None
    starter.library.reopen_if_moved()
    asked = "How does CacheBlend reuse the cache of other texts?"
    hits = meet(starter.library, starter.readers.matcher, retrieve(starter.library, asked), 4).hits
    titles = {paper.paper_id: paper.title for paper in starter.library.papers([each.paper_id for each in hits])}
    assert [titles[each.paper_id].split(":")[0] for each in hits if each.named] == ["CacheBlend"]
    assert titles[starter.answer(asked).retrieved[0].paper_id].startswith("CacheBlend")


def test_nothing_found_stays_nothing() -> None:
    assert by_meeting(found()).hits == ()


def test_the_first_papers_are_matched_but_none_that_is_far_behind(starter: Assistant) -> None:
    matcher = starter.readers.matcher
    assert matcher is not None
    starter.library.reopen_if_moved()
    searched = retrieve(starter.library, "How does Hydragen speed up decoding?")
    met = meet(starter.library, matcher, searched, 4)
    assert [each.paper_id for each in met.hits] == [each.paper_id for each in searched.hits]
    near = [searched.hits[0].score - each.score < LEAD for each in searched.hits[:4]]
    assert [each.match is not None for each in met.hits[:4]] == near
    assert all(each.match is None for each in met.hits[4:])


def test_nothing_is_matched_where_nothing_is_found(starter: Assistant) -> None:
    assert starter.readers.matcher is not None
    assert meet(starter.library, starter.readers.matcher, found(), 4).hits == ()
