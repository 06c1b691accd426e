"""A server on loopback that speaks OpenAI's chat completions, streaming, and misbehaves when told to."""

from __future__ import annotations

import itertools
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
    request_body: dict[str, Any]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.request_body = body
        self.server.requests.append(body)
        self.server.asked.set()
        self.close_connection = True
        try:
            self.server.behaviour(self)
        except (BrokenPipeError, ConnectionResetError):
            self.server.hung_up.set()

    def waits(self, seconds: float) -> None:
        """Silent for so long, or until the other side hangs up."""
        self.connection.settimeout(seconds)
        try:
            if not self.connection.recv(1):
                self.server.hung_up.set()
        except TimeoutError:
            return
        except ConnectionResetError:
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
        self.asked = threading.Event()
        """Set by the first question."""
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


def says(text: str, finish: str = "stop") -> Behaviour:
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
            handler.end(finish)

    return behave


def fails(status: int, times: int = 1000, then: str = "", headers: dict[str, str] | None = None, message: str = "") -> Behaviour:
    """Fails so many times, then answers."""

    def behave(handler: Handler) -> None:
        if len(handler.server.requests) <= times:
            handler.fail(status, message, headers)
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
        handler.waits(seconds)

    return behave


def silent(handler: Handler) -> None:
    """Takes the question, and sends not even a status."""
    handler.waits(3.0)


def stalls_with_comments(handler: Handler) -> None:
    """Keeps the connection alive, as servers do while a model loads, and never answers."""
    handler.start()
    while not handler.server.hung_up.is_set():
        handler.raw(": still working\n\n")
        time.sleep(0.02)


def drips(handler: Handler) -> None:
    """Sends its headers a byte at a time, each within the timeout."""
    for byte in b"HTTP/1.1 200 OK\r\nX-Padding: " + b"x" * 4000:
        handler.wfile.write(bytes([byte]))
        time.sleep(0.02)


def hangs_up(handler: Handler) -> None:
    """Takes the question and closes the connection."""


def garbage_instead_of_http(handler: Handler) -> None:
    handler.wfile.write(b"\x00\xff\x13\x37 SSH-2.0-OpenSSH_9.6\r\n\r\n")


def raw_events(*lines: str | bytes) -> Behaviour:
    """A stream of these lines, whatever they are."""

    def behave(handler: Handler) -> None:
        handler.start()
        for line in lines:
            data = line if isinstance(line, bytes) else line.encode()
            handler.wfile.write(f"{len(data) + 2:x}\r\n".encode() + data + b"\n\n\r\n")
        handler.wfile.write(b"0\r\n\r\n")

    return behave


def whole_json(document: object) -> Behaviour:
    """JSON in one piece, where a stream was asked for."""
    return lambda handler: handler.whole(200, json.dumps(document), "application/json")


def takes_at_most(characters: int, then: str) -> Behaviour:
    """Refuses longer prompts, as vLLM words it."""

    def behave(handler: Handler) -> None:
        if sum(len(message["content"]) for message in handler.server.requests[-1]["messages"]) > characters:
            handler.fail(400, "This model's maximum context length is 512 tokens. Please reduce the length of the messages.")
        else:
            says(then)(handler)

    return behave


def endless(piece: str, pause: float = 0.0) -> Behaviour:
    """Says the piece again and again; `{}` in it counts on."""

    def behave(handler: Handler) -> None:
        handler.start()
        for count in itertools.count():
            handler.event(choices=[{"index": 0, "delta": {"content": piece.format(count)}, "finish_reason": None}])
            time.sleep(pause)

    return behave


def fails_inside_the_stream(text: str) -> Behaviour:
    def behave(handler: Handler) -> None:
        handler.start()
        handler.say(text)
        handler.raw('data: {"error": {"message": "CUDA out of memory"}}\n\n')
        handler.wfile.write(b"0\r\n\r\n")

    return behave
