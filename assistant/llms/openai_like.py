"""Servers that speak OpenAI's chat completions: vLLM, LM Studio, llama.cpp, OpenRouter, TGI."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from assistant.errors import UnknownLLMError
from assistant.llms.base import LLMOptions, Provider, Service
from assistant.llms.needs import extra, key
from assistant.llms.served import openai_models

if TYPE_CHECKING:
    from llama_index.core.llms import LLM

NAME = "openai-like"
KEY_VARIABLE = "OPENAI_LIKE_API_KEY"
FORM = "openai-like:MODEL@http://host:port/v1"


def build(rest: str, options: LLMOptions) -> LLM:
    """The LLM behind `MODEL@URL`; a key, where the server wants one, from the environment."""
    model, url = _parts(rest)
    with extra(NAME):
        from llama_index.llms.openai_like import OpenAILike
    return OpenAILike(
        model=model,
        api_base=url,
        api_key=key(KEY_VARIABLE) or "none",
        is_chat_model=True,
        context_window=options.context_tokens,
        max_tokens=options.answer_tokens,
        temperature=0.0,
        timeout=options.timeout_seconds,
        max_retries=0,
        additional_kwargs={"stream_options": {"include_usage": True}},
    )


def _parts(rest: str) -> tuple[str, str]:
    """(model, address). Raises `UnknownLLMError` where it is not both."""
    model, _, url = rest.rpartition("@")
    if not model or not _is_address(url):
        raise UnknownLLMError(f"“{NAME}:{rest}” does not say model and address: write {FORM}")
    return model, url


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, a bracket left open
        return False


PROVIDER = Provider(
    NAME,
    FORM,
    build,
    modules=("llama_index.llms.openai_like",),
    key_variable=KEY_VARIABLE,
    service=Service(
        address=lambda rest: _parts(rest)[1],
        model=lambda rest: _parts(rest)[0],
        models=lambda address, seconds: openai_models(address, key(KEY_VARIABLE), seconds),
    ),
)
