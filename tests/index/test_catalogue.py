from __future__ import annotations

import hashlib
import json
import re
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from index import SUMMARY_NOTE, BusyError, Entry, HomeError, storing
from index import catalogue as module
from index.catalogue import Catalogue
from index.filtering import PaperFilter
from index.identity import Record
from index.merging import Said, merge
from index.paper import Source, paper_id_of
from index.storing import Change

A, B, STARTER = Source("/a.txt", "/"), Source("/b.txt", "/"), Source("starter/c.txt", "starter", starter=True)
GRAVEL = Entry("Gravel", "It saves memory.", 1)
MOTH = Entry("Moth", "It is sparse.", 3)


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    catalogue = Catalogue(tmp_path / "catalogue.sqlite")
    yield catalogue
    catalogue.close()


def titles(catalogue: Catalogue, wanted: PaperFilter) -> list[str]:
    return [paper.title for paper in catalogue.papers(sorted(catalogue.allowed(wanted)))]


# Identity


def test_a_papers_identity_never_changes() -> None:
    assert paper_id_of("KV Prediction for Improved Time to First Token") == "ab1679719fb2"


@pytest.mark.parametrize("other", ["kv prediction", "KV  Prediction!", "KV-Prediction", "“KV Prediction”", "ＫＶ Prediction"])
def test_typesetting_makes_no_other_paper(other: str) -> None:
    assert paper_id_of(other) == paper_id_of("KV Prediction")


@pytest.mark.parametrize("other", ["KV Predictions", "KV2 Prediction", "KVPrediction", "", "!"])
def test_other_letters_make_another_paper(other: str) -> None:
    assert paper_id_of(other) != paper_id_of("KV Prediction")


# What adding did


def test_changes_are_counted_and_add_up(catalogue: Catalogue) -> None:
    assert catalogue.put_sources([(A, [GRAVEL, MOTH, GRAVEL])]) == Change(new=2, seen_before=1)
    assert catalogue.put_sources([(A, [GRAVEL, MOTH])]) == Change(unchanged=2)
    longer = replace(MOTH, abstract="It is sparse and fast.")
    assert catalogue.put_sources([(A, [GRAVEL, longer])]) == Change(unchanged=1, changed=1)
    assert catalogue.put_sources([(A, [GRAVEL]), (B, [GRAVEL, longer])]) == Change(unchanged=2, seen_before=1)
    assert catalogue.count() == 2


def test_a_source_read_again_replaces_what_it_told(catalogue: Catalogue) -> None:
    catalogue.put_sources([(A, [GRAVEL, MOTH]), (B, [MOTH])])
    catalogue.put_sources([(A, [])])
    assert [(paper.title, paper.sources) for paper in catalogue.papers()] == [("Moth", ("/b.txt",))]
    assert catalogue.match("gravel", 4.0)[0].tolist() == []


def test_removing_a_source_keeps_what_others_tell(catalogue: Catalogue) -> None:
    catalogue.put_sources([(A, [GRAVEL, MOTH]), (B, [replace(MOTH, abstract="It is sparse and fast.")])])
    assert catalogue.remove_source("/b.txt") == 0
    assert [paper.abstract for paper in catalogue.papers()] == ["It saves memory.", "It is sparse."]
    assert catalogue.remove_source("/a.txt") == 2
    assert (catalogue.papers(), catalogue.sources()) == ([], [])


def test_all_sources_are_stored_or_none(catalogue: Catalogue) -> None:
    bad = replace(MOTH, author_count=object())  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        catalogue.put_sources([(A, [GRAVEL]), (B, [bad])])
    assert (catalogue.count(), catalogue.sources()) == (0, [])


def test_sources_are_listed_with_their_papers(catalogue: Catalogue) -> None:
    catalogue.put_sources([(STARTER, [GRAVEL]), (A, [GRAVEL, MOTH, GRAVEL])])
    assert catalogue.sources() == [(A, 2), (STARTER, 1)]


# One paper from several sources


