"""Tries one LLM for real, step by step.

Goes in: an LLM's name. Comes out: each step as it is done, what works and what to do about what
does not; after a failure no more steps. What it asks is about no paper.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from assistant.errors import LLMError, LLMFailedError, MissingExtraError, MissingKeyError, UnknownLLMError, UnknownModelError
from assistant.llms.base import LLMOptions, installed, pip_line
from assistant.llms.client import RetryPolicy, ask
from assistant.llms.endpoints import NoListError
from assistant.llms.keys import key_for, needed_key
from assistant.llms.registry import has, load_llm, mend, provider_of

if TYPE_CHECKING:
    from llama_index.core.llms import LLM

_LIST_SECONDS = 5.0
"""For the list of a server's models."""
_SHOWN = 120
"""Characters of the answer that are shown."""
_INSTRUCTIONS = "You answer in one short sentence."
_QUESTION = "Which is heavier, a kilogram of feathers or two kilograms of lead?"
_ANSWER_TOKENS = 512


@dataclass(frozen=True)
class Step:
    """One step of the trial."""

    name: str
    ok: bool
    told: str
    """What was found; where it failed, what happened and what to do."""
    first_text_ms: float | None = None
    total_ms: float | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


def diagnose(name: str, options: LLMOptions) -> Iterator[Step]:
    """The steps, each as soon as it is done. Only the last may have failed."""
    run = _Diagnosis(name, options)
    steps: tuple[tuple[str, Callable[[], Step | None]], ...] = (
        ("name", run.name_understood),
        ("package", run.package_installed),
        ("key", run.key_present),
        ("server", run.server_reached),
        ("model", run.model_known),
        ("answer", run.answer_streamed),
    )
    for step, take in steps:
        try:
            done = take()
        except LLMError as error:
            yield Step(step, False, str(error))
            return
        if done is not None:
            yield done


class _Diagnosis:
    """Each method takes one step, and returns None where there is nothing to try. Raises an `LLMError` where it fails."""

    def __init__(self, name: str, options: LLMOptions) -> None:
        self._name = name
        self._options = replace(options, answer_tokens=_ANSWER_TOKENS)
        self._models: tuple[str, ...] | None = None
        """What the server has; None where it does not say."""

    def name_understood(self) -> Step:
        self._provider, self._rest = provider_of(self._name)
        if not self._rest:
            raise UnknownLLMError(f"“{self._name}” does not say which model: write {self._provider.form}")
        self._service = self._provider.service
        where = f" at {self._service.address(self._rest)}" if self._service else " in this process"
        return Step("name", True, f"{self._model()}{where}")

    def package_installed(self) -> Step:
        if not installed(self._provider.modules):
            raise MissingExtraError(f"{self._provider.name} is not installed: {pip_line(self._provider.name)}")
        return Step("package", True, f"{self._provider.name} {'is installed' if self._provider.modules else 'needs no further package'}")

    def key_present(self) -> Step | None:
        variable = self._provider.key_variable
        if variable is None or self._service is None:
            return None
        address = self._service.address(self._rest)
        if self._provider.needs_key:
            needed_key(self._provider.name, address, variable)
        there = key_for(address, variable) is not None
        return Step("key", True, f"there is one for {address}" if there else f"{variable} is not set, which does where none is asked for")

    def server_reached(self) -> Step | None:
        if self._service is None:
            return None
        address = self._service.address(self._rest)
        try:
            self._models = self._service.models(address, _LIST_SECONDS)
        except NoListError as error:
            if error.status is None:
                raise LLMFailedError(f"{address} {error}: check the address, and that its server is running") from error
            if error.status in {401, 403} and self._provider.key_variable:
                raise MissingKeyError(f"{address} refused the key ({error.status}): set {self._provider.key_variable} anew") from error
            return Step("server", True, f"{address} {error} when asked for its models, which need not matter")
        return Step("server", True, f"{address} answers")

    def model_known(self) -> Step | None:
        model = self._model()
        if self._models is not None and not has(self._models, model):
            raise UnknownModelError(f"the server has no model {model}: {mend(self._provider, model, self._models) or 'it has none at all'}")
        self._llm: LLM | None = load_llm(self._name, self._options)
        if self._service is not None and self._models is None:
            return None
        assert self._llm is not None
        return Step("model", True, f"{model}, with room for {self._llm.metadata.context_window:,} tokens")

    def answer_streamed(self) -> Step:
        from llama_index.core.llms import ChatMessage

        assert self._llm is not None
        messages = [ChatMessage(role="system", content=_INSTRUCTIONS), ChatMessage(role="user", content=_QUESTION)]
        started, first, text, usage = time.perf_counter(), None, "", None
        policy = RetryPolicy(retries=0, longest_seconds=5 * self._options.timeout_seconds)
        with closing(ask(self._llm, self._name, messages, policy)) as pieces:
            for piece in pieces:
                text, usage = text + piece.delta, piece.usage
                if first is None and text.strip():
                    first = _ms(started)
        if first is None or usage is None:
            raise LLMFailedError(f"{self._name} gave an empty answer: take a model that follows instructions, or check the address")
        said = " ".join(text.split())
        shown = said if len(said) <= _SHOWN else said[: _SHOWN - 1] + "…"
        left_out = getattr(self._llm, "left_out", ())
        refused = f", without {', '.join(left_out)}, which the server refuses" if left_out else ""
        return Step("answer", True, f"“{shown}”{refused}", first, _ms(started), usage.prompt_tokens, usage.completion_tokens)

    def _model(self) -> str:
        return self._service.model(self._rest) if self._service else self._rest


def _ms(started: float) -> float:
    return round((time.perf_counter() - started) * 1000.0, 1)
