"""Which LLMs could be used here: servers that run on this machine at their usual ports, keys in the environment.

Comes out: what was noticed, to be offered. Looks at loopback only, briefly, and asks no more than
which models there are; no key is sent, and nothing that was noticed is used by itself.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from assistant.errors import LLMError
from assistant.llms import ollama, openai_like
from assistant.llms.base import installed, pip_line
from assistant.llms.endpoints import NoListError, ollama_models, on_this_machine, openai_models
from assistant.llms.registry import PROVIDERS

SECONDS = 0.6
"""For all of it."""
_MOST_OFFERED = 20


@dataclass(frozen=True)
class Candidate:
    """Where a server may be."""

    program: str
    provider: str
    address: str

    def models(self, seconds: float) -> tuple[str, ...]:
        """The whole names of its models. Raises `NoListError`."""
        if self.provider == ollama.NAME:
            return tuple(f"{ollama.NAME}:{model}" for model in ollama_models(self.address, None, seconds))
        return tuple(f"{openai_like.NAME}:{model}@{self.address}" for model in openai_models(self.address, None, seconds))


@dataclass(frozen=True)
class Server:
    """A server that answered."""

    program: str
    """What usually runs at its port."""
    provider: str
    address: str
    models: tuple[str, ...]
    """Whole names, to be copied."""


@dataclass(frozen=True)
class Offer:
    """One step to an LLM."""

    name: str
    """The LLM's whole name."""
    why: str
    """What was noticed."""
    first: str | None = None
    """The command to be run before, where its extra is not installed."""


@dataclass(frozen=True)
class Discovered:
    """What there is."""

    servers: tuple[Server, ...] = ()
    keyed: tuple[str, ...] = ()
    """The hosted providers whose key is in the environment."""

    def offers(self) -> tuple[Offer, ...]:
        """What could be used, servers of this machine first."""
        found = [
            _offer(model, server.provider, f"{server.program} runs at {server.address}")
            for server in self.servers
            for model in server.models
        ]
        hosted = [(PROVIDERS[name], PROVIDERS[name].example) for name in self.keyed]
        found += [
            _offer(example, one.name, f"{one.key_variable} is set (hosted: what you ask leaves this machine)")
            for one, example in hosted
            if example
        ]
        return tuple(found[:_MOST_OFFERED])


def candidates() -> tuple[Candidate, ...]:
    """Where local servers usually are."""
    usual = [("vLLM", 8000), ("LM Studio", 1234), ("llama.cpp", 8080)]
    found = [Candidate(program, openai_like.NAME, f"http://127.0.0.1:{port}/v1") for program, port in usual]
    try:
        return (Candidate("Ollama", ollama.NAME, ollama.address()), *found)
    except LLMError:  # OLLAMA_HOST is no address, which is told to whoever asks for an Ollama
        return tuple(found)


def discover(where: Sequence[Candidate] | None = None, seconds: float = SECONDS) -> Discovered:
    """What is there now; takes at most so many seconds."""
    near = [place for place in (candidates() if where is None else where) if on_this_machine(place.address)]
    found: dict[Candidate, tuple[str, ...]] = {}
    lookers = [threading.Thread(target=_ask, args=(place, seconds, found), daemon=True) for place in near]
    for looker in lookers:
        looker.start()
    until = time.monotonic() + seconds
    for looker in lookers:
        looker.join(max(0.0, until - time.monotonic()))
    answered = dict(found)
    servers = tuple(Server(each.program, each.provider, each.address, answered[each]) for each in near if each in answered)
    return Discovered(servers, _keyed())


class Discovery:
    """A look in the background, begun at once."""

    def __init__(self, look: Callable[[], Discovered] = discover) -> None:
        self._found = Discovered()
        self._looker = threading.Thread(target=self._look, args=(look,), daemon=True)
        self._looker.start()

    def found(self) -> Discovered:
        """What was noticed; waits for no more than is left of the time."""
        self._looker.join(SECONDS)
        return self._found

    def _look(self, look: Callable[[], Discovered]) -> None:
        self._found = look()


def _ask(place: Candidate, seconds: float, found: dict[Candidate, tuple[str, ...]]) -> None:
    try:
        found[place] = place.models(seconds)
    except NoListError:  # nothing there, or something else
        return


def _keyed() -> tuple[str, ...]:
    hosted = [provider for provider in PROVIDERS.values() if provider.needs_key and provider.key_variable]
    return tuple(provider.name for provider in hosted if os.environ.get(provider.key_variable or "", "").strip())


def _offer(name: str, provider: str, why: str) -> Offer:
    return Offer(name, why, None if installed(PROVIDERS[provider].modules) else pip_line(provider))
