"""The contract of an LLM provider, and the one string that names an LLM."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llama_index.core.llms import LLM

EXTRACTIVE = "extractive"
"""The name of answering without an LLM."""


@dataclass(frozen=True)
class LLMOptions:
    """What every provider is told beside the model's name."""

    timeout_seconds: float = 60.0
    """The longest silence, before the first piece and between two."""
    context_tokens: int = 8192
    """What prompt and answer together may hold, where the provider cannot tell."""
    answer_tokens: int = 2048
    """The longest answer, thoughts of a thinking model included."""


@dataclass(frozen=True)
class Provider:
    """One way to reach LLMs."""

    name: str
    """The part of `provider:model` before the colon, and the name of the optional extra."""
    form: str
    """What a whole name looks like, for messages."""
    build: Callable[[str, LLMOptions], LLM]
    """Makes the LLM from the part after the colon. Imports its package when called, and raises
    `MissingExtraError` or `UnknownLLMError`. Its client does not retry: `ask` does."""
    key_variable: str | None = None
    """The environment variable that its key is read from."""