def test_the_authors_abstract_goes_before_our_summary_and_the_longer_before_the_shorter() -> None:
    told = [
        (STARTER, replace(GRAVEL, abstract="A very long summary of ours, longer than any.")),
        (A, replace(GRAVEL, abstract="It saves.")),
        (B, replace(GRAVEL, title="GRAVEL", abstract="It saves memory.", date="--07-27", date_inferred="2024-07-27")),
        (Source("/c.txt", "/"), replace(GRAVEL, abstract="It", date="2023", author_count=6, authors=("Ada",), url="u")),
    ]
    papers = {merge("id", [Record(source.name, source.starter, entry) for source, entry in order]) for order in permutations(told)}
    (paper,) = papers
    assert (paper.title, paper.abstract, paper.note) == ("GRAVEL", "It saves memory.", None)
    assert (paper.date, paper.date_inferred, paper.author_count, paper.authors, paper.url) == ("2023", None, 6, ("Ada",), "u")
    assert paper.sources == ("/a.txt", "/b.txt", "/c.txt", "starter/c.txt")


def test_a_paper_of_the_starter_library_alone_is_noted_as_our_summary(catalogue: Catalogue) -> None:
    catalogue.put_sources([(STARTER, [GRAVEL, MOTH]), (A, [MOTH])])
    assert [paper.note for paper in catalogue.papers()] == [SUMMARY_NOTE, None]


def test_repeats_within_a_source_are_one_paper_in_whatever_order(catalogue: Catalogue) -> None:
    repeats = [GRAVEL, replace(GRAVEL, abstract="It saves.", author_count=6), replace(GRAVEL, title="gravel", abstract="It", date="2023")]
    for order in permutations(repeats):
        catalogue.put_sources([(A, order)])
        (paper,) = catalogue.papers()
        assert (paper.title, paper.abstract, paper.author_count, paper.date) == ("Gravel", "It saves memory.", 6, "2023")


def test_titles_and_abstracts_are_repaired_and_the_raw_text_is_kept(catalogue: Catalogue) -> None:
    catalogue.put_sources([(A, [Entry(r"{\em Gravel}", "It is 2.4times faster.", 1)])])
    (paper,) = catalogue.papers()
    assert (paper.title, paper.display_title) == (r"{\em Gravel}", "Gravel")
    assert (paper.raw_abstract, paper.abstract) == ("It is 2.4times faster.", "It is 2.4× faster.")


def test_papers_come_in_the_order_asked_for_and_unknown_ones_are_left_out(catalogue: Catalogue) -> None:
    catalogue.put_sources([(A, [GRAVEL, MOTH])])
    ids = [paper_id_of("Moth"), "unknown", paper_id_of("Gravel")]
    assert [paper.title for paper in catalogue.papers(ids)] == ["Moth", "Gravel"]


# Filters


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (PaperFilter(), "ABCDE"),
        (PaperFilter(since="2024"), "BC"),
        (PaperFilter(since="2024-06"), "C"),
        (PaperFilter(until="2023"), "A"),
        (PaperFilter(until="2024-05"), "AB"),
        (PaperFilter(until="2024-05-01"), "AB"),
        (PaperFilter(since="2023-10-03", until="2023-10-03"), "A"),
        (PaperFilter(source="B.TXT"), "E"),
        (PaperFilter(author="ørsted"), "A"),
        (PaperFilter(author="ada"), "B"),
        (PaperFilter(author='", "'), ""),
        (PaperFilter(text="ÉTUDE"), "D"),
        (PaperFilter(text="title c"), "C"),
        (PaperFilter(text="title", source="a.txt", since="2024-05"), "BC"),
        (PaperFilter(text="%"), ""),
        (PaperFilter(author="orsted"), "A"),
        (PaperFilter(author="Ørsted, H."), "A"),
        (PaperFilter(author="Hans Orsted"), "A"),
        (PaperFilter(author="Bohr Ørsted"), ""),
        (PaperFilter(author="ors"), ""),
        (PaperFilter(text="etude"), "D"),
        (PaperFilter(text="E\u0301TUDE."), "D"),
        (PaperFilter(venue="zeitschrift fur"), "C"),
        (PaperFilter(venue="schrift"), ""),
        (PaperFilter(tag="STRASSE"), "B"),
        (PaperFilter(tag="kapitel"), "B"),
        (PaperFilter(tag="kap"), ""),
        (PaperFilter(tag="?"), ""),
    ],
)
def test_filters_pass_exactly_the_papers_meant(catalogue: Catalogue, wanted: PaperFilter, found: str) -> None:
    entries = [
        Entry("Title A", "One.", 1, date="2023-10-03", authors=("H. Ørsted", "N. Bohr")),
        Entry("Title B", "Two.", 2, date="2024-05-01", authors=("Ada L.",), tags=("Straße", "Kapitel 2")),
        Entry("Title C", "Three.", 3, date="--07-27", date_inferred="2024-07-27", venue="Zeitschrift für Kessel"),
        Entry("Title D", "Une étude.", 4, date="--07-27"),
    ]
    catalogue.put_sources([(A, entries), (B, [Entry("Title E", "Five.", 5)])])
    assert sorted(title[-1] for title in titles(catalogue, wanted)) == list(found)


