"""Filters: what dates they take, and that only papers that pass are cited."""

from __future__ import annotations

import pytest

from assistant import Assistant, Filters
from assistant.errors import FilterError
from tests.assistant.conftest import TIDECACHE


@pytest.mark.parametrize("date", ["2024", "2024-05", "2024-05-31", "2024-02-29"])
def test_dates_are_taken_as_exact_as_they_are(date: str) -> None:
    assert Filters(since=date, until=date).since == date


@pytest.mark.parametrize("date", ["", "yesterday", "24", "2024-13", "2024-02-30", "2024-5", "2024-05-01T00", "２０２４"])
@pytest.mark.parametrize("name", ["since", "until"])
def test_a_date_of_no_calendar_is_refused_with_the_forms(name: str, date: str) -> None:
    with pytest.raises(FilterError, match=f"{name}: .*2024-05-01"):
        Filters(**{name: date})


@pytest.mark.parametrize("name", ["since", "source", "author", "text"])
def test_what_is_no_text_is_refused(name: str) -> None:
    with pytest.raises(FilterError, match=name):
        Filters(**{name: "caf\udce9"})


def test_filters_say_themselves_in_words() -> None:
    assert Filters().in_words() == ""
    assert Filters(since="2024", source="page").in_words() == "since 2024, source page"


LANTERN = "How does Lantern denoise low-light video on phones?"  # of October 2023, in dated.txt


@pytest.mark.parametrize(
    ("filters", "passes"),
    [
        (Filters(since="2023"), True),
        (Filters(since="2023-10", until="2023-10"), True),
        (Filters(since="2023-10-03", until="2023-10-03"), True),
        (Filters(until="2023-10-02"), False),
        (Filters(since="2023-10-04"), False),
        (Filters(source="dated"), True),
        (Filters(source="DATED.TXT"), True),
        (Filters(source="compact"), False),
        (Filters(text="noisy VIDEO"), True),
        (Filters(text="pebbles"), False),
        (Filters(author="Nobody"), False),
        (Filters(since="2023", source="dated", text="phones"), True),
        (Filters(since="2023", source="compact", text="phones"), False),
    ],
    ids=lambda value: value.in_words() if isinstance(value, Filters) else str(value),
)
def test_only_papers_that_pass_are_found_and_cited(toy: Assistant, filters: Filters, passes: bool) -> None:
    answer = toy.answer(LANTERN, filters=filters)
    titles = {title.split(":")[0] for title in [paper.title for paper in answer.retrieved]}
    assert ("Lantern" in titles) is passes
    assert {citation.title for citation in answer.citations} <= {paper.title for paper in answer.retrieved}
    assert {paper.title for paper in toy.search(LANTERN, filters=filters)} == {paper.title for paper in answer.retrieved}


def test_only_the_papers_that_were_chosen_are_found(toy: Assistant) -> None:
    chosen = tuple(paper.paper_id for paper in toy.search("videos", k=2))
    found = toy.search(TIDECACHE, filters=Filters(papers=chosen))
    assert {paper.paper_id for paper in found} == set(chosen)
    assert toy.search(TIDECACHE, filters=Filters(papers=())) == []
    assert "2 chosen papers" in Filters(since="2023", papers=chosen).in_words()
    with pytest.raises(FilterError, match="no tuple of papers"):
        Filters(papers="an-id")  # type: ignore[arg-type]


def test_a_filter_that_no_paper_passes_is_named_in_the_reason(toy: Assistant) -> None:
    answer = toy.answer(TIDECACHE, filters=Filters(source="no-such-page"))
    assert not answer.answered
    assert answer.retrieved == ()
    assert answer.reason and "source no-such-page" in answer.reason
