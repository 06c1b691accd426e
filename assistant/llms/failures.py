"""What an LLM's client raised, in plain words, and whether trying again can help.

Goes in: any exception. Comes out: what happened and what to do about it. Clients differ in
their classes and agree in little but a status code, so that and the classes' names are read;
no client is imported.
"""

from __future__ import annotations

import email.utils
import re
import socket
import time
from collections.abc import Iterator, Mapping

from assistant.llms.keys import without_keys
from assistant.llms.registry import known_providers, served_hint
from assistant.sanitize import visible, without_markup

LONGEST_PAUSE_SECONDS = 10.0
"""A server that asks for more policy is not asked again."""
_TIMED_OUT = frozenset({408, 504})
_SIDE_OF_SERVER = range(500, 600)
_TOO_LONG = re.compile(
    r"context.{0,40}(?:length|size|window|limit)|(?:length|size|window) of (?:the )?context|\bn_ctx\b"
    r"|(?:prompt|input|messages?|request|conversation)\b.{0,40}\b(?:too (?:long|large|big)|exceed)"
    r"|(?:too many|maximum|max).{0,20}\b(?:input|prompt) tokens"
    r"|exceed.{0,60}(?:context|max\w*.{0,20}tokens|token limit)|reduce the length|(?:prompt|input).{0,40}max\w* length",
    re.IGNORECASE,
)
_OUT_OF_CREDIT = re.compile(r"quota|billing|credit|balance|payment|insufficient.funds", re.IGNORECASE)
_LONGEST_MESSAGE = 160
_MOST_READ = 4000
"""Characters of a server's words in which reasons are looked for."""

BROKE_OFF = ("broke off in the middle of its answer", "look at its log, or try again")
HUNG_UP = ("hung up without an answer", "look at its log, or try again")
NOT_ITS_PROTOCOL = ("sent something that is no answer", "check that the address is the API's, which usually ends in /v1")
SILENT = ("did not answer in time", "see whether the server is busy or still loading the model, or raise llm_timeout in settings.toml")


def in_words(error: BaseException, name: str) -> tuple[str, str]:
    """(what happened, what to do), to be read after the LLM's name."""
    status = _status(error)
    return _of_status(status, error, name) if status is not None else _of_kind(error)


def _of_status(status: int, error: BaseException, name: str) -> tuple[str, str]:
    told = f"{status}{_own_words(error)}"
    if is_too_long(error):
        return f"takes no prompt this long ({told})", "set llm_context in settings.toml to what its context holds"
    if status == 401:
        variable = _key_variable(name)
        return f"refused the key ({status})", f"set {variable} in the environment" if variable else "check its key"
    if status == 403:
        variable = _key_variable(name)
        return f"refused access ({told})", f"check {variable}, and what its account may use" if variable else "check its key"
    if status == 402 or _is_out_of_credit(error):
        return f"wants to be paid first ({told})", "check the account's plan and credit"
    if status in {404, 405}:
        advice = served_hint(name) or "check the model's name with its server, and the address up to /v1"
        return f"does not know this model or address ({told})", advice
    if status == 429:
        wait = _retry_after(error)
        return f"takes no more requests now ({told})", f"wait {_pause_in_words(wait)}, or check the account's limits"
    if status in _TIMED_OUT:
        return SILENT
    if status in _SIDE_OF_SERVER:
        return f"failed on its own side ({told})", "look at its log, or try again later"
    return f"did not accept the question ({status}: {_message(error)})", "check its settings and llm_context in settings.toml"


def _own_words(error: BaseException) -> str:
    """What its server said, to stand after the status; empty where that is nothing."""
    said = _server_words(error)
    return "" if not said.strip() or _is_page(said) else f": {_message(error)}"


def _pause_in_words(seconds: float | None) -> str:
    if not seconds:
        return "a while"
    return f"{seconds:.0f} seconds" if seconds < 120 else f"{seconds / 60:.0f} minutes"


def _is_out_of_credit(error: BaseException) -> bool:
    """Whether waiting does not help: the account is used up."""
    return _status(error) == 429 and bool(_OUT_OF_CREDIT.search(_server_words(error)))


def _of_kind(error: BaseException) -> tuple[str, str]:
    if timed_out(error):
        return SILENT
    if is_too_long(error):
        return f"takes no prompt this long ({_message(error)})", "set llm_context in settings.toml to what its context holds"
    if _is_a("RemoteProtocolError", error) and re.search(r"illegal|invalid|malformed", _said(error), re.IGNORECASE):
        return NOT_ITS_PROTOCOL
    if any(_is_a(name, error) for name in ("RemoteProtocolError", "IncompleteRead", "ReadError")):
        return BROKE_OFF
    if any(_is_a(name, error) for name in ("JSONDecodeError", "UnicodeDecodeError", "DecodingError", "ValidationError", "NoAnswerError")):
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
    if _is_a("ServerError", error) or _status(error) is not None:
        return _status(error) == 413 or (_status(error) != 429 and says_too_long(_server_words(error)))
    return False


def says_too_long(words: str) -> bool:
    """Whether a server's words are about a prompt that its context does not hold."""
    return bool(_TOO_LONG.search(words[:_MOST_READ]))


def pause_before_retry(error: BaseException, attempt: int, pause_seconds: float) -> float | None:
    """How long to wait before the next try, in seconds; None where another try will not help."""
    status = _status(error)
    if (status != 429 and status not in _SIDE_OF_SERVER) or is_too_long(error) or _is_out_of_credit(error):
        return None
    asked = _retry_after(error)
    pause = pause_seconds * 2**attempt if asked is None else asked
    return pause if pause <= LONGEST_PAUSE_SECONDS else None


def _key_variable(name: str) -> str | None:
    provider = known_providers().get(name.partition(":")[0])
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
    headers = getattr(error, "headers", None) or getattr(getattr(error, "response", None), "headers", None)
    said = headers.get("retry-after") if isinstance(headers, Mapping) else None
    if not isinstance(said, str):
        return None
    if date := email.utils.parsedate_tz(said):
        return max(0.0, email.utils.mktime_tz(date) - time.time())
    try:
        return max(0.0, float(said))
    except ValueError:
        return None


def _server_words(error: BaseException) -> str:
    """What its server said; empty where it said nothing."""
    if isinstance(said := getattr(error, "message", None), str) and _is_a("ServerError", error):
        return said
    body = getattr(error, "body", None)
    inner = body.get("error") if isinstance(body, Mapping) and isinstance(body.get("error"), Mapping) else body
    if isinstance(inner, Mapping) and isinstance(inner.get("message"), str):
        return str(inner["message"])
    return str(error) if _status(error) else ""


def _is_page(text: str) -> bool:
    return bool(re.search(r"<(?:!doctype|html|body)\b", text, re.IGNORECASE))


def _said(error: BaseException) -> str:
    """The error's own words: the server's message where it sent one, else the deepest cause's."""
    if words := _server_words(error).strip():
        return words
    chain = [error] if _status(error) else reversed(list(_chain(error)))
    return next((text for each in chain if (text := str(each).strip())), type(error).__name__)


def _message(error: BaseException) -> str:
    """The error's own words in one short line, without markup and without a key."""
    said = _said(error)
    if _is_page(said):
        return "it sent a web page"
    said = without_keys(said, [provider.key_variable for provider in known_providers().values() if provider.key_variable])
    line = " ".join(without_markup(visible(said))[0].replace("<", "‹").split())
    return line if len(line) <= _LONGEST_MESSAGE else line[: _LONGEST_MESSAGE - 1] + "…"
