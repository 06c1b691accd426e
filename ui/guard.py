"""What stands before the page: who may talk to it, and what a browser may do with it. ASGI middleware.

Goes in: requests. Comes out: refusals of those under a foreign name or from a foreign page, and security headers on all answers.
Knows of the page only that its first document is HTML whose scripts are ours, and how Gradio writes into it what can be called.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Awaitable, Callable, Collection, MutableMapping, Sequence
from html import escape
from typing import Any
from urllib.parse import urlsplit

from assistant.serving.access import LOOPBACK

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

    def __init__(self, app: App, hosts: Sequence[str], proxied: bool = False) -> None:
        """`hosts`: names, without a port, under which the page may be asked for; `*`: any. `proxied`: whether a reverse proxy asks, which
        says in `X-Forwarded-Host` what it was asked for itself: no page of a browser can send that header to another origin unasked.
        """
        self._app = app
        self._hosts = frozenset(host.lower().strip("[]") for host in hosts)
        self._proxied = proxied

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        asked_by = [headers.get("host", "")]
        if self._proxied and (forwarded := headers.get("x-forwarded-host", "").partition(",")[0].strip()):
            asked_by.append(forwarded)
        unknown = [host for host in asked_by if "*" not in self._hosts and _name(host) not in self._hosts]
        if unknown:
            await _refuse(send, 400, _unknown_host(unknown[0], self._hosts))
        elif _is_foreign(headers, asked_by):
            await _refuse(send, 403, "This page takes no requests from other pages.")
        else:
            document = _is_document(scope)
            if document:  # its scripts are to be given a nonce: it must not come compressed
                scope = {**scope, "headers": [(name, value) for name, value in scope["headers"] if name.lower() != b"accept-encoding"]}
            await self._app(scope, receive, _Dressed(send, document, is_lasting="/assets/" in scope["path"]))


class _Dressed:
    """Sends an answer on with the headers; of a document, the scripts with a nonce, and before the login nothing of what can be called."""

    def __init__(self, send: Send, is_document: bool, is_lasting: bool) -> None:
        """`is_lasting`: whether the browser may keep what comes without asking again, since its name changes with its content."""
        self._send = send
        self._is_lasting = is_lasting
        self._is_document = is_document
        self._start: Message = {}
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            is_html = any(name.lower() == b"content-type" and value.startswith(b"text/html") for name, value in message["headers"])
            self._is_document = self._is_document and is_html
            if self._is_lasting and message["status"] == 200:
                message = {**message, "headers": [*message["headers"], (b"cache-control", b"private, max-age=31536000, immutable")]}
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


def _name(host: str) -> str:
    """A host without its port; empty for what is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:  # a bracket left open
        return ""


def _is_foreign(headers: MutableMapping[str, str], asked_by: Sequence[str]) -> bool:
    """Whether another page sent it: its origin is another, or the browser says so; a link that is followed is not."""
    origin = headers.get("origin")
    if origin is not None:
        return origin.partition("://")[2].lower() not in {host.lower() for host in asked_by if host}
    site, mode = headers.get("sec-fetch-site", "none"), headers.get("sec-fetch-mode", "navigate")
    return site in {"cross-site", "same-site"} and (mode != "navigate" or headers.get("sec-fetch-dest", "document") != "document")


def _unknown_host(host: str, known: Collection[str]) -> str:
    """What to set, as HTML, so that the page answers under this name, and under those it knows already."""
    name = _name(host) or host
    option = f"--allowed-hosts {','.join([*sorted(set(known) - set(LOOPBACK)), name])}"
    return (
        f"<p>This page does not know the name “{escape(name)}”, under which it was asked for.</p>"
        f"<p>If it is meant to be reached so, start it with</p><pre>assistant ui {escape(option)}</pre>"
        "<p>and <code>--auth FILE</code>, so that only those whom you know can use it; behind a reverse proxy that shows it under a path, "
        "with <code>--root-path /PATH</code> too.</p>"
    )


_REFUSAL = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Paper Assistant</title>'
    "<style>body { max-width: 40rem; margin: 12vh auto; padding: 0 1.5rem; font: 1.05rem/1.6 system-ui, sans-serif; color: #1b1c1e; "
    "background: #fdfcfa } pre { padding: 0.8rem 1rem; border-radius: 0.5rem; overflow-wrap: anywhere; white-space: pre-wrap; "
    "background: #f3f1ec } @media (prefers-color-scheme: dark) { body { color: #f3f1ec; background: #1b1c1e } pre { background: #262728 } }"
    "</style><h1>Paper Assistant</h1>"
)


async def _refuse(send: Send, status: int, words: str) -> None:
    body = f"{_REFUSAL}{words if words.startswith('<') else f'<p>{escape(words)}</p>'}</html>".encode()
    headers = [(b"content-type", b"text/html; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send(_with_headers({"type": "http.response.start", "status": status, "headers": headers}, ""))
    await send({"type": "http.response.body", "body": body})
