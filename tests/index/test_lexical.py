from __future__ import annotations

import math
from pathlib import Path

import pytest

from index import Library
from index.embedding import ToyEmbedder
from index.paper import paper_id_of
from tests.conftest import LISTINGS

GRAVEL = paper_id_of("Gravel: Stochastic Gradient Descent with Pebbles of Momentum")


@pytest.fixture
def library(toy_library: Library) -> Library:
    """The small listings, as a reader sees them."""
    toy_library.reopen_if_moved()
    return toy_library


def test_terms_are_stemmed_without_stop_words_and_weighed_by_rarity(library: Library) -> None:
    terms = library.lexical.terms("What are the Networks of momentum and of xyzzy?")
    assert terms.words == ("networks", "momentum", "xyzzy")
    held_by = {"network": 3, "momentum": 1, "xyzzi": 0}  # of 6 papers
    assert terms.weights == {term: pytest.approx(max(1e-6, math.log((6.5 - n) / (n + 0.5)))) for term, n in held_by.items()}
    assert terms.total == pytest.approx(sum(terms.weights.values()))


def test_papers_that_hold_the_terms_are_found_best_first(library: Library) -> None:
    terms = library.lexical.terms("momentum pebbles")
    found = library.lexical.search(terms, 10)
    assert found[0][0] == GRAVEL and found[0][1] > 1
    assert library.lexical.search(terms, 0) == []


@pytest.mark.parametrize("question", ["", "the of and", "xyzzy", "_ __", "?!", '"', "NEAR(a b) OR * - ^", "é" * 5000])
def test_whatever_the_question_the_text_index_answers(library: Library, question: str) -> None:
    assert library.lexical.search(library.lexical.terms(question), 10) == []


def test_a_change_of_the_catalogue_is_seen_once_told(library: Library) -> None:
    before = library.lexical.terms("momentum").weights
    for source in ("spaced.txt", "compact.txt"):
        library.remove(str(next(one.name for one, _ in library.catalogue.sources() if one.name.endswith(source))))
    library.reopen_if_moved()
    assert library.lexical.terms("momentum").weights != before


def test_papers_added_since_the_library_was_opened_do_no_harm(own_home: Path) -> None:
    reader, writer = Library(own_home, ToyEmbedder()), Library(own_home, ToyEmbedder())
    writer.add([str(LISTINGS)])
    assert reader.lexical.terms("networks momentum").total > 0
    reader.close()
    writer.close()
