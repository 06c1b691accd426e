from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from index.errors import SourceError
from index.paper import Entry
from index.sources.base import Parsed
from index.sources.json_records import FORMAT

GRAVEL = "Gravel filters clear water slowly. They need no power."
SAND = "Sand moves faster than gravel. Wind decides."


def read(text: str) -> Parsed:
    assert FORMAT.recognise(text)
    return FORMAT.parse(text, "papers.json")


def entry_of(record: dict[str, Any]) -> Entry:
    """The one entry of a record, read in a list, in an envelope and as JSON lines."""
    for text in (json.dumps([record], indent=1), json.dumps({"meta": {"count": 1}, "results": [record]}), json.dumps(record) + "\n"):
        (entry,) = read(text).entries
    return entry


# Programs


def test_openalex_words_in_their_places_are_a_text() -> None:
    entry = entry_of(
        {
            "id": "https://openalex.org/W1",
            "doi": "https://doi.org/10.1000/G.1",
            "title": "On gravel",
            "publication_date": "2021-03-04",
            "publication_year": 2021,
            "ids": {"openalex": "https://openalex.org/W1", "pmid": "https://pubmed.ncbi.nlm.nih.gov/77"},
            "primary_location": {"landing_page_url": "https://doi.org/10.1000/g.1", "source": {"display_name": "Filters"}},
            "authorships": [{"author": {"display_name": "Ada Stone"}}, {"author": {"display_name": "Bo Brook"}}],
            "keywords": [{"display_name": "Water"}],
            "abstract_inverted_index": {"Gravel": [0], "filters": [1, 4], "water,": [2], "sand": [3], "it.": [5]},
            "referenced_works": [],
        }
    )
    assert entry.abstract == "Gravel filters water, sand filters it."
    assert (entry.doi, entry.pmid, entry.date, entry.venue) == ("10.1000/g.1", "77", "2021-03-04", "Filters")
    assert (entry.authors, entry.keywords, entry.url) == (("Ada Stone", "Bo Brook"), ("Water",), "https://doi.org/10.1000/g.1")


def test_semantic_scholar_has_identifiers_and_authors_as_objects() -> None:
    record = {
        "paperId": "1a",
        "externalIds": {"DOI": "10.1000/G.1", "ArXiv": "2101.00001", "PubMed": "77", "CorpusId": 5},
        "title": "On gravel",
        "abstract": GRAVEL,
        "year": 2021,
        "publicationDate": "2021-03-04",
        "venue": "",
        "journal": {"name": "Filters", "volume": "3"},
        "authors": [{"authorId": "1", "name": "Ada Stone"}],
        "references": [{"title": "On sand", "abstract": SAND}],
    }
    entry = entry_of(record)
    assert (entry.doi, entry.arxiv_id, entry.pmid) == ("10.1000/g.1", "2101.00001", "77")
    assert (entry.venue, entry.date, entry.authors) == ("Filters", "2021-03-04", ("Ada Stone",))


def test_a_corpus_of_beir_has_texts() -> None:
    entry = entry_of({"_id": "MED-1", "title": "On gravel", "text": GRAVEL, "metadata": {"authors": ["Ada Stone"], "pubmed_id": "77"}})
    assert (entry.abstract, entry.authors, entry.pmid) == (GRAVEL, ("Ada Stone",), "77")


def test_openreview_wraps_every_value() -> None:
    content = {
        "title": {"value": "On gravel"},
        "abstract": {"value": GRAVEL},
        "authors": {"value": ["Ada Stone"]},
        "venue": {"value": "ICLR 2024"},
    }
    text = json.dumps(
        {"notes": [{"id": "x1", "forum": "x1", "cdate": 1614816000000, "content": {**content, "keywords": {"value": ["stone"]}}}]}
    )
    (entry,) = read(text).entries
    assert (entry.title, entry.abstract, entry.venue, entry.keywords) == ("On gravel", GRAVEL, "ICLR 2024", ("stone",))
    assert (entry.authors, entry.date, entry.url) == (("Ada Stone",), "2021-03-04", "https://openreview.net/forum?id=x1")


