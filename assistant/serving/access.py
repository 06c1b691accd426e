"""Who may ask a server of ours: the guard before every request, and the address it listens on.

On loopback only this machine's own programs: a request that names another host (DNS rebinding), or that a web page
sends (its `Origin` is not this server, or the browser says that it comes from another site), is refused; keys are
optional. Elsewhere a key is required. Errors are problem documents (RFC 9457), which hold OpenAI's `error` beside,
so that its clients read them. Knows nothing of questions.
"""

from __future__ import annotations

import errno
import hmac
import os
import socket
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from assistant.errors import AssistantError

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
KEYS = "ASSISTANT_API_KEY"
"""In the environment: the keys that open the server, parted by commas or spaces."""
_LARGEST_BODY = 4 * 1024 * 1024
_OPEN = ("/health", "/docs", "/openapi.json", "/static-offline-docs/")
"""Paths that tell nothing of the library: for what watches a container, and for people who read how to ask."""
_TITLES = {
    400: "Bad request",
    401: "A key is needed",
    403: "Refused",
    404: "Not found",
    405: "Method not allowed",
    409: "The library has no papers yet",
    411: "Length required",
    413: "Too long",
    421: "Not this server",
    422: "Cannot be understood",
    500: "The server failed",
    503: "The library cannot be used",
}
_KINDS = {401: "authentication_error", 403: "permission_error", 500: "server_error", 503: "server_error"}
"""OpenAI's `type` of an error, where it is not the client's request."""


class ListenError(AssistantError):
    """An address cannot be listened on, or not without a key."""


def keys_from_environment() -> tuple[str, ...]:
    """The keys that open the server; none: it is open to this machine."""
    return tuple(os.environ.get(KEYS, "").replace(",", " ").split())


def check_address(host: str, port: int, command: str) -> None:
    """Raises `ListenError` unless the port can be listened on; `command` is named in the way out."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen()
        except OSError as error:
            raise ListenError(_why_not(error, host, port, command)) from error


def require_keys(host: str, keys: tuple[str, ...]) -> None:
    """Raises `ListenError` where others than this machine could ask without a key."""
    if host not in LOOPBACK and not keys:
        raise ListenError(
            f"{host} can be reached from other machines, so a key is required: set {KEYS} in the environment "
            "(a long random text; several parted by commas), or leave out --host"
        )


def address(host: str, port: int) -> str:
    """The server's URL."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def problem(status: int, detail: str, code: str | None = None, **headers: str) -> Response:
    """The problem document of an error."""
    from starlette.responses import JSONResponse

    title = _TITLES.get(status, "The request failed")
    kind = _KINDS.get(status, "invalid_request_error")
    document: dict[str, Any] = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
        "error": {"message": detail, "type": kind, "param": None, "code": code},
    }
    return JSONResponse(document, status, headers, media_type="application/problem+json")


@dataclass(frozen=True)
class Guard:
    """ASGI middleware that lets through what may ask."""

    app: ASGIApp
    host: str
    """What the server listens on."""
    keys: tuple[str, ...] = ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers with a problem, or hands on."""
        if scope["type"] == "http":
            from starlette.requests import Request

            if (refused := self._refused(Request(scope))) is not None:
                await refused(scope, receive, send)
                return
        await self.app(scope, receive, send)

    def _refused(self, request: Request) -> Response | None:
        named = request.headers.get("host", "")
        if self.host in LOOPBACK and _without_port(named) not in LOOPBACK:
            return problem(421, f"this server answers to 127.0.0.1 and localhost only, not to “{named}”")
        origin = request.headers.get("origin")
        site = request.headers.get("sec-fetch-site", "none")
        if (origin is not None and origin != f"{request.url.scheme}://{named}") or site not in {"none", "same-origin"}:
            return problem(403, "web pages of other addresses may not use this server")
        if self.keys and not _is_open(request.url.path) and not self._holds_key(request):
            return problem(
                401, "send one of the server's keys as “Authorization: Bearer KEY”", "invalid_api_key", **{"WWW-Authenticate": "Bearer"}
            )
        return _too_long(request)

    def _holds_key(self, request: Request) -> bool:
        scheme, _, sent = request.headers.get("authorization", "").partition(" ")
        given = sent.strip() if scheme.casefold() == "bearer" else request.headers.get("x-api-key", "")
        # All are compared, whichever fits, and by their hashes: the time tells neither length nor letters.
        fits = [hmac.compare_digest(_hash(given), _hash(key)) for key in self.keys]
        return any(fits)


def _is_open(path: str) -> bool:
    return any(path == one or (one.endswith("/") and path.startswith(one)) for one in _OPEN)


def _hash(key: str) -> bytes:
    return sha256(key.encode("utf-8", "surrogatepass")).digest()


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.rpartition(":")[0] if host.count(":") == 1 else host


def _too_long(request: Request) -> Response | None:
    """What is no body of a known, small length."""
    length = request.headers.get("content-length")
    if length is None:
        unsaid = "transfer-encoding" in request.headers
        return problem(411, "send the request's length (Content-Length)") if unsaid else None
    if length.isdecimal() and len(length) < 12 and int(length) <= _LARGEST_BODY:
        return None
    return problem(413, f"a request holds at most {_LARGEST_BODY:,} bytes")


def _why_not(error: OSError, host: str, port: int, command: str) -> str:
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is no address of this machine: leave out --host, or give 127.0.0.1 (this machine only) or 0.0.0.0 (everyone)"
    if error.errno in {errno.EACCES, errno.EPERM}:
        return f"port {port} on {host} may not be used ({error.strerror}): take one above 1023: {command} --port 7860"
    other = port + 1 if port < 65535 else port - 1
    return (
        f"port {port} on {host} is busy ({error.strerror}): another program, perhaps this server, is already there. "
        f"Open {address(host, port)}, or take another port: {command} --port {other}"
    )
