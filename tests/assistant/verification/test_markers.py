"""Citations as models write them, read as what they mean."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.verification.markers import MARKER, Cited, numbers_of, read_markers

SOURCES = [
    Cited("Gull: Sparse Attention for Coastal Forecasts", ("Maren Holt", "B. Ode"), "2023", ("2301.00007", "https://papers.example/gull")),
    Cited("Counting Pebbles with Weak Labels", ("Ito, Kei",), "2021"),
    Cited("Tide Tables as Language Models"),
]
S = "Gull reads a coast in one pass"


def read(text: str) -> str:
    """The text with markers as `{1,2}`."""
    return MARKER.sub(lambda found: f"{{{found[1]}}}", read_markers(text, SOURCES))


@pytest.mark.parametrize(
    "marker",
    [
        *(
            "[1]",
            "[[1]]",
            "[^1]",
            "【1】",
            "【1†source】",
            "【1†L2-L9】",
            "[Source 1]",
            "[source: 1]",
            "[ 1 ]",
            "[#1]",
            "[S1]",
            "[Ref. 1]",
            "⟦1⟧",
        ),
        *("［1］", "[Source 1: Gull]", "[1, p. 3]", "[cite: 1]", "(Source 1)", "(see source 1)", "(Source 1, abstract)", "\\[1\\]", "^[1]"),
        *("<source 1>", '<source id="1"/>', "<sup>1</sup>", "<sup>[1]</sup>", "<cite>1</cite>", "<ref>1</ref>", "\\cite{1}", "[see 1]"),
        *(
            "[1](https://papers.example/x)",
            "[[1]](https://papers.example/x)",
            "[Source 1](#source-1)",
            "([1])",
            "([Source 1])",
            "(Source: [1])",
        ),
        *("[doc_1]", "[source-1]", "[*1*]", "[(1)]", "[^1^]", "<1>", "[@1]", "[@holt2023gull]", "</co: 1>"),
        *("[Gull: Sparse Attention for Coastal Forecasts]", "[Gull]", '("Gull: Sparse Attention for Coastal Forecasts")'),
        *("(Holt et al., 2023)", "[Holt and Ode, 2023]", "(Holt, 2023)", "(arXiv:2301.00007)", "[link](https://papers.example/gull)"),
    ],
)
def test_a_marker_in_any_spelling_is_read(marker: str) -> None:
    text = read(f"{S} {marker}.")
    assert "{1}" in text and numbers_of(read_markers(f"{S} {marker}.", SOURCES)) == [1]
    assert text.replace("{1}", "").replace("link", "").replace("()", "").replace(" ", "") == f"{S}.".replace(" ", "")


@pytest.mark.parametrize("marker", ["¹", "(1)", "^1^", ", according to source 1", ", as reported in source 1"])
def test_a_mark_that_stands_at_its_word_is_read(marker: str) -> None:
    spaced = " " if marker == "(1)" else ""
    assert read(f"{S}{spaced}{marker}.") == f"{S}{{1}}."


@pytest.mark.parametrize(
    ("marker", "numbers"),
    [
        *(
            ("[1, 2]", [1, 2]),
            ("[1-3]", [1, 2, 3]),
            ("[1][2]", [1, 2]),
            ("[1; 3]", [1, 3]),
            ("[1 and 2]", [1, 2]),
            ("[Sources 1 & 2]", [1, 2]),
        ),
        *(("[Source 1, Source 2]", [1, 2]), ("[[1], [2]]", [1, 2]), ("[1–2]", [1, 2]), ("(Sources 1 and 3)", [1, 3]), ("¹˒²", [1, 2])),
        *(("(1, 2)", [1, 2]), ("【1】【2】", [1, 2]), ("[^1][^2]", [1, 2]), ("[1/2]", [1, 2]), ("(Holt et al., 2023; Ito, 2021)", [1, 2])),
    ],
)
def test_several_sources_at_once_are_each_read(marker: str, numbers: list[int]) -> None:
    assert numbers_of(read_markers(f"{S} {marker}.".replace(" ¹", "¹"), SOURCES)) == numbers


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (f"According to Source 1, gull reads a coast. {S} [1].", f"{{1}} Gull reads a coast. {S}{{1}}."),
        ("As stated in source [2], labels are weak.", "{2} Labels are weak."),
        ("Source 2 reports that labels are weak.", "{2} Labels are weak."),
        ("Source 1: it reads a coast.", "{1} It reads a coast."),
        ("Unlike source 2, it reads a coast [1].", "Unlike “Counting Pebbles with Weak Labels”{2}, it reads a coast{1}."),
        ("In “Counting Pebbles with Weak Labels”, labels are weak.", "In “Counting Pebbles with Weak Labels”{2}, labels are weak."),
        ("Holt et al. (2023) read a coast.", "Holt et al.{1} read a coast."),
        ("Nobody et al. (2020) read a coast.", "The authors read a coast."),
        ("It reads a coast (Nobody & Other, 2020).", "It reads a coast ."),
        ("The first source reads a coast.", "“Gull”{1} reads a coast."),
    ],
)
def test_sources_named_in_prose_are_read(text: str, meant: str) -> None:
    assert " ".join(read(text).split()) == meant


@pytest.mark.parametrize(
    "text",
    [
        "It has two steps: (1) it reads, and (2) it writes.",
        "It was written in 2021 (2021).",
        "It holds in [2021].",
        "It holds for equation (1).",
        "Scores lie in [0, 1].",
        "The interval is [0.61, 0.72].",
        "Accuracy is 95% (n = 3).",
        "It was shown at a workshop (NeurIPS 2023).",
        "It uses Llama (Llama 3, 2024).",
        "A prime keeps x² and x³ apart.",
        "It takes 10³ steps.",
        "It retrieves passages and references 12 papers.",
        "It needs a [MASK] token and a [CLS] token.",
        "Heads (see below) attend.",
    ],
)
def test_what_only_looks_like_a_citation_cites_nothing(text: str) -> None:
    assert numbers_of(read_markers(text, SOURCES)) == []
    assert read(text).replace("(2021)", "[2021]").replace("(0, 1)", "[0, 1]") == text.replace("(2021)", "[2021]")


@pytest.mark.parametrize(
    "litter", ["\ue200cite\ue202turn0search1\ue201", " citeturn0search1turn0search2", " [@nobody2020]", "[cite_start]"]
)
def test_a_citation_of_what_was_not_given_leaves_nothing(litter: str) -> None:
    assert read(f"{S}{litter}.").replace(" .", ".") == f"{S}."


def test_an_enumeration_beside_markers_is_none() -> None:
    assert read("It (1) reads [2] and (2) writes [3].") == "It (1) reads{2} and (2) writes{3}."


@pytest.mark.parametrize(
    "references",
    [
        "References:\n[1] Holt, M. Gull: Sparse Attention for Coastal Forecasts. 2023.\n[2] Nobody, N. Another Paper. 2020.",
        "**Sources:**\n1. Gull: Sparse Attention for Coastal Forecasts\n2. Counting Pebbles with Weak Labels",
        "## References\n\n- [1] Gull: Sparse Attention for Coastal Forecasts",
        "Sources: [1], [2]",
        "Source: [1]",
        "[^1]: Gull: Sparse Attention for Coastal Forecasts",
        "[1]: https://papers.example/gull",
        "---\n[1] Gull: Sparse Attention for Coastal Forecasts",
        "Sources used:\n* Source 1: Gull: Sparse Attention for Coastal Forecasts",
    ],
)
def test_references_at_the_end_are_no_part_of_the_answer(references: str) -> None:
    assert read(f"{S} [1].\n\n{references}") == f"{S}{{1}}."


def test_the_numbers_of_an_own_list_of_references_mean_what_it_says() -> None:
    own = "[1] Counting Pebbles with Weak Labels\n[2] Gull: Sparse Attention for Coastal Forecasts"
    assert read(f"Labels are weak [1]. {S} [2].\n\nReferences\n{own}") == f"Labels are weak{{2}}. {S}{{1}}."


def test_a_list_of_papers_that_is_the_answer_stays() -> None:
    text = "1. Gull: Sparse Attention for Coastal Forecasts\n2. Counting Pebbles with Weak Labels"
    assert read(text) == text


def test_sources_counted_from_zero_are_read() -> None:
    assert read(f"{S} [0]. Labels are weak [1].") == f"{S}{{1}}. Labels are weak{{2}}."


def test_a_number_that_names_no_source_stays_a_marker() -> None:
    assert numbers_of(read_markers(f"{S} [7].", SOURCES)) == [7]


@pytest.mark.parametrize(
    "text", ["[" * 30_000, "[1, " * 10_000, "(1 " * 10_000, "Source 1 " * 5_000, "“a" * 10_000, "Aa et al. " * 5_000, "|[1" * 9_000]
)
def test_reading_is_quick_whatever_the_text(text: str) -> None:
    started = time.process_time()
    read_markers(text, SOURCES)
    assert time.process_time() - started < 5.0


@given(st.text(st.characters(), max_size=200))
def test_any_text_can_be_read(text: str) -> None:
    read_markers(text, SOURCES)
