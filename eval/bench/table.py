"""What a part found, as text within 80 columns."""

from __future__ import annotations

from rich.console import Group
from rich.table import Table

from eval.bench.figures import Part, Row


def table(part: Part) -> Group:
    """Its figures, its ratios with what is wanted, what made them, what they do not say."""
    settings = ", ".join(f"{name} {plain(value)}" for name, value in part.settings.items())
    shown = [f"{part.title}{f' ({settings})' if settings else ''}"]
    return Group(*shown, *([_figures(part)] if part.rows or part.ratios else []), *part.notes, "")


def _figures(part: Part) -> Table:
    shown = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    shown.add_column("")
    for heading in ("clock", "cpu", ""):
        shown.add_column(heading, justify="right", no_wrap=True)
    shown.add_column("", no_wrap=True)
    for row in part.rows:
        shown.add_row(row.what, number(row.value), _cpu(row), row.unit, "")
    for ratio in part.ratios:
        shown.add_row(ratio.what, f"{ratio.value:.2f}", f"{ratio.cpu:.2f}", "times", wanted(ratio.wanted, ratio.at_most, ratio.held))
    return shown


def wanted(bound: float | None, at_most: bool, held: bool | None) -> str:
    """What is wanted of a ratio, and whether it holds; nothing where nothing is wanted."""
    if bound is None:
        return ""
    return f"{'<=' if at_most else '>='} {bound:g}: {'held' if held else 'missed'}"


def _cpu(row: Row) -> str:
    return "" if row.cpu is None else number(row.cpu)


def number(value: float) -> str:
    """Three digits that count."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def plain(value: object) -> str:
    """A setting."""
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)
