"""LlamaIndex's parts: cutting, fusing, grouping by paper, and what is chosen."""

from __future__ import annotations

from typing import Any

import pytest
from llama_index.core.schema import MetadataMode, NodeWithScore, TextNode

from eval.baselines import llamaindex
from eval.baselines.base import PUBLISHED, Judged, Material, Place
from eval.baselines.llamaindex_parts import FUSIONS, Cutting, Fusion, Parts, by_paper, fuse, nodes
from index import Paper
from index.chunking import cut
from index.paper import paper_id_of


def named_in_its_title_alone(name: str) -> Paper:
    abstract = "We propose a method. It helps."
    return Paper(paper_id_of(name), name, name, abstract, abstract)


def hit(paper_id: str, score: float, position: int = 0) -> NodeWithScore:
    return NodeWithScore(node=TextNode(text=f"{paper_id} {position}", metadata={"paper_id": paper_id}), score=score)


def test_a_papers_best_chunk_is_its_score() -> None:
    assert [(one.paper_id, one.score) for one in by_paper([hit("b", 0.9), hit("a", 0.8), hit("b", 0.7, 1)])] == [("b", 0.9), ("a", 0.8)]


def test_reciprocal_rank_fusion_is_the_sum_of_reciprocals() -> None:
    fused = fuse(Fusion("reciprocal_rerank"), ([hit("a", 0.9), hit("b", 0.8)], [hit("b", 7.0), hit("c", 6.0)]))
    assert [(one.node.metadata["paper_id"], one.score) for one in fused] == [
        ("b", pytest.approx(1 / 61 + 1 / 60)),
        ("a", pytest.approx(1 / 60)),
        ("c", pytest.approx(1 / 61)),
    ]


@pytest.mark.parametrize("fusion", FUSIONS, ids=str)
def test_fusing_what_was_found_gives_what_fusing_live_gives_and_leaves_it_as_it_was(
    fusion: Fusion, place: Place, material: Material
) -> None:
    parts = Parts(place.folder / "parts", nodes(material, Cutting()), "both")
    question = "sparse networks with momentum"
    found = parts.both(question)
    before = [[one.score for one in hits] for hits in found]
    again = fuse(fusion, found)
    assert [[one.score for one in hits] for hits in found] == before
    live = parts.retriever(fusion).retrieve(question)
    assert [one.node.get_content() for one in again] == [one.node.get_content() for one in live]
    assert [one.score for one in again] == pytest.approx([one.score for one in live])


def test_the_title_is_part_of_what_is_embedded_only_where_it_is_wanted(material: Material) -> None:
    title = material.papers[0].display_title
    texts = {wanted: [node.get_content(MetadataMode.EMBED) for node in nodes(material, Cutting(1024, wanted))] for wanted in (True, False)}
    assert title in texts[True][0] and title not in texts[False][0]
    assert material.papers[0].paper_id not in texts[True][0]


def test_our_chunks_are_taken_as_they_are(material: Material) -> None:
    assert [node.get_content(MetadataMode.EMBED) for node in nodes(material, Cutting())] == [
        chunk for texts in material.chunks for chunk in texts.chunks
    ]


def test_smaller_chunks_are_more(material: Material) -> None:
    assert len(nodes(material, Cutting(64))) > len(nodes(material, Cutting(1024))) == len(material.papers)


def test_what_scored_best_on_the_training_questions_is_chosen(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(llamaindex, "CUTTINGS", (Cutting(1024, False), Cutting(1024, True)))
    searcher = llamaindex.tuned(place)
    named = [named_in_its_title_alone(name) for name in ("Zorblat", "Quindle", "Vexmoor", "Trundy")]
    own = Material(tuple(named), tuple(cut(named, PUBLISHED)))
    searcher.tune(own, [Judged(f"What is {paper.title}?", paper.paper_id) for paper in named])
    assert len(searcher.tried) == 2 * len(FUSIONS)
    best: Any = max(searcher.tried, key=lambda setting: searcher.tried[setting])
    assert searcher.tried[best] == 1.0 and best[0] == Cutting(1024, True)
    assert all(score < 1.0 for (cutting, _), score in searcher.tried.items() if not cutting.title)
    assert searcher.what.startswith(f"{best[0]}; {best[1]}; the best of {2 * len(FUSIONS)} settings on other questions (nDCG@10 1.000, ")
    searcher.index(own)
    assert searcher.search("What is Quindle?", 1)[0].paper_id == named[1].paper_id


def test_without_training_questions_nothing_is_chosen_and_nothing_declined(place: Place, material: Material) -> None:
    searcher = llamaindex.tuned(place)
    before = searcher.what
    searcher.tune(material, [])
    searcher.index(material)
    assert searcher.what == before and searcher.answer("Which cheese goes with pears?").answered
