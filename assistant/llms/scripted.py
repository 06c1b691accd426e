"""A scripted LLM for testing code that uses the assistant: it says what it is told to say.

    from assistant import Assistant
    from assistant.llms.scripted import ScriptedLLM

    llm = ScriptedLLM(replies=["It is fast [1]."])
    answer = Assistant(llm=llm).answer("How fast is it?")
    assert "How fast is it?" in llm.prompts[0]

A LlamaIndex `LLM` like any other, so query engines take it too. Needs no network and no model.
"""

from __future__ import annotations

from typing import Any

from llama_index.core.llms import CompletionResponse, CompletionResponseGen, CustomLLM, LLMMetadata
from llama_index.core.llms.callbacks import llm_completion_callback
from pydantic import PrivateAttr


class ScriptedLLM(CustomLLM):
    """Gives `replies` in turn, the last again and again, in pieces of `piece` characters.

    With `fail_after` it raises `ConnectionError` after so many pieces (0: before the first).
    `prompts` holds what it was asked, and `context_window` is how many tokens it says it takes.
    """

    replies: list[str]
    piece: int = 7
    fail_after: int | None = None
    context_window: int = 8192
    _prompts: list[str] = PrivateAttr(default_factory=list)

    @property
    def prompts(self) -> list[str]:
        """The prompts so far, in order."""
        return self._prompts

    @property
    def metadata(self) -> LLMMetadata:
        """Named `scripted`."""
        return LLMMetadata(model_name="scripted", context_window=self.context_window)

    @llm_completion_callback()
    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        """The next reply, whole."""
        self._fail_at(0)
        return CompletionResponse(text=self._next(prompt))

    @llm_completion_callback()
    def stream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponseGen:
        """The next reply, in pieces."""
        reply = self._next(prompt)

        def pieces() -> CompletionResponseGen:
            for count, start in enumerate(range(0, len(reply), self.piece)):
                self._fail_at(count)
                yield CompletionResponse(text=reply[: start + self.piece], delta=reply[start : start + self.piece])

        return pieces()

    def _fail_at(self, count: int) -> None:
        if count == self.fail_after:
            raise ConnectionError("the scripted LLM was told to fail here")

    def _next(self, prompt: str) -> str:
        self._prompts.append(prompt)
        return self.replies[min(len(self._prompts), len(self.replies)) - 1]
