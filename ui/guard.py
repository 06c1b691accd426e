"""What stands before the page: who may talk to it, and what a browser may do with it. ASGI middleware.

Goes in: requests. Comes out: refusals of those under a foreign name or from a foreign page, and security headers on all answers.
Knows of the page only that its first document is HTML whose scripts are ours, and how Gradio writes into it what can be called.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from html import escape
from typing import Any
from urllib.parse import urlsplit

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_HEADERS = {
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=()",
}
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-eval'{nonce}; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; object-src 'none'; base-uri 'self'; form-action 'self'; "
    "frame-ancestors 'none'"
)
"""Gradio evaluates its handlers (`unsafe-eval`); scripts written into the document run only with this answer's own nonce."""
_SCRIPT = re.compile(rb"<script(?=[\s>])", re.IGNORECASE)
_LOGIN = re.compile(rb'window\.gradio_config\s*=\s*\{\s*"auth_required"\s*:\s*true')
_CALLS = re.compile(rb"(window\.gradio_api_info\s*=\s*).*?(;?\s*</script>)", re.DOTALL)
"""What programs can call: Gradio writes it even into the page on which one logs in."""
_NO_CALLS = rb'\1{"named_endpoints":{},"unnamed_endpoints":{}}\2'


class Guard:
    """Refuses what is not asked by our own page under a name that we know."""

    def __init__(self, app: App, hosts: Sequence[str]) -> None:
        """`hosts`: names, without a port, under which the page may be asked for; `*`: any."""
        self._app = app
        self._hosts = frozenset(host.lower().strip("[]") for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        host = headers.get("host", "")
        if "*" not in self._hosts and (urlsplit(f"//{host}").hostname or "") not in self._hosts:
            await _refuse(send, 400, _unknown_host(host))
        elif _is_foreign(headers, host):
            await _refuse(send, 403, "This page takes no requests from other pages.")
        else:
            document = _is_document(scope)
            if document:  # its scripts are to be given a nonce: it must not come compressed
                scope = {**scope, "headers": [(name, value) for name, value in scope["headers"] if name.lower() != b"accept-encoding"]}
            await self._app(scope, receive, _Dressed(send, document))


class _Dressed:
    """Sends an answer on with the headers; of a document, the scripts with a nonce, and before the login nothing of what can be called."""

    def __init__(self, send: Send, is_document: bool) -> None:
        self._send = send
        self._is_document = is_document
        self._start: Message = {}
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            is_html = any(name.lower() == b"content-type" and value.startswith(b"text/html") for name, value in message["headers"])
            self._is_document = self._is_document and is_html
            self._start = message
            if not self._is_document:
                await self._send(_with_headers(message, ""))
        elif message["type"] != "http.response.body" or not self._is_document:
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body"):
                await self._send_document()

    async def _send_document(self) -> None:
        nonce = secrets.token_urlsafe(16)
        told = _CALLS.sub(_NO_CALLS, self._body) if _LOGIN.search(self._body) else self._body
        body = _SCRIPT.sub(f'<script nonce="{nonce}"'.encode(), told)
        start = _with_headers(self._start, f" 'nonce-{nonce}'")
        kept = [(name, value) for name, value in start["headers"] if name.lower() != b"content-length"]
        await self._send({**start, "headers": [*kept, (b"content-length", str(len(body)).encode())]})
        await self._send({"type": "http.response.body", "body": body})


def _with_headers(message: Message, nonce: str) -> Message:
    ours = {**_HEADERS, "content-security-policy": _POLICY.format(nonce=nonce)}
    kept = [(name, value) for name, value in message["headers"] if name.decode("latin-1").lower() not in ours]
    return {**message, "headers": [*kept, *((name.encode(), value.encode()) for name, value in ours.items())]}


def _is_document(scope: Scope) -> bool:
    """Whether the page itself is asked for, rather than a part of it."""
    path: str = scope["path"].removeprefix(scope.get("root_path", ""))
    return scope["method"] == "GET" and path in {"", "/"}


def _is_foreign(headers: MutableMapping[str, str], host: str) -> bool:
    """Whether another page sent it: its origin is another, or the browser says so; a link that is followed is not."""
    origin = headers.get("origin")
    if origin is not None:
        return urlsplit(origin).netloc.lower() != host.lower()
    site, mode = headers.get("sec-fetch-site", "none"), headers.get("sec-fetch-mode", "navigate")
    return site in {"cross-site", "same-site"} and (mode != "navigate" or headers.get("sec-fetch-dest", "document") != "document")


def _unknown_host(host: str) -> str:
    name = escape(urlsplit(f"//{host}").hostname or host)
    return (
        f"This page does not know the name “{name}”, under which it was asked for. If it is meant to be reached so, "
        f"start it with: assistant ui --allowed-hosts {name}"
    )


async def _refuse(send: Send, status: int, words: str) -> None:
    body = words.encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send(_with_headers({"type": "http.response.start", "status": status, "headers": headers}, ""))
    await send({"type": "http.response.body", "body": body})
