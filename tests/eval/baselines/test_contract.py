"""Everything that is measured side by side fulfils the contract, with the real model."""

from __future__ import annotations

import pytest

from eval.baselines.base import Answerer, Judged, Make, Material, Place, Tunable
from eval.baselines.registry import BASELINES
from index.paper import paper_id_of

TIDE = paper_id_of("TideCache: Reusing Prompt Prefixes Across Chat Sessions")
QUESTION = "How does TideCache reuse prompt prefixes across chat sessions?"


@pytest.mark.parametrize("make", BASELINES, ids=lambda make: f"{make.__module__.split('.')[-1]}.{make.__name__}")
def test_each_finds_the_paper_asked_for_and_each_paper_once(make: Make, place: Place, material: Material) -> None:
    searcher = make(place)
    searcher.index(material)
    found = [hit.paper_id for hit in searcher.search(QUESTION, 3)]
    assert found[0] == TIDE and len(found) <= 3 and len(set(found)) == len(found)
    assert set(found) <= {paper.paper_id for paper in material.papers}
    if isinstance(searcher, Answerer):
        given = searcher.answer(QUESTION)
        assert given.answered and given.paper_ids[0] == TIDE and given.text
    searcher.close()


def test_names_are_unique_and_the_first_is_ours(place: Place) -> None:
    names = []
    for number, make in enumerate(BASELINES):
        (folder := place.folder / str(number)).mkdir()
        searcher = make(Place(folder, place.encoder, None))
        names.append(searcher.name)
        searcher.close()
    assert names[0] == "ours" and len(set(names)) == len(names)


def test_a_stock_answer_is_declined_where_nothing_is_near(place: Place, material: Material) -> None:
    from eval.baselines.llamaindex import stock

    searcher = stock(place)
    assert isinstance(searcher, Tunable)
    searcher.tune(material, [Judged(f"{paper.display_title}?", paper.paper_id) for paper in material.papers])
    searcher.index(material)
    assert not searcher.answer("Which cheese goes with pears?").answered
    assert searcher.answer(f"{material.papers[0].display_title}?").answered
