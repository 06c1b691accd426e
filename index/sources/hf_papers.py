"""The papers of a day on Hugging Face's "Daily Papers", by the site's JSON."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator

from index.errors import SourceError
from index.sources.base import Page, Service
from index.sources.web import Web

_PAGE = 100


def _ask(query: str, web: Web, limit: int | None) -> Iterator[Page]:
    try:
        day = datetime.date.fromisoformat(query)
    except ValueError as error:
        raise SourceError(web.source, f"“{query}” is no day: {SERVICE.usage}") from error
    return _pages(day, web)


def _pages(day: datetime.date, web: Web) -> Iterator[Page]:
    """Until a page is not full, or brings nothing that is new."""
    seen: set[str] = set()
    for number in range(100):
        found = web.get_json("/api/daily_papers", {"date": day.isoformat(), "limit": _PAGE, "p": number})
        if not isinstance(found, list):
            raise SourceError(web.source, "Hugging Face sent a page that is no list of papers: try again later")
        new = [each for each in found if json.dumps(each, sort_keys=True) not in seen]
        seen.update(json.dumps(each, sort_keys=True) for each in new)
        if new:
            yield Page(json.dumps(new), len(seen))
        if len(found) < _PAGE or not new:
            return


SERVICE = Service(
    scheme="hf-papers",
    name="Hugging Face",
    usage="hf-papers:2024-05-01",
    base="https://huggingface.co",
    pause=1.0,
    limit=None,
    ask=_ask,
)
