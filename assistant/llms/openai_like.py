"""Servers that speak OpenAI's chat completions: vLLM, LM Studio, llama.cpp, OpenRouter, TGI, Azure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from assistant.errors import UnknownLLMError
from assistant.llms.base import LLMOptions, Provider, Service
from assistant.llms.endpoints import openai_models
from assistant.llms.keys import key_for

if TYPE_CHECKING:
    from llama_index.core.llms import LLM

NAME = "openai-like"
KEY_VARIABLE = "OPENAI_LIKE_API_KEY"
FORM = "openai-like:MODEL@http://host:port/v1"
_BEFORE_ADDRESS = re.compile(r"@(?=https?://)", re.IGNORECASE)


def build(rest: str, options: LLMOptions) -> LLM:
    """The LLM behind `MODEL@URL`; a key, where the server wants one, as given for the address or from the environment."""
    model, url = _parts(rest)
    secret = key_for(url, KEY_VARIABLE, options.by_user)
    from pydantic import SecretStr

    from assistant.llms.chat_completions import ChatCompletions

    return ChatCompletions(
        model=model,
        address=url,
        key=SecretStr(secret) if secret else None,
        context_window=options.context_tokens,
        answer_tokens=options.answer_tokens,
        timeout_seconds=options.timeout_seconds,
        temperature=options.temperature,
    )


def _parts(rest: str) -> tuple[str, str]:
    """(model, address). Raises `UnknownLLMError` where it is not both."""
    *model, url = _BEFORE_ADDRESS.split(rest)
    if not "@".join(model) or not _is_address(url):
        raise UnknownLLMError(f"“{NAME}:{rest}” does not say model and address: write {FORM}")
    if urlsplit(url).username is not None:
        raise UnknownLLMError(f"the address of {NAME} holds a name or password: leave it out, and set {KEY_VARIABLE} in the environment")
    return "@".join(model), url


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0 and not re.search(r"\s", url)
    except ValueError:  # a port that is no number, a bracket left open
        return False


PROVIDER = Provider(
    NAME,
    FORM,
    build,
    modules=(),
    key_variable=KEY_VARIABLE,
    service=Service(
        address=lambda rest: _parts(rest)[1],
        model=lambda rest: _parts(rest)[0],
        models=lambda address, seconds: openai_models(address, key_for(address, KEY_VARIABLE), seconds),
    ),
)
