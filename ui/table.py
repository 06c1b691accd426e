"""The library as a table, and what its papers share as bars. Pure functions; titles, names and paths are untrusted, and escaped.

What can be pressed says so in `data-do`, with what it needs beside it (see `library.js`). Knows nothing of Gradio.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from index import Paper
from index.browsing import ORDERS, Browse, Count, Field, Order
from ui.cards import authors_in_words
from ui.dates import readable_date
from ui.markup import escape

PAGE = 50
"""Rows of a page."""
_HEADS: dict[Order, str] = {"title": "Title", "year": "Date", "venue": "Venue", "added": "Added"}
_LABELS: dict[Field, tuple[str, str]] = {
    "year": ("Year", "Years"),
    "venue": ("Venue", "Venues"),
    "tag": ("Tag", "Your tags"),
    "author": ("Author", "Authors"),
    "source": ("Source", "Sources"),
}
_YEARS = 24
_BARS = 8
"""Shown of each field but the years."""


def table_html(
    papers: Sequence[Paper], total: int, wanted: Browse, page: int, selected: Collection[str], current: str, names: Mapping[str, str] = {}
) -> str:
    """One page of the table. `page`: from 0; `current`: the paper that is open; `names`: by field, how what narrows it is written."""
    has_venues = wanted.order == "venue" or any(paper.venue for paper in papers)
    orders: tuple[Order, ...] = ("title", "year", "venue") if has_venues else ("title", "year")
    head = "".join(_head(order, wanted) for order in orders)
    rows = "".join(_row(paper, paper.paper_id in selected, paper.paper_id == current, has_venues) for paper in papers)
    if not papers:
        return f'{_found(total, wanted, names)}<p class="pa-none">No paper fits. Type other words, or take a filter away.</p>'
    return (
        f'{_found(total, wanted, names)}<table class="pa-table"><thead><tr>'
        f'<th scope="col"><span class="pa-unseen">Chosen</span></th>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table>{_pager(total, page)}"
    )


def counts_html(counts: Mapping[Field, Sequence[Count]], wanted: Browse) -> str:
    """How many papers there are of each year, venue, tag and source, as bars that narrow the table when they are pressed."""
    shown = "".join(_bars(field, found, getattr(wanted, field)) for field, found in counts.items() if found and (field != "year"))
    years = _years(counts.get("year", ()), wanted.year)
    return f'<div class="pa-counts">{years}{shown}</div>'


def _found(total: int, wanted: Browse, names: Mapping[str, str]) -> str:
    chips = "".join(
        f'<button type="button" class="pa-pick" data-do="narrow" data-field="{field}" data-value="">{label}: '
        f'{escape(names.get(field) or value.strip())}<span aria-hidden="true"> ×</span><span class="pa-unseen"> (take away)</span></button>'
        for field, (label, _) in _LABELS.items()
        if (value := str(getattr(wanted, field)))
    )
    order = "".join(
        f'<button type="button" class="pa-pick" data-do="sort" data-order="{one}"{_pressed(wanted.order == one)}>{_HEADS[one]}</button>'
        for one in ORDERS
    )
    papers = f"<b>{total:,}</b> paper{'' if total == 1 else 's'}"
    orders = f'<span class="pa-orders"><span>Sorted by</span>{order}</span>'
    return f'<div class="pa-found"><span role="status">{papers}</span>{chips}{orders}</div>'


def _pressed(is_pressed: bool) -> str:
    return f' aria-pressed="{"true" if is_pressed else "false"}"'


def _head(order: Order, wanted: Browse) -> str:
    state, sign = ("ascending", " ↑") if wanted.is_reversed == (order == "year") else ("descending", " ↓")
    if wanted.order != order:
        state, sign = "none", ""
    return (
        f'<th scope="col" class="pa-col-{order}" aria-sort="{state}"><button type="button" data-do="sort" data-order="{order}">'
        f'{_HEADS[order]}<span aria-hidden="true">{sign}</span></button></th>'
    )


def _row(paper: Paper, is_selected: bool, is_open: bool, has_venues: bool) -> str:
    title, key = escape(paper.display_title), escape(paper.paper_id)
    names = authors_in_words(paper.authors)
    under = f'<span class="pa-by">{escape(names)}</span>' if names else ""
    tags = "".join(f'<span class="pa-tag">{escape(tag)}</span>' for tag in paper.tags[:3])
    current = ' aria-current="true"' if is_open else ""
    venue = f'<td class="pa-col-venue">{escape(paper.venue or "")}</td>' if has_venues else ""
    return (
        f'<tr{current}><td><label class="pa-choose"><input type="checkbox" data-do="select" data-id="{key}"'
        f'{" checked" if is_selected else ""} aria-label="Choose {title}"></label></td>'
        f'<td class="pa-col-title"><button type="button" class="pa-open" data-do="open" data-id="{key}">{title}</button>{under}{tags}</td>'
        f'<td class="pa-col-year">{escape(readable_date(paper.date, paper.date_inferred))}</td>{venue}</tr>'
    )


def _pager(total: int, page: int) -> str:
    pages = -(-total // PAGE)
    if pages < 2:
        return ""
    first, last = page * PAGE + 1, min(total, (page + 1) * PAGE)
    is_first, is_last = page == 0, page == pages - 1
    steps = [("First", 0, is_first), ("Back", page - 1, is_first), ("Next", page + 1, is_last), ("Last", pages - 1, is_last)]
    buttons = "".join(
        f'<button type="button" class="pa-do" data-do="page" data-page="{to}"{" disabled" if is_off else ""}>{name}</button>'
        for name, to, is_off in steps
    )
    return f'<nav class="pa-pager" aria-label="Pages of the table">{buttons}<span>{first:,} to {last:,} of {total:,}</span></nav>'


_COLUMN_REM = 3.2
"""The widest that a year's column is."""


