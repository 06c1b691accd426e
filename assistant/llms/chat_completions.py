"""A client for OpenAI's chat completions that takes servers as they are; a LlamaIndex `LLM` like any other.

Goes in: an address as people write it, a model, messages. Comes out: the answer, piece by piece. What a server
refuses (a parameter, the role `system`, streaming, the place that was guessed) is left out or changed and the request
made again, once for each refusal; what was learnt of a server and model is kept for this process. Nothing goes
through a proxy to this machine or its own network, and no redirect is followed. Does not retry what failed.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, ClassVar

import httpx
from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    ChatResponseAsyncGen,
    ChatResponseGen,
    CompletionResponse,
    CompletionResponseAsyncGen,
    CompletionResponseGen,
    LLMMetadata,
    MessageRole,
)
from llama_index.core.llms.callbacks import llm_chat_callback, llm_completion_callback
from llama_index.core.llms.llm import LLM
from pydantic import Field, SecretStr

from assistant.llms.chat_stream import Chunk, Documents, NoAnswerError, ServerError, chunk, raise_error
from assistant.llms.endpoints import is_private_network, key_headers, urls, wants_api_key
from assistant.llms.failures import says_too_long
from assistant.llms.stream import request_loop

LIMITS = ("max_tokens", "max_completion_tokens")
"""The names of the length limit, old and new; a server that refuses one is given the other."""

_MOST_ATTEMPTS = 8
"""Of one request: one for each thing that can be refused, and for each place."""
_MOST_ERROR_BYTES = 100_000
_CONNECT_SECONDS = 10.0
_NOT_OF_PARAMETERS = frozenset({401, 402, 403, 404, 405, 408, 413, 429})
_WRONG_PLACE = frozenset({404, 405})

_REFUSES_SYSTEM = re.compile(
    r"\bsystem\b[^.]{0,40}\b(?:role|messages?|prompts?|instructions?)\b|\broles?\b[^.]{0,80}\bsystem\b|\broles? must alternate\b"
    r"|\bonly user\b[^.]{0,20}\bassistant\b|\bdeveloper instruction|\bmessages(?:\[\d+\]|\.\d+)\.role\b",
    re.IGNORECASE,
)
_REFUSES_STREAM = re.compile(r"\bstream(?:ing|ed)?\b(?!_)", re.IGNORECASE)


@dataclass(frozen=True)
class Adaptation:
    """What a server turned out to want for a model."""

    place: int = 0
    """Which of the URLs that the address may mean."""
    left_out: tuple[str, ...] = ()
    """What it refused: names of parameters, `system`, `stream`."""
    bearer: bool | None = None
    """How it takes its key, where not as its address says."""


_learnt: dict[tuple[str, str], Adaptation] = {}
"""By (address, model), in this process."""


class ChatCompletions(LLM):
    """A model behind an address. Its class knows no provider."""

    model: str
    address: str
    key: SecretStr | None = Field(default=None, exclude=True)
    context_window: int
    answer_tokens: int
    timeout_seconds: float
    temperature: float = 0.0
    limit: str = LIMITS[0]
    """The name of the length limit that is tried first."""

    _tells_end: ClassVar[bool] = False
    """Whether an answer without a word on why it ended is always one that broke off."""

    @property
    def metadata(self) -> LLMMetadata:
        """What the options said of it."""
        return LLMMetadata(context_window=self.context_window, num_output=self.answer_tokens, is_chat_model=True, model_name=self.model)

    @property
    def left_out(self) -> tuple[str, ...]:
        """What its server has refused so far, and is no longer sent."""
        return _learnt.get((self.address, self.model), Adaptation()).left_out

    # The request

    async def _chunks(self, messages: Sequence[ChatMessage]) -> AsyncGenerator[Chunk, None]:
        """The answer's pieces, by as many attempts as the server refuses things."""
        adaptation = _learnt.get((self.address, self.model), Adaptation())
        likeliest: Exception | None = None
        for attempt in range(_MOST_ATTEMPTS):
            started = False
            try:
                async with aclosing(self._attempt(messages, adaptation)) as pieces:
                    async for piece in pieces:
                        if not started:
                            started = True
                            _learnt[self.address, self.model] = adaptation
                        yield piece
                return
            except (ServerError, NoAnswerError, ValueError) as error:
                changed = None if started or attempt == _MOST_ATTEMPTS - 1 else self._adapted(error, adaptation)
                if changed is None:  # where no place is right, what the likeliest said is told
                    if likeliest is not None and _is_wrong_place(error):
                        raise likeliest from error
                    raise
                likeliest = likeliest or error
                adaptation = changed

    def _adapted(self, error: Exception, before: Adaptation) -> Adaptation | None:
        """What to try after this refusal; None where it was about something else."""
        if _is_wrong_place(error):
            further = before.place + 1 < len(self._urls())
            return replace(before, place=before.place + 1) if further else None
        assert isinstance(error, ServerError)
        if error.status_code == 401 and before.bearer is None and self.key and wants_api_key(self._url(before)):
            return replace(before, bearer=True)
        refused = refused_part(error, self._body((), before).keys() | {"system"} - set(before.left_out))
        return replace(before, left_out=(*before.left_out, refused)) if refused else None

    async def _attempt(self, messages: Sequence[ChatMessage], adaptation: Adaptation) -> AsyncGenerator[Chunk, None]:
        url, key = self._url(adaptation), self.key.get_secret_value() if self.key else None
        headers = {"Accept": "text/event-stream, application/json", **key_headers(url, key, adaptation.bearer)}
        timeout = httpx.Timeout(self.timeout_seconds, connect=min(_CONNECT_SECONDS, self.timeout_seconds))
        client = httpx.AsyncClient(timeout=timeout, trust_env=not is_private_network(url), verify=_certificates(), follow_redirects=False)
        async with client, client.stream("POST", url, json=self._body(messages, adaptation), headers=headers) as response:
            if response.status_code >= 300:
                await _raise_for(response)
            async with aclosing(_pieces(response, self._read, self._tells_end)) as pieces:
                async for piece in pieces:
                    yield piece

    def _urls(self) -> list[str]:
        return urls(self.address, self.model)

    def _url(self, adaptation: Adaptation) -> str:
        return self._urls()[adaptation.place]

    def _read(self, document: Any) -> Chunk | None:
        return chunk(document)

    def _body(self, messages: Sequence[ChatMessage], adaptation: Adaptation) -> dict[str, Any]:
        out = adaptation.left_out
        body: dict[str, Any] = {"model": self.model, "messages": turns(messages, "system" not in out), "temperature": self.temperature}
        limits = [name for name in (self.limit, *LIMITS) if name not in out]
        if limits:
            body[limits[0]] = self.answer_tokens
        if "stream" not in out:
            body |= {"stream": True, "stream_options": {"include_usage": True}}
        return {name: value for name, value in body.items() if name not in out}

    # LlamaIndex's interface

    async def _responses(self, messages: Sequence[ChatMessage]) -> ChatResponseAsyncGen:
        said = ""
        async with aclosing(self._chunks(messages)) as pieces:
            async for piece in pieces:
                said += piece.delta
                yield ChatResponse(
                    message=ChatMessage(role=MessageRole.ASSISTANT, content=said),
                    delta=piece.delta,
                    raw={"choices": [{"finish_reason": piece.finish}], "usage": piece.usage},
                    additional_kwargs={"thought": piece.thought, "tool": piece.tool},
                )

    @llm_chat_callback()
    async def astream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseAsyncGen:
        """The answer as it comes."""
        return self._responses(messages)

    @llm_chat_callback()
    async def achat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """The whole answer."""
        whole = ChatResponse(message=ChatMessage(role=MessageRole.ASSISTANT, content=""))
        async for response in self._responses(messages):
            whole = response
        return whole

    @llm_chat_callback()
    def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseGen:
        """The answer as it comes."""
        return _awaited(self._responses(messages))

    @llm_chat_callback()
    def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
        """The whole answer."""
        *_, whole = _awaited(self._responses(messages))
        return whole

    @llm_completion_callback()
    async def astream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponseAsyncGen:
        """The answer to a single message, as it comes."""

        async def completions() -> CompletionResponseAsyncGen:
            async for response in self._responses([ChatMessage(content=prompt)]):
                yield _completion(response)

        return completions()

    @llm_completion_callback()
    async def acomplete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        """The whole answer to a single message."""
        return _completion(await self.achat([ChatMessage(content=prompt)]))

    @llm_completion_callback()
    def stream_complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponseGen:
        """The answer to a single message, as it comes."""
        return (_completion(response) for response in _awaited(self._responses([ChatMessage(content=prompt)])))

    @llm_completion_callback()
    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        """The whole answer to a single message."""
        return _completion(self.chat([ChatMessage(content=prompt)]))


