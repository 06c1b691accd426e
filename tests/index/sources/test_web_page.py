from __future__ import annotations

import html
import json
import time

import pytest

from index.errors import SourceError
from index.sources.base import Parsed
from index.sources.web_page import FORMAT

GRAVEL = (
    "Gravel filters clear water slowly, "
    "in every season that we measured. They need no power, no pump and no care, and last for a hundred years."
)


def page(body: str, head: str = "") -> str:
    return f"<!DOCTYPE html>\n<html><head><title>A page</title>{head}</head>\n<body>\n{body}\n</body></html>\n"


def read(text: str) -> Parsed:
    assert FORMAT.recognise(text)
    return FORMAT.parse(text, "page.html")


def listed(number: int, title: str, abstract: str = "") -> str:
    return f"""<dt><a name='item{number}'>[{number}]</a>
<a href ="/abs/2101.0000{number}" title="Abstract" id="2101.0000{number}">arXiv:2101.0000{number}</a>
[<a href="/pdf/2101.0000{number}">pdf</a>]</dt>
<dd><div class='meta'><div class='list-title mathjax'><span class='descriptor'>Title:</span>
 {title}</div>
<div class='list-authors'><a href="https://arxiv.org/search?q=Stone">Ada Stone</a>, <a href="x">Bo Brook</a></div>
<div class='list-comments mathjax'><span class='descriptor'>Comments:</span> 9 pages</div>
<div class='list-journal-ref'><span class='descriptor'>Journal-ref:</span> Filters 3</div>
<div class='list-subjects'><span class='descriptor'>Subjects:</span> <span>Computation and Language (cs.CL)</span>; Other (q-bio.NC)</div>
{f"<p class='mathjax'>{abstract}</p>" if abstract else ""}</div></dd>"""


def test_a_list_of_arxiv_gives_titles_days_and_abstracts() -> None:
    day = "<h3>Thu, 4 Mar 2021 (showing 2 of 2 entries )</h3>"
    body = f"{day}<dl id='articles'>{listed(1, 'On gravel: A &amp; B', GRAVEL)}\n{listed(2, 'On sand')}</dl>"
    parsed = read(page(body))
    (one,), (other,) = parsed.entries, parsed.without_abstract
    assert (one.title, one.abstract, one.date, one.arxiv_id) == ("On gravel: A & B", GRAVEL, "2021-03-04", "2101.00001")
    assert (one.authors, one.venue, one.keywords) == (("Ada Stone", "Bo Brook"), "Filters 3", ("cs.CL", "q-bio.NC"))
    assert one.url == "https://arxiv.org/abs/2101.00001"
    assert (other.title, other.arxiv_id) == ("On sand", "2101.00002")
    assert other.line > one.line > 1


def test_results_of_arxivs_search_are_read() -> None:
    body = f"""<ol><li class="arxiv-result"><p class="list-title"><a href="https://arxiv.org/abs/2101.00001">arXiv:2101.00001</a></p>
<p class="title is-5 mathjax">On <span class="search-hit mathjax">gravel</span></p>
<p class="authors"><span>Authors:</span> <a href="x">Ada Stone</a>, <a href="y">Bo Brook</a></p>
<p class="abstract mathjax"><span class="has-text-black-bis">Abstract</span>: <span class="abstract-short">Gravel… <a>▽ More</a></span>
<span class="abstract-full">{GRAVEL} <a class="is-size-7">△ Less</a></span></p>
<p class="is-size-7"><span>Submitted</span> 4 March, 2021; <span>originally announced</span> March 2021.</p></li></ol>"""
    (one,) = read(page(body)).entries
    assert (one.title, one.abstract, one.date) == ("On gravel", GRAVEL, "2021-03-04")
    assert (one.arxiv_id, one.authors) == ("2101.00001", ("Ada Stone", "Bo Brook"))


