"""Servers that speak OpenAI's chat completions: vLLM, LM Studio, llama.cpp, Ollama, OpenRouter, TGI."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from assistant.errors import MissingExtraError, UnknownLLMError
from assistant.llms.base import LLMOptions, Provider

if TYPE_CHECKING:
    from llama_index.core.llms import LLM

KEY_VARIABLE = "OPENAI_LIKE_API_KEY"
FORM = "openai-like:MODEL@http://host:port/v1"


def build(rest: str, options: LLMOptions) -> LLM:
    """The LLM behind `MODEL@URL`; a key, where the server wants one, from the environment."""
    model, _, url = rest.rpartition("@")
    if not model or not _is_address(url):
        raise UnknownLLMError(f"“openai-like:{rest}” does not say model and address: write {FORM}")
    try:
        from llama_index.llms.openai_like import OpenAILike
    except ImportError as error:
        raise MissingExtraError("openai-like is not installed: pip install llama-index-llms-openai-like") from error
    return OpenAILike(
        model=model,
        api_base=url,
        api_key=os.environ.get(KEY_VARIABLE, "none"),
        is_chat_model=True,
        context_window=options.context_tokens,
        max_tokens=options.answer_tokens,
        temperature=0.0,
        timeout=options.timeout_seconds,
        max_retries=0,
        additional_kwargs={"stream_options": {"include_usage": True}},
    )


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, a bracket left open
        return False


PROVIDER = Provider("openai-like", FORM, build, KEY_VARIABLE)
