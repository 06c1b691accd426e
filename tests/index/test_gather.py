"""What a user told of a source goes with it: to the reader, into the report, and to the next refresh."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from index import Hints, Library
from index.embedding import ToyEmbedder
from index.sources import Asked, gather
from index.sources.gather import Gathering

RIS = """TY  - JOUR
TI  - Gravel beds slow the erosion of streams
AB  - We measured erosion in twelve streams. Gravel slowed it.
ER  -

TY  - JOUR
TI  - Basalt dust as a fertiliser
ER  -

TY  - JOUR
TI  - Clay as a fertiliser
ER  -
"""
TABLE = (
    "Heading,Gist,Year\nGravel roads,Gravel roads hold. They are cheap.,2020\nSand roads,Sand roads do not hold. They are cheaper.,2021\n"
)
COLUMNS = Hints(columns={"title": "Heading", "abstract": "Gist"})


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    library = Library(tmp_path / "library", ToyEmbedder())
    yield library
    library.close()


@pytest.fixture
def ris(tmp_path: Path) -> Path:
    file = tmp_path / "lib.ris"
    file.write_text(RIS)
    return file


def test_records_without_an_abstract_are_told_in_one_line_a_file(library: Library, ris: Path) -> None:
    report = library.add([str(ris)])
    assert (report.read, report.new) == (1, 1)
    assert [(skip.source, skip.line, skip.reason) for skip in report.skipped] == [
        (str(ris), None, "2 records without an abstract were left out (--titles-too keeps their titles findable)")
    ]


def test_with_titles_too_they_come_in_and_are_found_by_their_titles(library: Library, ris: Path) -> None:
    report = library.add([str(ris)], hints=Hints(titles_too=True))
    assert (report.read, report.new, report.skipped) == (3, 3, ())
    (basalt,) = [paper for paper in library.papers() if "Basalt" in paper.title]
    assert basalt.abstract == ""
    library.reopen_if_moved()
    assert [hit.paper_id for hit in library.search_words(library.lexical.terms("basalt dust"), 1)] == [basalt.paper_id]
    (query,) = library.embedder.embed_queries(["Basalt dust as a fertiliser"])
    assert library.search_vectors("chunks", query, 1)[0].paper_id == basalt.paper_id
    assert library.sentences([basalt.paper_id]) == {}


def test_what_was_told_is_remembered_for_a_refresh(library: Library, ris: Path, tmp_path: Path) -> None:
    table = tmp_path / "roads.csv"
    table.write_text(TABLE)
    library.add([str(ris)], hints=Hints(titles_too=True))
    library.add([str(table)], hints=COLUMNS)
    table.write_text(TABLE + "Clay roads,Clay roads are wet. They are rare.,2022\n")
    report = library.refresh()
    assert (report.papers, report.new, report.changed, report.skipped) == (6, 1, 0, ())


def test_a_new_file_of_a_folder_is_read_as_the_folder_was(library: Library, ris: Path) -> None:
    library.add([str(ris.parent)], hints=Hints(titles_too=True))
    (ris.parent / "more.ris").write_text("TY  - JOUR\nTI  - Loam, too\nER  -\n")
    assert library.refresh().new == 1


def test_naming_a_source_again_tells_anew_how_it_is_read(library: Library, ris: Path) -> None:
    library.add([str(ris)], hints=Hints(titles_too=True))
    assert library.add([str(ris)]).papers == 1
    assert library.refresh().papers == 1


def test_which_columns_were_taken_is_noted(tmp_path: Path) -> None:
    (tmp_path / "roads.csv").write_text(TABLE.replace("Heading", "Title").replace("Gist", "Abstract"))
    (note,) = gather([str(tmp_path)]).notes
    assert note.source == str(tmp_path / "roads.csv") and "Title" in note.text and "Abstract" in note.text


def test_what_a_folder_holds_beside_is_noted_in_one_line(ris: Path) -> None:
    for name in ("a.pdf", "b.pdf", "c.docx"):
        (ris.parent / name).touch()
    assert [note.text for note in gather([str(ris.parent)]).notes] == ["left out: 3 files of other kinds (.pdf 2, .docx 1)"]


def test_hints_are_the_same_after_they_were_stored() -> None:
    for hints in (Hints(), Hints(titles_too=True), COLUMNS, Hints(limit=5, titles_too=True)):
        assert Hints.from_json(hints.to_json()) == hints
    assert Hints().to_json() == "{}"
    assert Hints(limit=5, titles_too=True).to_json() == '{"limit": 5, "titles_too": true}'


def test_progress_of_reading_counts_papers_and_ends_with_all(tmp_path: Path) -> None:
    for number in range(4):
        (tmp_path / f"{number}.txt").write_text(
            f"Get trending papers in your email inbox!\nRoad {number}\nIt holds for years. It is cheap.\n"
        )
    told: list[tuple[int, int]] = []
    gather([str(tmp_path)], lambda done, total: told.append((done, total)))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_each_stage_is_told_with_its_own_progress(library: Library, ris: Path) -> None:
    told: list[str] = []
    library.add([str(ris)], lambda done, total: told.append(f"{done}/{total}"), stage=told.append)
    stages = [each for each in told if "/" not in each]
    assert stages == ["reading", "storing", "embedding"]
    assert told[1] == "1/1" and told[-1] == "1/1"


def test_what_was_read_before_an_interruption_is_stored_and_embedded_by_the_next_run(
    library: Library, ris: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Gathering.read

    def interrupted(self: Gathering, asked: list[Asked]) -> None:
        read(self, asked)
        raise KeyboardInterrupt

    monkeypatch.setattr(Gathering, "read", interrupted)
    with pytest.raises(KeyboardInterrupt):
        library.add([str(ris)])
    assert library.catalogue.count() == 1
    monkeypatch.undo()
    library.catch_up()
    assert library.stale() == 0
