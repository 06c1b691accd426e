"""Which papers a question is asked of: what a reader chose of sources, tags, years, authors and venues, or single papers.

Goes in: what was chosen. Comes out: what there is to choose, with counts; the filters that the assistant takes; chips that tell
what was chosen. Knows nothing of Gradio.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from assistant import Filters
from index import Library
from index.browsing import Field
from ui.markup import escape

FIELDS: dict[Field, str] = {"source": "Sources", "tag": "Tags", "year": "Years", "author": "Authors", "venue": "Venues"}
"""What can be narrowed by, with the label of each."""
_MOST_CHOICES = 200
_ONLY = "only"


@dataclass(frozen=True)
class Narrowing:
    """What a reader chose; of several values of one field, any will do; empty does not narrow."""

    source: tuple[str, ...] = ()
    tag: tuple[str, ...] = ()
    year: tuple[str, ...] = ()
    author: tuple[str, ...] = ()
    venue: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    """Ids of the papers that alone are asked."""

    def without(self, field: str, value: str) -> Narrowing:
        """Less one value; less all papers where `field` is `only`."""
        kept = () if field == _ONLY else tuple(one for one in getattr(self, field) if one != value)
        return Narrowing(**{one.name: kept if one.name == field else getattr(self, one.name) for one in fields(self)})

    def filters(self, library: Library) -> Filters:
        """As the assistant takes them: single values by name, several as the papers that have any of them.

        Raises `FilterError` for a year that is none.
        """
        single: dict[str, Any] = {}
        allowed: set[str] | None = set(self.only) if self.only else None
        for field in FIELDS:
            chosen: tuple[str, ...] = getattr(self, field)
            if len(chosen) == 1:
                single |= _of(field, chosen[0])
            elif chosen:
                any_of = set().union(*(library.allowed(Filters(**_of(field, value))) for value in chosen))
                allowed = any_of if allowed is None else allowed & any_of
        return Filters(**single, papers=None if allowed is None else tuple(sorted(allowed)))


def choices(library: Library, field: Field) -> list[tuple[str, str]]:
    """(label with its count, value) of what this library can be narrowed to, the commonest first."""
    if field == "source":
        found = sorted(((source.name, count) for source, count in library.catalogue.sources()), key=lambda one: -one[1])
        names = {name: name.replace("\\", "/").rsplit("/", 1)[-1] for name, _ in found}
        return [(f"{names[name]} ({count:,})", name) for name, count in found[:_MOST_CHOICES]]
    counted = library.catalogue.counts(field, limit=_MOST_CHOICES)
    return [(f"{one.shown} ({one.papers:,})", one.shown) for one in counted if one.shown]


def chips_html(narrowing: Narrowing, titles: Sequence[str] = ()) -> str:
    """What was chosen, each with a button that takes it back. `titles`: of the papers that alone are asked."""
    chips = []
    if narrowing.only:
        told = f"“{titles[0]}”" if len(titles) == 1 else f"{len(narrowing.only):,} chosen papers"
        chips.append(_chip(_ONLY, "", f"Only {told}"))
    for field in FIELDS:
        chips += [_chip(field, value, value.replace("\\", "/").rsplit("/", 1)[-1]) for value in getattr(narrowing, field)]
    if not chips:
        return ""
    return f'<div class="pa-chips" role="group" aria-label="Papers that are asked">{"".join(chips)}</div>'


def _chip(field: str, value: str, words: str) -> str:
    named = f'aria-label="No longer only {escape(words)}"'
    return (
        f'<span class="pa-chip"><span>{escape(words)}</span><button type="button" class="pa-drop" data-field="{field}" '
        f'data-value="{escape(value)}" {named}>×</button></span>'
    )


def _of(field: str, value: str) -> dict[str, Any]:
    return {"since": value, "until": value} if field == "year" else {field: value}
