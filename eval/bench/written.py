"""What was measured as one Markdown file, and as the JSON that later runs add to. Pure functions of plain documents.

Goes in: a part as it was found, with the machine as it was then. Comes out: the document with that part in its
place, and its text. Parts may be measured on different days, so each tells its own date, load and settings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from eval.bench.figures import Part
from eval.bench.machine import in_words
from eval.bench.table import number, plain, wanted

Document = Mapping[str, Any]
"""`{"parts": [...]}`, each part as `measured` makes it."""

GROWTH = "growth.svg"
PLOTTED = "Median search by the size of the library, processor's time"
_HOW = "Made by `python -m eval bench --report DIR`, which replaces the parts that it measures anew and keeps the others."
_READ = (
    "What is compared was run in turn in one go; a ratio is the median of each round's. Beside the time on the clock stands the "
    "processor's, which other programs on the machine disturb less: where the load is above the number of cores, read that."
)


def measured(part: Part, machine: Mapping[str, Any], date: str) -> dict[str, Any]:
    """A part for the document."""
    return {**part.document(), "date": date, "machine": dict(machine)}


def put(document: Document, part: Mapping[str, Any], order: Sequence[str]) -> dict[str, Any]:
    """The document with this part in place of an older one, parts in this order."""
    parts = {one["name"]: one for one in (*document.get("parts", ()), part)}
    return {"parts": [parts[name] for name in order if name in parts]}


def as_markdown(document: Document) -> str:
    """The whole file, with the plot of growth beside it."""
    parts = document["parts"]
    lines = [
        "# Speed, memory and growth",
        "",
        _HOW,
        "",
        _READ,
        "",
        "## Against what is wanted",
        "",
        *_ratios(parts),
        "",
        *_missed(parts),
        "",
    ]
    for part in parts:
        lines += [f"## {part['title']}", "", _made(part), "", *_figures(part)]
        lines += ["", f"![{PLOTTED}]({GROWTH})"] if part["name"] == "growth" else []
        lines += [""]
    lines += ["## The machine", "", *_machines(parts)]
    return "\n".join(lines).rstrip() + "\n"


def _ratios(parts: Sequence[Document]) -> list[str]:
    found = [ratio for part in parts for ratio in part["ratios"] if ratio["wanted"] is not None]
    rows = [(one["what"], f"{one['value']:.2f}", f"{one['cpu']:.2f}", wanted(one["wanted"], one["at_most"], one["held"])) for one in found]
    return _table(("ratio", "clock", "processor", "wanted"), rows) if rows else ["Nothing of it was measured."]


def _missed(parts: Sequence[Document]) -> list[str]:
    missed = [one for part in parts for one in part["ratios"] if one["held"] is False]
    told = [f"Missed: {one['what']}, {one['value']:.2f} by the clock, {one['cpu']:.2f} by the processor's time." for one in missed]
    return [f"- {line}" for line in told] or ["None of these is missed."]


def _made(part: Document) -> str:
    settings = [f"{name.replace('_', ' ')}: {plain(value)}" for name, value in part["settings"].items()]
    load = part["machine"]["load"]
    return "; ".join([f"Measured {part['date']}", *([] if load is None else [f"load at the start {load:.1f}"]), *settings]) + "."


def _figures(part: Document) -> list[str]:
    rows = [(one["what"], number(one["value"]), "" if one["cpu"] is None else number(one["cpu"]), one["unit"]) for one in part["rows"]]
    rows += [(one["what"], f"{one['value']:.2f}", f"{one['cpu']:.2f}", "times") for one in part["ratios"]]
    shown = _table(("", "clock", "processor", ""), rows) if rows else []
    return [*shown, *(line for note in part["notes"] for line in ("", note))]


def _machines(parts: Sequence[Document]) -> list[str]:
    """Each machine once, with the parts that it measured."""
    names: dict[tuple[str, ...], list[str]] = {}
    for part in parts:
        names.setdefault(tuple(in_words({**part["machine"], "load": None})), []).append(part["title"])
    lines = []
    for told, titles in names.items():
        lines += [*([f"{', '.join(titles)}:", ""] if len(names) > 1 else []), *(f"- {line}" for line in told), ""]
    return lines


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    marks = ["---", *["---:"] * (len(heads) - 2), "---"]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in (heads, marks, *rows)]
