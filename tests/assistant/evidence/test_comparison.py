"""What is compared, by what, and what each paper says of it."""

from __future__ import annotations

import pytest

from assistant.evidence.comparison import columns_of, holds_side, sides_of, table_of
from assistant.evidence.selection import Evidence
from assistant.evidence.sources import Source, grouped
from index import Library, Paper


@pytest.mark.parametrize(
    ("text", "sides"),
    [
        ("How do TideKettle and FastPot differ in noise?", ("TideKettle", "FastPot")),
        ("TideKettle vs. FastPot", ("TideKettle", "FastPot")),
        ("What does FastPot-2 add on top of FastPot?", ("FastPot-2", "FastPot")),
        ("FastPot, TideKettle or OwlPan for soup?", ("FastPot", "TideKettle", "OwlPan")),
        ("which is better for kidneys, warm water or cold tea", ("warm water", "cold tea")),
        ("difference between gas stoves and coal stoves in winter", ("gas stoves", "coal stoves")),
        ("is tea better than coffee for sleep", ("tea", "coffee")),
        ("Is the kettle loud?", ()),
        ("What is TideKettle?", ()),
    ],
)
def test_sides_are_names_or_phrases_that_a_word_compares(text: str, sides: tuple[str, ...]) -> None:
    assert sides_of(text) == sides


def test_columns_are_what_is_left_of_the_question(toy_library: Library) -> None:
    sides = ("TideKettle", "FastPot")
    assert columns_of("TideKettle vs FastPot: noise and boiling time?", sides, toy_library) == ("noise", "boiling time")
    assert columns_of("How do TideKettle and FastPot differ?", sides, toy_library) == ()


def test_a_name_with_another_figure_is_another_name(toy_library: Library) -> None:
    assert holds_side("FastPot: Boiling", "FastPot", toy_library) and holds_side("the fast-pots", "FastPot", toy_library)
    assert not holds_side("FastPot-2: Boiling", "FastPot", toy_library) and not holds_side("FastPot 3", "FastPot", toy_library)
    assert holds_side("Teas that were cold", "cold tea", toy_library) and not holds_side("Hot tea", "cold tea", toy_library)


def source(title: str, *sentences: str) -> Source:
    abstract = " ".join(sentences)
    starts = [abstract.index(sentence) for sentence in sentences]
    paper = Paper(title[:12], title, title, abstract, abstract)
    places = [(start, start + len(sentence)) for start, sentence in zip(starts, sentences, strict=True)]
    return Source(paper, tuple(Evidence(paper, number, *place, 0.1) for number, place in enumerate(places)), 1.0)


def test_a_cell_is_the_sentence_that_states_what_the_column_asks_or_empty(toy_library: Library) -> None:
    one, other = source("TideKettle", "It boils.", "Its noise is 40% lower."), source("FastPot", "It boils at once.")
    rows = [("TideKettle", one), ("FastPot", other), ("OwlPan", None)]
    table = table_of(("noise", "price"), rows, lambda asked, source: (source, 0.0), toy_library)
    said = [[[each.text for each in cell] for cell in row.cells] for row in table.rows]
    assert said == [[["Its noise is 40% lower."], ["It boils."]], [[], ["It boils at once."]], []]
    assert table.columns == ("noise",)
    read = table_of(("noise",), rows[1:2], lambda asked, source: (source, 0.95), toy_library)
    assert [each.text for each in read.rows[0].cells[0]] == ["It boils at once."]


def test_papers_of_an_overview_are_grouped_by_the_rare_words_that_they_share(toy_library: Library) -> None:
    titles = ("Kettles of copper", "Copper pans", "Pots of zircon", "Zircon bowls", "Spoons")
    groups = grouped([source(title, f"This is about {title.lower()}.") for title in titles], "kitchen", toy_library)
    assert {group.name: group.places for group in groups} == {"copper": (0, 1), "zircon": (2, 3), "": (4,)}
    assert grouped([source(title, "It is so.") for title in titles[:3]], "kitchen", toy_library) == ()
