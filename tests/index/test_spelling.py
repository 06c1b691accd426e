"""Misspelt words are read as the library's; everything else is left alone."""

from __future__ import annotations

import pytest

from index import Library
from index.spelling import Speller


@pytest.fixture
def speller(toy_library: Library) -> Speller:
    """Over the small listings, with a language of two words."""
    return Speller(toy_library.catalogue, toy_library.lexical.terms_in, lambda word: word in {"traces", "grades"})


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("sotring", "sorting"),
        ("convolutonal", "convolutional"),
        ("momemtum", "momentum"),
        ("reliabilty", "reliability"),
        ("self-momemtum", "self-momentum"),
    ],
)
def test_few_slips_are_forgiven_in_stem_and_ending(speller: Speller, typed: str, read: str) -> None:
    assert speller.respell(f"what of {typed}, then?") == (
        f"what of {read}, then?",
        ((typed.removeprefix("self-"), read.removeprefix("self-")),),
    )


@pytest.mark.parametrize(
    "word",
    [
        "momentum",  # known
        "grades",  # a word of the language
        "Momemtum",  # perhaps a name
        "momemtum2",
        "zomentum",  # another first letter
        "tre",  # too short
        "bromeliad",  # near nothing
    ],
)
def test_other_words_are_left_alone(speller: Speller, word: str) -> None:
    assert speller.respell(f"about {word} here") == (f"about {word} here", ())


def test_a_word_is_respelled_wherever_it_stands(speller: Speller) -> None:
    text, read = speller.respell("momemtum and momemtum")
    assert text == "momentum and momentum" and len(read) == 1
