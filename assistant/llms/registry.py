"""The known providers, and from a name to an LLM.

A new provider is one file in this folder with a `PROVIDER`, and one line in `PROVIDERS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from assistant.errors import UnknownLLMError
from assistant.llms import anthropic, huggingface, llamacpp, ollama, openai, openai_like
from assistant.llms.base import EXTRACTIVE, LLMOptions, Provider
from assistant.llms.near import nearest

if TYPE_CHECKING:
    from llama_index.core.llms import LLM

PROVIDERS: dict[str, Provider] = {
    provider.name: provider
    for provider in (
        openai.PROVIDER,
        anthropic.PROVIDER,
        ollama.PROVIDER,
        openai_like.PROVIDER,
        huggingface.PROVIDER,
        llamacpp.PROVIDER,
    )
}


def load_llm(name: str, options: LLMOptions = LLMOptions()) -> LLM | None:
    """The LLM of a name such as `openai-like:qwen3@http://127.0.0.1:8000/v1`; None for `extractive`.

    Raises `UnknownLLMError`, `MissingExtraError`, `MissingKeyError`, or `LLMFailedError` for a model
    that cannot be loaded into this process. No server is asked anything yet.
    """
    if name == EXTRACTIVE:
        return None
    provider, rest = provider_of(name)
    return provider.build(rest, options)


def provider_of(name: str) -> tuple[Provider, str]:
    """The provider of a whole name, and the part after the colon. Raises `UnknownLLMError`."""
    provider_name, _, rest = name.partition(":")
    provider = PROVIDERS.get(provider_name)
    if provider is None:
        near = nearest(provider_name, [EXTRACTIVE, *PROVIDERS])
        hint = f"did you mean {near}? " if near else ""
        forms = ", ".join([EXTRACTIVE, *(each.form for each in PROVIDERS.values())])
        raise UnknownLLMError(f"unknown LLM “{name}”: {hint}known: {forms}")
    return provider, rest
