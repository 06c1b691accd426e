"""What was measured: as one screen of text, as one Markdown file, and as the JSON that later runs add to.

Goes in: a part as it was found, with the machine as it was then. Comes out: the document with that part in its
place, and its text. Parts may be measured on different days, so each tells its own date, load and settings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group
from rich.table import Table

from eval.bench.figures import Part
from eval.bench.machine import in_words

Document = Mapping[str, Any]
"""`{"parts": [...]}`, each part as `measured` makes it."""

GROWTH = "growth.svg"
PLOTTED = "Median search by the size of the library, processor's time"


def measured(part: Part, machine: Mapping[str, Any], date: str) -> dict[str, Any]:
    """A part for the document."""
    return {**part.document(), "date": date, "machine": dict(machine)}


def put(document: Document, part: Mapping[str, Any], order: Sequence[str]) -> dict[str, Any]:
    """The document with this part in place of an older one, parts in this order; those of other names are left out."""
    parts = {one["name"]: one for one in (*document.get("parts", ()), part)}
    return {"parts": [parts[name] for name in order if name in parts]}


def screen(part: Document) -> Group:
    """A part's figures, its ratios with what is wanted, what made them, what they do not say, within 80 columns."""
    settings = ", ".join(f"{name} {_plain(value)}" for name, value in part["settings"].items())
    shown = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    shown.add_column("")
    for heading in ("clock", "cpu", ""):
        shown.add_column(heading, justify="right", no_wrap=True)
    shown.add_column("", no_wrap=True)
    for cells in _rows(part):
        shown.add_row(*cells)
    figures = [shown] if shown.row_count else []
    return Group(f"{part['title']}{f' ({settings})' if settings else ''}", *figures, *part["notes"], "")


def as_markdown(document: Document) -> str:
    """The whole file, with the plot of growth beside it."""
    from eval.report.rendering import markdown

    parts = document["parts"]
    ratios = [ratio for part in parts for ratio in part["ratios"]]
    return markdown(
        "bench.md.jinja",
        parts=[{**part, "made": _made(part), "table": [cells[:4] for cells in _rows(part)]} for part in parts],
        ratios=[[one["what"], f"{one['value']:.2f}", f"{one['cpu']:.2f}", _wanted(one)] for one in ratios if one["wanted"] is not None],
        missed=[
            f"Missed: {one['what']}, {one['value']:.2f} by the clock, {one['cpu']:.2f} by the processor's time."
            for one in ratios
            if one["held"] is False
        ],
        machines=_machines(parts),
        growth=(PLOTTED, GROWTH),
    )


def _rows(part: Document) -> list[list[str]]:
    """What was measured, by the clock, by the processor, the unit, and what is wanted."""
    rows = [
        [one["what"], _number(one["value"]), "" if one["cpu"] is None else _number(one["cpu"]), one["unit"], ""] for one in part["rows"]
    ]
    return rows + [[one["what"], f"{one['value']:.2f}", f"{one['cpu']:.2f}", "times", _wanted(one)] for one in part["ratios"]]


def _wanted(ratio: Document) -> str:
    """What is wanted of a ratio, and whether it holds; nothing where nothing is wanted."""
    if ratio["wanted"] is None:
        return ""
    return f"{'at most' if ratio['at_most'] else 'at least'} {ratio['wanted']:g}: {'held' if ratio['held'] else 'missed'}"


def _made(part: Document) -> str:
    settings = [f"{name.replace('_', ' ')}: {_plain(value)}" for name, value in part["settings"].items()]
    load = part["machine"]["load"]
    return "; ".join([f"Measured {part['date']}", *([] if load is None else [f"load at the start {load:.1f}"]), *settings]) + "."


def _machines(parts: Sequence[Document]) -> list[tuple[str, list[str]]]:
    """Each machine once, in lines, with the parts that it measured; these unnamed where there is one machine."""
    titles: dict[tuple[str, ...], list[str]] = {}
    for part in parts:
        titles.setdefault(tuple(in_words({**part["machine"], "load": None})), []).append(part["title"])
    return [(", ".join(of) if len(titles) > 1 else "", list(lines)) for lines, of in titles.items()]


def _number(value: float | None) -> str:
    """Three digits that count; nothing of nothing."""
    if value is None:
        return ""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _plain(value: object) -> str:
    """A setting."""
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)
