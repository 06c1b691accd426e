"""A client for Ollama's own chat, which says how much context a model is to be given: Ollama cuts a longer prompt without a word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from llama_index.core.base.llms.types import ChatMessage, LLMMetadata
from pydantic import PrivateAttr

from assistant.llms.chat_completions import Adaptation, ChatCompletions, turns
from assistant.llms.chat_stream import Chunk, raise_error
from assistant.llms.endpoints import NoListError, ollama_context

_CONTEXT_SECONDS = 2.0
"""For the question how much a model holds, which Ollama answers from a file."""


class OllamaChat(ChatCompletions):
    """A model of an Ollama."""

    _tells_end: ClassVar[bool] = True
    _holds: int | None = PrivateAttr(default=None)

    @property
    def metadata(self) -> LLMMetadata:
        """With as much context as the options say and the model holds."""
        return LLMMetadata(context_window=self._context(), num_output=self.answer_tokens, is_chat_model=True, model_name=self.model)

    def _context(self) -> int:
        if self._holds is None:
            try:
                told = ollama_context(self.address, self.model, self.key.get_secret_value() if self.key else None, _CONTEXT_SECONDS)
            except NoListError:  # what is wrong shows, and is told, when it is asked the question itself
                told = None
            self._holds = min(self.context_window, told or self.context_window)
        return self._holds

    def _urls(self) -> list[str]:
        return [f"{self.address}/api/chat"]

    def _body(self, messages: Sequence[ChatMessage], adaptation: Adaptation) -> dict[str, Any]:
        out = adaptation.left_out
        options = {"num_ctx": self._context(), "num_predict": self.answer_tokens, "temperature": self.temperature}
        return {"model": self.model, "messages": turns(messages, "system" not in out), "stream": "stream" not in out, "options": options}

    def _read(self, document: Any) -> Chunk | None:
        if not isinstance(document, Mapping):
            return None
        message = document.get("message")
        if not isinstance(message, Mapping) or document.get("error"):
            raise_error(document)
            return None
        finish = document.get("done_reason") or "stop" if document.get("done") else None
        counts = {"prompt_tokens": document.get("prompt_eval_count"), "completion_tokens": document.get("eval_count")}
        text = message.get("content")
        return Chunk(
            text if isinstance(text, str) else "",
            finish,
            counts if document.get("done") else None,
            thought=bool(message.get("thinking")),
            tool=bool(message.get("tool_calls")),
        )
