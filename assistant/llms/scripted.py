"""A scripted LLM for testing code that uses the assistant: it says, and fails, as it is told.

    from assistant import Assistant
    from assistant.llms.scripted import ScriptedLLM

    llm = ScriptedLLM(replies=["It is fast [1]."])
    answer = Assistant(llm=llm).answer("How fast is it?")
    assert "How fast is it?" in llm.prompts[0]

A reply may be a function of the prompt, or an error, which is raised in its turn:

    ScriptedLLM(replies=[TimeoutError("asleep"), lambda prompt: prompt.splitlines()[-1]])

A LlamaIndex `LLM` like any other, so query engines take it too. Needs no network and no model. A
question with history is asked in two calls: the first condenses it, so it takes a reply of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from llama_index.core.llms import CompletionResponse, CompletionResponseGen, CustomLLM, LLMMetadata
from llama_index.core.llms.callbacks import llm_completion_callback
from pydantic import ConfigDict, PrivateAttr

Reply = str | Exception | Callable[[str], str]
"""What it says; what it raises instead; or what makes a text of the prompt."""


class ScriptedLLM(CustomLLM):
    """Gives `replies` in turn, the last again and again. `prompts` holds what it was asked."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    replies: list[Reply]
    piece: int = 7
    """Characters of each piece of a stream."""
    pieces: list[str] | None = None
    """The pieces of every stream, instead of replies cut by size: to cut a stream at a certain place."""
    fail_after: int | None = None
    """Raises `ConnectionError` after so many pieces; 0: before the first."""
    pause_seconds: float = 0.0
    """Before each piece."""
    context_window: int = 8192
    """How many tokens it says it takes."""
    model: str = "scripted"
    """Its name, which an answer's `mode` shows."""
    tokenizer: Any = None
    """Anything with `encode(text)`; without it, tokens are estimated as for any LLM that brings none."""
    usage: tuple[int, int] | None = None
    """Prompt and completion tokens that it tells, as servers do with the last piece."""
    _prompts: list[str] = PrivateAttr(default_factory=list)

    @property
    def prompts(self) -> list[str]:
        """The prompts so far, in order."""
        return self._prompts

    @property
    def metadata(self) -> LLMMetadata:
        """Named as `model` says."""
        return LLMMetadata(model_name=self.model, context_window=self.context_window)

    @llm_completion_callback()
    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        """The next reply, whole."""
        self._fail_at(0)
        time.sleep(self.pause_seconds)
        return CompletionResponse(text=self._next(prompt), raw=self._told())

    @llm_completion_callback()
    def stream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponseGen:
        """The next reply, in pieces."""
        reply = self._next(prompt)
        cut = [reply[start : start + self.piece] for start in range(0, len(reply), self.piece)]

        def pieces() -> CompletionResponseGen:
            said = ""
            for count, delta in enumerate(cut if self.pieces is None else self.pieces):
                self._fail_at(count)
                time.sleep(self.pause_seconds)
                said += delta
                yield CompletionResponse(text=said, delta=delta)
            if self.usage:
                yield CompletionResponse(text=said, delta="", raw=self._told())

        return pieces()

    def _told(self) -> dict[str, Any] | None:
        return {"usage": dict(zip(("prompt_tokens", "completion_tokens"), self.usage, strict=True))} if self.usage else None

    def _fail_at(self, count: int) -> None:
        if count == self.fail_after:
            raise ConnectionError("the scripted LLM was told to fail here")

    def _next(self, prompt: str) -> str:
        self._prompts.append(prompt)
        reply = self.replies[min(len(self._prompts), len(self.replies)) - 1]
        if isinstance(reply, Exception):
            raise reply
        return reply if isinstance(reply, str) else reply(prompt)
