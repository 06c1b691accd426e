"""What an LLM's client raised, in plain words, and whether trying again can help.

Goes in: any exception. Comes out: what happened and what to do about it. Clients differ in
their classes and agree in little but a status code, so that and the classes' names are read;
no client is imported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from assistant.llms.known import served_hint
from assistant.llms.registry import PROVIDERS

LONGEST_PAUSE_SECONDS = 10.0
"""A server that asks for more patience is not asked again."""
_TIMED_OUT = frozenset({408, 504})
_SIDE_OF_SERVER = range(500, 600)


def in_words(error: BaseException, name: str) -> tuple[str, str]:
    """(what happened, what to do), to be read after the LLM's name."""
    status = _status(error)
    if status in {401, 403}:
        provider = PROVIDERS.get(name.partition(":")[0])
        variable = provider.key_variable if provider else None
        return f"refused the key ({status})", f"set {variable} in the environment" if variable else "check its key"
    if status == 404:
        advice = served_hint(name) or "check the model's name with its server, and the address up to /v1"
        return "does not know this model or address (404)", advice
    if status == 429:
        return "takes no more requests now (429)", "wait a while, or check the account's limits"
    if status in _TIMED_OUT or _is_a("Timeout", error) or _is_a("TimeoutError", error):
        return "did not answer in time", "see whether the server is busy or still loading the model, or raise llm_timeout in settings.toml"
    if status in _SIDE_OF_SERVER:
        return f"failed on its own side ({status})", "look at its log, or try again later"
    if status is not None:
        return f"did not accept the question ({status}: {_message(error)})", "check its settings and llm_context in settings.toml"
    if _is_a("RemoteProtocolError", error) or _is_a("IncompleteRead", error) or _is_a("ReadError", error):
        return BROKE_OFF
    if _is_a("JSONDecodeError", error) or _is_a("UnicodeDecodeError", error):
        return NOT_ITS_PROTOCOL
    if _is_a("ConnectError", error) or _is_a("ConnectionError", error) or _is_a("APIConnectionError", error):
        return f"cannot be reached ({_message(error)})", "check the address, and that its server is running"
    return f"failed ({_message(error)})", "look at its log, or try again"


BROKE_OFF = ("broke off in the middle of its answer", "look at its log, or try again")
NOT_ITS_PROTOCOL = ("sent something that is no answer", "check that the address is the API's, which usually ends in /v1")


def pause_before_retry(error: BaseException, attempt: int, pause_seconds: float) -> float | None:
    """How long to wait before the next try, in seconds; None where another try will not help."""
    status = _status(error)
    if status != 429 and status not in _SIDE_OF_SERVER:
        return None
    asked = _retry_after(error)
    pause = pause_seconds * 2**attempt if asked is None else asked
    return pause if pause <= LONGEST_PAUSE_SECONDS else None


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
    headers = getattr(getattr(error, "response", None), "headers", None)
    try:
        return float(headers["retry-after"]) if isinstance(headers, Mapping) else None
    except (KeyError, ValueError):  # absent, or a date
        return None


def _message(error: BaseException) -> str:
    """The error's own words in one short line: the server's message where it sent one, else the deepest cause's."""
    body = getattr(error, "body", None)
    if isinstance(body, Mapping) and isinstance(body.get("message"), str):
        said = body["message"]
    else:
        said = next((text for each in reversed(list(_chain(error))) if (text := str(each).strip())), type(error).__name__)
    line = " ".join(said.split())
    return line if len(line) <= 160 else line[:159] + "…"
