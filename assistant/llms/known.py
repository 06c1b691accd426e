"""Whether an LLM's server knows the model, and which it has instead. Asks the server, which must be meant to be asked."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.errors import LLMError
from assistant.llms.base import Provider
from assistant.llms.near import hint
from assistant.llms.registry import provider_of
from assistant.llms.served import NoListError

_SECONDS = 2.0


def served_hint(name: str) -> str:
    """For an LLM that its server does not know: what was probably meant; empty where the server does not tell."""
    try:
        provider, rest = provider_of(name)
        if provider.service is None:
            return ""
        models = provider.service.models(provider.service.address(rest), _SECONDS)
    except (LLMError, NoListError):  # the failure that is being told says what is wrong
        return ""
    return "" if has(models, provider.service.model(rest)) else mend(provider, provider.service.model(rest), models)


def has(models: Sequence[str], model: str) -> bool:
    """Whether a model is among these; Ollama's names may lack the tag `latest`."""
    return model in models or f"{model}:latest" in models


def mend(provider: Provider, model: str, models: Sequence[str]) -> str:
    """What to do about a model that its server does not have."""
    fetch = provider.service.fetched_by if provider.service else None
    fetched = f"fetch it with `{fetch.replace('MODEL', model)}`" if fetch else ""
    near = hint(model, models)
    return f"{near.removesuffix('?')}, or {fetched}?" if near.endswith("?") and fetched else ", or ".join(filter(None, (near, fetched)))
