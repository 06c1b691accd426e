"""arXiv, by its API: a query in its own syntax or in plain words, or papers by their ids."""

from __future__ import annotations

import re
from collections.abc import Iterator

from index.errors import SourceError
from index.sources.base import Page, Service
from index.sources.web import Web, paged

_PAGE = 200
"""Papers in one answer; the API allows 2,000, and is more reliable with fewer."""
_ID = re.compile(r"(?:arxiv:)?((?:\d{4}\.\d{4,5}|[a-z][a-z.-]{0,20}/\d{7})(?:v\d{1,3})?)", re.IGNORECASE)
_SYNTAX = re.compile(r"\b(?:ti|au|abs|co|jr|cat|rn|id|all|submittedDate):|\b(?:AND|OR|ANDNOT)\b|[\"()]")
_ENTRY = re.compile(r"<entry[\s>]")
_ENTRY_ID = re.compile(r"<id>\s*https?://(?:export\.)?arxiv\.org/abs/([^<\s]+)\s*</id>")
_TOTAL = re.compile(r"<opensearch:totalResults[^<>]*>\s*(\d+)\s*<")
_ERROR = re.compile(r"<id>\s*https?://(?:export\.)?arxiv\.org/api/errors[^<]*</id>")
_SUMMARY = re.compile(r"<summary[^<>]*>([^<]*)</summary>")
_EMPTY_TRIES = 3
"""An answer that holds nothing, where more is known to be there, is asked for again so often."""


def _ask(query: str, web: Web, limit: int | None) -> Iterator[Page]:
    """Newest first."""
    if not query:
        raise SourceError(web.source, "what to ask arXiv for is missing: " + SERVICE.usage)
    parts = [part for part in re.split(r"[,\s]+", query) if part]
    ids = [found[1] for part in parts if (found := _ID.fullmatch(part))]
    return _by_id(ids[:limit], web) if len(ids) == len(parts) else _by_query(query, web, limit)


def _by_query(query: str, web: Web, limit: int | None) -> Iterator[Page]:
    newest: dict[str, str | int] = {"search_query": _in_syntax(query), "sortBy": "submittedDate", "sortOrder": "descending"}

    def ask(start: int) -> tuple[str, int, int]:
        count = _PAGE if limit is None else min(_PAGE, limit - start)
        text, total = _answer(web, {**newest, "start": start, "max_results": count}, start)
        return text, len(_ENTRY.findall(text)), total

    for text, total in paged(ask, limit):
        yield Page(text, total)


def _by_id(ids: list[str], web: Web) -> Iterator[Page]:
    for first in range(0, len(ids), _PAGE):
        some = ids[first : first + _PAGE]
        text, _ = _answer(web, {"id_list": ",".join(some), "max_results": len(some)}, None)
        there = {_bare(found) for found in _ENTRY_ID.findall(text)}
        yield Page(text if there else "", len(ids), tuple(f"arXiv:{each}" for each in some if _bare(each) not in there))


def _in_syntax(query: str) -> str:
    """Plain words are all to be in the paper."""
    return query if _SYNTAX.search(query) else " AND ".join(f"all:{word}" for word in query.split())


def _answer(web: Web, params: dict[str, str | int], start: int | None) -> tuple[str, int]:
    """The feed, and how many papers there are in all; where papers must follow from `start`, not an empty feed."""
    for _ in range(_EMPTY_TRIES):
        text = web.get("/api/query", params).text
        if _ERROR.search(text):
            said = _SUMMARY.search(text)
            raise SourceError(web.source, f"arXiv does not take this query ({' '.join(said[1].split()) if said else 'no reason given'})")
        total = _TOTAL.search(text)
        if total is None:
            raise SourceError(web.source, "arXiv sent a page that cannot be read: try again later")
        if start is None or _ENTRY.search(text) or int(total[1]) <= start:
            return text, int(total[1])
    raise SourceError(web.source, "arXiv sent empty pages: try again later")


def _bare(arxiv_id: str) -> str:
    return re.sub(r"v\d+$", "", arxiv_id).casefold()


SERVICE = Service(
    scheme="arxiv",
    name="arXiv",
    usage="arxiv:QUERY (plain words, or arXiv's own au:, ti:, cat: …) or arxiv:2401.01234,2402.00001",
    base="https://export.arxiv.org",
    pause=3.0,
    limit=1000,
    ask=_ask,
)
