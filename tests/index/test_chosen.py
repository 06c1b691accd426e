"""A library embedded by a model of the user's choice, and the way from one model to another. Real models, tiny and random."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from assistant import Assistant
from assistant.settings import Settings
from index import Library, ModelError
from index import following as following
from index import manifest as manifests
from index.embedding import ModelChoice
from index.embedding.chosen import ChosenModel, load_embedder
from index.vectors import VectorStore
from tests.conftest import LISTINGS
from tests.index.test_interruption import PowerCut, cut_at
from tests.index.tiny_encoder import WIDTH, write_tiny_encoder

PAPERS = 6
PROMPTS = {"query": "ask: ", "document": "tell: "}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_encoder(tmp_path_factory.mktemp("models") / "tiny", prompts=PROMPTS)


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pools its first token, so that sentences are encoded apart."""
    return write_tiny_encoder(tmp_path_factory.mktemp("models") / "other", pooling="cls", seed=8)


@pytest.fixture
def home(tmp_path: Path, folder: Path) -> Iterator[Path]:
    """Embedded by the first model, closed."""
    library = Library(tmp_path / "library", ModelChoice(str(folder)))
    library.add([str(LISTINGS)])
    library.close()
    yield tmp_path / "library"


def first_of(library: Library, text: str) -> str:
    library.reopen_if_moved()
    return library.search_vectors("chunks", library.embedder.embed_queries([text])[0], 1)[0].paper_id


def test_vectors_are_those_of_llamaindex_with_the_models_own_prompts(folder: Path) -> None:
    model = ChosenModel(ModelChoice(str(folder)))
    text = "gravel stores momentum"
    (place, encoded), *rest = model.encode([text])
    assert place == 0 and not rest
    assert np.allclose(encoded.vector, model.llama_index.get_text_embedding(text), atol=1e-5)
    assert np.allclose(model.encode_query(text).vector, model.llama_index.get_query_embedding(text), atol=1e-5)
    assert abs(encoded.vector - model.encode_query(text).vector).max() > 1e-3
    own = ChosenModel(ModelChoice(str(folder), text_prefix="ask: "))
    assert np.allclose(next(own.encode([text]))[1].vector, model.encode_query(text).vector, atol=1e-5)
    assert own.digest != model.digest


def test_tokens_stand_where_the_text_has_them_whatever_is_put_before_it(folder: Path) -> None:
    encoded = ChosenModel(ModelChoice(str(folder))).encode_query("ab cd")
    assert [tuple(place) for place in encoded.places] == [(0, 1), (1, 2), (3, 4), (4, 5)]
    assert encoded.states.shape == (4, WIDTH)


def test_a_library_of_a_chosen_model_is_whole_and_says_so_in_its_manifest(home: Path, folder: Path) -> None:
    library = Library(home, ModelChoice(str(folder)))
    manifest = library.manifest()
    assert manifest is not None and manifest.complete and manifest.choice == ModelChoice(str(folder)) and manifest.model == str(folder)
    assert library.stale() == 0 and library.wanted is None
    for paper in library.papers():
        text = f"{paper.display_title}. {paper.abstract}"
        states = library.states.fetch([paper.paper_id])[paper.paper_id]
        assert states.sentences.shape == (len(states.spans), WIDTH)
        assert len(states.rounded_tokens) == states.counts.sum() > 0
        vector = next(library.embedder.encode([text]))[1].vector
        library.reopen_if_moved()
        assert library.search_vectors("chunks", vector, 1)[0].paper_id == paper.paper_id
    library.close()


def test_sentences_are_encoded_apart_where_a_models_vector_is_no_mean(tmp_path: Path, other: Path) -> None:
    library = Library(tmp_path / "library", ModelChoice(str(other)))
    library.add([str(LISTINGS)])
    paper = library.papers()[0]
    states = library.states.fetch([paper.paper_id])[paper.paper_id]
    start, end = states.spans[0]
    alone = next(library.embedder.encode([paper.abstract[start:end]]))[1].vector
    assert states.sentences[0] @ alone == pytest.approx(1.0, abs=0.02)
    library.close()


