"""Which records tell of one paper: one paper once, two papers twice, whatever the order."""

from __future__ import annotations

import random
import time
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.identity import Record, identifiers, papers_of, title_key
from index.paper import Entry, paper_id_of

PEBBLES = (
    "Pebbles that roll down a slope come to rest in bands. We measure 14 slopes and find that the width of a band grows with the "
    "square of its distance from the top, which no model of sliding explains."
)
LAMPS = (
    "Moths that meet a lamp turn their backs to it. We film 30 species in the dark and in lit gardens, and show that the turning "
    "alone keeps them near, without any wish to reach the light."
)
TERNS = (
    "Terns cross two oceans each year. With 11 birds that carried loggers we find that they follow the wind rather than the coast, "
    "and that young birds learn the way from no one."
)


def record(title: str, abstract: str, source: str = "/a.bib", starter: bool = False, **told: Any) -> Record:
    return Record(source, starter, Entry(title, abstract, 1, **told))


def grouped(*records: Record) -> list[set[int]]:
    """The records of each paper; in every order the same, with the same ids."""
    found = set()
    for order in permutations(range(len(records))):
        papers = papers_of([records[place] for place in order])
        found.add(frozenset((paper.paper_id, frozenset(order[place] for place in paper.records)) for paper in papers))
    (same,) = found
    assert len({paper_id for paper_id, _ in same}) == len(same)
    return sorted((set(numbers) for _, numbers in same), key=min)


# Titles


@pytest.mark.parametrize(
    "other",
    [
        "UBER STILLE WASSER", "Über  stille\nWasser", r"{\"U}ber {S}tille Wasser", r"\"Uber stille \emph{Wasser}",
        "Über <i>stille</i> Wasser.", "U\u0308ber stille Wasser", "„Über“ stille-Wasser", "Über stille &quot;Wasser&quot;",
        "Ü\uff42er stille Wasser",
    ],
)  # fmt: skip
def test_typesetting_makes_no_other_title(other: str) -> None:
    assert title_key(other) == title_key("Über stille Wasser")


@pytest.mark.parametrize(
    "titles",
    [
        ("Tests in C", "Tests in C++", "Tests in C#"),
        ("A", "A*"),
        ("P = NP", "P ≠ NP", "P < NP"),
        ("CD4 cells", "CD4+ cells"),
        ("k-means", "k-means++"),
    ],
)
def test_symbols_that_tell_titles_apart_count(titles: tuple[str, ...]) -> None:
    assert len({title_key(title) for title in titles}) == len(titles)


@pytest.mark.parametrize(
    ("one", "other"), [("CD4(+) cells", "CD4+ cells"), ("Tests in C♯", "Tests in C#"), ("C＋＋", "C++"), ("H<sub>2</sub>O", "H₂O")]
)
def test_forms_of_one_symbol_are_one(one: str, other: str) -> None:
    assert title_key(one) == title_key(other)


# One paper


@pytest.mark.parametrize(
    "told",
    [{"doi": "10.1000/x"}, {"arxiv_id": "2401.00001"}, {"pmid": "77"}],
)
def test_records_of_one_identifier_are_one_paper(told: dict[str, Any]) -> None:
    assert grouped(record("Bands of pebbles", PEBBLES, **told), record("Pebbles in bands", PEBBLES[:80], "/b.ris", **told)) == [{0, 1}]
    assert grouped(record("An older title", LAMPS, **told), record("Pebbles in bands", PEBBLES, "/b.ris", **told)) == [{0, 1}]


def test_arxivs_doi_and_versions_are_the_arxiv_id() -> None:
    told: list[dict[str, Any]] = [{"doi": "10.48550/arxiv.2401.00001"}, {"arxiv_id": "2401.00001v2"}, {"arxiv_id": "2401.00001"}]
    assert {identifiers(Entry("T", "", 1, **each)) for each in told} == {("arxiv 2401.00001",)}


