"""Which LLMs could be used here: servers that run on this machine at their usual ports, keys in the environment.

Comes out: what was noticed, to be offered, and what hinders the others. Looks at loopback only, briefly, and asks no more than
which models there are; no key is sent, and nothing that was noticed is used by itself.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from assistant.errors import AssistantError, LLMError
from assistant.llms import ollama, openai_like
from assistant.llms.base import Provider, installed, pip_line
from assistant.llms.endpoints import NoListError, ollama_models, on_this_machine, openai_models
from assistant.llms.keys import key_for
from assistant.llms.registry import PROVIDERS, known_providers

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
    """The hosted providers that there is a key for."""

    def offers(self) -> tuple[Offer, ...]:
        """What could be used, servers of this machine first."""
        found = [
            _offer(model, server.provider, f"{server.program} runs at {server.address}")
            for server in self.servers
            for model in server.models
        ]
        hosted = [(PROVIDERS[name], PROVIDERS[name].example) for name in self.keyed]
        found += [
            _offer(example, one.name, f"{one.name} has a key (hosted: what you ask leaves this machine)")
            for one, example in hosted
            if example
        ]
        return tuple(found[:_MOST_OFFERED])

    def hurdles(self, pulled: str | None = None) -> tuple[Hurdle, ...]:
        """Why the other providers cannot be used yet, each with the step that would change it. `pulled`: a model that fits this machine."""
        fetch = f"ollama pull {pulled}" if pulled else "ollama pull MODEL"
        found = []
        for one in known_providers().values():
            here = [server for server in self.servers if server.provider == one.name]
            if not installed(one.modules):
                found.append(Hurdle(one.name, "its package is not installed", pip_line(one.name), is_command=True))
            elif one.needs_key and one.name not in self.keyed:
                found.append(Hurdle(one.name, "it has no key", f"give one below, or set {one.key_variable} in the environment"))
            elif one.name == ollama.NAME and not here:
                found.append(Hurdle(one.name, "no Ollama runs here", f"install it (https://ollama.com/download), then: {fetch}"))
            elif here and not any(server.models for server in here):
                where = f"{here[0].program} runs at {here[0].address}, without a model"
                step = (fetch, True) if one.name == ollama.NAME else ("load a model there", False)
                found.append(Hurdle(one.name, where, *step))
            elif one.service is None:
                found.append(Hurdle(one.name, "it runs a model's files in this process", "give their place below"))
            elif one.name == openai_like.NAME and not here:
                found.append(Hurdle(one.name, "no vLLM, LM Studio or llama.cpp runs here at its usual port", "give an address below"))
        return tuple(found)


@dataclass(frozen=True)
class Hurdle:
    """What stands before a provider's use."""

    provider: str
    why: str
    step: str
    """What would make it usable."""
    is_command: bool = False
    """Whether the step is a command, to be copied."""


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
    return tuple(provider.name for provider in PROVIDERS.values() if provider.needs_key and _has_key(provider))


def _has_key(provider: Provider) -> bool:
    assert provider.service is not None and provider.key_variable is not None
    try:
        return key_for(provider.service.address(""), provider.key_variable) is not None
    except AssistantError:  # what is wrong with it is told when it is used
        return False


def _offer(name: str, provider: str, why: str) -> Offer:
    return Offer(name, why, None if installed(PROVIDERS[provider].modules) else pip_line(provider))
