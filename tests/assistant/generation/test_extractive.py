"""The extractive answer: whose sentences, how many, in what form."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from assistant import Assistant
from assistant.evidence.comparison import Row, Table
from assistant.evidence.selection import Evidence
from assistant.evidence.sources import Group, Source
from assistant.generation.base import Request
from assistant.generation.extractive import MEASURED_ALIKE, compose, larger
from assistant.query.intent import Intent
from assistant.query.question import read_question
from index import Paper
from index.lexical import Terms


@pytest.mark.parametrize("question", ["How does Hydragen speed up decoding?", "Which optimizer has the memory use of SGD?"])
def test_one_papers_answer_names_it_and_quotes_its_own_sentences_within_110_words(starter: Assistant, question: str) -> None:
    answer = starter.answer(question)
    assert {citation.marker for citation in answer.citations} == {1}
    quotes = re.findall(r"“([^”]*)” \[1\]", answer.text)
    assert len(quotes) == len(answer.citations)
    for quote, citation in zip(quotes, answer.citations, strict=True):
        assert citation.quote.translate(str.maketrans("“”", "‘’")).endswith(quote.removeprefix("… "))
    assert answer.citations[0].title.split(":")[0] in answer.text.split("” [1]")[0]
    assert sum(len(quote.split()) for quote in quotes) <= 110


def sources_of(title: str, *sentences: str) -> list[Source]:
    """A paper whose sentences answer the better the earlier they are given."""
    abstract = " ".join(sentences)
    paper = Paper("0" * 12, title, title, abstract, abstract)
    starts = [abstract.index(sentence) for sentence in sentences]
    places = [(start, start + len(sentence)) for start, sentence in zip(starts, sentences, strict=True)]
    return [Source(paper, tuple(Evidence(paper, n, *place, 0.9 / (1 + n)) for n, place in enumerate(places)), 1.0)]


def composed(title: str, *sentences: str) -> str:
    question = read_question("How is gravel graded?")
    return compose(Request(question, Terms((), {}), tuple(sources_of(title, *sentences)))).text


def test_a_connective_that_leads_over_gives_way_to_an_ellipsis() -> None:
    assert composed("Sieve: Grading Gravel", "However, gravel is graded by sound.") == "Sieve: “… gravel is graded by sound.” [1]"


def test_a_connective_whose_sentence_before_is_quoted_stays() -> None:
    text = composed("Sieve: Grading Gravel", "Sieve grades gravel by sound.", "However, it needs silence.")
    assert text == "“Sieve grades gravel by sound.” [1] “However, it needs silence.” [1]"


def test_we_is_attributed_to_the_authors() -> None:
    assert composed("Sieve: Grading Gravel", "We grade gravel by sound.") == "The authors of Sieve: “We grade gravel by sound.” [1]"
    assert composed("Grading Gravel", "Our sieve is loud.") == "The authors of “Grading Gravel”: “Our sieve is loud.” [1]"


def test_a_summary_keeps_the_abstracts_order() -> None:
    """The third sentence answers best, then the first."""
    first, second, third = "Sieve grades gravel.", "It listens.", "Sound tells the grade."
    abstract = f"{first} {second} {third}"
    paper = Paper("0" * 12, "Sieve", "Sieve", abstract, abstract)
    places = [(abstract.index(one), abstract.index(one) + len(one), odds) for one, odds in ((first, 0.5), (second, 0.01), (third, 0.9))]
    source = Source(paper, tuple(Evidence(paper, n, start, end, odds) for n, (start, end, odds) in enumerate(places)), 1.0)

    def quotes(intent: Intent) -> list[str]:
        question = replace(read_question("What is Sieve about?"), intent=intent)
        return [citation.quote for citation in compose(Request(question, Terms((), {}), (source,))).citations]

    summary = quotes(Intent("summary", "summary", 1.0))
    assert summary[0] == first and summary[-1] == third
    assert quotes(Intent("fact", "single", 1.0))[0] == third


def test_quote_marks_within_a_quote_are_single() -> None:
    assert composed("Sieve: A “Loud” Way", "It is “loud” gravel.") == "Sieve: “It is ‘loud’ gravel.” [1]"


def test_a_theme_gets_a_line_from_each_of_several_papers(starter: Assistant) -> None:
    answer = starter.answer("What approaches are there to speculative decoding?")
    lines = answer.text.splitlines()
    assert len(lines) > 1 and all(line.startswith("- ") for line in lines)
    assert [int(re.findall(r"\[(\d+)\]", line)[-1]) for line in lines] == list(range(1, len(lines) + 1))
    assert sum(len(line.split()) for line in lines) / len(lines) <= 40


def test_a_comparison_gets_both_sides(starter: Assistant) -> None:
    answer = starter.answer("How do CacheBlend and Cache-Craft differ?")
    assert {title.split(":")[0] for _, title, _ in answer.titles()} == {"CacheBlend", "Cache-Craft"}


def test_an_unsure_answer_names_the_next_paper(starter: Assistant) -> None:
    answer = starter.answer("How many parameters does the newest chatbot of the search company have?")
    if answer.answered and answer.confidence < 0.3:
        assert any(answer.retrieved[1].display_title in warning for warning in answer.warnings)
    sure = starter.answer("How does Hydragen speed up decoding?")
    assert sure.confidence > 0.3 and not sure.warnings


def test_what_no_paper_comes_near_is_declined_with_the_words_that_are_missing(starter: Assistant) -> None:
    answer = starter.answer("How long do I boil asparagus?")
    assert not answer.answered and not answer.citations
    assert answer.reason and "asparagus" in answer.reason
    assert all(paper.display_title in answer.text for paper in answer.retrieved[:3])


def test_a_misspelling_is_answered_and_told(starter: Assistant) -> None:
    answer = starter.answer("what does hydragen do for decodnig of shared prefixes")
    assert answer.citations[0].title.startswith("Hydragen")
    assert any("decoding" in warning for warning in answer.warnings)


def test_what_a_misspelt_question_asks_for_is_understood(starter: Assistant) -> None:
    answer = starter.answer("which approches are there to speculative decoding?")
    assert len(answer.titles()) > 1


def test_no_line_of_several_points_back_where_another_sentence_is_there(starter: Assistant) -> None:
    answer = starter.answer("Which papers deal with mixture of experts?")
    assert len(answer.titles()) > 2
    assert not [citation.quote for citation in answer.citations if citation.quote.startswith(("This ", "It ", "These ", "Their "))]


def test_a_comparison_is_a_table_whose_cells_quote_or_are_not_stated() -> None:
    question = replace(read_question("Sieve vs Riddle"), intent=Intent("comparison", "comparison", 1.0))
    one, other = sources_of("Sieve: Grading", "Sieve is 2x faster | louder."), sources_of("Riddle: Grading", "Riddle is 3x faster.")
    rows = (
        Row("Sieve", one[0], (one[0].sentences, (), ())),
        Row("Riddle", replace(other[0], paper=replace(other[0].paper, paper_id="1" * 12)), (other[0].sentences, (), other[0].sentences)),
        Row("Owl", None),
    )
    draft = compose(Request(question, Terms((), {}), (*one, *other), table=Table(("speed", "cost"), rows)))
    assert draft.text.splitlines() == [
        "| paper | speed | cost | besides |",
        "| --- | --- | --- | --- |",
        "| Sieve [1] | “Sieve is 2x faster \\| louder.” [1] | not stated |  |",
        "| Riddle [2] | “Riddle is 3x faster.” [2] | not stated | “Riddle is 3x faster.” [2] |",
        "| Owl | nothing by this name is in the library |  |  |",
        "Of the figures quoted on speed the largest comes first: 3× [2], 2× [1]. " + MEASURED_ALIKE,
    ]
    assert [citation.marker for citation in draft.citations] == [1, 2]


def test_an_overview_is_a_list_under_what_its_papers_share() -> None:
    question = replace(read_question("sieves"), intent=Intent("overview", "several", 1.0))
    sources = [source for title in ("One: A", "Two: B", "Three: C") for source in sources_of(title, f"{title[:-3]} is a sieve.")]
    groups = (Group("sound", (0, 2)), Group("", (1,)))
    lines = compose(Request(question, Terms((), {}), tuple(sources), groups=groups)).text.splitlines()
    assert lines == ["Sound:", "- “One is a sieve.” [1]", "- “Three is a sieve.” [2]", "Besides:", "- “Two is a sieve.” [3]"]


def test_a_paper_that_shares_nothing_with_another_makes_no_group_and_one_alone_is_answered_in_full() -> None:
    question = replace(read_question("sieves"), intent=Intent("overview", "several", 1.0))
    sources = [source for title in ("One: A", "Two: B") for source in sources_of(title, f"{title[:-3]} is a sieve.", "It is round.")]
    groups = (Group("sound", (0,)), Group("dust", (1,)))
    lines = compose(Request(question, Terms((), {}), tuple(sources), groups=groups)).text.splitlines()
    assert lines == ["- “One is a sieve.” [1]", "- “Two is a sieve.” [2]"]
    alone = compose(Request(question, Terms((), {}), (sources[0],)))
    assert "“One is a sieve.” [1]" in alone.text and "It is round" in alone.text


def test_the_larger_figure_is_told_where_each_cell_has_one_of_the_same_unit() -> None:
    def row(text: str) -> Row:
        (held,) = sources_of("Pan", text)
        return Row("Pan", held, (held.sentences,))

    rows = (row("It is 2.5 times as fast."), row("It is 4x faster."))
    assert larger(Table(("speed",), rows)) == [("speed", ((1, "4×"), (0, "2.5×")))]
    assert larger(Table(("speed",), (*rows, row("It is fast.")))) == []
    assert larger(Table(("speed",), (rows[0], row("It is 4% faster.")))) == []
    assert larger(Table(("speed",), (rows[0], replace(rows[0], side="other")))) == []
