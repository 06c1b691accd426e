from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.sentences import sentence_spans

PIECES = [
    "We",
    "it",
    "e.g.",
    "i.e.,",
    "et al.",
    "Fig.",
    "3.5",
    "2.",
    "(see",
    "that)",
    "vLLM",
    "A.",
    "end.",
    "why?",
    "Yes!",
    '"Quoted."',
    " ",
    "\n",
]


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text)]


@pytest.mark.parametrize(
    "expected",
    [
        ["We train it.", "It works."],
        ["Others, e.g. Smith et al. (2020), differ.", "We do not."],
        ["It was shown by Smith et al.", "We extend it."],
        ["It gains 3.5 points, i.e. 2.1% more.", "That is all."],
        ["See Fig. 3 and Eq. 4 for it.", "Done."],
        ["Does it help?", "Yes!", "So we keep it."],
        ["Served by a fast engine.", "vLLM is one."],
        ["The bound is N.", "Then it grows."],
        ["J. R. Smith wrote it.", "We read it."],
        ['He calls it "done."', "We agree."],
        ["It is fast (up to 2x. Or more) here.", "And small."],
        ["It has two parts.", "1. A reader.", "2. A writer."],
        ["It ends without a stop"],
    ],
)
def test_sentences_end_where_a_reader_would_end_them(expected: list[str]) -> None:
    assert sentences(" ".join(expected)) == expected


def test_nothing_has_no_sentences() -> None:
    assert sentences("") == sentences(" \n ") == []


@given(st.one_of(st.lists(st.sampled_from(PIECES)).map(" ".join), st.text()))
def test_spans_hold_every_character_but_white_space_once_and_in_order(text: str) -> None:
    spans = sentence_spans(text)
    assert all(start < end for start, end in spans)
    assert all(before[1] < after[0] for before, after in pairwise(spans))
    assert "".join("".join(text[start:end].split()) for start, end in spans) == "".join(text.split())
    assert all(text[start:end] == text[start:end].strip() for start, end in spans)


@pytest.mark.timeout(10)
def test_a_very_long_text_is_cut_quickly() -> None:
    assert len(sentence_spans("We count one more. " * 50_000)) == 50_000