# Words


def test_words_match_in_any_form_and_titles_weigh_more(catalogue: Catalogue) -> None:
    catalogue.put_sources([(A, [Entry("Saving", "A thing.", 1), Entry("Thing", "It saves memory.", 2), Entry("Other", "No.", 3)])])
    numbers, scores = catalogue.match('"saved"', 4.0)
    ids = catalogue.ids(numbers.tolist())
    by_score = sorted(zip(scores.tolist(), numbers.tolist(), strict=True), reverse=True)
    assert [ids[number] for _, number in by_score] == [paper_id_of("Saving"), paper_id_of("Thing")]
    assert catalogue.vocabulary()["save"] == 2
    assert sorted(catalogue.holders("save")) == sorted(catalogue.numbers([paper_id_of("Saving"), paper_id_of("Thing")]).values())
    assert "saves" in catalogue.text_holding("memori", 1) and catalogue.text_holding("nothing", 1) == ""


# What the vectors hold


# One paper once, two papers twice

BRONZE = "Bronze rings from 40 graves are compared by their tin. Rings of one valley share their tin, so that they were cast in one place."
OTTERS = "Otters that were counted at night are twice as many as those counted by day. Counts of the past were therefore too low."


def test_the_same_title_with_other_abstracts_is_two_papers_that_both_are_found(catalogue: Catalogue) -> None:
    catalogue.put_sources([(A, [Entry("Editorial", BRONZE, 1), Entry("Editorial", OTTERS, 2)])])
    first, second = catalogue.papers()
    assert {first.abstract, second.abstract} == {BRONZE, OTTERS} and first.paper_id != second.paper_id
    assert len(catalogue.match('"otters" OR "bronze"', 4.0)[0]) == 2


def test_ids_are_the_same_in_whatever_order_and_portions_sources_come(tmp_path: Path) -> None:
    told = [
        (A, [Entry("Editorial", BRONZE, 1), Entry("Tests in C", OTTERS, 2)]),
        (B, [Entry("Editorial", OTTERS, 1), Entry("Tests in C++", BRONZE, 2, doi="10.1/c")]),
        (Source("/c.ris", "/"), [Entry("Testing", BRONZE[:60], 1, doi="10.1/c"), Entry("EDITORIAL", "", 2)]),
    ]
    found = set()
    for number, order in enumerate(permutations(told)):
        catalogue = Catalogue(tmp_path / f"{number}.sqlite")
        if number % 2:
            catalogue.put_sources(order)
        else:
            for each in order:
                catalogue.put_sources([each])
        found.add(tuple((paper.paper_id, paper.abstract, paper.sources) for paper in catalogue.papers()))
        catalogue.close()
    (papers,) = found
    assert [sources for _, _, sources in papers].count(("/b.txt", "/c.ris")) == 1 and len(papers) == 4


