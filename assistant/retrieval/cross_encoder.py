"""A cross-encoder: a model that reads question and paper together and says how well they fit.

Nogueira and Cho, Passage Re-ranking with BERT (2019). Any of sentence-transformers' with a single
output will do: a folder on this machine, which needs no network, or a name on the Hugging Face hub,
which is downloaded once. Loading takes seconds, so it happens at the first paper.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.errors import RerankerError
from assistant.retrieval.reranking import passage, reason
from index import Paper

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

_HUB_NAME = re.compile(r"([\w-][\w.-]*/)?[\w-][\w.-]*")
_CLASSIFIER = "ForSequenceClassification"


class CrossEncoderReranker:
    """Scores papers with a cross-encoder, on the CPU. No code of a model repository is run."""

    def __init__(self, path_or_hub_name: str | os.PathLike[str]) -> None:
        """`path_or_hub_name`: what exists is loaded from there; anything else is a name on the hub.

        Raises `RerankerError` for a file, and for what is no folder and cannot be such a name.
        """
        self.name = os.fspath(path_or_hub_name)
        self._path = Path(self.name).expanduser()
        self._lock = threading.Lock()
        if not self._path.is_dir() and (self._path.exists() or not _HUB_NAME.fullmatch(self.name)):
            raise RerankerError(f"the reranker {self.name}: there is no such folder: give a cross-encoder's folder, or its name on the hub")

    def scores(self, question: str, papers: Sequence[Paper]) -> list[float]:
        if not papers:
            return []
        pairs = [(question, passage(paper)) for paper in papers]
        with self._lock:
            return [float(score) for score in self._model.predict(pairs, show_progress_bar=False)]

    @cached_property
    def _model(self) -> CrossEncoder:
        from sentence_transformers import CrossEncoder
        from transformers.utils import logging

        logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # a bar of its own for 0.1 s of loading
        is_here = self._path.is_dir()
        where = str(self._path) if is_here else self.name
        try:
            model: CrossEncoder = CrossEncoder(where, device="cpu", trust_remote_code=False, local_files_only=is_here)
        except Exception as error:  # the loaders raise what they like; it is translated here, at the edge
            todo = "download the model anew" if is_here else "check its name and the network, or give the folder of a downloaded one"
            raise RerankerError(f"the reranker {self.name} cannot be loaded ({reason(error)}): {todo}") from error
        if unfit := _unfit(model):
            raise RerankerError(f"the reranker {self.name} {unfit}")
        return model


def _unfit(model: CrossEncoder) -> str | None:
    """Why a model that could be loaded must not be used, and what to do; None where it may be."""
    if model.num_labels != 1:
        return f"has {model.num_labels} outputs, not one score: take a cross-encoder made for ranking"
    made_as = (getattr(model.config, "architectures", None) or [_CLASSIFIER])[0]
    if getattr(model[0], "transformer_task", None) == "sequence-classification" and not made_as.endswith(_CLASSIFIER):
        return f"is no cross-encoder but a {made_as}, so its scores would be random: take a cross-encoder made for ranking"
    if 2 * len(model.tokenizer) < getattr(model.config, "vocab_size", 0):
        return "has no tokenizer that fits it, so it would read nothing: download the model anew"
    return None