def _is_wrong_place(error: Exception) -> bool:
    """Whether what came says that this protocol is not spoken at a URL."""
    return not isinstance(error, ServerError) or error.status_code in _WRONG_PLACE


def refused_part(error: ServerError, sent: set[str]) -> str | None:
    """Which part of what was `sent` a server refuses; None where it complains about something else."""
    if error.status_code in _NOT_OF_PARAMETERS or says_too_long(error.message):
        return None
    named = error.param.partition(".")[0]
    if named in sent - {"messages", "model"}:
        return named
    said = f"{error.param} {error.message}"
    if "system" in sent and _REFUSES_SYSTEM.search(said):
        return "system"
    for name in ("stream_options", *LIMITS, "temperature"):
        if name in sent and re.search(rf"(?<!\w){name}(?!\w)", said, re.IGNORECASE):
            return name
    return "stream" if "stream" in sent and _REFUSES_STREAM.search(said) else None


def turns(messages: Sequence[ChatMessage], system: bool) -> list[dict[str, str]]:
    """The messages as they are sent; without the role `system`, its words stand before the user's."""
    turns = [{"role": message.role.value, "content": str(message.content or "")} for message in messages]
    if system or not turns or turns[0]["role"] != "system":
        return turns
    first, *rest = turns
    if not rest:
        return [{"role": "user", "content": first["content"]}]
    return [{"role": "user", "content": f"{first['content']}\n\n{rest[0]['content']}"}, *rest[1:]]


