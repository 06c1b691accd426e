"""The contract of an LLM provider, the one string that names an LLM, and what providers need: a package, a key.

Which key goes where is `assistant.llms.keys`'.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assistant.errors import MissingExtraError

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
    temperature: float = 0.0
    """0 to 2, for models behind a server; those in this process always write what is likeliest."""
    by_user: bool = True
    """Whether the user himself named the LLM, rather than a file that may have come with somebody's home."""


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


def pip_line(extra: str) -> str:
    """The command that installs an extra, in the project's folder."""
    return f'pip install -e ".[{extra}]"'


def installed(modules: Sequence[str]) -> bool:
    """Whether these can be imported; imports none of them."""
    return all(_found(module) for module in modules)


def _found(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # a package above it
        return False


@contextmanager
def extra(name: str) -> Iterator[None]:
    """Around the imports of an optional package. Raises `MissingExtraError` with the line that installs it."""
    try:
        yield
    except ImportError as error:
        raise MissingExtraError(f"{name} is not installed: {pip_line(name)}") from error
