"""What a provider needs before it can be asked: its package and its key.

Goes in: the names of packages and variables. Comes out: whether they are there, or the error that
says what to do. Keys come from the environment only and stand in no message.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from assistant.errors import MissingExtraError, MissingKeyError


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


def key(variable: str) -> str | None:
    """The key in this variable, None where there is none.

    Raises `MissingKeyError` for what cannot be a key, which clients would print when they fail on it.
    """
    value = os.environ.get(variable, "").strip()
    if not value:
        return None
    if not value.isascii() or not value.isprintable() or " " in value:
        raise MissingKeyError(f"{variable} holds something that is no key: set it anew, without spaces and line breaks")
    return value


def needed_key(provider: str, variable: str) -> str:
    """The key in this variable. Raises `MissingKeyError` where there is none."""
    found = key(variable)
    if found is None:
        raise MissingKeyError(f"{provider} needs a key: set {variable} in the environment")
    return found
