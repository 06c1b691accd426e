"""What an LLM's client raised, in plain words, and whether trying again can help.

Goes in: any exception. Comes out: what happened and what to do about it. Clients differ in
their classes and agree in little but a status code, so that and the classes' names are read;
no client is imported.
"""

from __future__ import annotations

import email.utils
import os
import re
import socket
import time
from collections.abc import Iterator, Mapping

from assistant.llms.known import served_hint
from assistant.llms.registry import PROVIDERS
from assistant.plain import visible, without_markup

LONGEST_PAUSE_SECONDS = 10.0
"""A server that asks for more patience is not asked again."""
_TIMED_OUT = frozenset({408, 504})
_SIDE_OF_SERVER = range(500, 600)
_TOO_LONG = re.compile(r"context.{0,30}(?:length|size|window)|(?:too|maximum|many) (?:long|prompt|input|tokens)|max_?tokens", re.IGNORECASE)
_LONGEST_MESSAGE = 160

BROKE_OFF = ("broke off in the middle of its answer", "look at its log, or try again")
HUNG_UP = ("hung up without an answer", "look at its log, or try again")
NOT_ITS_PROTOCOL = ("sent something that is no answer", "check that the address is the API's, which usually ends in /v1")
SILENT = ("did not answer in time", "see whether the server is busy or still loading the model, or raise llm_timeout in settings.toml")


def in_words(error: BaseException, name: str) -> tuple[str, str]:
    """(what happened, what to do), to be read after the LLM's name."""
    status = _status(error)
    return _of_status(status, error, name) if status is not None else _of_kind(error)


def _of_status(status: int, error: BaseException, name: str) -> tuple[str, str]:
    if status in {401, 403}:
        variable = _key_variable(name)
        return f"refused the key ({status})", f"set {variable} in the environment" if variable else "check its key"
    if status == 402:
        return "wants to be paid first (402)", "check the account's credit"
    if status in {404, 405}:
        advice = served_hint(name) or "check the model's name with its server, and the address up to /v1"
        return f"does not know this model or address ({status})", advice
    if status == 429:
        return "takes no more requests now (429)", "wait a while, or check the account's limits"
    if status in _TIMED_OUT:
        return SILENT
    if status in _SIDE_OF_SERVER:
        return f"failed on its own side ({status})", "look at its log, or try again later"
    if is_too_long(error):
        return f"takes no prompt this long ({status}: {_message(error)})", "set llm_context in settings.toml to what its context holds"
    return f"did not accept the question ({status}: {_message(error)})", "check its settings and llm_context in settings.toml"


def _of_kind(error: BaseException) -> tuple[str, str]:
    if timed_out(error):
        return SILENT
    if _is_a("RemoteProtocolError", error) and re.search(r"illegal|invalid|malformed", _said(error), re.IGNORECASE):
        return NOT_ITS_PROTOCOL
    if any(_is_a(name, error) for name in ("RemoteProtocolError", "IncompleteRead", "ReadError")):
        return BROKE_OFF
    if any(_is_a(name, error) for name in ("JSONDecodeError", "UnicodeDecodeError", "DecodingError", "ValidationError")):
        return NOT_ITS_PROTOCOL
    if _is_a("ConnectError", error) or _is_a("ConnectionError", error) or _is_a("APIConnectionError", error):
        return f"cannot be reached ({_why_unreachable(error)})", "check the address, and that its server is running"
    if isinstance(error, (TypeError, AttributeError, LookupError)):  # a client that met another shape
        what, advice = NOT_ITS_PROTOCOL
        return f"{what} ({_message(error)})", advice
    return f"failed ({_message(error)})", "look at its log, or try again"


def _why_unreachable(error: BaseException) -> str:
    if any(isinstance(each, socket.gaierror) for each in _chain(error)):
        return "no host of that name is known"
    if any(isinstance(each, ConnectionRefusedError) for each in _chain(error)):
        return "connection refused"
    return _message(error)


def timed_out(error: BaseException) -> bool:
    """Whether it was silent for too long, after it had taken the question."""
    silent = any(_is_a(name, error) for name in ("Timeout", "SilentError", "OverdueError"))
    return silent and not _is_a("ConnectTimeout", error)


def is_too_long(error: BaseException) -> bool:
    """Whether a server refused the question because its context does not hold it."""
    return _status(error) in {400, 413, 422} and bool(_TOO_LONG.search(_said(error)))


def pause_before_retry(error: BaseException, attempt: int, pause_seconds: float) -> float | None:
    """How long to wait before the next try, in seconds; None where another try will not help."""
    status = _status(error)
    if status != 429 and status not in _SIDE_OF_SERVER:
        return None
    asked = _retry_after(error)
    pause = pause_seconds * 2**attempt if asked is None else asked
    return pause if pause <= LONGEST_PAUSE_SECONDS else None


def _key_variable(name: str) -> str | None:
    provider = PROVIDERS.get(name.partition(":")[0])
    return provider.key_variable if provider else None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what caused it, outermost first."""
    current: BaseException | None = error
    while current is not None:
        yield current
        current = current.__cause__ or current.__context__


def _is_a(class_name: str, error: BaseException) -> bool:
    return any(class_name in kind.__name__ for each in _chain(error) for kind in type(each).__mro__)


def _status(error: BaseException) -> int | None:
    """The HTTP status that an error carries, on itself or on its response."""
    for holder in (error, getattr(error, "response", None)):
        status = getattr(holder, "status_code", None)
        if isinstance(status, int) and status >= 400:
            return status
    return None


def _retry_after(error: BaseException) -> float | None:
    """Seconds that a server asks for, which it says as a number or as a date."""
    headers = getattr(getattr(error, "response", None), "headers", None)
    said = headers.get("retry-after") if isinstance(headers, Mapping) else None
    if not isinstance(said, str):
        return None
    if date := email.utils.parsedate_tz(said):
        return max(0.0, email.utils.mktime_tz(date) - time.time())
    try:
        return max(0.0, float(said))
    except ValueError:
        return None


def _said(error: BaseException) -> str:
    """The error's own words: the server's message where it sent one, else the deepest cause's."""
    body = getattr(error, "body", None)
    if isinstance(body, Mapping) and isinstance(body.get("message"), str):
        return str(body["message"])
    chain = [error] if _status(error) else reversed(list(_chain(error)))
    return next((text for each in chain if (text := str(each).strip())), type(error).__name__)


def _message(error: BaseException) -> str:
    """The error's own words in one short line, without markup and without a key."""
    said = _said(error)
    if re.search(r"<(?:!doctype|html|body)\b", said, re.IGNORECASE):
        return "it sent a web page"
    for provider in PROVIDERS.values():
        key = os.environ.get(provider.key_variable or "", "")
        said = said.replace(key, "…") if len(key) > 7 else said
    line = " ".join(without_markup(visible(said))[0].replace("<", "‹").split())
    return line if len(line) <= _LONGEST_MESSAGE else line[: _LONGEST_MESSAGE - 1] + "…"
