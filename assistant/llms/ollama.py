"""Models of an Ollama, on this machine or where `OLLAMA_HOST` says."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from assistant.errors import UnknownLLMError
from assistant.llms.base import LLMOptions, Provider, Service
from assistant.llms.endpoints import ollama_models
from assistant.llms.keys import key_for

if TYPE_CHECKING:
    from llama_index.core.llms import LLM

NAME = "ollama"
KEY_VARIABLE = "OLLAMA_API_KEY"
FORM = "ollama:MODEL"
_PORT = 11434


def build(rest: str, options: LLMOptions) -> LLM:
    """The model of this name; whether there is one shows when it is asked."""
    if not rest:
        raise UnknownLLMError(f"“{NAME}:” does not say which model: write {FORM}")
    where = address(rest)
    secret = key_for(where, KEY_VARIABLE)
    from pydantic import SecretStr

    from assistant.llms.ollama_chat import OllamaChat

    return OllamaChat(
        model=rest,
        address=where,
        key=SecretStr(secret) if secret else None,
        context_window=options.context_tokens,
        answer_tokens=options.answer_tokens,
        timeout_seconds=options.timeout_seconds,
        temperature=options.temperature,
    )


def address(rest: str = "") -> str:
    """Where Ollama is: at its usual port here, or at `OLLAMA_HOST`, which may lack scheme and port as Ollama allows."""
    named = os.environ.get("OLLAMA_HOST", "").strip()
    url = named if "://" in named else f"http://{named}"
    try:
        parts = urlsplit(url)
        port = parts.port or ({"http": 80, "https": 443}.get(parts.scheme, _PORT) if "://" in named else _PORT)
    except ValueError as error:
        raise UnknownLLMError(f"OLLAMA_HOST is no address ({named}): write host:port") from error
    host = parts.hostname or "127.0.0.1"
    host = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # where a server listens, not where it is reached
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}:{port}{parts.path.rstrip('/')}"


PROVIDER = Provider(
    NAME,
    FORM,
    build,
    modules=(),
    key_variable=KEY_VARIABLE,
    service=Service(
        address,
        lambda rest: rest,
        lambda where, seconds: ollama_models(where, key_for(where, KEY_VARIABLE), seconds),
        fetched_by="ollama pull MODEL",
    ),
)
