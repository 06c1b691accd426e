from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant import Answer, RetrievedPaper, Usage
from assistant.llms.discovery import Offer
from assistant.sanitize import visible
from assistant.verification.citations import UNSUPPORTED
from index import Paper
from tests.ui.records import ABSTRACT, QUOTE, answer, citation, paper
from ui.dates import readable_date
from ui.render import (
    answer_html,
    coming_html,
    escape,
    failed_html,
    follow_html,
    notice_html,
    noticed_html,
    question_html,
    stopped_html,
    unfinished_html,
    waiting_html,
)

ATTRIBUTES = {"class", "id", "href", "title", "role", "target", "rel", "type", "aria-label"}
HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))",
    "![see](https://example.org/x.png)",
    "</details></div></span><h1>out</h1>",
    "a\n\n# b\n\n<b>c</b>",
    "$$\\frac{1}{2}$$ **bold** `code` ~~gone~~ | a | b |",
    '" onmouseover="alert(1)',
    "&lt;script&gt; &amp; &#60;b&#62;",
    "\x00\ud800\u2028\x85<i>",
]


class Page(HTMLParser):
    """Elements with their attributes, the text, and whether every element was closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in ("br", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def first(self, tag: str) -> dict[str, str | None]:
        return next(attributes for name, attributes in self.elements if name == tag)


def shown(given_answer: Answer, of: Paper | None = None, turn: int = 1) -> Page:
    return Page(answer_html(given_answer, {of.paper_id: of} if of else {}, turn))


def everything_from(text: str) -> list[str]:
    """Every piece of HTML that the text can get into, through every field that is not ours."""
    of = paper(display_title=text, abstract=text + ABSTRACT, note=text, sources=(text,), date=text, url="https://example.org/" + text)
    cited = citation(of, supported=False, authors=(text, f"{text}, {text}"), venue=text)
    return [
        question_html(text),
        waiting_html(text),
        coming_html(text),
        stopped_html(text),
        notice_html(text),
        failed_html(text),
        follow_html([text, text]),
        unfinished_html(text + "."),
        answer_html(answer(f"{text} [1]\n- {text} [1] [7]", (cited,), mode=text, warnings=(text,)), {of.paper_id: of}, 1),
        answer_html(answer(f"{text} [1]", (cited,)), {}, 1),
        answer_html(answer(f"- “{text}” [1]\n- “{text}” [2]", (cited, replace(cited, marker=2))), {}, 1),
        answer_html(answer(f"{text} [1] {UNSUPPORTED} {text}. [1] {UNSUPPORTED}", (cited,)), {}, 1),
        noticed_html([Offer(text, text), Offer(text, text, text)]),
        answer_html(answer(text, answered=False, reason=text), {}, 1),
        answer_html(_declined(text), {}, 1),
        answer_html(_declined(text), {of.paper_id: of}, 1),
    ]


def _declined(title: str) -> Answer:
    """With one paper that came near."""
    near = RetrievedPaper("p1", title, title, 0.4, url="https://example.org/" + title)
    return answer(f"The library has no answer to this.\n- {title}", answered=False, reason="none", retrieved=(near,))


def is_harmless(html: str, elements_of: str) -> bool:
    """The same elements as when the text says nothing special, known attributes, only good links, one line."""
    page, plain = Page(html), Page(elements_of)
    assert not page.open
    ours = {"br", "div", "p", "ul", "li", "sup", "a", "code", "span"}
    assert {name for name, _ in page.elements} <= {name for name, _ in plain.elements} | ours
    for _, attributes in page.elements:
        assert set(attributes) <= ATTRIBUTES
        assert (attributes.get("href") or "#pa-source-").startswith(("#pa-source-", "https://example.org/"))
    assert not {"\n", "\r"} & set(html)
    html.encode()
    return True


@pytest.mark.parametrize("text", HOSTILE)
def test_untrusted_text_makes_no_element_of_its_own_anywhere(text: str) -> None:
    for html, plain in zip(everything_from(text), everything_from("plain words"), strict=True):
        assert is_harmless(html, plain)


@settings(deadline=None)
@given(st.text() | st.lists(st.sampled_from([*HOSTILE, "[1]", "- ", "\n", " ", "<", "&"])).map("".join))
def test_no_text_whatever_makes_an_element_of_its_own(text: str) -> None:
    for html, plain in zip(everything_from(text), everything_from("plain words"), strict=True):
        assert is_harmless(html, plain)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\x00")))
def test_escaped_text_reads_as_it_was(text: str) -> None:
    assert Page(f"<p>{escape(text)}</p>").text == visible(text)


def test_lines_stay_lines_without_a_line_break_in_the_html() -> None:
    assert escape("one\r\n\r\ntwo") == "one<br><br>two"


def test_a_marker_links_to_the_card_of_its_source() -> None:
    page = shown(answer(citations=(citation(paper()),)), paper(), turn=3)
    assert page.first("a")["href"] == "#pa-source-3-1"
    assert page.first("details")["id"] == "pa-source-3-1"


def test_a_marker_without_a_citation_is_no_link() -> None:
    page = shown(answer("Both boil [1] [2].", (citation(paper()),)), paper())
    assert [attributes["href"] for name, attributes in page.elements if name == "a"] == ["#pa-source-1-1"]
    assert "Both boil1 [2]." in page.text


def test_the_quoted_words_are_marked_within_the_whole_abstract() -> None:
    html = answer_html(answer(citations=(citation(paper()),)), {"p1": paper()}, 1)
    assert f"Kettles boil slowly. <mark>{QUOTE}</mark> It needs no new plug." in html


def test_overlapping_quotes_of_one_paper_are_marked_once_each_and_the_abstract_stays_whole() -> None:
    cited = (citation(paper()), citation(paper(), "boils water 3x faster. It needs"), citation(paper(), "3x"))
    html = answer_html(answer(citations=cited), {"p1": paper()}, 1)
    assert f"<mark>{QUOTE}</mark><mark> It needs</mark> no new plug." in html


def test_a_paper_gone_from_the_library_still_shows_its_quote() -> None:
    assert f"<mark>{QUOTE}</mark>" in answer_html(answer(citations=(citation(paper()),)), {}, 1)


def test_sources_stand_in_order_of_their_numbers() -> None:
    other = paper(paper_id="p2", display_title="Second Kettle")
    html = answer_html(answer("A [1]. B [2].", (citation(other, marker=2), citation(paper()))), {"p1": paper(), "p2": other}, 1)
    assert html.index("Faster Tea") < html.index("Second Kettle")


def test_title_date_and_note_are_seen_without_opening_a_source() -> None:
    html = answer_html(answer(citations=(citation(paper()),)), {"p1": paper()}, 1)
    summary = Page(html.partition("<summary>")[2].partition("</summary>")[0]).text
    assert "TideKettle: Faster Tea" in summary
    assert "1 Oct 2024" in summary
    assert "Summary in our own words, not the authors' abstract" in unescape(html)


def test_authors_venue_and_date_are_seen_and_the_title_leads_to_the_paper() -> None:
    names = ("Moss, Ada", "Bo Reed", "OpenTea", "Tern, Cy", "Fen, Di")
    cited = citation(paper(), authors=names, venue="Tea & Time", url="https://example.org/tea?a=1&b=2")
    html = answer_html(answer(citations=(cited,)), {"p1": paper()}, 1)
    summary = Page(html.partition("<summary>")[2].partition("</summary>")[0])
    assert "Ada Moss, Bo Reed, OpenTea and 2 more" in summary.text and "Tea & Time" in summary.text
    assert summary.first("a")["href"] == "https://example.org/tea?a=1&b=2"
    assert summary.first("a")["rel"] == "noopener noreferrer"


def test_a_comparison_is_a_table_with_a_row_for_each_paper_and_a_paragraph_for_each_quote() -> None:
    other = paper(paper_id="p2", display_title="Second Kettle", abstract="It boils in 9 s. It hums.")
    cited = (citation(paper()), citation(other, "It boils in 9 s.", 2), citation(other, "It hums.", 2))
    rows = [
        "| paper | speed |",
        "| --- | --- |",
        f"| TideKettle [1] | “{QUOTE}” [1] |",
        "| <b>\\|Second [2] | “It boils in 9 s.” [2] “It hums.” [2] |",
    ]
    page = shown(answer("\n".join(rows), cited), paper())
    assert [name for name, _ in page.elements if name in ("th", "td", "tr")] == ["tr", "th", "th", "tr", "th", "td", "tr", "th", "td"]
    assert f"paperspeedTideKettle1“{QUOTE}”1<b>|Second2“It boils in 9 s.”2“It hums.”2" in page.text


@pytest.mark.parametrize("text", ["- “A.” [1]\n- “B.” [2]", "|A| [1]", "| A [1]", "| --- |"])
def test_what_is_no_row_with_cells_makes_no_table(text: str) -> None:
    cited = (citation(paper()), citation(paper(paper_id="p2"), marker=2))
    assert "<table" not in answer_html(answer(text, cited), {}, 1)


def test_an_answer_can_be_copied_asked_again_and_asked_shorter_or_longer_a_question_edited() -> None:
    page = shown(answer(citations=(citation(paper()),)), paper())
    does = [attributes["class"] for name, attributes in page.elements if name == "button"]
    assert does[:4] == ["pa-do pa-copy", "pa-do pa-act pa-retry", "pa-do pa-act pa-shorter", "pa-do pa-act pa-longer"]
    assert "pa-retry" in failed_html("no") and "pa-retry" in stopped_html("") and "pa-edit" in question_html("How?")


def test_a_note_of_some_sources_names_them() -> None:
    other = paper(paper_id="p2", note=None)
    cited = (citation(paper()), citation(other, marker=2))
    assert "1: summary in our own words" in shown(answer("A [1]. B [2].", cited), paper()).text


def test_an_address_that_is_not_of_the_web_is_no_link() -> None:
    of = paper(url="javascript:alert(1)")
    assert "javascript" not in answer_html(answer(citations=(citation(of),)), {"p1": of}, 1)


def test_what_its_abstract_does_not_support_is_said_on_the_source() -> None:
    assert "not all supported" in shown(answer(citations=(citation(paper(), supported=False),)), paper()).text
    assert "not all supported" not in shown(answer(citations=(citation(paper()),)), paper()).text


@pytest.mark.parametrize(
    "text",
    [
        f"Kettles boil. [1] Pans whistle. [1] {UNSUPPORTED} It needs 3.5 W, e.g. here. [1]",
        f"Kettles boil. [1] Pans whistle. {UNSUPPORTED} It needs 3.5 W, e.g. here.",
        f"- Kettles boil.\n- Pans whistle. [1] {UNSUPPORTED}\nIt needs 3.5 W.",
    ],
)
def test_a_sentence_that_failed_the_check_is_marked_from_its_start_to_its_end_and_no_other(text: str) -> None:
    html = answer_html(answer(text, (citation(paper()),)), {"p1": paper()}, 1)
    (marked,) = re.findall(r'<span class="pa-unsupported">(.*?)<span class="pa-flag">not found in the papers</span></span>', html)
    assert re.sub(r"\W+", " ", re.sub(r"<[^>]+>", " ", marked)).strip(" 1") == "Pans whistle"
    assert UNSUPPORTED not in unescape(html.partition('class="pa-foot"')[0])


def test_two_failed_sentences_in_a_row_are_two() -> None:
    text = f"One is wrong. [1] {UNSUPPORTED} Two is wrong. {UNSUPPORTED}"
    html = answer_html(answer(text, (citation(paper()),)), {"p1": paper()}, 1)
    assert html.count("pa-unsupported") == html.count("pa-flag") == 2


def test_an_answer_with_a_failed_sentence_boasts_no_confidence() -> None:
    text = f"Kettles boil. [1] Pans whistle. {UNSUPPORTED}"
    page = shown(answer(text, (citation(paper()),), confidence=0.95), paper())
    assert "High confidence" not in page.text and "Not all of it is supported" in page.text


def test_what_is_noticed_is_told_with_what_it_still_needs() -> None:
    offers = [
        Offer("ollama:a", "Ollama runs at A"),
        Offer("ollama:b", "Ollama runs at A"),
        Offer("openai:c", "A key is set", "pip install x"),
    ]
    page = Page(noticed_html(offers))
    assert page.text.count("Ollama runs at A") == 1 and "unless you choose" in page.text
    assert "A key is set" in page.text and "pip install x" in page.text
    assert noticed_html([]) == ""


@pytest.mark.parametrize(("confidence", "words"), [(0.9, "High"), (0.5, "Medium"), (0.1, "Low confidence: check the sources")])
def test_confidence_is_said_in_words(confidence: float, words: str) -> None:
    assert words in shown(answer(citations=(citation(paper()),), confidence=confidence), paper()).text


def test_a_declined_answer_has_its_own_look_and_neither_sources_nor_confidence() -> None:
    html = answer_html(answer("Nothing here.\n- Some title", answered=False, reason="nothing"), {}, 1)
    assert "pa-declined" in html
    assert "No answer in this library" in html
    assert "confidence" not in html
    assert "pa-source" not in html


def test_warnings_are_shown_with_answers_given_and_declined() -> None:
    for answered in (True, False):
        assert "the LLM failed" in shown(answer("x", answered=answered, warnings=("the LLM failed",))).text


def test_what_an_llm_used_is_told_where_one_was_asked() -> None:
    usage = Usage(prompt_tokens=1321, completion_tokens=12, cost=0.00125, retries=1)
    for answered in (True, False):
        foot = shown(answer("x", answered=answered, reason=None if answered else "none", usage=usage)).text
        assert "1,321 + 12 tokens, 1 retry, cost 0.0013" in foot
    assert "tokens" not in shown(answer()).text


def test_unfinished_text_is_marked_and_makes_no_links() -> None:
    page = Page(unfinished_html("Kettles boil [1], see https://x.example"))
    assert "no part of the answer" in page.text
    assert [name for name, _ in page.elements] == ["details", "summary", "div", "p"]
    assert unfinished_html(" ") == ""


def test_paragraphs_and_lists_keep_their_order() -> None:
    html = coming_html("First:\n- a\n- b\nThen:\n- c")
    assert html == ('<div class="pa-answer pa-coming"><p>First:</p><ul><li>a</li><li>b</li></ul><p>Then:</p><ul><li>c</li></ul></div>')


def test_a_pasted_book_is_not_shown_whole_as_a_question() -> None:
    assert len(question_html("word " * 20_000)) < 1000


@pytest.mark.parametrize(
    ("date", "inferred", "words"),
    [
        ("2024-10-01", None, "1 Oct 2024"),
        ("2024-10", None, "Oct 2024"),
        ("2024", None, "2024"),
        ("--12-12", None, "12 Dec"),
        ("--07-11", "2025-07-11", "11 Jul, probably 2025"),
        ("2024-13-41", None, "41 13 2024"),
        ("spring", None, "spring"),
        (None, None, ""),
    ],
)
def test_dates_are_as_exact_as_known(date: str | None, inferred: str | None, words: str) -> None:
    assert readable_date(date, inferred) == words


def test_a_declines_nearest_papers_can_be_opened_and_asked_about() -> None:
    page = Page(answer_html(_declined("Slow Cups"), {"p1": paper(display_title="Slow Cups", authors=("Moss, Ada",))}, 1))
    assert [name for name, _ in page.elements].count("details") == 1 and "li" not in dict(page.elements)
    assert ABSTRACT in page.text and "Ada Moss" in page.text
    assert "Ask about this paperWhat does “Slow Cups” say?" in page.text


def test_a_source_is_copied_as_bibtex_as_a_citation_and_as_a_quote() -> None:
    cited = citation(paper(), authors=("Moss, Ada",), venue="Tea Letters", doi="10.1000/kettle", url=None)
    text = shown(answer(citations=(cited,)), paper()).text
    assert "Copy BibTeX@article{moss2024tidekettle-p1,\n  title = {{TideKettle:} Faster Tea}" in text
    assert "Copy citationAda Moss. TideKettle: Faster Tea. Tea Letters. 2024. https://doi.org/10.1000/kettle" in text
    assert f"Copy quote“{QUOTE}” (Ada Moss." in text


def test_an_answer_is_copied_with_its_references() -> None:
    text = shown(answer(citations=(citation(paper()),)), paper()).text
    assert f"Copy answer{QUOTE} [1]\n\n1. TideKettle: Faster Tea. 2024." in text
