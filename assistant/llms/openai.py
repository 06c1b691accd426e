"""OpenAI's models, over their chat completions. `OPENAI_BASE_URL` names another address of the API."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from assistant.errors import UnknownLLMError
from assistant.llms.base import LLMOptions, Provider, Service
from assistant.llms.endpoints import openai_models
from assistant.llms.keys import needed_key

if TYPE_CHECKING:
    from llama_index.core.llms import LLM

NAME = "openai"
KEY_VARIABLE = "OPENAI_API_KEY"
FORM = "openai:MODEL"
_ADDRESS = "https://api.openai.com/v1"
_HOLDS = (("gpt-5", 272_000), ("gpt-4.1", 1_000_000), ("gpt-4o", 128_000), ("o1", 128_000), ("o3", 200_000), ("o4", 200_000))
"""Tokens of a prompt that the models of a family hold, by OpenAI's pages on them; of others, what the settings say."""


def build(rest: str, options: LLMOptions) -> LLM:
    """The model of this name; whether there is one shows when it is asked."""
    if not rest:
        raise UnknownLLMError(f"“{NAME}:” does not say which model: write {FORM}")
    secret = needed_key(NAME, address(rest), KEY_VARIABLE)
    from pydantic import SecretStr

    from assistant.llms.chat_completions import LIMITS, ChatCompletions

    return ChatCompletions(
        model=rest,
        address=address(rest),
        key=SecretStr(secret),
        context_window=next((holds for family, holds in _HOLDS if rest.startswith(family)), options.context_tokens),
        answer_tokens=options.answer_tokens,
        timeout_seconds=options.timeout_seconds,
        temperature=options.temperature,
        limit=LIMITS[1],
    )


def address(rest: str) -> str:
    """The API's address: OpenAI's own, or what its client's documented variables say."""
    return os.environ.get("OPENAI_BASE_URL") or os.environ.get("OPENAI_API_BASE") or _ADDRESS


PROVIDER = Provider(
    NAME,
    FORM,
    build,
    modules=(),
    key_variable=KEY_VARIABLE,
    needs_key=True,
    service=Service(
        address, lambda rest: rest, lambda where, seconds: openai_models(where, needed_key(NAME, where, KEY_VARIABLE), seconds)
    ),
    example="openai:gpt-5-mini",
)
