"""Servers on loopback that speak the documented wire formats of OpenAI, Anthropic and Ollama, and fail as they do."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

KEY = "sk-right-key"
PROMPT_TOKENS, COMPLETION_TOKENS = 321, 12

Behaviour = Callable[["Wire"], None]


class Wire(BaseHTTPRequestHandler):
    """One request, in one provider's format; what it does is the server's `behaviour`."""

    protocol_version = "HTTP/1.1"
    server: WireServer

    name: ClassVar[str]
    """The provider's."""
    model: ClassVar[str]
    """The one that it has, which no client's table knows."""
    base: ClassVar[str]
    """The environment variable that names its address."""
    key_variable: ClassVar[str]
    root: ClassVar[str]
    """What of the path belongs to that address."""
    asked_at: ClassVar[str]
    listed_at: ClassVar[str]

    def do_GET(self) -> None:
        if self.path.partition("?")[0] != self.listed_at:
            self.fail(404, "not found")
        elif not self.has_key():
            self.fail(401, "invalid key")
        else:
            self.whole(200, json.dumps(self.listed()))

    def do_POST(self) -> None:
        self.body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append((self.path, self.body))
        self.close_connection = True
        try:
            if self.path == self.asked_at:
                self.server.behaviour(self)
            else:
                self.other()
        except (BrokenPipeError, ConnectionResetError):
            self.server.hung_up.set()

    def log_message(self, format: str, *args: Any) -> None:
        """Silent."""

    def whole(self, status: int, text: str, headers: dict[str, str] | None = None) -> None:
        data = text.encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def begin(self, kind: str = "text/event-stream") -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def send(self, text: str) -> None:
        data = text.encode()
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def close(self) -> None:
        self.wfile.write(b"0\r\n\r\n")

    def other(self) -> None:
        self.fail(404, "not found")

    def has_key(self) -> bool:
        return self.headers["Authorization"] == f"Bearer {KEY}"

    def fail(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        raise NotImplementedError

    def listed(self) -> dict[str, Any]:
        return {"object": "list", "data": [{"id": self.model, "object": "model"}, {"id": "text-embedding-9", "object": "model"}]}

    def open(self) -> None:
        raise NotImplementedError

    def say(self, text: str) -> None:
        """Text, in pieces."""
        raise NotImplementedError

    def end(self, cut: bool = False) -> None:
        raise NotImplementedError

    def fail_inside(self, message: str) -> None:
        """An error after the answer has begun."""
        raise NotImplementedError


class OpenAIWire(Wire):
    """POST /v1/chat/completions, server-sent events, `[DONE]` at the end."""

    name, model, base, key_variable = "openai", "gpt-99-mini", "OPENAI_BASE_URL", "OPENAI_API_KEY"
    root, asked_at, listed_at = "/v1", "/v1/chat/completions", "/v1/models"

    def fail(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        self.whole(status, json.dumps({"error": {"message": message, "type": "error", "param": None, "code": None}}), headers)

    def open(self) -> None:
        self.begin()
        self._event([{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}])

    def say(self, text: str) -> None:
        for piece in pieces(text):
            self._event([{"index": 0, "delta": {"content": piece}, "finish_reason": None}])

    def end(self, cut: bool = False) -> None:
        self._event([{"index": 0, "delta": {}, "finish_reason": "length" if cut else "stop"}])
        if self.body.get("stream_options", {}).get("include_usage"):
            total = PROMPT_TOKENS + COMPLETION_TOKENS
            self._event([], usage={"prompt_tokens": PROMPT_TOKENS, "completion_tokens": COMPLETION_TOKENS, "total_tokens": total})
        self.send("data: [DONE]\n\n")

    def fail_inside(self, message: str) -> None:
        self.send(f"data: {json.dumps({'error': {'message': message}})}\n\n")

    def _event(self, choices: list[dict[str, Any]], **more: Any) -> None:
        event = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": self.model, "choices": choices, **more}
        self.send(f"data: {json.dumps(event)}\n\n")


class AnthropicWire(Wire):
    """POST /v1/messages, named server-sent events."""

    name, model, base, key_variable = "anthropic", "claude-gamma-99", "ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY"
    root, asked_at, listed_at = "", "/v1/messages", "/v1/models"

    def has_key(self) -> bool:
        return self.headers["x-api-key"] == KEY and bool(self.headers["anthropic-version"])

    def fail(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        kind = {401: "authentication_error", 404: "not_found_error", 429: "rate_limit_error"}.get(status, "api_error")
        self.whole(status, json.dumps({"type": "error", "error": {"type": kind, "message": message}}), headers)

    def open(self) -> None:
        self.begin()
        message = {"id": "m1", "type": "message", "role": "assistant", "model": self.model, "content": [], "stop_reason": None}
        usage = {"input_tokens": PROMPT_TOKENS, "output_tokens": 1}
        self._event("message_start", message={**message, "stop_sequence": None, "usage": usage})
        self._event("content_block_start", index=0, content_block={"type": "text", "text": ""})
        self._event("ping")

    def say(self, text: str) -> None:
        for piece in pieces(text):
            self._event("content_block_delta", index=0, delta={"type": "text_delta", "text": piece})

    def end(self, cut: bool = False) -> None:
        self._event("content_block_stop", index=0)
        delta = {"stop_reason": "max_tokens" if cut else "end_turn", "stop_sequence": None}
        self._event("message_delta", delta=delta, usage={"output_tokens": COMPLETION_TOKENS})
        self._event("message_stop")

    def fail_inside(self, message: str) -> None:
        self._event("error", error={"type": "overloaded_error", "message": message})

    def _event(self, kind: str, **fields: Any) -> None:
        self.send(f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n")


class OllamaWire(Wire):
    """POST /api/chat, one JSON document a line; /api/show tells a model's context, /api/tags lists."""

    name, model, base, key_variable = "ollama", "quokka9:4b", "OLLAMA_HOST", "OLLAMA_API_KEY"
    root, asked_at, listed_at = "", "/api/chat", "/api/tags"
    holds = 4096

    def fail(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        self.whole(status, json.dumps({"error": message}), headers)

    def listed(self) -> dict[str, Any]:
        embedder = {"name": "all-minilm:latest", "details": {"family": "bert"}}
        return {"models": [{"name": self.model, "details": {"family": "quokka"}}, embedder]}

    def other(self) -> None:
        if self.path != "/api/show":
            self.fail(404, "not found")
        elif self.body["model"] != self.model:
            self.fail(404, f"model '{self.body['model']}' not found")
        else:
            self.whole(200, json.dumps({"model_info": {"general.architecture": "quokka", "quokka.context_length": self.holds}}))

    def open(self) -> None:
        self.begin("application/x-ndjson")

    def say(self, text: str) -> None:
        for piece in pieces(text):
            self._line(message={"role": "assistant", "content": piece}, done=False)

    def end(self, cut: bool = False) -> None:
        counts = {"prompt_eval_count": PROMPT_TOKENS, "eval_count": COMPLETION_TOKENS, "total_duration": 5}
        self._line(message={"role": "assistant", "content": ""}, done=True, done_reason="length" if cut else "stop", **counts)

    def fail_inside(self, message: str) -> None:
        self.send(json.dumps({"error": message}) + "\n")

    def _line(self, **fields: Any) -> None:
        self.send(json.dumps({"model": self.model, "created_at": "2026-01-01T00:00:00Z", **fields}) + "\n")


class WireServer(ThreadingHTTPServer):
    """Listens on a free port of this machine until closed."""

    daemon_threads = True

    def __init__(self, wire: type[Wire]) -> None:
        super().__init__(("127.0.0.1", 0), wire)
        self.wire = wire
        self.behaviour: Behaviour = says("")
        self.requests: list[tuple[str, dict[str, Any]]] = []
        """(path, body) of each POST."""
        self.hung_up = threading.Event()

    @property
    def address(self) -> str:
        """What the provider's environment variable is to hold."""
        return f"http://127.0.0.1:{self.server_address[1]}{self.wire.root}"

    @property
    def spec(self) -> str:
        """The LLM's name."""
        return f"{self.wire.name}:{self.wire.model}"

    def questions(self) -> list[dict[str, Any]]:
        """The bodies of what was asked, other requests left out."""
        return [body for path, body in self.requests if path == self.wire.asked_at]


def serving(wire: type[Wire]) -> Iterator[WireServer]:
    """A server that is on until the generator is closed."""
    server = WireServer(wire)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def pieces(text: str, size: int = 9) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


def says(text: str, cut: bool = False) -> Behaviour:
    """A good answer, for the right key and model."""

    def behave(wire: Wire) -> None:
        if not wire.has_key():
            wire.fail(401, "invalid key: sk-wr***ey")
        elif wire.body["model"] != wire.model:
            wire.fail(404, f"model {wire.body['model']} not found")
        else:
            wire.open()
            wire.say(text)
            wire.end(cut)
            wire.close()

    return behave


def fails(status: int, headers: dict[str, str] | None = None) -> Behaviour:
    return lambda wire: wire.fail(status, f"failed with {status}", headers)


def breaks_off(text: str) -> Behaviour:
    """Ends the response properly, in the middle of the answer."""

    def behave(wire: Wire) -> None:
        wire.open()
        wire.say(text)
        wire.close()

    return behave


def fails_inside(text: str, message: str) -> Behaviour:
    def behave(wire: Wire) -> None:
        wire.open()
        wire.say(text)
        wire.fail_inside(message)
        wire.close()

    return behave


def stalls(text: str, seconds: float = 3.0) -> Behaviour:
    def behave(wire: Wire) -> None:
        wire.open()
        wire.say(text)
        time.sleep(seconds)

    return behave
