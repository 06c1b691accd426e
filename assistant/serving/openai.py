"""OpenAI's chat completions over the library, so that any of its clients can use it as a model.

Goes in: a conversation's messages. The last one asks; those before are its history: an earlier answer's citations are
read back from the numbered titles below it, a decline from its first words. System messages, tools and sampling say
nothing to a library and are left aside. Comes out: the answer with numbered titles below, and its citations as
annotations. Nothing is streamed before it is checked, since a client cannot take back what it showed: the role comes at
once, a comment while the answer is made, then the text in sentences.
"""

# Annotations are read by FastAPI: they are no strings here.

import asyncio
import logging
import re
import time
import uuid
from collections.abc import AsyncIterator
from typing import Any, Literal

from fastapi import APIRouter
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, Field

from assistant.answer import NO_ANSWER, Answer, Citation
from assistant.errors import AssistantError, QuestionError
from assistant.pipeline import Assistant
from assistant.query.conversation import Turn
from assistant.query.filters import Filters
from assistant.sanitize import visible
from assistant.serving.access import problem
from assistant.serving.metrics import Metrics
from assistant.serving.streams import EVENT_STREAM, FAILED, NO_STORE, events_of, last_of, server_sent, status_of
from index import IndexingError, Paper, link
from index.lookup import papers_named
from index.sentences import sentence_spans

MODEL = "paper-assistant"
_SOURCES = "Sources:"
_SOURCE = re.compile(r"^\[(\d{1,3})\] (.{1,1000}?)(?: <[^<>\s]{1,2000}>)?(?: \([^()]{1,200}\))?$")
_KEPT_ALIVE = 10.0
"""Seconds of silence after which a comment is sent, so that no proxy takes the connection for dead."""
_LONGEST_HISTORY = 1000


class Part(BaseModel):
    """A part of a message's content."""

    type: str
    text: str = ""


class Message(BaseModel):
    """A message."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = None

    @property
    def text(self) -> str:
        """Its text. Raises `QuestionError` where it holds anything else."""
        if self.content is None or isinstance(self.content, str):
            return self.content or ""
        if other := [part.type for part in self.content if part.type not in {"text", "input_text", "refusal"}]:
            raise QuestionError(f"messages hold text only here, not {other[0]}")
        return "\n".join(part.text for part in self.content)


class StreamOptions(BaseModel):
    """What a stream holds beside."""

    include_usage: bool = False


class Completion(BaseModel):
    """A request; what a library has no use for is left aside."""

    model: str
    messages: list[Message] = Field(max_length=_LONGEST_HISTORY)
    stream: bool = False
    stream_options: StreamOptions | None = None
    n: int | None = 1


def router(assistant: Assistant, metrics: Metrics) -> APIRouter:
    """The paths."""
    paths = APIRouter(tags=["OpenAI"])
    began = int(time.time())
    known = {"id": MODEL, "object": "model", "created": began, "owned_by": "paper-assistant"}

    @paths.get("/v1/models", summary="The models: one, the library")
    def models() -> dict[str, Any]:
        return {"object": "list", "data": [known]}

    @paths.get("/v1/models/{model}", summary="One model")
    def model(model: str) -> Any:
        return known if model == MODEL else _unknown(model)

    @paths.post("/v1/chat/completions", summary="Answer the last message of a conversation")
    async def complete(asked: Completion) -> Any:
        if asked.model != MODEL:
            return _unknown(asked.model)
        if asked.n not in (None, 1):
            return problem(400, "n: a library has one answer: leave n out", "unsupported_value")
        question, history = _conversation(assistant, asked.messages)
        events = events_of(assistant, question, history, Filters())
        await anext(events)
        making = asyncio.ensure_future(last_of(events))
        head = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time()), "model": MODEL}
        if asked.stream:
            usage = asked.stream_options is not None and asked.stream_options.include_usage
            return StreamingResponse(_streamed(head, making, usage, metrics), media_type=EVENT_STREAM, headers=NO_STORE)
        answer = await making
        metrics.answered(answer)
        text = written(answer)
        message = {"role": "assistant", "content": text, "refusal": None, "annotations": annotations(answer, text)}
        choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
        return {**head, "object": "chat.completion", "choices": [choice], "usage": _usage(answer)}

    return paths


def written(answer: Answer) -> str:
    """The answer with its numbered titles, each with its link; warnings below."""
    lines = [answer.text]
    if answer.citations:
        links = {citation.marker: citation.url for citation in answer.citations}
        lines += ["", _SOURCES]
        for marker, title, note in answer.titles():
            at = f" <{links[marker]}>" if links[marker] else ""
            lines.append(f"[{marker}] {title}{at}" + (f" ({note})" if note else ""))
    return visible("\n".join(lines + [f"! {warning}" for warning in answer.warnings]))


def annotations(answer: Answer, text: str) -> list[dict[str, Any]]:
    """A `url_citation` for each marker in the text: its place, and the paper's title and link."""
    cited = {citation.marker: citation for citation in reversed(answer.citations)}
    body = text.split(f"\n\n{_SOURCES}\n")[0]
    found = []
    for marker in re.finditer(r"\[(\d{1,3})\]", body):
        if (citation := cited.get(int(marker[1]))) is not None:
            url = citation.url or f"urn:paper-assistant:{citation.paper_id}"
            place = {"start_index": marker.start(), "end_index": marker.end(), "title": citation.display_title, "url": url}
            found.append({"type": "url_citation", "url_citation": place})
    return found


