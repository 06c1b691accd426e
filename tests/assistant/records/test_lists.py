"""Questions about the papers as records are answered from the catalogue, with how it was counted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from assistant import Assistant
from assistant.generation.base import Draft
from assistant.query.filters import Filters
from assistant.query.intent import Intent
from assistant.query.question import understood
from assistant.records.lists import answer_records, record_of, wanted_of
from assistant.retrieval.retriever import retrieve
from index import Library
from index.embedding import ToyEmbedder
from index.paper import Entry, Source


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Library]:
    """Five papers on owls and moths; one has neither author, venue nor date."""
    library = Library(tmp_path / "shelf", ToyEmbedder())
    entries = [
        Entry("Owls at night", "We watch owls hunt moths.", 1, "2021-05", authors=("Lindgren, Asta", "Moreau, Paul"), venue="Night Birds"),
        Entry("Moths and lamps", "Moths circle lamps.", 2, "2023-02-01", authors=("Moreau, Paul",), venue="Journal of Small Wings"),
        Entry("Hearing in owls", "Owls hear mice under snow.", 3, "2019", authors=("Okada, Rin",), venue="Night Birds"),
        Entry("Snow and mice", "Mice dig tunnels.", 4, "2024", authors=("Okada, Rin", "Lindgren, Asta"), venue="ACM WINTER"),
        Entry("An owl without a record", "A single owl is told of.", 5),
    ]
    library.add_entries(Source("/x/owls.bib", "/x/owls.bib"), entries)
    library.reopen_if_moved()
    yield library
    library.close()


def answered(text: str, name: str, library: Library) -> Draft:
    question = replace(understood(text), intent=Intent(name, "records", 1.0))
    draft = answer_records(question, wanted_of(text, library, newest=name == "newest"), None, library, None)
    assert draft is not None
    return draft


def titles(draft: Draft) -> list[str]:
    return [citation.title for citation in draft.citations]


@pytest.mark.parametrize(
    ("text", "filters"),
    [
        ("papers by Moreau", Filters(author="Moreau")),
        ("Rin Okada's papers", Filters(author="Rin Okada")),
        ("what has Lindgren written", Filters(author="Lindgren")),
        ("papers from 2023", Filters(since="2023", until="2023")),
        ("papers since 2021 by Okada", Filters(since="2021", author="Okada")),
        ("list papers between 2019 and 2021", Filters(since="2019", until="2021")),
        ("papers published before 2020", Filters(until="2019")),
        ("papers after 2020", Filters(since="2021")),
        ("papers from February 2023", Filters(since="2023-02", until="2023-02")),
        ("papers in Night Birds", Filters(venue="Night Birds")),
        ("papers at WINTER", Filters(venue="WINTER")),
    ],
)
def test_dates_authors_and_venues_are_read(shelf: Library, text: str, filters: Filters) -> None:
    wanted = wanted_of(text, shelf)
    assert (wanted.filters, wanted.theme) == (filters, "")


def test_what_is_left_of_a_question_is_its_theme(shelf: Library) -> None:
    assert wanted_of("how many papers on owls are there since 2020?", shelf).theme == "owls"
    assert wanted_of("papers from 2024 on mice", shelf).theme == "mice"
    assert wanted_of("how many papers are there", shelf).everything


def test_a_count_says_how_it_was_counted_and_lists(shelf: Library) -> None:
    draft = answered("how many papers on owls are there?", "count", shelf)
    assert draft.text.startswith("3 papers on “owls”") and "title or abstract holds “owls”" in draft.text
    assert set(titles(draft)) == {"Owls at night", "Hearing in owls", "An owl without a record"}


def test_a_list_has_a_line_a_paper_and_says_for_how_many_the_author_is_known(shelf: Library) -> None:
    draft = answered("list all papers by Okada", "list", shelf)
    assert len(re.findall(r"^- ", draft.text, re.MULTILINE)) == 2
    assert "Authors are known for 4 of the 5 papers." in draft.text and "A date" not in draft.text


def test_the_newest_on_a_theme_come_latest_first(shelf: Library) -> None:
    assert titles(answered("newest papers on owls", "newest", shelf)) == ["Owls at night", "Hearing in owls"]
    assert titles(answered("the 1 newest paper about owls", "newest", shelf)) == ["Owls at night"]


def test_an_unknown_author_is_said_to_be_unknown(shelf: Library) -> None:
    draft = answered("papers by Bergstrom", "list", shelf)
    assert not draft.answered and "“Bergstrom”" in (draft.reason or "") and "known for 4 of the 5" in draft.text


def test_a_theme_of_no_paper_is_none(shelf: Library) -> None:
    draft = answered("how many papers on volcanoes", "count", shelf)
    assert not draft.answered and not draft.citations


def test_a_theme_that_no_paper_spells_so_is_left_to_be_read(shelf: Library) -> None:
    question = replace(understood("list all papers on owls that use hydrophones"), intent=Intent("list", "records", 1.0))
    found = retrieve(shelf, "owls hydrophones")
    assert found.hits
    assert answer_records(question, wanted_of(question.text, shelf), found, shelf, None) is None
    assert question.wants_several


def test_a_record_tells_what_it_lacks(shelf: Library) -> None:
    by_title = {paper.title: paper for paper in shelf.papers()}
    text = record_of([by_title["Owls at night"], by_title["An owl without a record"]]).text
    assert "by Lindgren, Asta; Moreau, Paul, in Night Birds, dated 2021-05" in text
    assert "does not tell: authors, venue, date" in text


def test_the_starter_library_counts_and_lists(starter: Assistant) -> None:
    count = starter.answer("How many papers on speculative decoding are there?")
    assert count.answered and re.match(r"\d+ papers? on “speculative decoding”", count.text)
    listed = starter.answer("list all papers on quantization")
    assert len(listed.text.splitlines()) > 5 and all("quanti" in paper.title.lower() for paper in listed.retrieved[:2])


ASKED = "How does Hydragen speed up decoding?"


@pytest.mark.parametrize("text", ["in one sentence please", "shorter please"])
def test_a_shorter_answer_quotes_less_of_the_same_paper(starter: Assistant, text: str) -> None:
    first = starter.answer(ASKED)
    shorter = starter.answer(text, [(ASKED, first)])
    assert len(shorter.citations) == 1 and shorter.citations[0].title == first.citations[0].title


@pytest.mark.parametrize("text", ["shorter please", "who wrote it?", "give me the BibTeX", "more like this"])
def test_after_a_decline_there_is_nothing_to_shorten_or_cite(starter: Assistant, text: str) -> None:
    asked = "Why do tulips close at night?"
    declined = starter.answer(asked)
    said = starter.answer(text, [(asked, declined)])
    assert not declined.answered and not said.answered and "the last answer cites no paper" in said.text and not said.citations


def test_more_detail_quotes_more_of_the_same_paper(starter: Assistant) -> None:
    first = starter.answer(ASKED)
    more = starter.answer("tell me more", [(ASKED, first)])
    assert len(more.citations) >= len(first.citations) and {one.title for one in more.citations} == {first.citations[0].title}


def test_a_reference_is_given_of_the_papers_cited(starter: Assistant) -> None:
    first = starter.answer(ASKED)
    answer = starter.answer("give me the BibTeX", [(ASKED, first)])
    assert "@" in answer.text and "title = " in answer.text and answer.citations[0].title == first.citations[0].title


def test_more_like_it_lists_other_papers(starter: Assistant) -> None:
    first = starter.answer(ASKED)
    answer = starter.answer("more papers like this", [(ASKED, first)])
    assert len(answer.titles()) == 5 and first.citations[0].title not in {one.title for one in answer.citations}


def test_who_wrote_it_tells_the_record_of_the_paper_before(starter: Assistant) -> None:
    first = starter.answer(ASKED)
    answer = starter.answer("who wrote it?", [(ASKED, first)])
    assert answer.citations[0].title == first.citations[0].title and "does not tell" in answer.text


@pytest.mark.parametrize("question", ["What is Zorbax-9?", "How does HydraNuxt4 work?"])
def test_a_name_that_the_library_lacks_is_not_answered_from_its_neighbour(starter: Assistant, question: str) -> None:
    answer = starter.answer(question)
    assert not answer.answered and "nothing by the name" in (answer.reason or "") and len(answer.text.splitlines()) > 2


def test_a_misspelt_name_is_read_as_the_librarys(starter: Assistant) -> None:
    answer = starter.answer("How does Hydargen speed up decoding?")
    assert answer.answered and answer.citations[0].title.startswith("Hydragen")
    assert answer.warnings[0] == "read “Hydargen” as “Hydragen”" and answer.question.startswith("How does Hydargen")
