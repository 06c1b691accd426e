"""Anthropic's models. `ANTHROPIC_BASE_URL` names another address of the API."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from assistant.errors import UnknownLLMError
from assistant.llms.base import LLMOptions, Provider, Service, extra
from assistant.llms.endpoints import anthropic_models, is_private_network
from assistant.llms.keys import needed_key

if TYPE_CHECKING:
    from llama_index.core.llms import LLM

NAME = "anthropic"
KEY_VARIABLE = "ANTHROPIC_API_KEY"
FORM = "anthropic:MODEL"
_ADDRESS = "https://api.anthropic.com"


def build(rest: str, options: LLMOptions) -> LLM:
    """The model of this name, also one that the client does not know yet."""
    if not rest:
        raise UnknownLLMError(f"“{NAME}:” does not say which model: write {FORM}")
    with extra(NAME):
        from anthropic import DefaultAsyncHttpxClient, DefaultHttpxClient
        from llama_index.core.llms import LLMMetadata
        from llama_index.llms.anthropic import Anthropic
        from llama_index.llms.anthropic.utils import CLAUDE_MODELS

    known = rest in CLAUDE_MODELS

    class Messages(Anthropic):
        """Knows how much the model holds where the client's table does not."""

        @property
        def metadata(self) -> LLMMetadata:
            return LLMMetadata(
                context_window=CLAUDE_MODELS.get(self.model, options.context_tokens),
                num_output=self.max_tokens,
                is_chat_model=True,
                model_name=self.model,
            )

        @property
        def tokenizer(self) -> Any:
            """None: the client's own asks the server for every count."""
            return None

        @property
        def _model_kwargs(self) -> dict[str, Any]:
            # Newer models take no temperature, and an unknown one is newer.
            arguments = super()._model_kwargs
            return arguments if known else {name: value for name, value in arguments.items() if name != "temperature"}

    llm = Messages(
        model=rest,
        api_key=needed_key(NAME, address(rest), KEY_VARIABLE),
        base_url=address(rest),
        temperature=min(1.0, options.temperature),
        max_tokens=options.answer_tokens,
        timeout=options.timeout_seconds,
        max_retries=0,
    )
    if is_private_network(address(rest)):  # no proxy of the environment comes between
        direct: dict[str, Any] = {"trust_env": False, "mounts": {"all://": None, "http://": None, "https://": None}}
        llm._client = llm._client.copy(http_client=DefaultHttpxClient(**direct))
        llm._aclient = llm._aclient.copy(http_client=DefaultAsyncHttpxClient(**direct))
    return llm


def address(rest: str) -> str:
    """The API's address: Anthropic's own, or what its client's documented variable says."""
    return os.environ.get("ANTHROPIC_BASE_URL") or _ADDRESS


PROVIDER = Provider(
    NAME,
    FORM,
    build,
    modules=("llama_index.llms.anthropic",),
    key_variable=KEY_VARIABLE,
    needs_key=True,
    service=Service(
        address, lambda rest: rest, lambda where, seconds: anthropic_models(where, needed_key(NAME, where, KEY_VARIABLE), seconds)
    ),
    example="anthropic:claude-sonnet-5",
)
