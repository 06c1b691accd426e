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
class Provider:
    """One way to reach LLMs."""

    name: str
    """The part of `provider:model` before the colon, and the name of the optional extra."""
    form: str
    """What a whole name looks like, for messages."""
    build: Callable[[str], LLM]
    """Makes the LLM from the part after the colon. Imports its package when called, and raises
    `MissingExtraError` or `UnknownLLMError`."""