def _years(counts: Sequence[Count], current: str) -> str:
    """Columns, the latest at the right; years without a paper between them stay empty."""
    by_year = {int(one.value): one.papers for one in counts if one.value.isdecimal() and len(one.value) == 4}
    if not by_year:
        return ""
    latest = max(by_year)
    years = range(max(min(by_year), latest - _YEARS + 1), latest + 1)
    most = max(by_year.get(year, 0) for year in years)
    columns = "".join(_column(year, by_year.get(year, 0), most, str(year) == current) for year in years)
    return (
        f'<section class="pa-plot pa-years"><h3>Years</h3><div style="max-width: {_COLUMN_REM * len(years):g}rem">'
        f'<div class="pa-columns">{columns}</div><div class="pa-axis" aria-hidden="true"><span>{years[0]}</span>'
        f"<span>{years[-1] if len(years) > 1 else ''}</span></div></div></section>"
    )


def _column(year: int, papers: int, most: int, is_current: bool) -> str:
    words = f"{year}: {papers:,} paper{'' if papers == 1 else 's'}"
    height = f'<span style="height: {max(2, 100 * papers // most) if papers else 0}%"></span>'
    value = "" if is_current else str(year)
    return (
        f'<button type="button" class="pa-column" data-do="narrow" data-field="year" data-value="{value}" title="{words}"'
        f' aria-label="{words}"{_pressed(is_current)}{"" if papers else " disabled"}>{height}</button>'
    )


def _bars(field: Field, counts: Sequence[Count], current: str) -> str:
    most = max(one.papers for one in counts)
    bars = "".join(_bar(field, one, most, one.value == current) for one in counts[:_BARS])
    more = f'<p class="pa-more">and {len(counts) - _BARS:,}{"+" if len(counts) >= 50 else ""} more</p>' if len(counts) > _BARS else ""
    return f'<section class="pa-plot"><h3>{_LABELS[field][1]}</h3>{bars}{more}</section>'


def _bar(field: Field, one: Count, most: int, is_current: bool) -> str:
    value = "" if is_current else escape(one.value)
    name = escape(one.shown.replace("\\", "/").rsplit("/", 1)[-1] if field == "source" else one.shown)
    return (
        f'<button type="button" class="pa-bar" data-do="narrow" data-field="{field}" data-value="{value}" data-name="{name}"'
        f'{_pressed(is_current)}><span class="pa-bar-fill" style="width: {max(1, 100 * one.papers // most)}%"></span>'
        f'<span class="pa-bar-name">{name}</span><span class="pa-bar-count">{one.papers:,}</span></button>'
    )