def test_a_paper_that_its_identifier_joins_to_another_is_not_gone(catalogue: Catalogue) -> None:
    catalogue.put_sources([(A, [Entry("Rings", BRONZE, 1)]), (B, [Entry("Bronze rings", BRONZE, 1, doi="10.1/x")])])
    assert catalogue.count() == 2
    assert catalogue.put_sources([(A, [Entry("Rings", BRONZE, 1, doi="10.1/x")])]) == Change(changed=1)
    (paper,) = catalogue.papers()
    assert paper.sources == ("/a.txt", "/b.txt") and paper.doi == "10.1/x"
    catalogue.put_sources([(A, [Entry("Rings", BRONZE, 1)])])
    assert catalogue.count() == 2


def test_a_source_that_held_two_papers_together_lets_them_go_when_it_is_removed(catalogue: Catalogue) -> None:
    catalogue.put_sources([(A, [Entry("Rings", BRONZE, 1, arxiv_id="1")]), (B, [Entry("Bronze rings", BRONZE, 1, doi="10.1/x")])])
    bridge = Source("/c.ris", "/")
    catalogue.put_sources([(bridge, [Entry("Rings", BRONZE, 1, doi="10.1/x", arxiv_id="1")])])
    assert catalogue.count() == 1
    assert catalogue.remove_source(bridge.name) == 0
    assert [paper.title for paper in catalogue.papers()] == ["Bronze rings", "Rings"]


def test_a_published_version_tells_its_facts_before_a_preprint_and_the_longest_list_its_authors() -> None:
    preprint = Entry(
        "Rings", BRONZE, 1, date="2020-03-05", arxiv_id="2003.1", doi="10.48550/arxiv.2003.1", venue="arXiv", authors=("A. Moss", "B. Reed")
    )
    journal = Entry("Rings", BRONZE[:60], 1, date="2021", doi="10.1/x", venue="Metals", authors=("Moss, A.",), keywords=("tin",))
    other = Entry("Rings", BRONZE[:60], 1, date="2021-07", doi="10.1/x", keywords=("Tin", "graves"))
    told = [Record("/a", False, preprint), Record("/b", False, journal), Record("/c", False, other)]
    papers = {merge("id", order) for order in permutations(told)}
    (paper,) = papers
    assert (paper.doi, paper.venue, paper.date, paper.arxiv_id, paper.authors) == (
        "10.1/x",
        "Metals",
        "2021-07",
        "2003.1",
        ("A. Moss", "B. Reed"),
    )
    assert (paper.abstract, paper.keywords) == (BRONZE, ("tin", "graves"))


def test_what_sources_say_is_told_where_they_differ(catalogue: Catalogue) -> None:
    catalogue.put_sources(
        [(A, [Entry("Rings", BRONZE, 1, date="2020", venue="Metals")]), (B, [Entry("Rings", BRONZE, 1, date="2021"), MOTH])]
    )
    assert catalogue.told([paper.paper_id for paper in catalogue.papers()]) == {
        paper_id_of("Rings"): {"date": [Said("/a.txt", "2020"), Said("/b.txt", "2021")]}
    }


# Storing


