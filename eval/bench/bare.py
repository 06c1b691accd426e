"""The bare model that figures are compared with: sentence-transformers on the published model, nothing around it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from index.embedding.minilm import installed

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


def model() -> SentenceTransformer:
    """Loaded, on the processor."""
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    return SentenceTransformer(str(installed()), device="cpu", local_files_only=True)


def encoding() -> Callable[[str], object]:
    """Encodes one question."""
    loaded = model()
    return lambda question: loaded.encode([question], show_progress_bar=False)
