"""A server on loopback that speaks OpenAI's chat completions, streaming, and misbehaves when told to."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "right-key"
MODEL = "little-model"

Behaviour = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """One request; what it does is the server's `behaviour`."""

    protocol_version = "HTTP/1.1"
    server: OpenAIServer
    request: dict[str, Any]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append(body)
        self.close_connection = True
        try:
            self.server.behaviour(self)
        except (BrokenPipeError, ConnectionResetError):
            self.server.hung_up.set()

    def log_message(self, format: str, *args: Any) -> None:
        """Silent."""

    def fail(self, status: int, message: str = "", headers: dict[str, str] | None = None) -> None:
        self.whole(status, json.dumps({"error": {"message": message or f"failed with {status}"}}), "application/json", headers)

    def whole(self, status: int, text: str, kind: str, headers: dict[str, str] | None = None) -> None:
        data = text.encode()
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(data)), "Connection": "close", **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def start(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def raw(self, text: str) -> None:
        data = text.encode()
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def event(self, **fields: Any) -> None:
        self.raw(f"data: {json.dumps({'id': 'x', 'object': 'chat.completion.chunk', 'created': 0, 'model': MODEL, **fields})}\n\n")

    def say(self, text: str, size: int = 9) -> None:
        for start in range(0, len(text), size):
            self.event(choices=[{"index": 0, "delta": {"content": text[start : start + size]}, "finish_reason": None}])

    def end(self, finish: str = "stop", done: bool = True) -> None:
        self.event(choices=[{"index": 0, "delta": {}, "finish_reason": finish}])
        self.event(choices=[], usage={"prompt_tokens": 321, "completion_tokens": 12, "total_tokens": 333})
        self.raw("data: [DONE]\n\n" if done else "")
        if done:
            self.wfile.write(b"0\r\n\r\n")


class OpenAIServer(ThreadingHTTPServer):
    """Listens on a free port of this machine until closed."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.behaviour: Behaviour = says("")
        self.requests: list[dict[str, Any]] = []
        self.hung_up = threading.Event()
        """Set when a reader closed the connection before the end."""

    @property
    def spec(self) -> str:
        """The LLM's name."""
        return f"openai-like:{MODEL}@http://127.0.0.1:{self.server_address[1]}/v1"


def serving() -> Iterator[OpenAIServer]:
    """A server that is on until the generator is closed."""
    server = OpenAIServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def says(text: str) -> Behaviour:
    """A good answer, for the right key, model and path."""

    def behave(handler: Handler) -> None:
        body = handler.server.requests[-1]
        if handler.headers["Authorization"] != f"Bearer {KEY}":
            handler.fail(401, "Incorrect API key provided: wrong-***")
        elif body["model"] != MODEL or handler.path != "/v1/chat/completions":
            handler.fail(404, f"The model `{body['model']}` does not exist")
        else:
            handler.start()
            handler.say(text)
            handler.end()

    return behave


def fails(status: int, times: int = 1000, then: str = "", headers: dict[str, str] | None = None) -> Behaviour:
    """Fails so many times, then answers."""

    def behave(handler: Handler) -> None:
        if len(handler.server.requests) <= times:
            handler.fail(status, headers=headers)
        else:
            says(then)(handler)

    return behave


def html(status: int) -> Behaviour:
    return lambda handler: handler.whole(status, "<!doctype html><html><body>" + "<p>Welcome</p>" * 200 + "</body></html>", "text/html")


def invalid_json(handler: Handler) -> None:
    handler.start()
    handler.raw('data: {"id": "x", "choices": [{"ind\n\n')
    handler.wfile.write(b"0\r\n\r\n")


def cut_politely(text: str) -> Behaviour:
    """Ends the response properly, in the middle of the answer."""

    def behave(handler: Handler) -> None:
        handler.start()
        handler.say(text)
        handler.wfile.write(b"0\r\n\r\n")

    return behave


def cut_rudely(text: str) -> Behaviour:
    """Drops the connection in the middle of the answer."""

    def behave(handler: Handler) -> None:
        handler.start()
        handler.say(text)

    return behave


def stalls(text: str, seconds: float = 3.0) -> Behaviour:
    """Says something, then nothing more."""

    def behave(handler: Handler) -> None:
        handler.start()
        handler.say(text)
        time.sleep(seconds)

    return behave


def endless(piece: str, pause: float = 0.0) -> Behaviour:
    def behave(handler: Handler) -> None:
        handler.start()
        while not handler.server.hung_up.is_set():
            handler.event(choices=[{"index": 0, "delta": {"content": piece}, "finish_reason": None}])
            time.sleep(pause)

    return behave


def reached_its_limit(text: str) -> Behaviour:
    def behave(handler: Handler) -> None:
        handler.start()
        handler.say(text)
        handler.end(finish="length")

    return behave


def fails_inside_the_stream(text: str) -> Behaviour:
    def behave(handler: Handler) -> None:
        handler.start()
        handler.say(text)
        handler.raw('data: {"error": {"message": "CUDA out of memory"}}\n\n')
        handler.wfile.write(b"0\r\n\r\n")

    return behave
