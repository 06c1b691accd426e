"""What the server counts, for Prometheus: requests and their times, answers by outcome, papers. No text of a question."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from assistant.answer import Answer

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Metrics:
    """The figures of one server."""

    media_type = CONTENT_TYPE_LATEST

    def __init__(self, papers: Callable[[], int]) -> None:
        """`papers`: how many the library holds."""
        self._registry = CollectorRegistry()
        labels = ("method", "path")
        self._requests = Counter("assistant_requests", "Requests.", (*labels, "status"), registry=self._registry)
        self._seconds = Histogram("assistant_request_seconds", "Seconds until an answer began.", labels, registry=self._registry)
        self._answers = Counter("assistant_answers", "Answers by what wrote them and whether there was one.", ("mode", "outcome"),
                                registry=self._registry)  # fmt: skip
        self._answer_seconds = Histogram("assistant_answer_seconds", "Seconds from question to answer.", registry=self._registry)
        Gauge("assistant_papers", "Papers of the library.", registry=self._registry).set_function(papers)

    def saw(self, method: str, path: str, status: int, seconds: float) -> None:
        """A request; `path` is its route, of which there are few."""
        self._requests.labels(method, path, str(status)).inc()
        self._seconds.labels(method, path).observe(seconds)

    def answered(self, answer: Answer) -> None:
        """An answer was given, or declined."""
        self._answers.labels(answer.mode, "answered" if answer.answered else "declined").inc()
        self._answer_seconds.observe(answer.timings_ms.get("total", 0.0) / 1000)

    def text(self) -> bytes:
        """All of it."""
        return generate_latest(self._registry)


@dataclass(frozen=True)
class Measured:
    """ASGI middleware that counts what the application answers."""

    app: ASGIApp
    metrics: Metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hands on, and counts when the answer begins."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                path = getattr(scope.get("route"), "path", "other")
                self.metrics.saw(scope["method"], path, message["status"], time.perf_counter() - began)
            await send(message)

        await self.app(scope, receive, counted)
