"""OpenAI's models, over their chat completions. `OPENAI_BASE_URL` names another address of the API."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from assistant.errors import UnknownLLMError
from assistant.llms.base import LLMOptions, Provider, Service
from assistant.llms.needs import extra, needed_key
from assistant.llms.served import openai_models

if TYPE_CHECKING:
    from llama_index.core.llms import LLM

NAME = "openai"
KEY_VARIABLE = "OPENAI_API_KEY"
FORM = "openai:MODEL"
_ADDRESS = "https://api.openai.com/v1"


def build(rest: str, options: LLMOptions) -> LLM:
    """The model of this name, also one that the client does not know yet."""
    if not rest:
        raise UnknownLLMError(f"“{NAME}:” does not say which model: write {FORM}")
    with extra(NAME):
        from llama_index.core.llms import LLMMetadata
        from llama_index.llms.openai import OpenAI
        from llama_index.llms.openai.utils import ALL_AVAILABLE_MODELS, CHAT_MODELS, is_chatcomp_api_supported

    if not is_chatcomp_api_supported(rest) or (rest in ALL_AVAILABLE_MODELS and rest not in CHAT_MODELS):
        raise UnknownLLMError(f"{NAME}:{rest} takes no chat completions: take another model of OpenAI's")

    class Chat(OpenAI):
        """Knows how much the model holds, and how long an answer it may write, where the client's table does not."""

        @property
        def metadata(self) -> LLMMetadata:
            return LLMMetadata(
                context_window=ALL_AVAILABLE_MODELS.get(self.model, options.context_tokens),
                num_output=options.answer_tokens,
                is_chat_model=True,
                model_name=self.model,
            )

    return Chat(
        model=rest,
        api_key=needed_key(NAME, KEY_VARIABLE),
        api_base=address(rest),
        # A model that thinks takes no other temperature than 1, and an unknown one may think.
        temperature=0.0 if rest in ALL_AVAILABLE_MODELS else 1.0,
        timeout=options.timeout_seconds,
        max_retries=0,
        # `max_tokens` is what thinking models no longer take.
        additional_kwargs={"max_completion_tokens": options.answer_tokens, "stream_options": {"include_usage": True}},
    )


def address(rest: str) -> str:
    """The API's address: OpenAI's own, or what its client's documented variables say."""
    return os.environ.get("OPENAI_BASE_URL") or os.environ.get("OPENAI_API_BASE") or _ADDRESS


PROVIDER = Provider(
    NAME,
    FORM,
    build,
    modules=("llama_index.llms.openai",),
    key_variable=KEY_VARIABLE,
    needs_key=True,
    service=Service(address, lambda rest: rest, lambda address, seconds: openai_models(address, needed_key(NAME, KEY_VARIABLE), seconds)),
    example="openai:gpt-5-mini",
)
