"""The library's tables, papers and maps as HTML: what they say, and that nothing of a paper becomes markup."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from assistant.conversations import Kept
from index.browsing import Browse, Count
from index.mapping import PaperMap
from index.merging import Said
from tests.ui.records import answer, citation, paper
from tests.ui.test_render import HOSTILE, Page
from ui.map import DRAWN, clusters_html, drawn, map_json
from ui.paper import Similar, comparison_html, paper_html, reading_html, selection_html
from ui.table import PAGE, counts_html, table_html

KETTLE = paper(authors=("Moss, Ada",), venue="Acta Tea", doi="10.1000/k", arxiv_id="2401.00001", tags=("Hot",), keywords=("tea",))
CUP = paper(paper_id="p2", title="Cups", display_title="Cups", date=None, note=None)
MAP = PaperMap(
    ("p1", "p2"), np.array([[0.0, 1.0], [-1.0, 0.25]], dtype=np.float32), np.array([0, 1], dtype=np.int16), ("tea · hot", "cups")
)


def does(html: str) -> list[dict[str, str | None]]:
    """What can be pressed."""
    return [attributes for _, attributes in Page(html).elements if "data-do" in attributes]


def everything_from(text: str) -> list[str]:
    """All that is shown, made of one text."""
    told: dict[str, Any] = dict.fromkeys(("title", "display_title", "abstract", "raw_abstract", "venue"), text)
    told |= dict.fromkeys(("doi", "arxiv_id", "pmid"), text.encode("utf-8", "ignore").decode())
    bad = paper(**told, authors=(text,) * 2, tags=(text,), keywords=(text,), sources=(text,), note=text, url=text, paper_id=text, date=text)
    names = {"venue": text, "source": text}
    whole = PaperMap((text,), np.zeros((1, 2), dtype=np.float32), np.zeros(1, dtype=np.int16), (text,))
    said = answer(citations=(citation(bad, quote=text),)) if text else answer()
    return [
        table_html([bad], 1, Browse(words=text, venue=text, source=text), 0, {text}, text, names),
        counts_html({field: [Count(text, text, 3)] for field in ("year", "venue", "tag", "author", "source")}, Browse(venue=text)),
        paper_html(bad, [Similar(bad, 0.5)], {"venue": [Said(text, text), Said(text, text * 50)]}, True, True, True),
        comparison_html([bad, bad], text, {text: said}),
        reading_html([Kept(text, text, 0.0), Kept("gone", text, 0.0)], {text: bad}, {text}),
        selection_html([text, text], 5),
        clusters_html(whole, 1, 1, 0, [bad]),
    ]


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_that_a_paper_says_becomes_markup_or_a_link_to_anything_but_the_web(text: str) -> None:
    allowed = "a article b br button dd div dl dt h2 h3 input label li mark nav p q section span table tbody td th thead tr ul".split()
    for html in everything_from(text):
        page = Page(html)
        assert not page.open
        assert {name for name, _ in page.elements} <= set(allowed)
        for _, attributes in page.elements:
            assert not any(name.startswith("on") or name in ("src", "srcdoc") for name in attributes)
            assert (attributes.get("href") or "https://").startswith(("https://", "http://"))
            assert not (set(attributes.get("style") or "") & set("()\\<"))


def test_the_maps_json_is_json_whatever_a_title_says() -> None:
    for text in HOSTILE:
        told = json.loads(map_json(MAP, [0, 1], {"p1": text}, {"p2"}, "p1"))
        assert (told["ids"], told["lit"], told["current"]) == (["p1", "p2"], [1], 0)
        assert told["titles"][1] == "" and "\x00" not in told["titles"][0]


def test_a_row_opens_its_paper_and_can_be_chosen_and_the_heads_tell_the_order() -> None:
    html = table_html([KETTLE, CUP], 2, Browse(order="year"), 0, {"p2"}, "p1")
    page = Page(html)
    boxes = [attributes for name, attributes in page.elements if name == "input"]
    assert [("checked" in one, one["data-id"]) for one in boxes] == [(False, "p1"), (True, "p2")]
    assert [one["data-id"] for one in does(html) if one["data-do"] == "open"] == ["p1", "p2"]
    assert [attributes["aria-sort"] for _, attributes in page.elements if "aria-sort" in attributes] == ["none", "descending", "none"]
    assert [attributes for name, attributes in page.elements if name == "tr" and "aria-current" in attributes] == [{"aria-current": "true"}]
    assert "Ada Moss" in page.text and "1 Oct 2024" in page.text and "2 papers" in page.text


@pytest.mark.parametrize(("page", "off"), [(0, ["First", "Back"]), (1, []), (2, ["Next", "Last"])])
def test_pages_are_turned_as_far_as_there_are_any(page: int, off: list[str]) -> None:
    html = table_html([KETTLE], 2 * PAGE + 1, Browse(), page, (), "")
    turns = [one for one in does(html) if one["data-do"] == "page"]
    assert [one["data-page"] for one in turns] == ["0", str(page - 1), str(page + 1), "2"]
    assert len([one for one in turns if "disabled" in one]) == len(off)
    assert "page" not in {one["data-do"] for one in does(table_html([KETTLE], PAGE, Browse(), 0, (), ""))}


def test_what_narrows_the_table_is_said_and_can_be_taken_away() -> None:
    html = table_html([], 0, Browse(venue=" acta tea "), 0, (), "", {"venue": "Acta Tea"})
    assert "Venue: Acta Tea" in Page(html).text and "No paper fits" in html
    assert [one["data-value"] for one in does(html) if one["data-do"] == "narrow"] == [""]


def test_bars_are_as_long_as_their_counts_and_a_second_press_takes_the_narrowing_away() -> None:
    counts = [Count(" acta tea ", "Acta Tea", 40), Count(" cup letters ", "Cup Letters", 10)]
    html = counts_html(
        {"year": [Count("2024", "2024", 3), Count("2022", "2022", 1)], "venue": counts}, Browse(venue=" acta tea ", year="2022")
    )
    pressed = [(one["data-value"], one["aria-pressed"]) for one in does(html)]
    assert pressed == [("", "true"), ("2023", "false"), ("2024", "false"), ("", "true"), (" cup letters ", "false")]
    styles = [attributes["style"] for name, attributes in Page(html).elements if name == "span" and "style" in attributes]
    assert styles == ["height: 33%", "height: 0%", "height: 100%", "width: 100%", "width: 25%"]


def test_a_paper_tells_its_record_where_it_was_seen_and_what_is_like_it() -> None:
    said = {"venue": [Said("/a.bib", "Acta Tea"), Said("/b.ris", "Tea Acta")]}
    page = Page(paper_html(KETTLE, [Similar(CUP, 0.5)], said, False, False, True))
    links = [attributes.get("href") for name, attributes in page.elements if name == "a"]
    assert links == ["https://doi.org/10.1000/k", "https://doi.org/10.1000/k", "https://arxiv.org/abs/2401.00001"]
    for text in (
        "Moss, Ada",
        "Acta Tea",
        "Hot",
        "starter/kettles.txt",
        "“Tea Acta” (b.ris)",
        "Cups",
        KETTLE.abstract,
        KETTLE.note,
        "@article{",
    ):
        assert (text or "") in page.text
    assert {"only", "keep", "choose", "locate", "close", "open"} == {
        str(one["data-do"]) for one in does(paper_html(KETTLE, [Similar(CUP, 0.5)], {}, False, False, True))
    }


def test_a_paper_without_an_abstract_is_not_offered_to_be_asked() -> None:
    html = paper_html(paper(abstract=""), [], {}, False, False, False)
    assert "Only the title is here" in html and "Ask" not in html


def test_side_by_side_each_paper_says_its_quote_or_that_it_states_nothing() -> None:
    given = answer(citations=(citation(KETTLE),))
    declined = answer("No answer.", answered=False)
    page = Page(comparison_html([KETTLE, CUP], "How fast?", {"p1": given, "p2": declined}))
    assert "How fast?" in page.text and page.text.count("not stated") == 1
    assert [name for name, _ in page.elements].count("q") == 1 and [name for name, _ in page.elements].count("mark") == 1
    assert "reading…" in comparison_html([KETTLE, CUP], "How fast?", {})
    assert "not known" in comparison_html([KETTLE, CUP], "", {}) and "pa-stated" not in comparison_html([KETTLE, CUP], "", {})


def test_a_reading_list_names_what_the_library_lost_and_exports_the_rest() -> None:
    html = reading_html([Kept("p1", "Kettle", 0.0), Kept("p9", "Lost", 0.0)], {"p1": KETTLE}, ())
    assert "no longer in the library" in html and "Lost" in html
    assert [one["data-form"] for one in does(html) if one["data-do"] == "export"] == ["bibtex", "ris", "markdown"]
    assert "Nothing is on your reading list" in reading_html([], {}, ())


@pytest.mark.parametrize(("count", "can"), [(1, False), (2, True), (5, True), (6, False)])
def test_two_to_five_papers_can_be_compared(count: int, can: bool) -> None:
    [compare] = [one for one in does(selection_html(["x"] * count, 5)) if one["data-do"] == "compare"]
    assert ("disabled" not in compare) is can
    assert selection_html([], 5) == ""


def test_a_large_map_is_drawn_in_part_with_what_is_lit_or_open() -> None:
    count = 3 * DRAWN
    whole = PaperMap(tuple(map(str, range(count))), np.zeros((count, 2), dtype=np.float32), np.zeros(count, dtype=np.int16), ("all",))
    shown = drawn(whole, {"1", "7"})
    assert DRAWN <= len(shown) <= DRAWN + 2 and {1, 7} <= set(shown) and shown == sorted(shown)
    assert f"{len(shown):,} of {count:,} papers" in clusters_html(whole, len(shown), 2, -1, [])
    assert drawn(MAP, set()) == [0, 1]


def test_a_cluster_that_is_opened_lists_its_papers() -> None:
    html = clusters_html(MAP, 2, 0, 1, [CUP])
    assert [(one["data-cluster"], one["aria-expanded"]) for one in does(html) if one["data-do"] == "cluster"] == [
        ("0", "false"),
        ("1", "true"),
    ]
    assert [one["data-id"] for one in does(html) if one["data-do"] == "open"] == ["p2"]
