from __future__ import annotations

import json
from typing import Any

import pytest

from index.errors import SourceError
from index.paper import Entry
from index.sources.csl_json import parse, recognise

CSL: dict[str, Any] = {
    "id": "http://zotero.org/users/1/items/A",
    "type": "article-journal",
    "abstract": "<jats:p>It heals &amp; lasts.</jats:p>",
    "container-title": "Journal of Panes",
    "DOI": "10.1000/X",
    "note": "PMID: 123\narXiv: 1803.01234",
    "title": "Glass that heals",
    "URL": "https://example.org/x",
    "author": [{"family": "Loon", "given": "Jan", "non-dropping-particle": "van"}, {"literal": "The Glass Group"}],
    "issued": {"date-parts": [["2021", 3, 4]]},
    "keyword": "glass, healing",
}
ZOTERO: dict[str, Any] = {
    "itemType": "preprint",
    "title": "Glass that heals",
    "creators": [{"creatorType": "author", "firstName": "Jane", "lastName": "Doe"}, {"creatorType": "editor", "lastName": "No"}],
    "abstractNote": "It heals.",
    "repository": "arXiv",
    "archiveID": "arXiv:1803.01234",
    "date": "2021-03",
    "DOI": "10.1000/x",
    "extra": "PMID: 123",
    "tags": [{"tag": "to read"}, {"tag": "Glass", "type": 1}],
    "itemID": 5,
}
READ = Entry("Glass that heals", "It heals.", 1, date="2021-03", authors=("Doe, Jane",), arxiv_id="1803.01234", doi="10.1000/x", pmid="123")


def test_csl_json_is_read() -> None:
    text = json.dumps([CSL], indent=2)
    assert recognise(text)
    assert parse(text, "x.json").entries == (
        Entry(
            "Glass that heals",
            "It heals & lasts.",
            2,
            date="2021-03-04",
            authors=("van Loon, Jan", "The Glass Group"),
            arxiv_id="1803.01234",
            doi="10.1000/x",
            pmid="123",
            venue="Journal of Panes",
            url="https://example.org/x",
            keywords=("glass", "healing"),
        ),
    )


@pytest.mark.parametrize(
    "document",
    [
        [{"key": "A", "version": 1, "library": {}, "data": ZOTERO}, {"data": {"itemType": "attachment", "title": "PDF"}}],
        {"config": {"id": "x"}, "collections": {"C": {"name": "Panes", "items": [5]}}, "items": [ZOTERO]},
        {"items": [ZOTERO, {"itemType": "note", "note": "x"}], "collections": {"C": {"name": "Panes", "items": [5]}}},
        ZOTERO,
    ],
)
def test_zoteros_json_is_read_in_each_of_its_forms(document: Any) -> None:
    text = json.dumps(document)
    assert recognise(text)
    (entry,) = parse(text, "x.json").entries
    assert (entry.title, entry.abstract, entry.date, entry.authors) == (READ.title, READ.abstract, READ.date, READ.authors)
    assert (entry.arxiv_id, entry.doi, entry.pmid, entry.venue) == (READ.arxiv_id, READ.doi, READ.pmid, "arXiv")
    assert entry.keywords == ("Glass",)
    assert entry.tags == (("to read", "Panes") if "Panes" in text else ("to read",))


def test_crossrefs_answer_is_read() -> None:
    work = {**CSL, "type": "journal-article", "title": ["Glass that heals"], "container-title": ["Journal of Panes"]}
    text = json.dumps({"status": "ok", "message": {"total-results": 1, "items": [work]}})
    assert recognise(text)
    (entry,) = parse(text, "x.json").entries
    assert (entry.title, entry.venue) == ("Glass that heals", "Journal of Panes")


def test_a_broken_item_costs_itself_and_is_told_with_its_line() -> None:
    items = [json.dumps({**CSL, "title": title}) for title in ("One", "Two", "Three")]
    text = "[\n  " + ",\n  ".join([items[0], items[1].replace(":", "", 1), items[2]]) + "\n]"
    parsed = parse(text, "x.json")
    assert [(entry.title, entry.line) for entry in parsed.entries] == [("One", 2), ("Three", 4)]
    assert [one.line for one in parsed.skipped] == [3] and "broken" in parsed.skipped[0].reason


def test_what_stands_before_the_end_of_a_cut_file_is_kept() -> None:
    text = json.dumps([CSL, CSL], indent=1)[:-200]
    parsed = parse(text, "x.json")
    assert len(parsed.entries) == 1 and len(parsed.skipped) == 1


def test_deep_nesting_is_told() -> None:
    with pytest.raises(SourceError, match=r"nested too deeply|broken"):
        parse('{"itemType": "book", "title": ' + "[" * 100_000, "x.json")


@pytest.mark.parametrize("item", [{"title": 7, "itemType": "book"}, {"itemType": "book"}, 5, None, [], "x"])
def test_an_item_without_a_title_is_told(item: Any) -> None:
    parsed = parse(json.dumps([ZOTERO, item]), "x.json")
    assert len(parsed.entries) == 1 and len(parsed.skipped) + len(parsed.without_abstract) == 1


@pytest.mark.parametrize(
    "document",
    [
        [{"title": "A", "abstract": "B"}],
        {"data": [{"paperId": "x", "title": "A", "abstract": "B", "year": 2020}]},
        {"results": [{"type": "article", "title": "A", "abstract_inverted_index": {"B": [0]}}]},
        {"name": "package", "type": "module", "author": {"name": "x"}},
        [1, 2, 3],
    ],
)
def test_json_of_other_kinds_is_not_taken(document: Any) -> None:
    assert not recognise(json.dumps(document))


def test_the_heading_abstract_of_jats_is_none_of_the_abstract() -> None:
    item = {
        "type": "journal-article",
        "issued": {},
        "title": ["On gravel"],
        "abstract": "<jats:title>Abstract</jats:title><jats:p>So.</jats:p>",
    }
    (entry,) = parse(json.dumps({"message": {"items": [item]}}), "x").entries
    assert entry.abstract == "So."


def test_a_list_within_the_list_is_read_too() -> None:
    item = {"itemType": "book", "title": "On gravel", "abstractNote": "It is so."}
    parsed = parse(json.dumps([item, [{**item, "title": "On sand"}, {**item, "title": "On clay"}]])[:-1], "x")
    assert [entry.title for entry in parsed.entries] == ["On gravel", "On sand", "On clay"]


def test_a_subtitle_of_crossref_follows_the_title() -> None:
    item = {"type": "journal-article", "issued": {}, "title": ["On gravel"], "subtitle": ["A tale"], "abstract": "It is so."}
    (entry,) = parse(json.dumps({"message": {"items": [item]}}), "x").entries
    assert entry.title == "On gravel: A tale"
