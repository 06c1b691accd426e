"""The map: what is alike stands together, clusters are named by their own words, and it is kept until too much has changed."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from index import Entry, Library, Source
from index.embedding import ToyEmbedder
from index.mapping import FILE, cluster, draw_map, lay_out, load_map, name_clusters

THEMES = {
    "kettle": "Kettles boil water for tea. The kettle whistles when the water is hot, and tea is poured.",
    "otter": "Otters swim in rivers. The otter eats clams, and its fur is thick against cold rivers.",
    "violin": "Violins are tuned in fifths. The violin has strings, and a bow makes the strings sound.",
}


def entries(each: int) -> list[Entry]:
    return [
        Entry(f"{theme.title()} study {'abcdefghijklmnop'[number]}", f"{text} Study {number} says so.", number + 1)
        for theme, text in THEMES.items()
        for number in range(each)
    ]


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    made = Library(tmp_path / "home", ToyEmbedder())
    made.add_entries(Source("/a.bib", "/"), entries(8))
    made.reopen_if_moved()
    yield made
    made.close()


def test_what_is_alike_stands_together_and_the_same_library_gives_the_same_map(library: Library) -> None:
    drawn = draw_map(library)
    theme = {paper.paper_id: paper.title.split()[0] for paper in library.papers()}
    points = {name: drawn.points[[theme[one] == name for one in drawn.paper_ids]] for name in set(theme.values())}
    spread = max(float(np.linalg.norm(of - of.mean(axis=0), axis=1).mean()) for of in points.values())
    middles = [of.mean(axis=0) for of in points.values()]
    apart = min(float(np.linalg.norm(one - other)) for one in middles for other in middles if one is not other)
    assert len(drawn.paper_ids) == 24 and float(np.abs(drawn.points).max()) == pytest.approx(1.0)
    assert apart > spread
    again = draw_map(library)
    assert again.paper_ids == drawn.paper_ids and np.array_equal(again.points, drawn.points) and again.names == drawn.names


def test_a_map_is_kept_and_follows_small_changes_and_not_large_ones(library: Library) -> None:
    assert load_map(library) is None
    drawn = draw_map(library)
    assert (library.home / FILE.format(library.fingerprint)).stat().st_mode & 0o77 == 0
    library.add_entries(Source("/b.bib", "/"), [Entry("Kettle news", THEMES["kettle"], 1)])
    library.reopen_if_moved()
    followed = load_map(library)
    assert followed is not None
    assert followed.paper_ids[:-1] == drawn.paper_ids
    [new] = library.papers([followed.paper_ids[-1]])
    assert new.title == "Kettle news"
    nearest = int(np.argmin(np.linalg.norm(drawn.points - followed.points[-1], axis=1)))
    assert library.papers([drawn.paper_ids[nearest]])[0].title.startswith("Kettle")
    library.remove("/b.bib")
    library.reopen_if_moved()
    assert (kept := load_map(library)) is not None and kept.paper_ids == drawn.paper_ids
    library.add_entries(Source("/a.bib", "/"), entries(8)[:12])
    library.reopen_if_moved()
    assert load_map(library) is None


def test_a_file_that_is_no_map_is_told_and_drawn_anew(library: Library, caplog: pytest.LogCaptureFixture) -> None:
    (library.home / FILE.format(library.fingerprint)).write_bytes(b"PK not a map")
    with caplog.at_level(logging.WARNING):
        assert load_map(library) is None
    assert "not a map of this program" in caplog.text
    assert len(draw_map(library).paper_ids) == 24


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 30])
def test_few_papers_have_a_map_too(count: int) -> None:
    vectors = np.random.default_rng(1).normal(size=(count, 16)).astype(np.float32)
    points = lay_out(vectors)
    assert points.shape == (count, 2) and np.isfinite(points).all() and (np.abs(points) <= 1.0).all()
    clusters = cluster(points)
    assert clusters.shape == (count,) and sorted(set(clusters.tolist())) == list(range(len(set(clusters.tolist()))))


def test_clusters_come_largest_first_and_are_named_by_what_their_own_papers_say(library: Library) -> None:
    points = np.array([[0, 0]] * 30 + [[1, 1]] * 20 + [[-1, 1]] * 2, dtype=np.float32)
    counts = np.bincount(cluster(points + np.random.default_rng(0).normal(0, 0.01, points.shape).astype(np.float32)))
    assert list(counts) == sorted(counts, reverse=True)
    papers = library.papers()
    of = np.array([["Kettle", "Otter", "Violin"].index(paper.title.split()[0]) for paper in papers], dtype=np.int16)
    kettles, otters, violins = name_clusters(papers, of)
    assert "tea" in kettles or "kettle" in kettles
    assert "otter" in otters or "rivers" in otters
    assert "strings" in violins or "violin" in violins
    assert not set(kettles.split(" · ")) & set(otters.split(" · "))


def test_papers_without_a_telling_word_have_a_name_all_the_same(library: Library) -> None:
    dull = [replace(paper, display_title="The", abstract="of and") for paper in library.papers()[:2]]
    assert name_clusters(dull, np.zeros(2, dtype=np.int16)) == ("",)
    assert name_clusters([], np.zeros(0, dtype=np.int16)) == ()