def test_arxivs_snapshot_tells_names_apart() -> None:
    entry = entry_of(
        {
            "id": "0704.0001",
            "submitter": "Ada Stone",
            "authors": "A. Stone, B. Brook Jr",
            "title": "On\n  gravel",
            "doi": None,
            "journal-ref": "Filters 3 (2007) 1",
            "categories": "hep-ph cs.CL",
            "abstract": "  " + GRAVEL + "\n",
            "versions": [{"version": "v1", "created": "Mon, 2 Apr 2007 19:18:42 GMT"}],
            "update_date": "2008-11-26",
            "authors_parsed": [["Stone", "A.", ""], ["Brook", "B.", "Jr"]],
        }
    )
    assert (entry.title, entry.abstract, entry.arxiv_id, entry.date) == ("On gravel", GRAVEL, "0704.0001", "2007-04-02")
    assert (entry.authors, entry.keywords) == (("Stone, A.", "Brook, B., Jr"), ("hep-ph", "cs.CL"))


def test_crossref_has_lists_and_jats() -> None:
    record = {
        "DOI": "10.1000/G.1",
        "title": ["On <i>gravel</i>"],
        "container-title": ["Filters"],
        "abstract": "<jats:title>Abstract</jats:title><jats:p>Gravel filters. It needs no power.</jats:p>",
        "author": [{"given": "Ada", "family": "Stone", "sequence": "first"}],
        "issued": {"date-parts": [[2021, 3]]},
    }
    (entry,) = FORMAT.parse(json.dumps({"status": "ok", "message": {"items": [record]}}), "x").entries
    assert (entry.title, entry.abstract) == ("On gravel", "Gravel filters. It needs no power.")
    assert (entry.authors, entry.date, entry.venue) == (("Stone, Ada",), "2021-03", "Filters")


def test_hugging_faces_api_has_the_paper_within() -> None:
    paper = {
        "id": "2101.00001",
        "title": "On gravel",
        "summary": GRAVEL,
        "publishedAt": "2021-03-04T00:00:00Z",
        "authors": [{"name": "Ada Stone"}],
    }
    (entry,) = read(json.dumps([{"paper": paper, "title": "On gravel", "publishedAt": "2021-03-09T01:00:00Z", "numComments": 1}])).entries
    assert (entry.arxiv_id, entry.abstract, entry.date, entry.authors) == ("2101.00001", GRAVEL, "2021-03-04", ("Ada Stone",))


def test_an_abstract_may_stand_deeper_than_the_title() -> None:
    record = {
        "title": "On gravel",
        "paper_url": "https://huggingface.co/papers/2101.00001",
        "details": {"title": "On gravel", "abstract": GRAVEL},
    }
    parsed = read(json.dumps([record, {**record, "title": "On mud", "details": {"abstract": None}}], indent=2))
    assert [(entry.title, entry.arxiv_id) for entry in parsed.entries] == [("On gravel", "2101.00001")]
    assert [entry.title for entry in parsed.without_abstract] == ["On mud"]


def test_dblp_has_no_abstracts() -> None:
    info = {
        "authors": {"author": [{"@pid": "1", "text": "Ada Stone"}]},
        "title": "On gravel.",
        "venue": "Filters",
        "year": "2021",
        "doi": "10.1000/X",
    }
    parsed = read(json.dumps({"result": {"hits": {"@total": "1", "hit": [{"@score": "1", "info": info}]}}}))
    assert [(entry.title, entry.authors, entry.date, entry.doi) for entry in parsed.without_abstract] == [
        ("On gravel.", ("Ada Stone",), "2021", "10.1000/x")
    ]


