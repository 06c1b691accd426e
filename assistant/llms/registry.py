"""The known providers, and from a name to an LLM.

A new provider is one file in this folder with a `PROVIDER`, and one line in `PROVIDERS`.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from assistant.errors import UnknownLLMError
from assistant.llms import openai_like
from assistant.llms.base import EXTRACTIVE, LLMOptions, Provider

if TYPE_CHECKING:
    from llama_index.core.llms import LLM

PROVIDERS: dict[str, Provider] = {provider.name: provider for provider in (openai_like.PROVIDER,)}


def load_llm(name: str, options: LLMOptions = LLMOptions()) -> LLM | None:
    """The LLM of a name such as `openai-like:qwen3@http://127.0.0.1:8000/v1`; None for `extractive`.

    Raises `UnknownLLMError` or `MissingExtraError`. Nothing is asked of the LLM yet.
    """
    provider_name, _, rest = name.partition(":")
    if provider_name == EXTRACTIVE and not rest:
        return None
    provider = PROVIDERS.get(provider_name)
    if provider is None:
        known = [EXTRACTIVE, *PROVIDERS]
        near = difflib.get_close_matches(provider_name, known, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        forms = ", ".join([EXTRACTIVE, *(each.form for each in PROVIDERS.values())])
        raise UnknownLLMError(f"unknown LLM “{name}”: {hint}known: {forms}")
    return provider.build(rest, options)