async def _pieces(response: httpx.Response, read: Callable[[Any], Chunk | None], tells_end: bool) -> AsyncGenerator[Chunk, None]:
    """The pieces of a response with a good status. Raises `NoAnswerError` where it is nothing of this protocol."""
    documents, any_piece, finished = Documents(), False, False
    async for document in _documents(response, documents):
        piece = read(document)
        if piece is not None:
            any_piece = any_piece or piece.usage is None or bool(piece.delta or piece.finish)
            finished = finished or piece.finish is not None
            yield piece
    if not any_piece:
        raise NoAnswerError("no answer in what it sent")
    if not finished and not tells_end and (documents.done or documents.alone):
        yield Chunk(finish="stop")


async def _documents(response: httpx.Response, documents: Documents) -> AsyncIterator[Any]:
    async for data in response.aiter_bytes():
        for document in documents.feed(data):
            yield document
        if documents.done:
            return
    for document in documents.end():
        yield document


async def _raise_for(response: httpx.Response) -> None:
    """Raises `ServerError` for a response whose status is no good one, with its own words."""
    import json

    status, headers = response.status_code, response.headers
    if status < 400:
        target = str(response.headers.get("location", "")).partition("?")[0]
        raise ServerError(f"it redirects to {target}: name that address", status)
    body = b""
    async for data in response.aiter_bytes():
        body += data
        if len(body) > _MOST_ERROR_BYTES:
            break
    text = body.decode("utf-8", "replace").strip()
    try:
        document = json.loads(text)
    except ValueError:
        raise ServerError(text, status, headers) from None
    document = document[0] if isinstance(document, list) and document else document
    raise_error(document if isinstance(document, Mapping) else {"error": str(document)}, status, headers)


@cache
def _certificates() -> ssl.SSLContext:
    """Read once: that takes longer than a request to this machine."""
    return httpx.create_ssl_context()


def _awaited(responses: ChatResponseAsyncGen) -> Generator[ChatResponse, None, None]:
    """An asynchronous stream for who cannot await it."""
    loop = request_loop()

    async def following() -> ChatResponse | None:
        return await anext(responses, None)

    async def closed() -> None:
        await responses.aclose()

    try:
        while (response := asyncio.run_coroutine_threadsafe(following(), loop).result()) is not None:
            yield response
    finally:
        asyncio.run_coroutine_threadsafe(closed(), loop).result()


def _completion(response: ChatResponse) -> CompletionResponse:
    return CompletionResponse(
        text=response.message.content or "", delta=response.delta, raw=response.raw, additional_kwargs=response.additional_kwargs
    )