def test_datacite_says_which_description_is_the_abstract() -> None:
    attributes = {
        "doi": "10.1000/G.1",
        "titles": [{"title": "On gravel"}],
        "creators": [{"name": "Stone, Ada", "givenName": "Ada", "familyName": "Stone"}],
        "publicationYear": 2021,
        "descriptions": [{"description": "Version 2", "descriptionType": "Other"}, {"description": GRAVEL, "descriptionType": "Abstract"}],
    }
    (entry,) = read(json.dumps({"data": [{"id": "10.1000/g.1", "type": "dois", "attributes": attributes}]})).entries
    assert (entry.title, entry.abstract, entry.authors, entry.date) == ("On gravel", GRAVEL, ("Stone, Ada",), "2021")


def test_lens_names_identifiers_by_type() -> None:
    entry = entry_of(
        {
            "lens_id": "1",
            "title": "On gravel",
            "abstract": GRAVEL,
            "external_ids": [{"type": "doi", "value": "10.1000/G.1"}, {"type": "pmid", "value": "77"}],
            "authors": [{"first_name": "Ada", "last_name": "Stone"}],
            "source": {"title": "Filters"},
            "year_published": 2021,
        }
    )
    assert (entry.doi, entry.pmid, entry.authors, entry.venue, entry.date) == ("10.1000/g.1", "77", ("Stone, Ada",), "Filters", "2021")


@pytest.mark.parametrize("column", [list, lambda values: {str(n): value for n, value in enumerate(values)}])
def test_a_table_written_column_by_column_is_read_row_by_row(column: Callable[[list[str]], object]) -> None:
    text = json.dumps(
        {"title": column(["On gravel", "On sand"]), "abstract": column([GRAVEL, SAND]), "doi": column(["10.1000/a", "10.1000/b"])}
    )
    assert [(entry.title, entry.abstract, entry.doi) for entry in read(text).entries] == [
        ("On gravel", GRAVEL, "10.1000/a"),
        ("On sand", SAND, "10.1000/b"),
    ]


# Lines and damage


def test_a_record_is_on_its_line() -> None:
    text = json.dumps([{"title": "On {gravel", "abstract": GRAVEL, "x": {}}, {"title": "On sand", "abstract": SAND}], indent=1)
    lines = text.split("\n")
    assert [lines[entry.line - 1] for entry in read(text).entries] == [" {", " {"]
    assert [entry.line for entry in read(text).entries] == [2, 7]


def test_a_bad_line_costs_itself() -> None:
    good = [json.dumps({"title": f"On gravel {n}", "abstract": GRAVEL}) for n in range(5)]
    parsed = read("\n".join([*good[:2], '{"title": "On mud", "abstract": "It', "", *good[2:], '{"note": 1}']))
    assert [entry.line for entry in parsed.entries] == [1, 2, 5, 6, 7]
    assert [skip.line for skip in parsed.skipped] == [3, 8]
    assert "broken JSON" in parsed.skipped[0].reason


def test_a_document_cut_off_gives_what_comes_before() -> None:
    text = json.dumps({"data": [{"title": f"On gravel {n}", "abstract": GRAVEL} for n in range(5)]}, indent=1)
    parsed = read(text[: text.index("On gravel 3")])
    assert [entry.title for entry in parsed.entries] == ["On gravel 0", "On gravel 1", "On gravel 2"]
    assert [skip.line for skip in parsed.skipped] == [15]


def test_a_broken_object_of_a_document_costs_itself() -> None:
    text = json.dumps([{"title": f"On gravel {n}", "abstract": GRAVEL} for n in range(5)], indent=1).replace(
        '"On gravel 2",', '"On gravel 2" oops'
    )
    parsed = read(text)
    assert [entry.title[-1] for entry in parsed.entries] == ["0", "1", "3", "4"]
    assert [skip.line for skip in parsed.skipped] == [10]


def test_objects_one_after_the_other_are_read() -> None:
    text = "\n".join(json.dumps({"title": f"On gravel {n}", "abstract": GRAVEL}, indent=1) for n in range(3))
    assert [entry.line for entry in read(text).entries] == [1, 5, 9]


