"""Asks services on the network, as politely as their terms want it.

Goes in: addresses. Comes out: answers' texts. Pauses between calls, tries again what may pass, waits as
long as the service asks (`Retry-After`, `Backoff`), and never sends a loopback call through a proxy.
Knows no service. One client for all: those that the services' users have made know no time limit
(arxiv, pyalex), no `Retry-After` (arxiv), or cannot live with the BibTeX reader (pyzotero).
"""

from __future__ import annotations

import email.utils
import ipaddress
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from index.errors import SourceError

if TYPE_CHECKING:
    import httpx

_TRIES = 4
_TEMPORARY = frozenset({408, 425, 429, 500, 502, 503, 504})
_FIRST_WAIT = 2.0
"""Seconds before the second try, where the service names none; doubled each time."""
_LONGEST_WAIT = 120.0
"""Seconds that a service may ask to wait; longer is for the user to decide."""
_TIMEOUT = 30.0
_MOST_BYTES = 2**26
"""Of one answer, unpacked."""
_TOLD = 200
"""Characters of a service's own words that are passed on."""


class HTTPStatusError(SourceError):
    """A service answered with a status that ends the matter."""

    def __init__(self, source: str, reason: str, status: int) -> None:
        self.status = status
        super().__init__(source, reason)


class UnreachableError(SourceError):
    """Nothing answers at the address."""


_Held = TypeVar("_Held")


def paged(ask: Callable[[int], tuple[_Held, int, int]], limit: int | None = None) -> Iterator[tuple[_Held, int]]:
    """What a service that answers page by page holds, each page with the number of all, until all or `limit` came.

    `ask`: given how many came, the next page, how many it holds, and the number of all; an empty page ends it.
    """
    came, total = 0, 1
    while came < total and (limit is None or came < limit):
        held, count, total = ask(came)
        if not count:
            return
        came += count
        yield held, total


@dataclass(frozen=True)
class Answer:
    """What a service answered."""

    text: str
    headers: Mapping[str, str]
    """By lower-case name."""


class Web:
    """One run of calls to one service. Use it in a `with` statement."""

    def __init__(self, source: str, name: str, base: str, pause: float, sleep: Callable[[float], None] = time.sleep) -> None:
        """`source`: what the user wrote, for messages. `name`: the service's. `base`: its address."""
        self.source = source
        self.name = name
        self.base = base
        self._pause = pause
        self._sleep = sleep
        self._not_before = 0.0
        self._client: httpx.Client | None = None

    def __enter__(self) -> Web:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._client is not None:
            self._client.close()

    def get(self, path: str, params: Mapping[str, str | int] | None = None, headers: Mapping[str, str] | None = None) -> Answer:
        """The answer at a path below the base. Raises `SourceError` after the last try."""
        for attempt in range(1, _TRIES + 1):
            self._sleep(max(0.0, self._not_before - time.monotonic()))
            response = self._called(path, dict(params or {}), dict(headers or {}), last=attempt == _TRIES)
            self._not_before = time.monotonic() + self._pause
            if response is None:
                self._wait(_FIRST_WAIT * 2 ** (attempt - 1))
                continue
            status, answer = response
            if status == 200:
                self._wait(_seconds(answer.headers.get("backoff")) or 0.0)
                return answer
            asked = _seconds(answer.headers.get("retry-after"))
            if status not in _TEMPORARY or attempt == _TRIES or (asked or 0.0) > _LONGEST_WAIT:
                raise HTTPStatusError(self.source, self._refused(status, answer, asked), status)
            self._wait(_FIRST_WAIT * 2 ** (attempt - 1) if asked is None else asked)
        raise AssertionError("the last try returns or raises")

    def get_json(self, path: str, params: Mapping[str, str | int] | None = None, headers: Mapping[str, str] | None = None) -> Any:
        """The answer as JSON, too. Raises `SourceError` where it is none."""
        return self.as_json(self.get(path, params, headers))

    def as_json(self, answer: Answer) -> Any:
        """What an answer holds. Raises `SourceError` where it is no JSON."""
        try:
            return json.loads(answer.text)
        except (ValueError, RecursionError) as error:
            raise SourceError(self.source, f"{self.name} sent a page that cannot be read ({error}): try again later") from error

    def _wait(self, seconds: float) -> None:
        """No further call for so long."""
        self._not_before = max(self._not_before, time.monotonic() + min(seconds, _LONGEST_WAIT))

    def _called(self, path: str, params: dict[str, str | int], headers: dict[str, str], last: bool) -> tuple[int, Answer] | None:
        """Status and answer; None where the connection failed and may be tried again."""
        import httpx

        try:
            with self._opened().stream("GET", f"{self.base}{path}", params=params, headers=headers) as response:
                return response.status_code, Answer(self._body(response), dict(response.headers))
        except httpx.ConnectError as error:
            if last or _is_loopback(self.base):
                raise UnreachableError(self.source, f"{self.name} cannot be reached at {self.base} ({error}): try again later") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            if last:
                what = str(error) or type(error).__name__
                raise SourceError(self.source, f"{self.name} broke off ({what}): try again later") from error
        return None

    def _body(self, response: httpx.Response) -> str:
        parts: list[bytes] = []
        size = 0
        for part in response.iter_bytes():
            parts.append(part)
            size += len(part)
            if size > _MOST_BYTES:
                raise SourceError(self.source, f"{self.name} sent a page of more than {_MOST_BYTES >> 20} MB, which is not read")
        return b"".join(parts).decode(response.charset_encoding or "utf-8", "replace")

    def _refused(self, status: int, answer: Answer, asked: float | None) -> str:
        words = " ".join(answer.text.split())
        said = f": {words[:_TOLD]}" if words and not words.startswith("<") else ""
        if asked:
            return f"{self.name} answered {status}, and asks to wait {asked:.0f} s{said}"
        return f"{self.name} answered {status}{said}" + (": try again later" if status in _TEMPORARY else "")

    def _opened(self) -> httpx.Client:
        import httpx

        if self._client is None:
            self._client = httpx.Client(
                timeout=_TIMEOUT,
                follow_redirects=True,
                trust_env=not _is_loopback(self.base),
                headers={"User-Agent": "paper-assistant"},
            )
        return self._client


def _is_loopback(address: str) -> bool:
    host = urlsplit(address).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _seconds(header: str | None) -> float | None:
    """What `Retry-After` says: a number of seconds, or a date."""
    if header is None:
        return None
    if header.strip().isdecimal():
        return float(header)
    try:
        when = email.utils.parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(0.0, (when.replace(tzinfo=when.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
