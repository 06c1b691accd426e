"""The derived text index gives what FTS5 gives, follows the library, and is never needed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from index import Library, postings
from index.embedding import ToyEmbedder
from index.lexical import TITLE_WEIGHT, LexicalIndex
from index.library import CATALOGUE_FILE
from index.paper import paper_id_of
from tests.conftest import LISTINGS

QUESTIONS = [
    "How do caches save memory when many requests share a prefix?",
    "quantization of large language models to two bits",
    "model models modelling",
    "xyzzy",
    "the of and",
    "foo_bar cache_memory",
    "é 缓存 71 NEAR(a b) OR * ^",
    "What is known about training on graphs, images or speech, with less data and less energy?",
]


@pytest.fixture
def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Library]:
    """The starter library, as if it were a large one."""
    monkeypatch.setattr(postings, "PAPERS_FROM", 5)
    library = Library(tmp_path / "large", ToyEmbedder())
    library.add_starter()
    library.reopen_if_moved()
    yield library
    library.close()


def folders(library: Library) -> list[str]:
    return sorted(path.name for path in library.home.glob("postings-*"))


@pytest.mark.parametrize("question", QUESTIONS)
def test_it_ranks_as_fts5_does(large: Library, question: str) -> None:
    assert large.lexical._postings is not None
    plain = LexicalIndex(large.catalogue, lambda word: True)
    terms = large.lexical.terms(question)
    assert terms == plain.terms(question)
    for limit in (0, 1, 10, 50, 1000):
        ours, theirs = large.lexical.search(terms, limit), plain.search(terms, limit)
        assert [paper_id for paper_id, _ in ours] == [paper_id for paper_id, _ in theirs]
        assert np.allclose([score for _, score in ours], [score for _, score in theirs], rtol=1e-9)
    some = {paper_id for paper_id, _ in plain.search(terms, 1000)[::3]}
    assert [one for one, _ in large.lexical.search(terms, 7, some)] == [one for one, _ in plain.search(terms, 1000) if one in some][:7]
    ids = list(large.catalogue.digests())[:50]
    assert large.lexical.coverage(terms, ids) == plain.coverage(terms, ids)


def test_every_term_has_its_papers(large: Library) -> None:
    made = large.lexical._postings
    assert made is not None
    frequency = large.catalogue.vocabulary()
    for term in sorted(frequency)[::97]:
        assert made.holders(term).tolist() == large.catalogue.holders(term).tolist()
        assert made.frequency(term) == frequency[term]
    assert [made.frequency(term) for term in ("", "xyzzy", "zzzzzz", "\U0010ffff")] == [0, 0, 0, 0]
    assert len(made.starts) == len(frequency) + 1


def test_it_follows_every_change(large: Library) -> None:
    (first,) = folders(large)
    large.add([str(LISTINGS)])
    large.reopen_if_moved()
    assert len(folders(large)) == 1 and folders(large) != [first]
    gravel = paper_id_of("Gravel: Stochastic Gradient Descent with Pebbles of Momentum")
    assert large.lexical.search(large.lexical.terms("pebbles of momentum"), 1)[0][0] == gravel
    large.remove(str(LISTINGS))
    large.reopen_if_moved()
    assert gravel not in dict(large.lexical.search(large.lexical.terms("pebbles of momentum"), 50))


def test_a_small_library_has_none(large: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postings, "PAPERS_FROM", 10_000)
    large.add([str(LISTINGS)])
    large.reopen_if_moved()
    assert folders(large) == [] and large.lexical._postings is None


def test_where_it_is_deleted_fts5_answers_and_the_next_start_makes_it_anew(large: Library) -> None:
    (folder,) = folders(large)
    terms = large.lexical.terms(QUESTIONS[0])
    expected = large.lexical.search(terms, 10)
    shutil.rmtree(large.home / folder)
    again = Library(large.home, ToyEmbedder())
    again.reopen_if_moved()
    assert again.lexical._postings is None and dict(again.lexical.search(terms, 10)) == pytest.approx(dict(expected))
    again.catch_up()
    again.reopen_if_moved()
    assert again.lexical._postings is not None and folders(again) == [folder]
    again.close()


def test_where_it_is_damaged_fts5_answers(large: Library) -> None:
    (folder,) = folders(large)
    (large.home / folder / "weights.npy").write_bytes(b"hello")
    again = Library(large.home, ToyEmbedder())
    again.reopen_if_moved()
    assert again.lexical._postings is None and again.lexical.search(again.lexical.terms("memory"), 3)
    again.close()


def test_an_empty_library_has_an_empty_one(tmp_path: Path) -> None:
    library = Library(tmp_path / "empty", ToyEmbedder())
    postings.build(library.home, 1, library.catalogue, TITLE_WEIGHT)
    made = postings.load(library.home, 1)
    assert made is not None and made.frequency("word") == 0 and made.scores(["word"]).tolist() == [0.0]
    assert (library.home / CATALOGUE_FILE).exists()
    library.close()
