"""The known providers, from a name to an LLM, and what was probably meant by a name that a server does not know.

A new provider is one file in this folder with a `PROVIDER`, and one line in `PROVIDERS`; or another package's, by an entry
point of the group `PLUGINS` whose name is the provider's and whose value is a `Provider`. It is loaded when it is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING

from assistant.errors import LLMError, LLMFailedError, UnknownLLMError
from assistant.llms import anthropic, huggingface, llamacpp, ollama, openai, openai_like
from assistant.llms.base import EXTRACTIVE, LLMOptions, Provider
from assistant.llms.endpoints import NoListError
from assistant.llms.suggestions import hint, nearest

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


PLUGINS = "paper_assistant.llms"
_loaded: dict[str, Provider] = {}
"""Providers of other packages, as far as they were asked for."""


def providers() -> tuple[dict[str, Provider], list[str]]:
    """All providers by name, ours, which none may replace, and those of installed packages; and for each that cannot be loaded why."""
    found, faults = {}, []
    for point in entry_points(group=PLUGINS):
        try:
            found[point.name] = _plugin(point)
        except LLMFailedError as error:
            faults.append(str(error))
    return found | PROVIDERS, faults


def known_providers() -> dict[str, Provider]:
    """Ours, and those of other packages that are in use already. Loads nothing."""
    return _loaded | PROVIDERS


def _plugin(point: EntryPoint) -> Provider:
    if point.name not in _loaded:
        try:
            provider = point.load()
        except Exception as error:  # other people's code raises what it likes
            raise LLMFailedError(
                f"the LLM provider {point.name} ({point.value}) cannot be loaded ({error}): mend or uninstall it"
            ) from error
        if not isinstance(provider, Provider) or provider.name != point.name:
            raise LLMFailedError(f"{point.value} is no Provider of the name {point.name}: mend or uninstall the package it is from")
        _loaded[point.name] = provider
    return _loaded[point.name]


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
    """The provider of a whole name, and the part after the colon.

    Raises `UnknownLLMError`, or `LLMFailedError` for another package's that cannot be loaded.
    """
    provider_name, _, rest = name.partition(":")
    if provider := known_providers().get(provider_name):
        return provider, rest
    for point in entry_points(group=PLUGINS, name=provider_name):
        return _plugin(point), rest
    known, _ = providers()
    near = nearest(provider_name, [EXTRACTIVE, *known])
    hint = f"did you mean {near}? " if near else ""
    forms = ", ".join([EXTRACTIVE, *(each.form for each in known.values())])
    raise UnknownLLMError(f"unknown LLM “{name}”: {hint}known: {forms}")


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
