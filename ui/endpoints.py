"""What programs call by name, with `gradio_client`: `/answer` and `/search`. docs/chat-page.md tells their schema."""

from __future__ import annotations

from typing import Any

import gradio as gr
from gradio.events import api

from assistant import Assistant, AssistantError, Filters
from index import IndexingError
from ui.narrowing import Narrowing

_AT_ONCE = 2
"""Calls of programs that are answered at a time, beside those of readers."""
_MOST_FOUND = 100


class Endpoints:
    """The named endpoints over one assistant."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant

    def build(self) -> None:
        """Adds them to the page that is being built."""
        for call, name in ((self.answer, "answer"), (self.search, "search")):
            api(call, api_name=name, concurrency_limit=_AT_ONCE, concurrency_id="programs")

    def answer(self, question: str, papers: list[str] | None = None) -> dict[str, Any]:
        """The answer to a question, as `Answer.to_dict` tells it. `papers`: ids of the papers that alone are asked; none: all."""
        with _Told():
            return self._assistant.answer(question, filters=Narrowing(only=tuple(papers or ())).filters(self._assistant.library)).to_dict()

    def search(self, query: str, k: int = 10) -> list[dict[str, Any]]:
        """The `k` papers nearest to a query, best first, at most 100."""
        with _Told():
            found = self._assistant.search(query, min(k, _MOST_FOUND), Filters())
        return [vars(paper) for paper in found]


class _Told:
    """Errors of the program become what Gradio tells the caller."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, AssistantError | IndexingError):
            raise gr.Error(str(error)) from error