def test_the_old_model_answers_until_the_new_one_has_embedded_all(home: Path, folder: Path, other: Path) -> None:
    library = Library(home, ModelChoice(str(other)))
    assert library.wanted is not None and library.embedder.name == str(folder) and library.stale() == 0
    title = library.papers()[0].title
    before = first_of(library, title)
    library.catch_up()
    assert library.embedder.name == str(folder) and first_of(library, title) == before
    reader = Library(home, ModelChoice(str(other)))
    library.switch()
    for one in (library, reader):
        first_of(one, title)
        assert one.embedder.name == str(other) and one.wanted is None and one.stale() == 0
        assert len(one.sentences([paper.paper_id for paper in one.papers()])) == PAPERS
    assert [file.name for file in home.glob("states-*.sqlite")] == [library.states.path.name]
    assert not (home / manifests.NEXT).exists()
    library.close()
    reader.close()


@pytest.mark.parametrize(("owner", "name", "call"), [(VectorStore, "add", 2), (manifests, "write", 2), (manifests, "write", 3)])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_switch_broken_off_goes_on_where_it_was(
    home: Path, folder: Path, other: Path, monkeypatch: pytest.MonkeyPatch, owner: object, name: str, call: int, after: bool
) -> None:
    monkeypatch.setattr(following, "_PAPERS_AT_ONCE", 2)
    library = Library(home, ModelChoice(str(other)))
    with monkeypatch.context() as fault, pytest.raises(PowerCut):
        cut_at(fault, owner, name, call, after)
        library.switch()
    library.close()
    again = Library(home, ModelChoice(str(other)))
    again.catch_up()
    assert len(again.sentences([paper.paper_id for paper in again.papers()])) == 0  # nothing is confirmed before it is looked
    again.reopen_if_moved()
    assert len(again.sentences([paper.paper_id for paper in again.papers()])) == PAPERS
    done = again.switched()
    again.switch()
    again.switch()
    again.reopen_if_moved()
    assert again.embedder.name == str(other) and again.stale() == 0 and not (home / manifests.NEXT).exists()
    assert again.vectors.count("chunks") == again.states.chunks() > 0
    assert name == "write" or done >= 2
    again.close()


def test_a_choice_taken_back_leaves_the_library_as_it_was(home: Path, folder: Path, other: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = Library(home, ModelChoice(str(other)))
    with monkeypatch.context() as fault, pytest.raises(PowerCut):
        cut_at(fault, VectorStore, "add", 1, True)
        library.switch()
    library.close()
    again = Library(home, ModelChoice(str(folder)))
    assert again.wanted is None and again.stale() == 0
    again.switch()
    assert len(list(home.glob("states-*.sqlite"))) == 1 and again.stale() == 0
    again.close()


def test_where_the_old_model_is_gone_its_vectors_are_made_anew_and_that_is_said(home: Path, folder: Path, other: Path) -> None:
    moved = folder.with_name("moved")
    shutil.move(folder, moved)
    try:
        library = Library(home, ModelChoice(str(other)))
        assert "made anew" in library.fault and library.wanted is None and library.stale() == PAPERS
        library.catch_up()
        assert library.stale() == 0
        library.close()
    finally:
        shutil.move(moved, folder)


@pytest.mark.parametrize("name", ["/no/such/folder", "./nothing"])
def test_a_model_that_is_not_there_is_told(name: str) -> None:
    with pytest.raises(ModelError, match="there is no such folder"):
        load_embedder(ModelChoice(name))


def test_a_folder_that_holds_no_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_embedder(ModelChoice(str(tmp_path)))


def test_an_assistant_answers_with_the_model_of_its_settings(home: Path, folder: Path) -> None:
    bot = Assistant(home, settings=Settings(embedding=str(folder)))
    assert bot.library.embedder.name == str(folder) and bot.readers.reader is not None and bot.readers.matcher is not None
    answer = bot.answer("How does MothNet save multiplications?")
    assert len(answer.retrieved) == PAPERS
    bot.close()
