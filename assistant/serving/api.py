"""The HTTP API: answers, search, papers and sources as JSON, answers also as server-sent events; health and metrics.

Goes in: an open assistant. Comes out: a FastAPI application, described at `/docs` with no asset of another's server.
Only reads the library. OpenAI's own paths stand in `openai.py`; who may ask, in `access.py`.
"""

# Annotations are read by FastAPI: they are no strings here.

import json
import logging
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse, Response, StreamingResponse
from fastapi_offline import FastAPIOffline
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from assistant import __version__
from assistant.answer import Answer, Done, Event, Reset, Retrieved, RetrievedPaper, Text
from assistant.errors import AssistantError, QuestionError
from assistant.pipeline import Assistant
from assistant.query.conversation import Turn
from assistant.query.filters import Filters
from assistant.serving.access import KEYS, Guard, address, problem
from assistant.serving.metrics import Measured, Metrics
from assistant.serving.openai import router as openai_router
from assistant.serving.records import PaperRecord, SourceRecord, filtered, paper_records, records_named, source_records
from assistant.serving.streams import EVENT_STREAM, FAILED, NO_STORE, events_of, last_of, server_sent, status_of
from index import IndexingError, bibliography
from index.citing import FORMATS

_LONGEST_HISTORY = 200
_MEDIA = {"bibtex": "application/x-bibtex", "ris": "application/x-research-info-systems", "csl": "application/vnd.citationstyles.csl+json"}
_EVENTS = {Retrieved: "retrieved", Text: "text", Reset: "reset", Done: "done"}


class AskedFilters(BaseModel):
    """Which papers an answer may use; what is left out does not filter."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    since: str | None = None
    """Only papers from this date on: 2024, 2024-05 or 2024-05-01."""
    until: str | None = None
    """Only papers up to this date."""
    source: str | None = None
    """Only papers of sources whose name holds this."""
    author: str | None = None
    """Only papers by this author: Family, "Given Family" or "Family, Given"."""
    text: str | None = None
    """Only papers that hold this text."""
    venue: str | None = None
    """Only papers of a journal or conference of this name."""
    tag: str | None = None
    """Only papers with this tag of yours."""

    def filters(self) -> Filters:
        """As the assistant takes them. Raises `FilterError`."""
        return Filters(**self.model_dump())


class EarlierTurn(BaseModel):
    """An earlier question with its answer, as `/v1/answer` gave it."""

    question: str
    answer: Answer


class Ask(BaseModel):
    """A question."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    question: str
    history: list[str | EarlierTurn] = Field(default=[], max_length=_LONGEST_HISTORY)
    """The earlier turns of the conversation, in order: the question alone, or with its answer."""
    filters: AskedFilters = AskedFilters()
    stream: bool = False
    """Answer as server-sent events `retrieved`, `text`, `reset`, `done`: text is provisional, the answer in `done` is what counts."""

    def turns(self) -> list[Turn]:
        """The history as the assistant takes it."""
        return [turn if isinstance(turn, str) else (turn.question, turn.answer) for turn in self.history]


class Health(BaseModel):
    """That the server answers."""

    status: str


Filtered = Annotated[AskedFilters, Depends()]


def create(assistant: Assistant) -> FastAPI:
    """The application, without a guard."""
    app = FastAPIOffline(
        redoc_url=None,
        title="Paper Assistant",
        version=__version__,
        summary="Ask a stack of papers a question; get a right answer with the papers' titles cited.",
        description=f"Where {KEYS} is set, send one of its keys as `Authorization: Bearer KEY`. Errors are problem documents (RFC 9457).",
        responses={"4XX": {"description": "A problem document", "content": {"application/problem+json": {}}}},
    )
    metrics = Metrics(lambda: assistant.library.catalogue.count())
    app.include_router(_router(assistant, metrics))
    app.include_router(openai_router(assistant, metrics))
    _tell_problems(app)

    app.add_middleware(Measured, metrics)
    return app


_API_PATHS = ("/v1/", "/health", "/metrics", "/docs", "/openapi.json", "/static-offline-docs/")


