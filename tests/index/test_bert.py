"""The encoder on ONNX Runtime is the one that transformers and sentence-transformers run."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer
from tokenizers import Tokenizer
from transformers import AutoTokenizer, BertModel

from index import ModelError
from index.embedding import MiniLM, bert, minilm
from index.embedding.torch_bert import TorchBert
from tests.conftest import LISTINGS, ROOT

TEXTS = [
    "",
    "How do caches save memory?",
    "naïve 缓存 🦋 – 71% of \\times{2.4}",
    "a\tb\u200bc  [MASK] [SEP] ##ing " + "x" * 300,
    "a rather long text about pebbles and moths " * 60,
    *(file.read_text(encoding="utf-8")[:1500] for file in sorted(LISTINGS.glob("*.txt"))),
    *(ROOT / "README.md").read_text(encoding="utf-8").split("\n\n")[:20],
]
TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def untuned() -> MiniLM:
    return MiniLM(adapter=None)


def test_vectors_are_those_of_sentence_transformers(untuned: MiniLM) -> None:
    theirs = SentenceTransformer(str(minilm.installed()), device="cpu", local_files_only=True)
    ours = untuned.embed_texts(TEXTS)
    assert abs(ours - theirs.encode(TEXTS, normalize_embeddings=True)).max() < TOLERANCE
    assert abs(untuned.embed_queries(TEXTS) - ours).max() < TOLERANCE


def test_tuned_vectors_are_those_of_llama_indexs_integration(minilm: MiniLM) -> None:
    theirs = np.array(minilm.llama_index.get_text_embedding_batch(TEXTS), dtype=np.float32)
    assert abs(minilm.embed_texts(TEXTS) - theirs).max() < TOLERANCE


def test_word_pieces_are_those_of_transformers(untuned: MiniLM) -> None:
    theirs = AutoTokenizer.from_pretrained(minilm.installed(), local_files_only=True)
    ids = theirs(TEXTS, add_special_tokens=False, truncation=False, verbose=False)["input_ids"]
    assert untuned.token_ids(TEXTS) == ids
    assert untuned.pieces(ids[1]) == theirs.convert_ids_to_tokens(ids[1])
    assert isinstance(minilm.tokenizer(minilm.installed()), Tokenizer)


def test_states_of_a_pair_of_texts_are_those_of_transformers() -> None:
    weights = bert.load(minilm.installed())
    texts = [[101, 2054, 2003, 102, 1037, 4937, 102], [101, 1037, 102, 2028, 102]]
    ours = bert.Bert(weights).states(texts, [4, 3])
    model = BertModel.from_pretrained(minilm.installed(), add_pooling_layer=False, local_files_only=True).eval()
    ids, types = torch.zeros(2, 7, dtype=torch.long), torch.zeros(2, 7, dtype=torch.long)
    for row, (text, asked) in enumerate(zip(texts, (4, 3), strict=True)):
        ids[row, : len(text)] = torch.tensor(text)
        types[row, asked : len(text)] = 1
    with torch.inference_mode():
        theirs = model(input_ids=ids, token_type_ids=types, attention_mask=(ids != 0).long()).last_hidden_state.numpy()
    for row, text in enumerate(texts):
        assert abs(ours[row, : len(text)] - theirs[row, : len(text)]).max() < TOLERANCE


def test_in_half_precision_torch_gives_the_same_states_but_for_rounding() -> None:
    weights = bert.load(minilm.installed())
    texts = [[101, 2054, 2003, 102, 1037, 4937, 102], [101, 1037, 102, 2028, 102]]
    ours, halved = bert.Bert(weights).states(texts, [4, 3]), TorchBert(weights, minilm.installed(), "cpu").states(texts, [4, 3])
    for row, text in enumerate(texts):
        assert abs(ours[row, : len(text)] - halved[row, : len(text)]).max() < 0.05
    with pytest.raises(ValueError, match=r"layer\.5"):
        TorchBert({name: value for name, value in weights.items() if "layer.5" not in name}, minilm.installed(), "cpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="here is a GPU")
def test_a_device_that_is_not_there_is_told() -> None:
    with pytest.raises(ModelError, match="no GPU can be used here"):
        MiniLM(device="cuda").embed_texts(["a cat"])
    with pytest.raises(ModelError, match="tpu: no such device: choose cpu or cuda"):
        MiniLM(device="tpu")


def test_weights_of_another_shape_are_refused() -> None:
    weights = bert.load(minilm.installed())
    with pytest.raises(ValueError, match=r"bert\.onnx cannot run with these weights"):
        bert.Bert({**weights, "encoder.layer.2.output.dense.weight": np.zeros((384, 100))})
    with pytest.raises(ValueError, match=r"5\.attention\.weight"):
        bert.Bert({name: value for name, value in weights.items() if "layer.5" not in name})


def test_threads_do_not_disturb_each_other(untuned: MiniLM) -> None:
    expected = untuned.embed_texts(TEXTS)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda number: untuned.embed_texts(TEXTS[number::2]), [0, 1] * 4))
    assert all(abs(vectors - expected[number % 2 :: 2]).max() < TOLERANCE for number, vectors in enumerate(found))


def test_asking_loads_neither_torch_nor_sentence_transformers(starter_home: Path) -> None:
    import subprocess
    import sys

    code = (
        "import sys; from assistant import Assistant\n"
        f"said = Assistant({str(starter_home)!r}).answer('How does Hydragen speed up decoding?')\n"
        "heavy = {'torch', 'transformers', 'sentence_transformers', 'sklearn', 'scipy', 'llama_index'} & set(sys.modules)\n"
        "print(said.answered, sorted(heavy))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "True []"
