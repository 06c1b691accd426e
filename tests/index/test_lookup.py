"""Which paper a name means."""

from __future__ import annotations

from pathlib import Path

import pytest

from index import Library
from index.embedding import ToyEmbedder
from index.lookup import keys_of_file, keys_of_library, papers_named

BIB = """@article{crab1, title = {Crabs Walk Sideways}, doi = {10.5555/Crab.1}, eprint = {2401.00001}, archiveprefix = {arXiv},
  abstract = {Crabs walk sideways on sand. They do so at night, too, and seldom turn.}}
@article{crab2, title = {Crabs Swim}, pmid = {1234567}, abstract = {Crabs swim in warm water. They rest on stones for most of the day.}}
@article{, title = {A Record Without A Key}}
"""


@pytest.fixture
def crabs(tmp_path: Path) -> Library:
    (tmp_path / "crabs.bib").write_text(BIB)
    library = Library(tmp_path / "home", ToyEmbedder())
    library.add([str(tmp_path / "crabs.bib")])
    return library


@pytest.mark.parametrize(
    "name",
    ["Crabs Walk Sideways", "crabs walk sideways.", "10.5555/crab.1", "https://doi.org/10.5555/CRAB.1", "arXiv:2401.00001v2", "2401.00001"],
)
def test_a_title_or_an_identifier_means_its_paper(crabs: Library, name: str) -> None:
    assert [paper.title for paper in papers_named(crabs.catalogue, name)] == ["Crabs Walk Sideways"]


def test_an_id_and_a_pubmed_number_mean_their_paper(crabs: Library) -> None:
    (paper,) = papers_named(crabs.catalogue, "PMID: 1234567")
    assert paper.title == "Crabs Swim" and papers_named(crabs.catalogue, paper.paper_id) == [paper]


@pytest.mark.parametrize("name", ["Crabs", "1234567", "10.5555/crab.2", "0123456789ab", ""])
def test_what_names_no_paper_means_none(crabs: Library, name: str) -> None:
    assert papers_named(crabs.catalogue, name) == []


def test_the_keys_of_the_librarys_bibtex_files_mean_their_papers(crabs: Library, tmp_path: Path) -> None:
    assert set(keys_of_file(tmp_path / "crabs.bib")) == {"crab1", "crab2"}
    assert keys_of_library(crabs.catalogue)["crab2"].title == "Crabs Swim"
    (tmp_path / "crabs.bib").unlink()
    assert "crab2" not in keys_of_library(crabs.catalogue)
