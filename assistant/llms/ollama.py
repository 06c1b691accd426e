"""Models of an Ollama, on this machine or where `OLLAMA_HOST` says."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from assistant.errors import UnknownLLMError
from assistant.llms.base import LLMOptions, Provider, Service
from assistant.llms.needs import extra, key
from assistant.llms.served import NoListError, ollama_context, ollama_models

if TYPE_CHECKING:
    from llama_index.core.llms import LLM

NAME = "ollama"
KEY_VARIABLE = "OLLAMA_API_KEY"
FORM = "ollama:MODEL"
_PORT = 11434
_CONTEXT_SECONDS = 2.0
"""For the question how much a model holds, which Ollama answers from a file."""


def build(rest: str, options: LLMOptions) -> LLM:
    """The model of this name; whether there is one shows when it is asked."""
    if not rest:
        raise UnknownLLMError(f"“{NAME}:” does not say which model: write {FORM}")
    where, secret = address(rest), key(KEY_VARIABLE)
    with extra(NAME):
        from llama_index.core.bridge.pydantic import PrivateAttr
        from llama_index.core.llms import LLMMetadata
        from llama_index.llms.ollama import Ollama

    class Chat(Ollama):
        """Takes as much context as the options say and the model holds: Ollama cuts a longer prompt without a word."""

        _holds: int | None = PrivateAttr(default=None)

        @property
        def metadata(self) -> LLMMetadata:
            return LLMMetadata(
                context_window=self.get_context_window(), num_output=options.answer_tokens, is_chat_model=True, model_name=self.model
            )

        def get_context_window(self) -> int:
            if self._holds is None:
                try:
                    told = ollama_context(where, rest, secret, _CONTEXT_SECONDS)
                except NoListError:  # what is wrong shows, and is told, when it is asked the question itself
                    told = None
                self._holds = min(options.context_tokens, told or options.context_tokens)
            return self._holds

    return Chat(
        model=rest,
        base_url=where,
        temperature=0.0,
        request_timeout=options.timeout_seconds,
        additional_kwargs={"num_predict": options.answer_tokens},
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
    modules=("llama_index.llms.ollama",),
    key_variable=KEY_VARIABLE,
    service=Service(
        address,
        lambda rest: rest,
        lambda address, seconds: ollama_models(address, key(KEY_VARIABLE), seconds),
        fetched_by="ollama pull MODEL",
    ),
)
