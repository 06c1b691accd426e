"""From what a user gives to a reranker."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, cast

from assistant.errors import RerankerError
from assistant.reranking.base import Reranker
from assistant.reranking.cross_encoder import CrossEncoderReranker
from assistant.reranking.postprocessor import PostprocessorReranker

if TYPE_CHECKING:
    from llama_index.core.postprocessor.types import BaseNodePostprocessor


def load_reranker(spec: str | object | None) -> Reranker | None:
    """The reranker of a cross-encoder's folder or hub name, of a LlamaIndex postprocessor, or a `Reranker` itself.

    None for None and the empty text. Raises `RerankerError`. No model is loaded yet.
    """
    if spec is None or (isinstance(spec, str) and not spec.strip()):
        return None
    if isinstance(spec, (str, os.PathLike)):
        return CrossEncoderReranker(spec)
    if _has(spec, "postprocess_nodes"):
        return PostprocessorReranker(cast("BaseNodePostprocessor", spec))
    if _has(spec, "scores"):
        return cast(Reranker, spec)
    told = f"the class {spec.__name__}" if isinstance(spec, type) else f"an object of class {type(spec).__name__}"
    raise RerankerError(f"{told} is no reranker: give a cross-encoder's folder or hub name, a LlamaIndex postprocessor, or a Reranker")


def _has(spec: object, method: str) -> bool:
    """Whether it is an object, not a class, with this method."""
    return not isinstance(spec, type) and callable(getattr(spec, method, None))
