from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import pytest

from index import SUMMARY_NOTE, BusyError, Entry, HomeError
from index import catalogue as module
from index.catalogue import Catalogue, Change, PaperFilter
from index.merging import merge
from index.paper import Source, paper_id_of

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
    papers = {merge("id", order) for order in permutations(told)}
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
    ],
)
def test_filters_pass_exactly_the_papers_meant(catalogue: Catalogue, wanted: PaperFilter, found: str) -> None:
    entries = [
        Entry("Title A", "One.", 1, date="2023-10-03", authors=("H. Ørsted", "N. Bohr")),
        Entry("Title B", "Two.", 2, date="2024-05-01", authors=("Ada L.",)),
        Entry("Title C", "Three.", 3, date="--07-27", date_inferred="2024-07-27"),
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
    with pytest.raises(HomeError, match=r"made by a newer version .*schema 99, known: 1.*Update the program, or use another home"):
        Catalogue(tmp_path / "c.sqlite")


def test_older_and_new_files_are_both_brought_to_the_current_schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = Catalogue(tmp_path / "old.sqlite")
    old.put_sources([(A, [GRAVEL])])
    old.close()
    monkeypatch.setattr(module, "SCHEMA_VERSION", 3)
    monkeypatch.setattr(
        module, "_MIGRATIONS", {2: "ALTER TABLE papers ADD COLUMN x;\n", 3: "UPDATE papers SET x = 1;\nCREATE TABLE y (z);"}
    )
    for name, papers in (("old.sqlite", 1), ("new.sqlite", 0)):
        catalogue = Catalogue(tmp_path / name)
        catalogue.close()
        with sqlite3.connect(tmp_path / name) as db:
            assert db.execute("PRAGMA user_version").fetchone() == (3,)
            assert db.execute("SELECT count(*) FROM papers WHERE x = 1").fetchone() == (papers,)
            assert db.execute("SELECT count(*) FROM y").fetchone() == (0,)


def test_a_failing_migration_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Catalogue(tmp_path / "c.sqlite").close()
    with monkeypatch.context() as newer:
        newer.setattr(module, "SCHEMA_VERSION", 2)
        newer.setattr(module, "_MIGRATIONS", {2: "CREATE TABLE y (z);\nnonsense;"})
        with pytest.raises(HomeError):
            Catalogue(tmp_path / "c.sqlite")
    assert Catalogue(tmp_path / "c.sqlite").count() == 0
    with sqlite3.connect(tmp_path / "c.sqlite") as db:
        assert db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'y'").fetchone() == (0,)


@pytest.mark.parametrize("content", [b"not a database at all" * 300, b"SQLite format 3\0" + b"\xff" * 4000])
def test_a_damaged_file_is_said_with_the_way_out(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "c.sqlite").write_bytes(content)
    with pytest.raises(HomeError, match=r"c\.sqlite: the catalogue cannot be read or written .* move it away and index again"):
        Catalogue(tmp_path / "c.sqlite")


def test_damage_met_later_is_said_as_well(tmp_path: Path) -> None:
    catalogue = Catalogue(tmp_path / "c.sqlite")
    catalogue.put_sources([(A, [replace(GRAVEL, title=f"Gravel {number}") for number in range(500)])])
    catalogue.close()
    with (tmp_path / "c.sqlite").open("r+b") as file:
        file.seek(4096 * 3)
        file.write(b"\xff" * 4096 * 30)
    with pytest.raises(HomeError, match="move it away and index again"):
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
