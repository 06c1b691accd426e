"""Servers that speak OpenAI's chat completions: vLLM, LM Studio, llama.cpp, Ollama, OpenRouter, TGI."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from assistant.errors import MissingExtraError, UnknownLLMError
from assistant.llms.base import Provider

if TYPE_CHECKING:
    from llama_index.core.llms import LLM

KEY_VARIABLE = "OPENAI_LIKE_API_KEY"
FORM = "openai-like:MODEL@http://host:port/v1"
_TIMEOUT_SECONDS = 60.0
_RETRIES = 2
_CONTEXT_TOKENS = 8192
_ANSWER_TOKENS = 400


def build(rest: str) -> LLM:
    """The LLM behind `MODEL@URL`; a key, where the server wants one, from the environment."""
    model, at, url = rest.rpartition("@")
    parts = urlsplit(url)
    if not at or not model or parts.scheme not in {"http", "https"} or not parts.netloc:
        raise UnknownLLMError(f"“openai-like:{rest}” does not say model and address: write {FORM}")
    try:
        from llama_index.llms.openai_like import OpenAILike
    except ImportError as error:
        raise MissingExtraError('openai-like is not installed: pip install "paper-assistant[openai-like]"') from error
    return OpenAILike(
        model=model,
        api_base=url,
        api_key=os.environ.get(KEY_VARIABLE, "none"),
        is_chat_model=True,
        context_window=_CONTEXT_TOKENS,
        max_tokens=_ANSWER_TOKENS,
        temperature=0.0,
        timeout=_TIMEOUT_SECONDS,
        max_retries=_RETRIES,
        additional_kwargs={"stream_options": {"include_usage": True}},
    )


PROVIDER = Provider("openai-like", FORM, build)