def _conversation(assistant: Assistant, messages: list[Message]) -> tuple[str, list[Turn]]:
    """The question, and the turns before it. Raises `QuestionError` where nothing is asked."""
    said = [message for message in messages if message.role in {"user", "assistant"} and message.text.strip()]
    if not said or said[-1].role != "user":
        raise QuestionError("messages: the last one is to be the user's question")
    turns: list[Turn] = []
    for message in said[:-1]:
        if message.role == "user":
            turns.append(message.text)
        elif turns and isinstance(turns[-1], str) and (answer := _read_back(assistant, turns[-1], message.text)) is not None:
            turns[-1] = (turns[-1], answer)
    return said[-1].text, turns


def _read_back(assistant: Assistant, question: str, text: str) -> Answer | None:
    """An answer of ours as a client sends it back; None where it cites nothing and declines nothing."""
    body, _, below = text.partition(f"\n\n{_SOURCES}\n")
    if body.startswith(NO_ANSWER):
        return Answer(question, body, answered=False, mode="", confidence=0.0, reason=body.splitlines()[0])
    citations = []
    for line in below.splitlines():
        if (found := _SOURCE.match(line)) and (paper := _titled(assistant, found[2])) is not None:
            citations.append(_cited(int(found[1]), paper))
    return Answer(question, body, answered=True, mode="", confidence=0.0, citations=tuple(citations)) if citations else None


def _titled(assistant: Assistant, title: str) -> Paper | None:
    return next(iter(papers_named(assistant.library.catalogue, title)), None)


def _cited(marker: int, paper: Paper) -> Citation:
    return Citation(marker, paper.paper_id, paper.title, paper.display_title, "", 0, 0, 0.0, True, link(paper), paper.date)


async def _streamed(head: dict[str, Any], making: asyncio.Future[Answer], usage: bool, metrics: Metrics) -> AsyncIterator[str]:
    def chunk(delta: dict[str, Any], finish: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        return server_sent({**head, "object": "chat.completion.chunk", "choices": [choice]})

    try:
        yield chunk({"role": "assistant", "content": ""})
        while not (await asyncio.wait([making], timeout=_KEPT_ALIVE))[0]:
            yield ": reading the papers\n\n"
        answer = making.result()
        metrics.answered(answer)
        text = written(answer)
        for piece in pieces(text):
            yield chunk({"content": piece})
        yield chunk({"annotations": annotations(answer, text)}, "stop")
        if usage:
            yield server_sent({**head, "object": "chat.completion.chunk", "choices": [], "usage": _usage(answer)})
        yield server_sent("[DONE]")
    except (AssistantError, IndexingError) as error:
        yield server_sent(bytes(problem(status_of(error), str(error)).body).decode())
    except Exception:
        logging.exception("an answer failed")
        yield server_sent(bytes(problem(500, FAILED).body).decode())
    finally:
        making.cancel()


def pieces(text: str) -> list[str]:
    """The text in sentences, white space with the one before; together they are the text."""
    starts = [start for start, _ in sentence_spans(text)] or [0]
    return [text[start:end] for start, end in zip([0, *starts[1:]], [*starts[1:], len(text)], strict=True)]


def _usage(answer: Answer) -> dict[str, int]:
    """Tokens of the LLM; none where the answer quotes."""
    prompt = (answer.usage.prompt_tokens if answer.usage else None) or 0
    completion = (answer.usage.completion_tokens if answer.usage else None) or 0
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def _unknown(model: str) -> Response:
    return problem(404, f"there is no model “{model[:200]}” here: ask for {MODEL}", "model_not_found")
