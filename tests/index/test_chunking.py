from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.chunking import PaperTexts, cut, pack
from index.embedding import Embedder, MiniLM, ToyEmbedder
from index.identity import Record
from index.merging import merge
from index.paper import Entry, Paper, paper_id_of
from index.sources import expand, read_source

SPECIAL_TOKENS = 2


def paper(title: str, abstract: str) -> Paper:
    return merge(paper_id_of(title), [Record("here", False, Entry(title, abstract, 1))])


def check(papers: list[Paper], embedder: Embedder) -> list[PaperTexts]:
    """What holds of all texts: they fit the model, lose nothing, and sentences match their spans."""
    texts = cut(papers, embedder)
    for one, text in zip(papers, texts, strict=True):
        assert text.paper_id == one.paper_id
        assert max(embedder.count_tokens(text.chunks)) + SPECIAL_TOKENS <= embedder.max_tokens
        assert text.sentences == tuple(one.abstract[start:end] for start, end in text.spans)
    return texts


def squeezed(text: str) -> str:
    return "".join(text.split())


def bodies(text: PaperTexts, heading: str) -> str:
    """The chunks without their headings and white space."""
    assert all(chunk.startswith(f"{heading}. ") for chunk in text.chunks)
    return squeezed("".join(chunk.removeprefix(f"{heading}. ") for chunk in text.chunks))


def test_chunks_of_the_starter_library_fit_the_model_hold_every_sentence_and_start_with_the_title(minilm: MiniLM) -> None:
    entries = [entry for file in expand(str(Path(__file__).parents[2] / "index" / "starter")).files for entry in read_source(file).entries]
    papers = [paper(entry.title, entry.abstract) for entry in entries[::5]]
    for one, text in zip(papers, check(papers, minilm), strict=True):
        assert bodies(text, one.display_title) == squeezed(one.abstract)
        assert all(any(sentence in chunk for chunk in text.chunks) for sentence in text.sentences)


def test_a_short_abstract_is_one_chunk() -> None:
    (text,) = cut([paper("Gravel", "It saves memory. It is fast.")], ToyEmbedder())
    assert text.chunks == ("Gravel. It saves memory. It is fast.",)
    assert text.sentences == ("It saves memory.", "It is fast.")


def test_a_sentence_of_3000_words_is_whole_in_the_chunks_and_one_sentence(minilm: MiniLM) -> None:
    abstract = "We begin. " + " ".join(f"word{number}" for number in range(3000)) + ". We end."
    (text,) = check([paper("A Monstrous Sentence", abstract)], minilm)
    assert len(text.sentences) == 3
    assert bodies(text, "A Monstrous Sentence") == squeezed(abstract)
    assert "word1234" in " ".join(text.chunks).split()  # cut between words


def test_an_endless_word_is_whole_in_the_chunks(minilm: MiniLM) -> None:
    abstract = f"See https://example.org/{'a/b-' * 1000} for it."
    (text,) = check([paper("Links", abstract)], minilm)
    assert bodies(text, "Links") == squeezed(abstract)


def test_an_overlong_title_is_whole_in_the_chunks_and_leaves_room_for_the_abstract(minilm: MiniLM) -> None:
    title, abstract = " ".join(f"Title{number}" for number in range(400)), "It works. It is fast."
    (text,) = check([paper(title, abstract)], minilm)
    heading = text.chunks[0].partition(". ")[0]
    assert title.startswith(heading)
    assert squeezed(heading) + bodies(text, heading) == squeezed(title + abstract)
    assert text.chunks[-1].endswith("It is fast.")


def test_a_paper_without_an_abstract_is_found_by_its_title() -> None:
    (text,) = cut([paper("Gravel", "")], ToyEmbedder())
    assert (text.chunks, text.sentences, text.spans) == (("Gravel",), (), ())


TITLES = st.sampled_from(["Gravel", "Quiet Votes", "Low-Light Video"])
WORDS = st.sampled_from(["we", "It", "works.", "pebbles", "a-b-c-d-e-f-g-h-i-j-k-l-m-n-o-p", "3.5", "end."])
ABSTRACTS = st.lists(WORDS, min_size=1, max_size=60).map(" ".join)


@given(st.lists(st.tuples(TITLES, ABSTRACTS), max_size=4), st.integers(12, 60))
def test_whatever_the_abstract_and_the_window_nothing_is_lost(told: list[tuple[str, str]], window: int) -> None:
    papers = [paper(title, abstract) for title, abstract in told]
    for one, text in zip(papers, check(papers, ToyEmbedder(max_tokens=window)), strict=True):
        assert bodies(text, one.display_title) == squeezed(one.abstract)


@pytest.mark.parametrize(
    ("lengths", "runs"),
    [([], []), ([3], [(0, 1)]), ([3, 3, 4], [(0, 3)]), ([3, 3, 5], [(0, 2), (2, 3)]), ([20, 1, 20], [(0, 1), (1, 2), (2, 3)])],
)
def test_runs_are_packed_up_to_the_room_and_a_longer_item_stands_alone(lengths: list[int], runs: list[tuple[int, int]]) -> None:
    assert pack(lengths, 10) == runs
