"""OpenAlex, by a search in titles, abstracts and full texts; the best matches first.

`OPENALEX_API_KEY` (free, for more than a few calls a day) and `OPENALEX_EMAIL` are sent where they are set.
"""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterator

from index.errors import SourceError
from index.sources.base import Page, Service
from index.sources.web import HTTPStatusError, Web, paged

_PAGE = 100
_REACHED = 10_000
"""Results that the API pages through."""
_KEY = "OPENALEX_API_KEY"


def _ask(query: str, web: Web, limit: int | None) -> Iterator[Page]:
    if not query:
        raise SourceError(web.source, f"what to ask OpenAlex for is missing: {SERVICE.usage}")
    return _pages(query, web, min(limit or _REACHED, _REACHED))


def _pages(query: str, web: Web, limit: int) -> Iterator[Page]:
    key, mail = os.environ.get(_KEY), os.environ.get("OPENALEX_EMAIL")
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    params: dict[str, str | int] = {"search": query, "per_page": min(_PAGE, limit)}
    if mail:
        params["mailto"] = mail
    numbers = itertools.count(1)

    def ask(came: int) -> tuple[str, int, int]:
        try:
            found = web.get_json("/works", {**params, "page": next(numbers)}, headers)
        except HTTPStatusError as error:
            raise _translated(error, key) from error
        works, total = _works(found, web)
        return json.dumps({"meta": found["meta"], "results": works[: limit - came]}), len(works), total

    for text, total in paged(ask, limit):
        yield Page(text, total)


def _works(found: object, web: Web) -> tuple[list[object], int]:
    works = found.get("results") if isinstance(found, dict) else None
    meta = found.get("meta") if isinstance(found, dict) else None
    count = meta.get("count") if isinstance(meta, dict) else None
    if not isinstance(works, list) or not isinstance(count, int):
        raise SourceError(web.source, "OpenAlex sent a page that is no list of works: try again later")
    return works, count


def _translated(error: HTTPStatusError, key: str | None) -> HTTPStatusError:
    if error.status not in {401, 403, 429}:
        return error
    way_out = "check the key" if key else "a free key lets more calls pass: openalex.org/settings/api"
    return HTTPStatusError(error.source, f"{error.reason} ({_KEY} is {'' if key else 'not '}set: {way_out})", error.status)


SERVICE = Service(
    scheme="openalex",
    name="OpenAlex",
    usage="openalex:QUERY",
    base="https://api.openalex.org",
    pause=0.1,
    limit=1000,
    ask=_ask,
)