def test_not_a_number_and_lone_surrogates_pass() -> None:
    parsed = read(
        '[{"title": "On \\ud800 gravel", "abstract": "Slow \\ud83d\\ude00 and sure. Yes.", "year": NaN}, {"title": "B", "abstract": NaN}]'
    )
    assert [entry.title for entry in parsed.entries] == ["On ? gravel"]
    assert parsed.entries[0].abstract == "Slow 😀 and sure. Yes."


def test_deep_nesting_costs_its_own_record() -> None:
    deep = '{"title": "On mud", "abstract": "It flows. Yes.", "x": ' + "[" * 200_000 + "]" * 200_000 + "}"
    good = json.dumps({"title": "On sand", "abstract": SAND})
    for text in (f"[{deep},\n{good}]", f"{deep}\n{good}\n{good}\n", f"[{good},\n{deep}]"):
        parsed = read(text)
        assert "On sand" in [entry.title for entry in parsed.entries]
        assert any("deep" in skip.reason for skip in parsed.skipped)


def test_one_line_of_ten_million_characters_is_read() -> None:
    text = json.dumps([{"title": f"On gravel {n}", "abstract": GRAVEL * 100} for n in range(2_000)])
    begun = time.process_time()
    assert len(read(text).entries) == 2_000
    assert time.process_time() - begun < 20


def test_an_abstract_without_a_title_is_told() -> None:
    parsed = read(json.dumps([{"title": "On gravel", "abstract": GRAVEL}, {"title": "", "abstract": SAND}], indent=1))
    assert [(skip.line, skip.reason) for skip in parsed.skipped] == [(6, "this record has no title")]


@pytest.mark.parametrize(
    "document",
    [
        {"name": "a-package", "version": "1.0", "description": "Filters. Water."},
        {
            "$schema": "x",
            "title": "Settings",
            "description": "What can be set. All of it.",
            "properties": {"a": {"title": "A", "type": "string"}},
        },
        {"cells": [{"cell_type": "markdown", "source": ["# On gravel"]}], "metadata": {}, "nbformat": 4},
        [{"title": "Buy gravel", "completed": False, "id": 3}],
        [1, 2, 3],
        {},
    ],
)
def test_json_of_other_things_holds_no_paper(document: object) -> None:
    with pytest.raises(SourceError, match="no paper found"):
        FORMAT.parse(json.dumps(document), "x.json")


@pytest.mark.parametrize("text", ["{curly} words begin this text", "[1] A. Stone. On gravel. 2020.", "[see] also", "title,abstract\n", ""])
def test_other_texts_are_no_json(text: str) -> None:
    assert not FORMAT.recognise(text)


def test_replies_of_openreview_and_titles_that_say_nothing_are_no_papers() -> None:
    paper = {"id": "a", "forum": "a", "replyto": None, "content": {"title": "On gravel", "abstract": GRAVEL}}
    reply = {"id": "b", "forum": "a", "replyto": "a", "content": {"title": "Official Review", "review": SAND}}
    untitled = {"paperId": "c", "title": "N/A", "abstract": None, "year": 2020}
    parsed = FORMAT.parse(json.dumps({"notes": [paper, reply, untitled]}), "x")
    assert [entry.title for entry in parsed.entries] == ["On gravel"]
    assert not parsed.without_abstract and [one.reason for one in parsed.skipped] == ["this record has no title"]


def test_the_summary_in_a_review_is_no_paper_s_abstract() -> None:
    paper = {"id": "a", "forum": "a", "content": {"title": {"value": "On gravel"}, "abstract": {"value": GRAVEL}}}
    review = {"id": "b", "forum": "a", "replyto": "a", "content": {"title": {"value": "Official Review"}, "summary": {"value": SAND}}}
    parsed = FORMAT.parse(json.dumps({"notes": [paper, review]}), "x")
    assert [entry.title for entry in parsed.entries] == ["On gravel"] and not parsed.without_abstract


def test_categories_without_a_dot_are_told_apart() -> None:
    record = {"id": "0704.0001", "title": "On gravel", "abstract": GRAVEL, "categories": "hep-ph hep-ex"}
    assert FORMAT.parse(json.dumps(record), "x").entries[0].keywords == ("hep-ph", "hep-ex")
