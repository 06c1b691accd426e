from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from index import IndexReport, Library, Skipped, SourceError
from index.embedding import ToyEmbedder
from tests.ui.test_render import HOSTILE, Page
from ui.adding import FOLDER, Adding, Told, file_types, report_html, services_of

KETTLE = "@article{k, title = {TideKettle}, abstract = {Kettles boil slowly. TideKettle boils water three times faster than others.}}"
CUP = "@article{c, title = {Slow Cups}, abstract = {Cups cool quickly. We shape the rim so that tea stays warm for an hour.}}"


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    made = Library(tmp_path / "home", ToyEmbedder())
    yield made
    made.close()


def upload(tmp_path: Path, name: str, content: str) -> str:
    path = tmp_path / "uploads" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)
    return str(path)


def last(reports: Iterator[Told]) -> str:
    return Page(list(reports)[-1][0]).text


def kept(library: Library) -> list[str]:
    return sorted(path.name for path in (library.home / FOLDER).iterdir())


def test_a_file_is_read_kept_in_the_home_and_the_upload_is_gone(library: Library, tmp_path: Path) -> None:
    path = upload(tmp_path, "kettles.bib", KETTLE)
    assert last(Adding(library).add([path], "")).startswith("1 record read: 1 new. The library has 1 papers.")
    assert kept(library) == ["kettles.bib"] and not Path(path).exists()
    assert [source.name for source, _ in library.catalogue.sources()] == [str((library.home / FOLDER / "kettles.bib").resolve())]
    assert library.refresh().unchanged == 1


def test_another_file_of_the_same_name_replaces_nothing_and_the_same_file_is_kept_once(library: Library, tmp_path: Path) -> None:
    adding = Adding(library)
    for content in (KETTLE, CUP, KETTLE):
        report = last(adding.add([upload(tmp_path, "refs.bib", content)], ""))
    assert "1 known already" in report
    assert kept(library) == ["refs-2.bib", "refs.bib"]
    assert library.catalogue.count() == 2


@pytest.mark.parametrize("name", ["..\\..\\up.bib", ".hidden.bib", "a:b|c.bib", "x" * 200 + ".bib", "...", "ü\u202egnp.bib"])
def test_a_name_never_leads_anywhere(library: Library, tmp_path: Path, name: str) -> None:
    list(Adding(library).add([upload(tmp_path, name, KETTLE)], ""))
    [stored] = kept(library)
    assert not stored.startswith(".") and len(stored) < 90 and "\\" not in stored and ":" not in stored and "\u202e" not in stored
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "uploads"]


def test_pasted_text_is_read_as_a_file_is(library: Library) -> None:
    assert "1 new" in last(Adding(library).add([], CUP))
    [name] = kept(library)
    assert name.startswith("pasted-") and name.endswith(".txt")


def test_a_path_that_is_pasted_is_text_and_no_path(library: Library, tmp_path: Path) -> None:
    secret = tmp_path / "secret.bib"
    secret.write_text(KETTLE)
    report = last(Adding(library).add([], str(secret)))
    assert library.catalogue.count() == 0 and "Not taken, and why" in report


def test_what_holds_no_paper_is_told_with_the_reason_and_not_kept(library: Library, tmp_path: Path) -> None:
    uploads = [upload(tmp_path, "paper.txt", "%PDF-1.7 and so on"), upload(tmp_path, "kettles.bib", KETTLE)]
    report = last(Adding(library).add(uploads, ""))
    assert "1 new" in report and "paper.txt: this is a PDF" in report
    assert kept(library) == ["kettles.bib"]


def test_progress_is_told_before_the_report(library: Library, tmp_path: Path) -> None:
    reports = list(Adding(library).add([upload(tmp_path, "kettles.bib", KETTLE)], ""))
    assert Page(reports[0][0]).text == "Reading …" and 'role="status"' in reports[-1][0]


def test_a_failure_is_a_notice(library: Library, tmp_path: Path) -> None:
    (library.home / FOLDER).write_text("in the way")
    report, sources = list(Adding(library).add([upload(tmp_path, "kettles.bib", KETTLE)], ""))[-1]
    assert not sources and 'role="alert"' in report and "cannot be written" in report


def test_what_was_added_is_taken_out_again_with_its_file_and_what_was_there_before_stays(library: Library, tmp_path: Path) -> None:
    adding = Adding(library)
    list(adding.add([upload(tmp_path, "kettles.bib", KETTLE)], ""))
    _, sources = list(adding.add([upload(tmp_path, "kettles.bib", KETTLE), upload(tmp_path, "cups.bib", CUP)], ""))[-1]
    assert [Path(name).name for name in sources] == ["cups.bib"]
    assert "1 papers. The library has 1 papers" in Page(adding.take_out(sources)).text
    assert kept(library) == ["kettles.bib"] and [paper.title for paper in library.papers()] == ["TideKettle"]
    assert 'role="alert"' in adding.take_out(["no-such-source"])


def test_papers_without_an_abstract_are_kept_where_the_box_is_ticked_which_the_report_says(library: Library) -> None:
    bare = "@article{b, title = {Bare Bones}, author = {Moss, Ada}}"
    assert "tick the box above" in last(Adding(library).add([], f"{CUP}\n{bare}"))
    assert "1 new" in last(Adding(library).add([], f"{CUP}\n{bare}", titles_too=True))
    assert {paper.title for paper in library.papers()} == {"Slow Cups", "Bare Bones"}


@pytest.mark.parametrize(
    ("text", "services"),
    [
        ("2402.05099", ["arxiv:2402.05099"]),
        (
            "arXiv:2402.05099v2, https://arxiv.org/abs/2301.00001 https://arxiv.org/pdf/2301.00002.pdf",
            ["arxiv:2402.05099v2,2301.00001,2301.00002"],
        ),
        ("https://doi.org/10.1000/tea.1\n10.1000/Tea(2)", ["openalex:10.1000/tea.1 10.1000/Tea(2)"]),
        ("2402.05099 10.1000/tea", ["arxiv:2402.05099", "openalex:10.1000/tea"]),
        ("see 2402.05099", []),
        ("zotero:", []),
        ("https://example.org/10.1000/tea", []),
        ("", []),
        ("2402.05099 " * 201, []),
    ],
)
def test_only_ids_alone_are_looked_up(text: str, services: list[str]) -> None:
    assert services_of(text) == services


def test_a_hostile_name_or_reason_stays_text() -> None:
    for text in HOSTILE:
        report = IndexReport(1, 0, 0, 0, 0, 0, (Skipped(text, 1, text),), (SourceError(text, text),))
        page = Page(report_html(report))
        assert {name for name, _ in page.elements} <= {"div", "p", "h3", "ul", "li", "b", "br"}
        assert all(set(attributes) <= {"class", "role"} for _, attributes in page.elements)


def test_all_that_was_skipped_is_counted_and_a_part_shown() -> None:
    skipped = tuple(Skipped("refs.bib", line, f"broken {line}") for line in range(60))
    text = Page(report_html(IndexReport(1, 1, 0, 0, 0, 1, skipped))).text
    assert "broken 49" in text and "broken 50" not in text and "and 10 more" in text


def test_every_format_may_be_dropped_packed_or_not() -> None:
    assert {".bib", ".ris", ".csv", ".nbib", ".json", ".xml", ".md", ".txt", ".gz"} <= set(file_types())
