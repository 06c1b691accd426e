"""Counts of real exports and saved pages, which belong to others and stand beside the repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from index.sources import atom, json_records, markdown, table
from index.sources.base import Format, Parsed

FILES = Path(__file__).parents[3].parent / "shared" / "files"
FORMATS = (atom.FORMAT, json_records.FORMAT, table.FORMAT, markdown.FORMAT)


def read(name: str, known: Format) -> Parsed:
    path = FILES / name
    if not path.exists():
        pytest.skip(f"{path} is not here")
    text = path.read_bytes().decode("utf-8-sig")
    assert [one.name for one in FORMATS if one.recognise(text)] == [known.name]
    return known.parse(text, name)


@pytest.mark.parametrize(
    ("name", "known", "entries", "without_abstract"),
    [
        ("gastruloid.csv", table.FORMAT, 364, 6),
        ("iclr2023.csv", table.FORMAT, 0, 4874),
        ("scopus.csv", table.FORMAT, 10, 0),
        ("zotero.csv", table.FORMAT, 8, 2),
        ("arxiv-atom.xml", atom.FORMAT, 100, 0),
        ("s2-search.json", json_records.FORMAT, 0, 100),
        ("fos_small.json", json_records.FORMAT, 157, 48),  # 205 have the key; 48 of their abstracts are empty
        ("beir-trials.jsonl", json_records.FORMAT, 50, 0),
        ("hf-latest.json", json_records.FORMAT, 23, 3),  # two are null, one is a single word
        ("awesome.md", markdown.FORMAT, 0, 147),
        ("hf-firecrawl.txt", markdown.FORMAT, 3, 0),
    ],
)
def test_a_real_file_gives_its_count(name: str, known: Format, entries: int, without_abstract: int) -> None:
    parsed = read(name, known)
    assert (len(parsed.entries), len(parsed.without_abstract), len(parsed.skipped)) == (entries, without_abstract, 0)


def test_every_row_of_a_real_table_keeps_its_identifiers() -> None:
    parsed = read("gastruloid.csv", table.FORMAT)
    assert sum(entry.pmid is not None for entry in parsed.entries) >= 0.99 * len(parsed.entries)
    assert all(entry.date and entry.venue and len(entry.abstract) > 50 for entry in parsed.entries)
    assert sum(not entry.authors for entry in parsed.entries) == 3  # notes of a journal, unsigned


def test_every_entry_of_a_real_feed_keeps_all() -> None:
    parsed = read("arxiv-atom.xml", atom.FORMAT)
    assert all(entry.arxiv_id and entry.authors and entry.date and len(entry.date) == 10 and entry.keywords for entry in parsed.entries)
    assert [entry.line for entry in parsed.entries] == sorted({entry.line for entry in parsed.entries})


def test_scopus_authors_are_whole_names() -> None:
    parsed = read("scopus.csv", table.FORMAT)
    assert all("," in name and not any(map(str.isdigit, name)) for entry in parsed.entries for name in entry.authors)
    assert all(entry.doi and entry.url for entry in parsed.entries)