def beside(page: ASGIApp, assistant: Assistant, host: str, keys: tuple[str, ...]) -> ASGIApp:
    """A page with the API under its own paths (`/v1/`, `/docs`, `/health`, `/metrics`), in one process on one port."""
    api = Guard(create(assistant), host, keys)

    async def either(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        is_api = scope["type"] == "http" and any(path == one or (one.endswith("/") and path.startswith(one)) for one in _API_PATHS)
        await (api if is_api else page)(scope, receive, send)

    return either


def run(assistant: Assistant, host: str, port: int, keys: tuple[str, ...], announce: Callable[[str], None]) -> None:
    """Serves until interrupted."""
    import uvicorn

    app = Guard(create(assistant), host, keys)
    # No daemon: native code that the end of the process cuts off aborts it.
    threading.Thread(target=assistant.library.embedder.embed_queries, args=(["warm up"],)).start()
    here = address(host, port)
    announce(f"The API is on {here}, described at {here}/docs; OpenAI clients take {here}/v1 (Ctrl-C ends it)")
    uvicorn.run(app, host=host, port=port, log_config=None, access_log=False, timeout_graceful_shutdown=2)


def _router(assistant: Assistant, metrics: Metrics) -> APIRouter:
    router = APIRouter()

    @router.post("/v1/answer", summary="Answer a question", response_model=Answer, tags=["Paper Assistant"])
    async def answer(asked: Ask) -> Any:
        """Answer a question from the library with citations and quotes, or say that it has no answer (`answered` is false)."""
        events = events_of(assistant, asked.question, asked.turns(), asked.filters.filters())
        first = await anext(events)
        if asked.stream:
            return StreamingResponse(_streamed(first, events, metrics), media_type=EVENT_STREAM, headers=NO_STORE)
        done = await last_of(events)
        metrics.answered(done)
        return done

    @router.get("/v1/search", summary="Search for papers", tags=["Paper Assistant"])
    def search(
        filters: Filtered,
        q: Annotated[str, Query(description="What the papers are to be about.")],
        k: Annotated[int, Query(ge=1, le=100)] = 10,
    ) -> list[RetrievedPaper]:
        """List the papers nearest to a query, best first, with scores and no answer."""
        return assistant.search(q, k, filters.filters())

    @router.get("/v1/papers", summary="List papers", tags=["Paper Assistant"], response_model=list[PaperRecord])
    def papers(
        filters: Filtered,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        offset: Annotated[int, Query(ge=0)] = 0,
        format: Annotated[str | None, Query(description=f"References instead of JSON: {', '.join(FORMATS)}.")] = None,
    ) -> Any:
        """List the library's papers by title; `X-Total-Count` is how many there are in all."""
        library = _seen(assistant)
        found = filtered(library.library, filters.filters())
        page, total = found[offset : offset + limit], {"X-Total-Count": str(len(found))}
        if format is not None:
            return PlainTextResponse(bibliography(page, format), headers=total, media_type=_MEDIA.get(format, "text/markdown"))
        records = [asdict(record) for record in paper_records(page, assistant.library)]
        return Response(json.dumps(records), headers=total, media_type="application/json")

    @router.get("/v1/papers/{name:path}", summary="One paper", tags=["Paper Assistant"])
    def paper(name: str) -> list[PaperRecord]:
        """Give the papers that an id, DOI, arXiv id, PMID or whole title means: nearly always one."""
        try:
            return records_named(_seen(assistant).library, name)
        except QuestionError as error:
            raise HTTPException(404, str(error)) from error

    @router.get("/v1/sources", summary="List sources", tags=["Paper Assistant"])
    def sources() -> list[SourceRecord]:
        """List what the library was made from."""
        return source_records(_seen(assistant).library)

    @router.get("/health", summary="Whether the server answers", tags=["Operation"])
    def health() -> Health:
        """Say that the server answers; nothing of the library."""
        return Health(status="ok")

    @router.get("/metrics", summary="Figures for Prometheus", tags=["Operation"], response_class=PlainTextResponse)
    def figures() -> Response:
        """Give requests, times, answers and papers in Prometheus' text format; no question stands in it."""
        return Response(metrics.text(), media_type=metrics.media_type)

    return router


def _seen(assistant: Assistant) -> Assistant:
    """The same, having seen what other processes wrote."""
    assistant.library.reopen_if_moved()
    return assistant


async def _streamed(first: Event, events: AsyncIterator[Event], metrics: Metrics) -> AsyncIterator[str]:
    """The events as they are sent; a failure is the last of them."""
    yield server_sent(asdict(first), _EVENTS[type(first)])
    try:
        async for event in events:
            if isinstance(event, Done):
                metrics.answered(event.answer)
                yield server_sent(event.answer.to_dict(), "done")
            else:
                yield server_sent(asdict(event), _EVENTS[type(event)])
    except (AssistantError, IndexingError) as error:
        yield server_sent(bytes(problem(status_of(error), str(error)).body).decode(), "error")
    except Exception:
        logging.exception("an answer failed")
        yield server_sent(bytes(problem(500, FAILED).body).decode(), "error")


def _tell_problems(app: FastAPI) -> None:
    """Makes every error a problem document."""

    async def ours(_: Request, error: Exception) -> Response:
        return problem(status_of(error), str(error))

    async def invalid(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        wrong = [f"{'.'.join(str(part) for part in each['loc'] if part != 'body') or 'body'}: {each['msg']}" for each in error.errors()]
        return problem(422, "; ".join(wrong))

    async def http(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return problem(error.status_code, str(error.detail), **dict(error.headers or {}))

    async def unexpected(_: Request, error: Exception) -> Response:
        logging.error("a request failed", exc_info=error)
        return problem(500, FAILED)

    for kind in (AssistantError, IndexingError):
        app.add_exception_handler(kind, ours)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(Exception, unexpected)