def test_nothing_is_compared_repaired_or_serialised_while_the_file_is_locked(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    locked = []

    def noting(name: str) -> Any:
        real = getattr(storing, name)

        def noted(*arguments: Any) -> Any:
            with sqlite3.connect(catalogue.path, timeout=0, isolation_level=None) as other:
                try:
                    other.execute("BEGIN IMMEDIATE")
                    other.execute("ROLLBACK")
                except sqlite3.OperationalError:
                    locked.append(name)
            return real(*arguments)

        return noted

    for name in ("merge", "papers_of", "entry_of", "hashed_keys"):
        monkeypatch.setattr(storing, name, noting(name))
    catalogue.put_sources([(A, [GRAVEL, MOTH])])
    catalogue.put_sources([(B, [GRAVEL])])
    assert locked == [] and catalogue.count() == 2


def test_what_another_wrote_meanwhile_is_kept_and_the_plan_is_made_anew(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Catalogue(catalogue.path)

    def meanwhile(*arguments: Any) -> Any:
        monkeypatch.setattr(storing, "merge", merge)
        other.put_sources([(B, [replace(GRAVEL, abstract="It saves memory and time.")])])
        return merge(*arguments)

    monkeypatch.setattr(storing, "merge", meanwhile)
    catalogue.put_sources([(A, [GRAVEL])])
    (paper,) = catalogue.papers()
    assert (paper.abstract, paper.sources) == ("It saves memory and time.", ("/a.txt", "/b.txt"))
    other.close()


def test_progress_is_told_of_papers_made_and_then_written(catalogue: Catalogue) -> None:
    told: list[tuple[int, int]] = []
    entries = [replace(GRAVEL, title=f"Gravel {number}") for number in range(1200)]
    catalogue.put_sources([(A, entries)], lambda done, total: told.append((done, total)))
    once = [(0, 1200), (500, 1200), (1000, 1200), (1200, 1200)]
    assert told == once * 2


def test_how_a_source_is_read_again_is_kept(catalogue: Catalogue) -> None:
    first = Source("/papers.csv", "/papers.csv", options='{"columns": {"title": "Name"}}')
    catalogue.put_sources([(first, [GRAVEL])])
    assert catalogue.sources() == [(first, 1)]
    catalogue.put_sources([(replace(first, options="{}"), [GRAVEL])])
    assert catalogue.sources() == [(replace(first, options="{}"), 1)]


# From version 1

VERSION_1 = """
CREATE TABLE sources (source_id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, root TEXT NOT NULL, starter INTEGER NOT NULL);
CREATE TABLE entries (
    source_id INTEGER NOT NULL REFERENCES sources ON DELETE CASCADE, paper_id TEXT NOT NULL, record TEXT NOT NULL,
    PRIMARY KEY (source_id, paper_id)
) WITHOUT ROWID;
CREATE INDEX entries_of_paper ON entries (paper_id);
CREATE TABLE papers (
    number INTEGER PRIMARY KEY, paper_id TEXT NOT NULL UNIQUE, record TEXT NOT NULL, date TEXT, digest TEXT NOT NULL
);
CREATE VIRTUAL TABLE papers_text USING fts5 (title, abstract, tokenize='porter unicode61');
CREATE TABLE embedded (paper_id TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, digest TEXT, sentences TEXT NOT NULL) WITHOUT ROWID;
PRAGMA user_version = 1;
"""
"""The schema as it was, word for word but for comments and white space."""


def of_version_1(path: Path, told: dict[Source, list[tuple[str, str, dict[str, Any]]]]) -> None:
    """A file as version 1 wrote it: (title, abstract, what else) by source; a paper shows the longest abstract of its title."""
    with sqlite3.connect(path) as db:
        db.executescript(VERSION_1)
        papers: dict[str, dict[str, Any]] = {}
        for source_id, (source, entries) in enumerate(told.items(), 1):
            db.execute("INSERT INTO sources VALUES (?, ?, ?, ?)", (source_id, source.name, source.root, source.starter))
            for line, (title, abstract, more) in enumerate(entries, 1):
                paper_id = paper_id_of(title)
                entry = {"title": title, "abstract": abstract, "line": line, "date": None, "authors": [], "note": None, "key": None} | more
                db.execute("INSERT INTO entries VALUES (?, ?, ?)", (source_id, paper_id, json.dumps(entry)))
                if len(abstract) > len(papers.get(paper_id, {"abstract": ""})["abstract"]):
                    shown = {"paper_id": paper_id, "display_title": title, "raw_abstract": abstract, "sources": [source.name]}
                    papers[paper_id] = {**{key: entry[key] for key in ("title", "abstract", "date", "authors", "note")}, **shown}
        for number, (paper_id, record) in enumerate(papers.items(), 1):
            digest = hashlib.sha256(f"{record['display_title']}\n{record['abstract']}".encode()).hexdigest()
            db.execute("INSERT INTO papers VALUES (?, ?, ?, ?, ?)", (number, paper_id, json.dumps(record), record["date"], digest))
            db.execute("INSERT INTO papers_text (rowid, title, abstract) VALUES (?, ?, ?)", (number, record["title"], record["abstract"]))
            db.execute("INSERT INTO embedded VALUES (?, 'ours', ?, '[[0, 2]]')", (paper_id, digest))


def rows(path: Path) -> list[str]:
    with sqlite3.connect(path) as db:
        return list(db.iterdump())


def schema(path: Path) -> list[str]:
    """The file's schema without comments and white space."""
    with sqlite3.connect(path) as db:
        return sorted(
            "".join(re.sub(r"--.*", "", row[0]).split()) for row in db.execute("SELECT sql FROM sqlite_master WHERE sql NOT NULL")
        )


def test_a_home_of_version_1_keeps_every_paper_and_its_id(tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite"
    moss = {"authors": ["Ada Moss"], "date": "2020-05"}
    of_version_1(
        path, {A: [("Rings", BRONZE, moss), ("Otters", OTTERS, {})], B: [("Rings!", BRONZE[:50], {}), ("Moth", "It is sparse.", {})]}
    )
    catalogue = Catalogue(path)
    assert {paper.paper_id: paper.abstract for paper in catalogue.papers()} == {
        paper_id_of("Rings"): BRONZE,
        paper_id_of("Otters"): OTTERS,
        paper_id_of("Moth"): "It is sparse.",
    }
    assert catalogue.count() == 3
    assert catalogue.sources() == [(A, 2), (B, 2)]
    assert titles(catalogue, PaperFilter(author="moss, ada", since="2020-05")) == ["Rings"]
    assert list(catalogue.ids(catalogue.match('"otter"', 4.0)[0].tolist()).values()) == [paper_id_of("Otters")]
    assert catalogue.put_sources([(A, [Entry("Rings", BRONZE, 1), Entry("Otters", OTTERS, 2)])]).new == 0
    catalogue.close()


def test_abstracts_that_version_1_held_back_become_papers_and_what_was_shown_keeps_its_id(tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite"
    of_version_1(
        path,
        {
            A: [("Editorial", OTTERS, {}), ("C", BRONZE, {})],
            B: [("Editorial", BRONZE, {}), ("C++", BRONZE, {})],
            STARTER: [("C", "Rings.", {})],
        },
    )
    catalogue = Catalogue(path)
    papers = {paper.paper_id: (paper.title, paper.abstract) for paper in catalogue.papers()}
    assert len(papers) == 4 and papers[paper_id_of("Editorial")] == ("Editorial", BRONZE) and papers[paper_id_of("C")] == ("C", BRONZE)
    assert sorted(papers.values()) == [("C", BRONZE), ("C++", BRONZE), ("Editorial", BRONZE), ("Editorial", OTTERS)]
    assert len(catalogue.match('"otters" OR "bronze"', 4.0)[0]) == 4
    catalogue.close()


def test_migrating_is_done_once_and_a_fresh_home_has_the_same_schema(tmp_path: Path) -> None:
    old, new = tmp_path / "old.sqlite", tmp_path / "new.sqlite"
    of_version_1(old, {A: [("Rings", BRONZE, {})], B: [("Rings", OTTERS, {})]})
    Catalogue(old).close()
    once = rows(old)
    Catalogue(old).close()
    assert rows(old) == once
    Catalogue(new).close()
    assert schema(old) == schema(new)


def test_a_migration_that_fails_leaves_version_1_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "c.sqlite"
    of_version_1(path, {A: [("Rings", BRONZE, {})], B: [("Rings", OTTERS, {})]})
    before = rows(path)

    def fails(db: sqlite3.Connection) -> None:
        raise sqlite3.OperationalError("disk full")

    monkeypatch.setitem(module._AFTERWARDS, 2, fails)
    with pytest.raises(HomeError):
        Catalogue(path)
    assert rows(path) == before


# The file


def test_what_is_stored_is_there_when_opened_again(tmp_path: Path) -> None:
    first = Catalogue(tmp_path / "c.sqlite")
    first.put_sources([(A, [GRAVEL])])
    first.close()
    assert first.count() == Catalogue(tmp_path / "c.sqlite").count() == 1


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    Catalogue(tmp_path / "c.sqlite").close()
    with sqlite3.connect(tmp_path / "c.sqlite") as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(HomeError, match=r"made by a newer version .*schema 99, known: 3.*Update the program, or use another home"):
        Catalogue(tmp_path / "c.sqlite")


def test_older_and_new_files_are_both_brought_to_the_current_schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = Catalogue(tmp_path / "old.sqlite")
    old.put_sources([(A, [GRAVEL])])
    old.close()
    monkeypatch.setattr(module, "SCHEMA_VERSION", 5)
    monkeypatch.setattr(
        module,
        "_MIGRATIONS",
        module._MIGRATIONS | {4: "ALTER TABLE papers ADD COLUMN x;\n", 5: "UPDATE papers SET x = 1;\nCREATE TABLE y (z);"},
    )
    for name, papers in (("old.sqlite", 1), ("new.sqlite", 0)):
        catalogue = Catalogue(tmp_path / name)
        catalogue.close()
        with sqlite3.connect(tmp_path / name) as db:
            assert db.execute("PRAGMA user_version").fetchone() == (5,)
            assert db.execute("SELECT count(*) FROM papers WHERE x = 1").fetchone() == (papers,)
            assert db.execute("SELECT count(*) FROM y").fetchone() == (0,)


def test_a_failing_migration_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Catalogue(tmp_path / "c.sqlite").close()
    with monkeypatch.context() as newer:
        newer.setattr(module, "SCHEMA_VERSION", 4)
        newer.setattr(module, "_MIGRATIONS", module._MIGRATIONS | {4: "CREATE TABLE y (z);\nnonsense;"})
        with pytest.raises(HomeError):
            Catalogue(tmp_path / "c.sqlite")
    assert Catalogue(tmp_path / "c.sqlite").count() == 0
    with sqlite3.connect(tmp_path / "c.sqlite") as db:
        assert db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'y'").fetchone() == (0,)


@pytest.mark.parametrize("content", [b"not a database at all" * 300, b"SQLite format 3\0" + b"\xff" * 4000])
def test_a_damaged_file_is_said_with_the_way_out(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "c.sqlite").write_bytes(content)
    with pytest.raises(HomeError, match=r"c\.sqlite: the catalogue is damaged .*restore FILE.*--rebuild"):
        Catalogue(tmp_path / "c.sqlite")


def test_damage_met_later_is_said_as_well(tmp_path: Path) -> None:
    catalogue = Catalogue(tmp_path / "c.sqlite")
    catalogue.put_sources([(A, [replace(GRAVEL, title=f"Gravel {number}") for number in range(500)])])
    catalogue.close()
    with (tmp_path / "c.sqlite").open("r+b") as file:
        file.seek(4096 * 3)
        file.write(b"\xff" * 4096 * 30)
    with pytest.raises(HomeError, match="the catalogue is damaged"):
        damaged = Catalogue(tmp_path / "c.sqlite")
        damaged.papers()
        damaged.put_sources([(B, [GRAVEL])])


def test_a_catalogue_that_another_holds_is_busy(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LOCK_SECONDS", 0.1)
    other = sqlite3.connect(catalogue.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(BusyError, match="another process is writing"):
        Catalogue(catalogue.path).put_sources([(A, [GRAVEL])])
    assert Catalogue(catalogue.path).count() == 0  # reading goes on
    other.close()


def test_many_threads_read_while_one_writes_and_leave_no_connections_behind(catalogue: Catalogue) -> None:
    failures: list[BaseException] = []

    def read() -> None:
        try:
            for _ in range(5):
                assert catalogue.count() in {0, 20}
                catalogue.match('"gravel"', 4.0)
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=read) for _ in range(40)]
    for thread in threads[:20]:
        thread.start()
    catalogue.put_sources([(A, [replace(GRAVEL, title=f"Gravel {number}") for number in range(20)])])
    for thread in threads[:20]:
        thread.join()
    for thread in threads[20:]:
        thread.start()
        thread.join()
    assert failures == []
    assert len(catalogue._idle) <= 21
