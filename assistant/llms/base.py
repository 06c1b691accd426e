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
class Service:
    """The server behind a provider. Asking it loads no client."""

    address: Callable[[str], str]
    """Its API's address, from the part of an LLM's name after the colon."""
    model: Callable[[str], str]
    """The model's name for the server, from the same part."""
    models: Callable[[str, float], tuple[str, ...]]
    """What the server at an address can be asked for, within so many seconds. Raises `NoListError`."""
    fetched_by: str | None = None
    """The command that gives the server another model, with `MODEL` in it."""


@dataclass(frozen=True)
class Provider:
    """One way to reach LLMs."""

    name: str
    """The part of `provider:model` before the colon, and the name of the optional extra."""
    form: str
    """What a whole name looks like, for messages."""
    build: Callable[[str, LLMOptions], LLM]
    """Makes the LLM from the part after the colon. Imports its package when called, and raises
    `MissingExtraError`, `MissingKeyError`, `UnknownLLMError` or `LLMFailedError`. Its client does
    not retry: `ask` does."""
    modules: tuple[str, ...]
    """What its extra installs, as imported."""
    key_variable: str | None = None
    """The environment variable that its key is read from."""
    needs_key: bool = False
    """Whether nothing works without a key."""
    service: Service | None = None
    """None where the model runs in this process."""
    example: str | None = None
    """A whole name to begin with, for a hosted provider of which only the key is noticed."""
