"""A run as one screen of text."""

from __future__ import annotations

from rich.table import Table

from eval.metrics import Summary
from eval.run import Run

_COLUMNS = (
    ("n", "n"),
    ("hit@1", "hit@1"),
    ("recall@5", "rec@5"),
    ("recall@10", "rec@10"),
    ("ndcg@10", "ndcg"),
    ("fact_recall", "facts"),
    ("citation_precision", "cit.P"),
    ("citation_recall", "cit.R"),
    ("refusal_rate", "declined"),
    ("harm", "harm"),
    ("latency_ms_p50", "ms p50"),
)


def table(run: Run) -> Table:
    """A row for each kind, then the single-paper kinds together, then all."""
    shown = Table(title="Answered, and right?", caption="harm: answered, and wrong. Brackets: 95% bootstrap interval.", pad_edge=False)
    shown.add_column("kind", no_wrap=True)
    for _, heading in _COLUMNS:
        shown.add_column(heading, justify="right", no_wrap=True)
    for kind in run.kinds():
        shown.add_row(kind, *_cells(run.of_kinds([kind])))
    shown.add_section()
    single = run.single_paper()
    if single.metrics["n"]:
        shown.add_row("single-paper kinds", *_cells(single))
        shown.add_row("", *_bounds(single))
    overall = run.overall()
    shown.add_row("all", *_cells(overall), style="bold")
    shown.add_row("", *_bounds(overall))
    return shown


def _cells(summary: Summary) -> list[str]:
    return [_figure(name, summary.metrics[name]) for name, _ in _COLUMNS]


def _bounds(summary: Summary) -> list[str]:
    bounds = [summary.intervals[name] for name, _ in _COLUMNS]
    return [
        "" if pair is None else f"{_figure(name, pair[0])}-{_figure(name, pair[1])}"
        for (name, _), pair in zip(_COLUMNS, bounds, strict=True)
    ]


def _figure(name: str, value: float | None) -> str:
    if value is None:
        return "-"
    if name == "n" or name.startswith("latency"):
        return f"{value:.0f}"
    return f"{value:.2f}".removeprefix("0") if value < 1 else "1.0"
