"""Papers from services, page by page, where the user names one and not otherwise.

Goes in: `arxiv:…` and its like. Comes out: what came. A page that fails keeps what came before it, and is told.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from index.errors import SourceError
from index.paper import Entry, Skipped
from index.sources.base import Hints, Page, Parsed, Service
from index.sources.files import read_text
from index.sources.registry import services
from index.sources.web import Web


@dataclass(frozen=True)
class Fetched:
    """What a service gave for a query."""

    name: str
    """Of the source, always the same for the same query."""
    parsed: Parsed


def service_of(pattern: str) -> Service | None:
    """The service that a user names, or None where it is something else."""
    scheme, colon, _ = pattern.partition(":")
    return next((service for service in services() if colon and service.scheme == scheme.strip().casefold()), None)


def fetch(pattern: str, hints: Hints = Hints(), progress: Callable[[int, int], None] | None = None) -> Fetched:
    """What the service that `pattern` names has for its query. Raises `SourceError` where nothing came."""
    service = service_of(pattern)
    assert service is not None, pattern
    query = " ".join(pattern.partition(":")[2].split())
    name = f"{service.scheme}:{query}"
    limit = hints.limit or service.limit
    with Web(name, service.name, service.base, service.pause) as web:
        return Fetched(name, _collected(name, service.ask(query, web, limit), limit, hints, progress))


def _collected(name: str, pages: Iterator[Page], limit: int | None, hints: Hints, progress: Callable[[int, int], None] | None) -> Parsed:
    found = Parsed(())
    total = came = 0
    try:
        for page in _guarded(name, pages):
            parsed = _read(page, name, hints)
            parsed = parsed if limit is None else _first(parsed, limit - came)
            total = page.total
            came += len(parsed.entries) + len(parsed.without_abstract) + len(parsed.skipped)
            found = _together(found, parsed, page.missing, name)
            if progress is not None:
                progress(came, max(came, total if limit is None else min(total, limit)))
    except SourceError as error:
        if not came:
            raise
        what = f"{came:,} of {total:,} papers came, then: {error.reason}. They are kept; index {name} again for the rest"
        return replace(found, partial=True, notes=(*found.notes, what))
    if limit is not None and total > came:
        found = replace(found, partial=True, notes=(*found.notes, f"{came:,} of {total:,} papers were taken (--limit N takes more)"))
    if not came and not found.skipped:
        raise SourceError(name, "nothing was found: check the query")
    return found


def _guarded(name: str, pages: Iterator[Page]) -> Iterator[Page]:
    """The pages; a fault of ours, or an answer that nobody thought of, becomes a message."""
    try:
        yield from pages
    except SourceError:
        raise
    except Exception as error:
        logging.exception("%s: the service's answer could not be understood", name)
        reason = f"the service's answer could not be understood ({type(error).__name__}: {error}): please report this"
        raise SourceError(name, reason) from error


def _read(page: Page, name: str, hints: Hints) -> Parsed:
    return read_text(page.text, name, hints) if page.text else Parsed(())


def _first(parsed: Parsed, count: int) -> Parsed:
    """So many of its papers."""
    if len(parsed.entries) + len(parsed.without_abstract) <= count:
        return parsed
    kept = {id(entry) for entry in sorted((*parsed.entries, *parsed.without_abstract), key=lambda entry: entry.line)[:count]}
    return replace(
        parsed,
        entries=tuple(entry for entry in parsed.entries if id(entry) in kept),
        without_abstract=tuple(entry for entry in parsed.without_abstract if id(entry) in kept),
    )


def _together(before: Parsed, now: Parsed, missing: tuple[str, ...], name: str) -> Parsed:
    """Both as one; a line in a page means nothing to a user, so entries are numbered instead."""
    count = len(before.entries) + len(before.without_abstract)
    placed = iter(range(count + 1, count + len(now.entries) + len(now.without_abstract) + 1))
    ordered = sorted((*now.entries, *now.without_abstract), key=lambda entry: entry.line)
    place = {id(entry): next(placed) for entry in ordered}
    return Parsed(
        entries=before.entries + _numbered(now.entries, place),
        skipped=(
            *before.skipped,
            *(replace(each, line=None) for each in now.skipped),
            *(Skipped(name, None, f"{each} is not there") for each in missing),
        ),
        without_abstract=before.without_abstract + _numbered(now.without_abstract, place),
        notes=tuple(dict.fromkeys((*before.notes, *now.notes))),
    )


def _numbered(entries: tuple[Entry, ...], place: dict[int, int]) -> tuple[Entry, ...]:
    return tuple(replace(entry, line=place[id(entry)]) for entry in entries)
