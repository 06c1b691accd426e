"""Real exports of other people, read whole: counts, and facts of the first and the last record."""

from __future__ import annotations

import re
import time

import pytest

from index.errors import SourceError
from index.paper import Entry
from index.repair import repair
from index.sources.registry import FORMATS
from tests.conftest import ROOT

FILES = ROOT.parent / "shared" / "files"

pytestmark = pytest.mark.skipif(not FILES.is_dir(), reason=f"the real files are not here: {FILES}")

COUNTS = {
    "zotero.ris": ("RIS", 8, 2, 0),
    "mendeley.ris": ("RIS", 8, 2, 0),
    "ris_issue_992.txt": ("RIS", 8, 11, 0),
    "pubmed_endnote.txt": ("RIS", 6, 0, 0),
    "jabref-groups.bib": ("BibTeX", 476, 427, 8),
    "zotero-bbt.bib": ("BibTeX", 21, 34, 0),
    "testjabref.bib": ("BibTeX", 36, 120, 0),
    "pubmed.nbib": ("MEDLINE (PubMed)", 4, 0, 0),
    "medline-multi.txt": ("MEDLINE (PubMed)", 1, 1, 5),
    "pubmed-jabref.xml": ("PubMed XML", 2, 0, 0),
    "zotero-csl.json": ("CSL-JSON or Zotero's JSON", 0, 8, 0),
}
"""Format, papers, papers without an abstract, records without a title."""

FACTS = {
    "zotero.ris": ((1, "417b7fff9270", "2024", 4, "10.1038/s41467-024-48400-3"), (291, "30bec4ce2051", "2024", 4, "10.1002/ar.25520")),
    "mendeley.ris": ((1, "30bec4ce2051", "2024", 4, "10.1002/ar.25520"), (241, "4fd39c5adab6", "2024", 4, "10.1038/s41598-024-65283-y")),
    "ris_issue_992.txt": ((1, "de751d7e0307", "2011", 0, None), (541, "767bf2b3314f", "2021-02", 4, "10.1176/appi.ps.202000115")),
    "jabref-groups.bib": ((11, "dbc60886d6ca", "1986", 4, "10.1002/pssa.2210930226"),
                          (14400, "03cd2b2bc1e6", "1999-09", 4, "10.1038/43403")),
    "zotero-bbt.bib": ((1, "5510d4c0f139", "2013-10-30", 0, None), (594, "be01b3992971", None, 0, None)),
    "testjabref.bib": ((4, "d62af763c18d", "2009-03", 8, "10.1109/jssc.2008.2010997"), (1938, "4e326a8305a5", "2020", 3, None)),
    "pubmed.nbib": ((2, "dd686414abbf", "2006", 3, "10.1186/1471-2105-7-10"), (192, "7f99041285ac", "2003-11-22", 2, None)),
    "zotero-csl.json": ((15, "f1fb7ce7977f", "2012-02", 9, "10.1016/j.jcrysgro.2011.12.035"),
                        (353, "0069769d2a7a", "2015-06", 7, "10.7567/apex.8.061005")),
}  # fmt: skip
"""Of the first and the last record: line, paper id, date, number of authors, DOI."""


def text_of(name: str) -> str:
    return (FILES / name).read_bytes().decode("utf-8-sig")


def facts(entry: Entry) -> tuple[int, str, str | None, int, str | None]:
    return entry.line, entry.paper_id, entry.date, len(entry.authors), entry.doi


@pytest.mark.parametrize("name", COUNTS)
def test_a_file_gives_its_count(name: str) -> None:
    text = text_of(name)
    known = next(one for one in FORMATS if one.recognise(text))
    parsed = known.parse(text, name)
    assert (known.name, len(parsed.entries), len(parsed.without_abstract), len(parsed.skipped)) == COUNTS[name]


@pytest.mark.parametrize("name", FACTS)
def test_the_first_and_the_last_record_are_exact(name: str) -> None:
    text = text_of(name)
    parsed = next(one for one in FORMATS if one.recognise(text)).parse(text, name)
    entries = sorted((*parsed.entries, *parsed.without_abstract), key=lambda entry: entry.line)
    assert (facts(entries[0]), facts(entries[-1])) == FACTS[name]


def test_a_library_without_a_paper_is_refused_with_the_reason() -> None:
    text = (FILES / "cp1252.bib").read_bytes().decode("cp1252")
    with pytest.raises(SourceError, match="the BibTeX record without a key has no title"):
        next(one for one in FORMATS if one.recognise(text)).parse(text, "cp1252.bib")


def test_a_large_bibtex_file_is_read_in_seconds() -> None:
    text = text_of("jabref-groups.bib")
    known = next(one for one in FORMATS if one.recognise(text))
    began = time.process_time()
    known.parse(text, "x")
    assert time.process_time() - began < 5


_MARKUP = re.compile(r"\\[A-Za-z]+|\\\||</?[a-z][a-z0-9:]*/?>|&(?:[a-z]+|#\d+);|''|``|\b(?:mathcal|mathbb|textbf|textit)\b")
LITTER = {
    "arxiv-atom.xml": ["\\mathbf", "\\mathbf"],  # before letters of a damaged encoding
    "jabref-groups.bib": ["\\mumwerepreparedfromaCu"],  # an abstract that lost its blanks
    "testjabref.bib": [],
    "fos_small.json": [],
}
"""What remains of LaTeX and HTML after repair."""


@pytest.mark.parametrize("name", LITTER)
def test_hardly_any_markup_remains_after_repair(name: str) -> None:
    text = text_of(name)
    parsed = next(one for one in FORMATS if one.recognise(text)).parse(text, name)
    texts = [repair(told) for entry in (*parsed.entries, *parsed.without_abstract) for told in (entry.title, entry.abstract)]
    assert [found for told in texts for found in _MARKUP.findall(told)] == LITTER[name]


OTHERS = "awesome.md scopus.csv zotero.csv iclr2023.csv s2-search.json fos_small.json arxiv-atom.xml README.md".split()


@pytest.mark.parametrize("name", OTHERS)
def test_no_reader_of_bibliographies_takes_another_kind_of_file(name: str) -> None:
    text = (FILES / name).read_text(encoding="utf-8", errors="replace")
    mine = {known for known, *_ in COUNTS.values()}
    assert [one.name for one in FORMATS if one.name in mine and one.recognise(text)] == []
