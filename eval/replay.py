"""Prompts out, completions in: an LLM that need not be reachable is measured all the same.

Exporting asks the question set of an LLM that only notes what it is asked. Replaying asks it of one
that says what some model said to these prompts, so that the answers go through all that a live LLM's
go through. Earlier turns are answered without an LLM, so that the prompts are always the same.
Nothing here tells how long a model took, or what it cost.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from llama_index.core.llms import (
    ChatMessage,
    ChatResponse,
    ChatResponseGen,
    CompletionResponse,
    CompletionResponseGen,
    CustomLLM,
    LLMMetadata,
)
from pydantic import PrivateAttr

from assistant.generation.condense import CONDENSE
from assistant.generation.prompt import NO_ANSWER
from assistant.llms import LLMOptions
from eval.errors import EvalError
from eval.metrics import Result
from eval.questions import GoldQuestion, as_text, read
from eval.results import Ask

Message = dict[str, str]

_asked: ContextVar[str] = ContextVar("asked")
"""The id of the question being asked; an LLM is asked in a thread of its own, which copies this."""


class ReplayError(EvalError):
    """A file of completions does not fit; the message names the file."""


@dataclass(frozen=True)
class Completion:
    """What a model said to one question's prompt."""

    id: str
    text: str
    sha256: str | None = None
    """Of the prompt it was said to, where the file tells."""


class ReplayLLM(CustomLLM):
    """Says for each question what it is told to say; without completions it declines and only notes what it is asked."""

    name: str
    context_window: int
    completions: dict[str, Completion] | None = None
    _prompts: dict[str, list[Message]] = PrivateAttr(default_factory=dict)
    _faults: dict[str, str] = PrivateAttr(default_factory=dict)

    @property
    def metadata(self) -> LLMMetadata:
        """As a model with the context of the settings tells it."""
        return LLMMetadata(
            model_name=self.name, context_window=self.context_window, num_output=LLMOptions().answer_tokens, is_chat_model=True
        )

    @property
    def prompts(self) -> Mapping[str, Sequence[Message]]:
        """What was asked, by the question's id."""
        return self._prompts

    def through(self, ask: Ask) -> Ask:
        """Notes which question is asked; one without its completion fails."""

        def asked(gold: GoldQuestion) -> Result:
            _asked.set(gold.id)
            result = ask(gold)
            fault = self._faults.get(gold.id)
            return result if fault is None else replace(result, answer="", cited_titles=(), citations=(), answered=False, error=fault)

        return asked

    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseGen:
        """The completion, in one piece."""
        said = self._said([{"role": message.role.value, "content": message.content or ""} for message in messages])

        def pieces() -> ChatResponseGen:
            yield ChatResponse(message=ChatMessage(role="assistant", content=said), delta=said)

        return pieces()

    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        """As a chat of one message."""
        return CompletionResponse(text=self._said([{"role": "user", "content": prompt}]))

    def stream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponseGen:
        """As a chat of one message, in one piece."""
        yield CompletionResponse(text=(said := self._said([{"role": "user", "content": prompt}])), delta=said)

    def _said(self, messages: list[Message]) -> str:
        if messages[0]["content"] == CONDENSE:
            return ""  # nobody is there to rewrite a question: the prompt then shows the turns before it
        number = _asked.get()
        self._prompts[number] = messages
        if self.completions is None:
            return NO_ANSWER
        completion = self.completions.get(number)
        if completion is None:
            self._faults[number] = f"{self.name} has no completion for it"
        elif completion.sha256 not in {None, fingerprint(messages)}:
            self._faults[number] = f"{self.name} answers another prompt than is asked now: export the prompts again"
        if completion is None or number in self._faults:
            raise ReplayError(self._faults[number])
        return completion.text


def fingerprint(messages: Sequence[Message]) -> str:
    """SHA-256 of a prompt."""
    return hashlib.sha256(json.dumps(list(messages), ensure_ascii=False).encode()).hexdigest()


def as_lines(prompts: Mapping[str, Sequence[Message]], questions: Sequence[GoldQuestion]) -> str:
    """JSON lines: `id`, `kind`, `question`, `history`, `messages`, `sha256`, in the order of the questions."""
    rows = [
        {
            "id": gold.id,
            "kind": gold.kind,
            "question": gold.question,
            "history": list(gold.history),
            "messages": list(prompts[gold.id]),
            "sha256": fingerprint(prompts[gold.id]),
        }
        for gold in questions
        if gold.id in prompts
    ]
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def load_completions(path: Path) -> dict[str, Completion]:
    """The completions of JSON lines with `id` and `completion`. Raises `QuestionSetError` or `ReplayError`."""
    found: dict[str, Completion] = {}
    for one in read(path, _completion, "id, completion"):
        if one.id in found:
            raise ReplayError(f"{path}: two completions for “{one.id}”: keep one")
        found[one.id] = one
    return found


def _completion(record: Any) -> Completion:
    return Completion(as_text(record["id"]), as_text(record["completion"]), record.get("sha256"))