@pytest.mark.parametrize(
    "other",
    [PEBBLES.upper(), PEBBLES[:90], PEBBLES[:93] + "…", PEBBLES[54:], PEBBLES.replace("14 slopes", "fourteen slopes"),
     "<p>" + PEBBLES + "</p>", PEBBLES + " © 2020 The Authors.", "Pebbles"],
)  # fmt: skip
def test_the_same_title_with_an_abstract_that_agrees_is_one_paper(other: str) -> None:
    assert grouped(record("Bands", PEBBLES), record("bands.", other, "/b.ris")) == [{0, 1}]


def test_our_summary_joins_the_authors_abstract_by_title() -> None:
    assert grouped(record("Bands", PEBBLES), record("Bands", "Why stones lie in stripes.", "starter/x", starter=True)) == [{0, 1}]


def test_a_record_without_an_abstract_joins_by_title_unless_authors_or_years_say_otherwise() -> None:
    full = record("Bands", PEBBLES, authors=("Moss, Ada",), date="2020")
    assert grouped(full, record("Bands", "", "/b.ris")) == [{0, 1}]
    assert grouped(full, record("Bands", "", "/b.ris", authors=("A. Moss",), date="2021-05")) == [{0, 1}]
    assert grouped(full, record("Bands", "", "/b.ris", authors=("Reed, Bo",))) == [{0}, {1}]
    assert grouped(full, record("Bands", "", "/b.ris", authors=("Moss, Ada",), date="2011")) == [{0}, {1}]


def test_of_two_papers_of_its_title_a_record_without_an_abstract_joins_its_authors() -> None:
    papers = record("Notes", PEBBLES, authors=("Moss, Ada",)), record("Notes", LAMPS, "/b.ris", authors=("Reed, Bo",))
    assert grouped(*papers, record("Notes", "", "/c.ris", authors=("Bo Reed",))) == [{0}, {1, 2}]


def test_a_preprint_and_its_journal_version_are_one_paper() -> None:
    preprint = record("Bands", PEBBLES, doi="10.48550/arxiv.2401.00001")
    assert grouped(preprint, record("Bands", PEBBLES.replace("14 slopes", "15 slopes"), "/b.ris", doi="10.1000/bands")) == [{0, 1}]


def test_two_journal_identifiers_are_one_paper_only_where_the_abstract_is_the_same_to_the_last_figure() -> None:
    first = record("Bands", PEBBLES, doi="10.1000/bands")
    assert grouped(first, record("Bands", PEBBLES, "/b.ris", doi="10.2000/again")) == [{0, 1}]
    assert grouped(first, record("Bands", PEBBLES.replace("14 slopes", "15 slopes"), "/b.ris", doi="10.2000/update")) == [{0}, {1}]


# Two papers


def test_the_same_title_with_another_abstract_is_two_papers() -> None:
    assert grouped(record("Editorial", PEBBLES), record("Editorial", LAMPS), record("Editorial", TERNS, "/b.ris")) == [{0}, {1}, {2}]


def test_titles_that_differ_in_a_symbol_are_as_many_papers() -> None:
    assert grouped(record("Tests in C", PEBBLES), record("Tests in C++", PEBBLES), record("Tests in C#", LAMPS)) == [{0}, {1}, {2}]


def test_the_identifier_of_a_volume_joins_nothing() -> None:
    volume: dict[str, Any] = {"doi": "10.1000/volume"}
    assert grouped(record("Bands", PEBBLES, **volume), record("Lamps", LAMPS, **volume)) == [{0}, {1}]  # one source knows both
    chapters = record("Bands", PEBBLES, "/1", **volume), record("Lamps", LAMPS, "/2", **volume), record("Terns", TERNS, "/3", **volume)
    assert grouped(*chapters) == [{0}, {1}, {2}]
    assert grouped(*chapters, record("Lamps", LAMPS[:70], "/4", **volume)) == [{0}, {1, 3}, {2}]