def test_the_page_of_one_paper_tells_by_its_meta_tags() -> None:
    tags = {
        "citation_title": "On gravel",
        "citation_author": "Stone, Ada",
        "citation_date": "2021/03/04",
        "citation_arxiv_id": "2101.00001",
        "citation_doi": "10.1000/G.1",
        "citation_abstract": GRAVEL,
    }
    head = "".join(f'<meta name="{name}" content="{value}" />' for name, value in tags.items())
    (one,) = read(page("<h1>On gravel</h1>", head + '<meta name="citation_author" content="Brook, Bo">')).entries
    assert (one.title, one.abstract, one.authors) == ("On gravel", GRAVEL, ("Stone, Ada", "Brook, Bo"))
    assert (one.date, one.arxiv_id, one.doi) == ("2021-03-04", "2101.00001", "10.1000/g.1")


def test_arxivs_page_of_one_paper_holds_the_abstract_in_a_quote() -> None:
    head = '<meta name="citation_title" content="On gravel">'
    (one,) = read(
        page(f'<blockquote class="abstract mathjax"><span class="descriptor">Abstract:</span>{GRAVEL}</blockquote>', head)
    ).entries
    assert one.abstract == GRAVEL


def test_the_papers_page_holds_json_of_what_it_shows() -> None:
    papers = [
        {
            "paper": {"id": f"2101.0000{n}", "title": f"On gravel {n}", "summary": GRAVEL, "publishedAt": "2021-03-04T00:00:00Z"},
            "numComments": n,
        }
        for n in range(2)
    ]
    props = html.escape(json.dumps({"dailyPapers": papers, "user": {"name": "x"}}))
    body = f'<div data-target="DailyPapers" data-props="{props}"><article>'
    body += '<h3><a href="/papers/2101.00000">On gravel 0</a></h3></article></div>'
    parsed = read(page(body))
    assert [(one.title, one.abstract, one.arxiv_id, one.date) for one in parsed.entries] == [
        ("On gravel 0", GRAVEL, "2101.00000", "2021-03-04"),
        ("On gravel 1", GRAVEL, "2101.00001", "2021-03-04"),
    ]


def test_cards_of_the_papers_page_are_read_where_the_json_is_gone() -> None:
    def card(number: int, more: str = "") -> str:
        return f'<article><h3>\n<a href="/papers/2101.0000{number}" class="x">On gravel {number}</a></h3><p>Bo</p>{more}</article>\n'

    parsed = read(page(card(1, f"<p>{GRAVEL}</p>") + card(2)))
    assert [(one.title, one.abstract, one.arxiv_id) for one in parsed.entries] == [("On gravel 1", GRAVEL, "2101.00001")]
    assert [one.title for one in parsed.without_abstract] == ["On gravel 2"]


def test_any_other_page_is_refused_by_its_title() -> None:
    with pytest.raises(SourceError, match=r"web page .“A page”. on which no list of papers is known"):
        read(page("<h1>On gravel</h1><p>" + GRAVEL + "</p>"))


@pytest.mark.parametrize(
    "start", ["", "\ufeff", "<!-- saved from url=(0014)about:internet -->\n", "<!-- a --><!-- b -->", '<?xml version="1.0"?>\n']
)
def test_a_page_is_known_by_its_beginning(start: str) -> None:
    assert FORMAT.recognise(start + page(""))


@pytest.mark.parametrize("text", ["On <i>gravel</i>\n\nIt filters.", "<!-- x " * 100, "<a> b", "<feed></feed>", "", "<!--"])
def test_other_texts_are_no_page(text: str) -> None:
    assert not FORMAT.recognise(text)


@pytest.mark.parametrize("tag", ["<div>", "<b>", "<b></i>", "<p>", "<table>", "<li>", "<", "<!--", "&amp;", "<a href='"])
def test_a_page_of_one_tag_many_times_is_refused_in_linear_time(tag: str) -> None:
    begun = time.process_time()
    with pytest.raises(SourceError):
        FORMAT.parse(page(tag * 50_000), "page.html")
    assert time.process_time() - begun < 20


def test_markdown_below_a_div_that_centres_its_name_is_no_page() -> None:
    centred = '<div align="center">\n\n# Roads\n\n</div>\n\n- [Gravel roads and their ruts](https://arxiv.org/abs/2101.00001)\n'
    assert not FORMAT.recognise(centred) and FORMAT.recognise(centred.replace("# Roads", "Roads"))
