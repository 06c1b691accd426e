"""The embedding model that a user chooses: any of sentence-transformers, by folder or hub name, through LlamaIndex's integration.

Goes in: a choice. Comes out: an embedder. A model on the hub is fetched when it is named and not yet here; no code of a
model's repository is run. What is put before questions and texts is what the choice says, else what the model's own
configuration does, else what LlamaIndex knows of it. Token states are kept of every model; where its vector is the mean
of them, sentences are pooled from the same run. Knows nothing of papers.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from index.embedding.base import Embedder, Encoded, ModelChoice, Vectors
from index.embedding.minilm import MiniLM
from index.errors import ModelError

if TYPE_CHECKING:
    from llama_index.embeddings.huggingface import HuggingFaceEmbedding

_PROMPTS = "config_sentence_transformers.json"
_OF_TEXTS = ("document", "passage", "text", "corpus")
"""What the prompt for texts is called in a model's configuration."""
_AT_ONCE = {"cpu": 8, "cuda": 256}
_QUESTIONS_AT_HAND = 16
_WEIGHTS = ("*.safetensors", "*.bin", "*.json", "*.txt", "*.model")
"""What of a folder tells one model from another."""


def load_embedder(choice: ModelChoice, device: str = "cpu") -> tuple[Embedder, str]:
    """The embedder; and what is amiss, where the shipped one must do without its adapter. Raises `ModelError`."""
    return (ChosenModel(choice, device), "") if choice.name else MiniLM.shipped(device)


class ChosenModel:
    """A sentence-transformers model. Safe to call from several threads."""

    projection: Vectors | None = None

    def __init__(self, choice: ModelChoice, device: str = "cpu") -> None:
        """Loads the model. Raises `ModelError` where it cannot be found, read, or used here."""
        self.choice = choice
        self.llama_index = _loaded(choice, device)
        self._model: Any = self.llama_index._model
        self._batch = _AT_ONCE.get(device, _AT_ONCE["cpu"])
        self._tokenizer = self._model.tokenizer
        if not getattr(self._tokenizer, "is_fast", False):
            raise ModelError(f"{choice.name}: its tokenizer does not tell where tokens stand in a text: choose another model")
        self.name = choice.name
        self.dimension = int(self._model.get_embedding_dimension() or 0)
        self.max_tokens = int(self._model.max_seq_length or self._tokenizer.model_max_length) - self._added_to_texts
        self.pools_mean = _pools_mean(self._model)
        self.digest = self._digest()
        self._encode_query = lru_cache(_QUESTIONS_AT_HAND)(lambda query: next(self._encoded([query], "query"))[1])

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(ids) for ids in self._tokenizer(list(texts), add_special_tokens=False, truncation=False, verbose=False)["input_ids"]]

    def encode(self, texts: Sequence[str]) -> Iterator[tuple[int, Encoded]]:
        return self._encoded(texts, "text")

    def encode_query(self, query: str) -> Encoded:
        found: Encoded = self._encode_query(query)
        return found

    def embed_queries(self, queries: Sequence[str]) -> Vectors:
        vectors = [self.encode_query(query).vector for query in queries]
        return np.array(vectors, dtype=np.float32).reshape(len(queries), self.dimension)

    def _encoded(self, texts: Sequence[str], prompt: str) -> Iterator[tuple[int, Encoded]]:
        order = sorted(range(len(texts)), key=lambda place: len(texts[place]))
        prefix = self._model.prompts[prompt]
        for first in range(0, len(order), self._batch):
            places = order[first : first + self._batch]
            batch = [texts[place] for place in places]
            found = self._model.encode(
                batch, batch_size=self._batch, prompt_name=prompt, output_value=None, normalize_embeddings=True, show_progress_bar=False
            )
            told = self._tokenizer(
                [prefix + text for text in batch], truncation=True, max_length=self._model.max_seq_length, return_offsets_mapping=True
            )
            for place, one, offsets in zip(places, found, told["offset_mapping"], strict=True):
                yield place, _encoded(one, np.array(offsets, dtype=np.int64).reshape(-1, 2), len(prefix))

    @property
    def _added_to_texts(self) -> int:
        """Tokens that a text's prefix takes, and those that the model adds beyond the two that chunking leaves room for."""
        special = len(self._tokenizer("", verbose=False)["input_ids"])
        return max(0, special - 2) + self.count_tokens([self._model.prompts["text"]])[0]

    def _digest(self) -> str:
        """Of the folder's files where there is one, else of what the hub calls this version; and of the prefixes."""
        sums = hashlib.sha256(json.dumps(self._model.prompts, sort_keys=True).encode())
        folder = Path(self.choice.name).expanduser()
        if folder.is_dir():
            for file in sorted({file for pattern in _WEIGHTS for file in folder.rglob(pattern)}):
                sums.update(str(file.relative_to(folder)).encode())
                with file.open("rb") as opened:
                    sums.update(hashlib.file_digest(opened, "sha256").digest())
        else:
            version = getattr(self._model[0].auto_model.config, "_commit_hash", None)
            sums.update(f"{self.choice.name} {version}".encode())
        return sums.hexdigest()


def _pools_mean(model: Any) -> bool:
    from sentence_transformers.base.modules import Transformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling

    modules = list(model)
    kinds = [module.pooling_mode for module in modules if isinstance(module, Pooling)]
    return kinds == ["mean"] and all(isinstance(module, (Transformer, Pooling, Normalize)) for module in modules)


def _encoded(one: dict[str, Any], offsets: Any, prefix: int) -> Encoded:
    """What a text gives, with its tokens' places counted from its own beginning; special tokens and the prefix have none."""
    vector = one["sentence_embedding"].float().cpu().numpy()
    states = one["token_embeddings"][one["attention_mask"].bool()].float().cpu().numpy()
    own = (offsets[:, 1] > offsets[:, 0]) & (offsets[:, 0] >= prefix)
    return Encoded(vector / max(float(np.linalg.norm(vector)), 1e-12), states[own], offsets[own] - prefix)


def _loaded(choice: ModelChoice, device: str) -> HuggingFaceEmbedding:
    from llama_index.embeddings.huggingface import HuggingFaceEmbedding
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    named = Path(choice.name).expanduser()
    name = str(named) if named.is_dir() else choice.name
    if not named.is_dir() and (named.is_absolute() or choice.name.startswith((".", "~"))):
        raise ModelError(f"{choice.name}: there is no such folder: name one that holds a sentence-transformers model, or a hub name")
    query, text = _prompts(named) if named.is_dir() else (None, None)
    try:
        return HuggingFaceEmbedding(
            model_name=name,
            device=device,
            query_instruction=choice.query_prefix if choice.query_prefix is not None else query,
            text_instruction=choice.text_prefix if choice.text_prefix is not None else text,
            trust_remote_code=False,
        )
    except (OSError, ValueError, RuntimeError, KeyError, ImportError) as error:
        reason = " ".join(str(error).split())
        raise ModelError(f"{choice.name}: this embedding model cannot be loaded ({reason}): choose another (setting embedding)") from error


def _prompts(folder: Path) -> tuple[str | None, str | None]:
    """What a model's own configuration puts before questions and before texts. Raises `ModelError` where that cannot be read."""
    file = folder / _PROMPTS
    if not file.exists():
        return None, None
    try:
        told = json.loads(file.read_text(encoding="utf-8")).get("prompts") or {}
    except (OSError, ValueError, AttributeError) as error:
        raise ModelError(f"{file}: cannot be read ({error}): mend it or choose another embedding model") from error
    return told.get("query"), next((told[name] for name in _OF_TEXTS if told.get(name)), None)
