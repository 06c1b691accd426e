"""Zotero: the program on this machine by its local API, or a library at zotero.org by the web API.

The web API takes the key in `ZOTERO_API_KEY`; public groups need none.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from index.errors import SourceError
from index.sources.base import Page, Service
from index.sources.web import Answer, HTTPStatusError, UnreachableError, Web, paged

_PAGE = 100
_KEY = "ZOTERO_API_KEY"
_AT_ZOTERO = re.compile(r"(users|groups)/(\d+)(?:/(.*))?", re.IGNORECASE)
_WEB_API = "https://api.zotero.org"
_NO_PAPERS = frozenset({"attachment", "note", "annotation"})
_START = (
    "start Zotero, and allow it under Edit → Settings → Advanced → “Allow other applications on this computer to communicate with Zotero”"
)


@dataclass(frozen=True)
class _Library:
    """One library, of this machine or at zotero.org."""

    web: Web
    path: str
    local: bool

    def get(self, path: str, params: dict[str, str | int]) -> Answer:
        key = os.environ.get(_KEY)
        headers = {"Zotero-API-Version": "3", **({"Authorization": f"Bearer {key}"} if key and not self.local else {})}
        try:
            return self.web.get(f"{self.path}{path}", params, headers)
        except UnreachableError as error:
            if not self.local:
                raise
            raise SourceError(error.source, f"Zotero does not answer at {self.web.base}: is it running? {_START}") from error
        except HTTPStatusError as error:
            raise self._translated(error) from error

    def all(self, path: str, params: dict[str, str | int]) -> Iterator[tuple[list[dict[str, Any]], int]]:
        """The items of each page, and the number of all."""

        def ask(start: int) -> tuple[list[dict[str, Any]], int, int]:
            answer = self.get(path, {**params, "format": "json", "limit": _PAGE, "start": start})
            items = self.web.as_json(answer)
            if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
                raise SourceError(self.web.source, "Zotero sent a page that is no list of items: try again later")
            told = answer.headers.get("total-results", "")
            return items, len(items), int(told) if told.isdecimal() else start + len(items)

        return paged(ask)

    def _translated(self, error: HTTPStatusError) -> SourceError:
        if error.status != 403 and not (error.status == 404 and not self.local):
            return error
        if self.local:
            return SourceError(error.source, f"Zotero refuses: {_START}")
        if os.environ.get(_KEY):
            return SourceError(error.source, f"zotero.org answered {error.status}: the key in {_KEY} may not read this library")
        return SourceError(error.source, f"zotero.org answered {error.status}: set {_KEY} to a key from zotero.org/settings/keys")


def _ask(query: str, web: Web, limit: int | None) -> Iterator[Page]:
    found = _AT_ZOTERO.fullmatch(query)
    if found is None:
        return _pages(_Library(web, "/api/users/0", local=True), query, limit)
    web.base = web.base if web.base != SERVICE.base else _WEB_API
    return _pages(_Library(web, f"/{found[1].casefold()}/{found[2]}", local=False), (found[3] or "").strip(), limit)


def _pages(library: _Library, wanted: str, limit: int | None) -> Iterator[Page]:
    """The papers of the library, of a collection (by name or key) with all below it, or with a tag."""
    collections = _collections(library)
    came = 0
    for path, params in _places(wanted, collections):
        for items, total in library.all(path, params):
            came += len(items)
            papers = [_with_names(item, collections) for item in items if _is_paper(item)]
            yield Page(json.dumps(papers) if papers else "", total)
            if limit is not None and came >= limit:
                return
    if wanted and not came:
        names = ", ".join(sorted(each.name for each in collections.values())) or "none"
        raise SourceError(library.web.source, f"no collection and no tag is called “{wanted}”: collections are {names}")


@dataclass(frozen=True)
class _Collection:
    key: str
    name: str
    parent: str | None


def _collections(library: _Library) -> dict[str, _Collection]:
    """By key."""
    found = {}
    for items, _ in library.all("/collections", {}):
        for item in items:
            data = item.get("data")
            if not isinstance(data, dict):
                raise SourceError(library.web.source, "Zotero sent a page that is no list of collections: try again later")
            key, name = str(data.get("key", "")), str(data.get("name", ""))
            found[key] = _Collection(key, name, str(data.get("parentCollection") or "") or None)
    return found


def _places(wanted: str, collections: dict[str, _Collection]) -> list[tuple[str, dict[str, str | int]]]:
    """What to ask for: paths with parameters."""
    if not wanted:
        return [("/items/top", {})]
    named = [each for each in collections.values() if wanted.casefold() in {each.name.casefold(), each.key.casefold()}]
    if not named:
        return [("/items/top", {"tag": wanted})]
    keys = dict.fromkeys(key for each in named for key in _with_those_below(each.key, collections))
    return [(f"/collections/{key}/items/top", {}) for key in keys]


def _with_those_below(key: str, collections: dict[str, _Collection]) -> list[str]:
    keys = [key]
    for above in keys:  # grows while it is gone through
        keys += [each.key for each in collections.values() if each.parent == above and each.key not in keys]
    return keys


def _is_paper(item: dict[str, Any]) -> bool:
    return isinstance(item.get("data"), dict) and item["data"].get("itemType") not in _NO_PAPERS


def _with_names(item: dict[str, Any], collections: dict[str, _Collection]) -> dict[str, Any]:
    """The item with the names of its collections among its tags."""
    data = item["data"]
    tags, keys = data.get("tags"), data.get("collections")
    names = [{"tag": collections[key].name} for key in map(str, keys) if key in collections] if isinstance(keys, list) else []
    return {**item, "data": {**data, "tags": [*(tags if isinstance(tags, list) else []), *names]}}


SERVICE = Service(
    scheme="zotero",
    name="Zotero",
    usage="zotero: (all), zotero:COLLECTION or zotero:TAG of the Zotero on this machine; zotero:users/123, zotero:groups/456/COLLECTION",
    base="http://127.0.0.1:23119",
    pause=0.0,
    limit=None,
    ask=_ask,
)