def test_a_short_piece_that_two_abstracts_begin_with_joins_no_two_papers() -> None:
    opening = "In this note we look back on the year and thank all who helped"
    papers = record("Notes", f"{opening}. {PEBBLES}"), record("Notes", f"{opening}. {LAMPS}")
    assert grouped(*papers, record("Notes", opening, "/b.ris")) == [{0, 2}, {1}]  # the fuller one


def test_joined_by_title_and_joined_by_identifier_is_one_paper_and_goes_no_further() -> None:
    by_title, both, by_id = (
        record("Bands", PEBBLES),
        record("Bands", PEBBLES[:90], "/b", doi="10.1/x"),
        record("Stripes", TERNS, "/c", doi="10.1/x"),
    )
    assert grouped(by_title, both, by_id) == [{0, 1, 2}]
    assert grouped(by_title, both, by_id, record("Stripes", LAMPS, "/d"), record("Stripes", TERNS[:90], "/e")) == [{0, 1, 2, 4}, {3}]


# Ids


def test_a_papers_id_is_its_titles_and_the_fullest_of_several_has_it() -> None:
    shorter, longer = record("Editorial", LAMPS), record("Editorial", PEBBLES)
    assert len(longer.entry.abstract) > len(shorter.entry.abstract)
    first, second = papers_of([shorter, longer])
    assert (first.paper_id, first.records) == (paper_id_of("Editorial"), (1,))
    assert second.paper_id != first.paper_id and len(second.paper_id) == 12
    assert [paper.paper_id for paper in papers_of([shorter])] == [first.paper_id]


def test_an_id_of_a_title_with_a_symbol_does_not_hang_on_the_abstract() -> None:
    def of_plus(abstract: str) -> str:
        found = papers_of([record("Tests in C", PEBBLES), record("Tests in C++", abstract)])
        return next(paper.paper_id for paper in found if paper.records == (1,))

    assert of_plus(LAMPS[:90]) == of_plus(LAMPS[:100]) != paper_id_of("Tests in C++")


def test_records_that_a_key_tells_apart_stay_apart_whatever_their_title() -> None:
    assert grouped(record("", "", key="1"), record("", "", key="2"), record("", "", "/b", key="2")) == [{0}, {1, 2}]


@settings(deadline=None)
@given(
    st.lists(
        st.builds(
            record,
            st.sampled_from(["Notes", "notes", "Notes+", "Bands"]),
            st.sampled_from(["", PEBBLES, PEBBLES[:50], LAMPS, TERNS]),
            st.sampled_from(["/a", "/b", "/c"]),
            st.booleans(),
            doi=st.sampled_from([None, "10.1/x", "10.2/y", "10.48550/arxiv.1"]),
            authors=st.sampled_from([(), ("Moss, Ada",), ("Reed, Bo",)]),
        ),
        max_size=7,
    ),
    st.randoms(),
)
def test_any_records_make_the_same_papers_in_any_order_and_none_is_lost(records: list[Record], order: random.Random) -> None:
    def ids(given: list[Record]) -> set[tuple[str, frozenset[Any]]]:
        papers = papers_of(given)
        assert sorted(place for paper in papers for place in paper.records) == list(range(len(given)))
        assert len({paper.paper_id for paper in papers}) == len(papers)
        return {(paper.paper_id, frozenset(repr(given[place]) for place in paper.records)) for paper in papers}

    shuffled = list(records)
    order.shuffle(shuffled)
    assert ids(records) == ids(shuffled)


def test_thousands_of_one_title_are_told_apart_in_time_that_grows_with_their_number() -> None:
    draw = random.Random(1)
    words = [f"{one}{two}" for one in ("ba", "ce", "di", "fo", "gu", "la") for two in ("ran", "lex", "mon", "tic", "dor", "phil")]

    def seconds(count: int) -> float:
        texts = [" ".join(draw.choices(words, k=40)) for _ in range(count)]
        records = [record("Editorial", text) for text in texts] + [record("Editorial", text[:120], "/b") for text in texts]
        started = time.process_time()
        assert len(papers_of(records)) == count
        return time.process_time() - started

    assert seconds(2400) < 8 * seconds(600) + 1.0
