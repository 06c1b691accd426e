"""A run as one screen of text."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table

from eval.calibration import Bin, Calibration
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
    ("refusal_rate", "decl"),
    ("harm", "harm"),
    ("latency_ms_p50", "ms"),
)
_HEADLINE = ("harm", "hit@1", "recall@5", "fact_recall", "refusal_rate")
"""Metrics shown with their intervals."""


def table(run: Run) -> Group:
    """A row for each kind, then the single-paper kinds together, then all; confidence below; within 80 columns."""
    shown = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    shown.add_column("kind", no_wrap=True)
    for _, heading in _COLUMNS:
        shown.add_column(heading, justify="right", no_wrap=True)
    for kind in run.kinds():
        shown.add_row(kind, *_cells(run.of_kinds([kind])))
    shown.add_row()
    together = {"all": run.overall()}
    if run.single_paper().metrics["n"]:
        together = {"single-paper": run.single_paper(), **together}
    for name, summary in together.items():
        shown.add_row(name, *_cells(summary), style="bold" if name == "all" else None)
    bounds = [f"{name}: {', '.join(_with_bounds(summary, metric) for metric in _HEADLINE)}" for name, summary in together.items()]
    legend = ["harm: answered, and wrong. ms: median latency. With 95% bootstrap intervals:"]
    if run.settings.get("leave_out_gold"):
        legend.insert(0, "Asked without the papers that answer: each answer given is harm.")
    return Group(shown, *legend, *bounds, *_confidence(run.calibration()))


def _confidence(found: Calibration) -> list[RenderableType]:
    """One line, and the reliability table where anything was answered."""
    figures = {
        "right": found.right,
        "calibration error": found.expected_calibration_error,
        "Brier": found.brier_score,
        "risk-coverage": found.area_under_risk_coverage,
    }
    line = f"confidence of {found.n} answers: {', '.join(f'{name} {_figure(name, value)}' for name, value in figures.items())}"
    return [line, _reliability(found.reliability)] if found.n else [line]


def _reliability(bins: Sequence[Bin]) -> Table:
    """A column for each bin, headed by its lowest confidence."""
    shown = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    shown.add_column("confidence from", no_wrap=True)
    for one in bins:
        shown.add_column(f"{one.low:.1f}", justify="right", no_wrap=True)
    shown.add_row("answers", *(str(one.count) for one in bins))
    shown.add_row("mean confidence", *(_figure("confidence", one.confidence) for one in bins))
    shown.add_row("share right", *(_figure("right", one.right) for one in bins))
    return shown


def _cells(summary: Summary) -> list[str]:
    return [_figure(name, summary.metrics[name]) for name, _ in _COLUMNS]


def _with_bounds(summary: Summary, metric: str) -> str:
    bounds = summary.intervals[metric]
    shown = "" if bounds is None else f" [{_figure(metric, bounds[0])}, {_figure(metric, bounds[1])}]"
    return f"{metric} {_figure(metric, summary.metrics[metric])}{shown}"


def _figure(name: str, value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.0f}" if name == "n" or name.startswith("latency") else f"{value:.2f}"
