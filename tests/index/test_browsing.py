"""The table of papers: what it shows, in which order, and what it counts."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from index import catalogue as module
from index.browsing import Browse, Field
from index.catalogue import Catalogue
from index.paper import Entry, Source

A, B = Source("/a.bib", "/"), Source("/b.bib", "/")
OTTER = Entry("Otters at Dusk", "They retrieve clams.", 1, "2023-05", authors=("Réed, Bo", "Moss, Ada"), venue="Acta Otter", tags=("Sea",))
MOTH = Entry("éclair Moths", "They are sparse.", 2, "2021", authors=("Moss, Ada",), venue="Night Letters", tags=("Night", "Sea birds"))
BOAT = Entry("Boats: A Survey", "Boats float, mostly.", 1, "2023", authors=("Moss, A.",), venue="Acta Otter")
PLAIN = Entry("Zinc", "It rusts seldom.", 2)


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalogue]:
    catalogue = Catalogue(tmp_path_factory.mktemp("browsing") / "catalogue.sqlite")
    catalogue.put_sources([(A, [OTTER, MOTH])])
    catalogue.put_sources([(B, [BOAT, PLAIN, MOTH])])
    yield catalogue
    catalogue.close()


def shown(catalogue: Catalogue, wanted: Browse, limit: int = 50, offset: int = 0) -> list[str]:
    """First words of the titles."""
    papers, total = catalogue.page(wanted, limit, offset)
    assert total >= len(papers)
    return [paper.title.split()[0].strip(":") for paper in papers]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Browse(), "Zinc Boats éclair Otters"),
        (Browse(is_reversed=True), "Otters éclair Boats Zinc"),
        (Browse(order="title"), "Boats éclair Otters Zinc"),
        (Browse(order="title", is_reversed=True), "Zinc Otters éclair Boats"),
        (Browse(order="year"), "Otters Boats éclair Zinc"),
        (Browse(order="year", is_reversed=True), "éclair Boats Otters Zinc"),
        (Browse(order="venue"), "Boats Otters éclair Zinc"),
        (Browse(order="venue", is_reversed=True), "éclair Boats Otters Zinc"),
    ],
)
def test_papers_come_in_the_order_asked_for_and_those_without_the_field_last(catalogue: Catalogue, wanted: Browse, found: str) -> None:
    assert shown(catalogue, wanted) == found.split()


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("ott", "Boats Otters"),
        ("ECLAIR", "éclair"),
        ("retriev", "Otters"),
        ("reed dusk", "Otters"),
        ("moss, ada sea", ""),
        ("mos a.", "Boats éclair Otters"),
        ("survey:", "Boats"),
        ("boats:", "Boats"),
        ("x-ray", ""),
        ('" OR "*', ""),
        ("  -  ", "Boats éclair Otters Zinc"),
        ("%", "Boats éclair Otters Zinc"),
    ],
)
def test_words_find_papers_while_they_are_typed(catalogue: Catalogue, words: str, found: str) -> None:
    assert shown(catalogue, Browse(words, order="title")) == found.split()


@pytest.mark.parametrize(
    ("field", "counted"),
    [
        ("year", [("2023", "2023", 2), ("2021", "2021", 1)]),
        ("venue", [(" acta otter ", "Acta Otter", 2), (" night letters ", "Night Letters", 1)]),
        ("tag", [(" night ", "Night", 1), (" sea ", "Sea", 1), (" sea birds ", "Sea birds", 1)]),
        ("author", [("moss ada", "Moss, Ada", 2), ("moss a", "Moss, A.", 1), ("reed bo", "Réed, Bo", 1)]),
        ("source", [("/b.bib", "/b.bib", 3), ("/a.bib", "/a.bib", 2)]),
    ],
)
def test_papers_are_counted_by_what_they_share_and_narrowed_to_just_those(
    catalogue: Catalogue, field: Field, counted: list[tuple[str, str, int]]
) -> None:
    found = catalogue.counts(field)
    assert [(one.value, one.shown, one.papers) for one in found] == counted
    for one in found:
        assert catalogue.page(Browse(**{field: one.value}), 50)[1] == one.papers


def test_counts_are_of_the_papers_wanted_whatever_the_field_itself_is_narrowed_to(catalogue: Catalogue) -> None:
    wanted = Browse(words="ada", year="2023")
    assert [(one.value, one.papers) for one in catalogue.counts("year", wanted)] == [("2023", 1), ("2021", 1)]
    assert [one.papers for one in catalogue.counts("venue", wanted)] == [1]
    assert len(catalogue.counts("author", Browse(), limit=1)) == 1


def test_pages_follow_one_another_and_the_total_is_of_all(catalogue: Catalogue) -> None:
    order = Browse(order="title")
    assert [shown(catalogue, order, 2, offset) for offset in (0, 2, 4)] == [["Boats", "éclair"], ["Otters", "Zinc"], []]
    assert catalogue.page(order, 2, 2)[1] == 4


def test_a_paper_that_changes_is_listed_as_it_is_now(tmp_path: Path) -> None:
    catalogue = Catalogue(tmp_path / "c.sqlite")
    catalogue.put_sources([(A, [PLAIN])])
    catalogue.put_sources([(A, [Entry("zinc!", "It rusts seldom.", 1, "1999")])])
    assert shown(catalogue, Browse("zinc!", year="1999")) == ["zinc!"]
    catalogue.close()


def test_a_home_of_version_2_is_listed_as_a_new_one_is(tmp_path: Path) -> None:
    catalogue = Catalogue(tmp_path / "c.sqlite")
    catalogue.put_sources([(A, [OTTER, MOTH])])
    catalogue.close()
    with sqlite3.connect(catalogue.path) as db:
        db.executescript(
            "DROP INDEX papers_listed; DROP INDEX papers_by_title; DROP INDEX papers_by_venue;"
            "ALTER TABLE papers DROP COLUMN folded_title; PRAGMA user_version = 2;"
            "CREATE INDEX papers_filtered ON papers (date, authors, venue, tags, paper_id);"
        )
    again = Catalogue(tmp_path / "c.sqlite")
    assert module.SCHEMA_VERSION > 2
    assert shown(again, Browse("eclair moth", order="title")) == ["éclair"]
    again.close()
