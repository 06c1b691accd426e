"""The plots of a report and of the benchmark, by matplotlib, as SVG. Pure functions."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from eval.calibration import judged
from eval.metrics import Summary
from eval.results import Run

COLOURS = ("#2f6fb3", "#d9822b", "#4a9a5b", "#a2559c", "#8a6d3b", "#c0413b")
_WIDTH = 5.2
_HEIGHT = 3.2
_BAR = 0.17
"""Inches of a bar."""
_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "eval",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
}
_UNDATED = dict.fromkeys(("Date", "Creator", "Format", "Type"))

Bounds = tuple[float, float] | None


@dataclass(frozen=True)
class Plot:
    """One picture."""

    name: str
    """Also of its file."""
    title: str
    svg: str


def plots(runs: Sequence[Run]) -> list[Plot]:
    """All that these runs can show; cost only where some run has a price; a replayed run has neither time nor cost."""
    with rc_context(_STYLE):
        found = [_by_kind(runs, "harm", "Harm by kind"), _by_kind(runs, "hit@1", "Right paper first, by kind")]
        found += [_by_kind(runs, "fact_recall", "Facts asked for, by kind"), _by_kind(runs, "refusal_rate", "Declined, by kind")]
        found += _against(runs, "latency_ms_p50", "latency", "Quality against latency", "median latency, ms")
        found += _against(runs, "cost", "cost", "Quality against cost", "money a question")
        return [*found, _reliability(runs), _risk_coverage(runs)]


def growing(title: str, points: Sequence[tuple[float, float]], x_name: str, y_name: str) -> str:
    """A line over a logarithmic x, and from 0 on, so that little looks like little."""
    with rc_context(_STYLE):
        figure, axes = _axes(x_name, y_name)
        axes.plot([x for x, _ in points], [y for _, y in points], "o-", color=COLOURS[0])
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}"))
        axes.set_ylim(bottom=0)
        axes.set_title(title)
        return _svg(figure)


def _by_kind(runs: Sequence[Run], metric: str, title: str) -> Plot:
    kinds = list(dict.fromkeys(kind for run in runs for kind in run.kinds()))
    summaries = {kind: [run.of_kinds([kind]) for run in runs] for kind in kinds}
    kinds = [kind for kind in kinds if any(one.metrics[metric] is not None for one in summaries[kind])]
    figure, axes = _axes("", "", 0.9 + (_BAR * len(runs) + 0.08) * max(1, len(kinds)))
    width = 0.85 / len(runs)
    for number in range(len(runs)):
        for place, kind in enumerate(kinds):
            _bar(axes, place + width * (number - (len(runs) - 1) / 2), width, summaries[kind][number], metric, number)
    axes.set_yticks(range(len(kinds)), kinds)
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    return Plot(f"{metric.replace('@', '-')}-by-kind", title, _svg(figure))


def _bar(axes: Axes, place: float, width: float, summary: Summary, metric: str, number: int) -> None:
    value, bounds = summary.metrics[metric], summary.intervals[metric]
    if value is not None:
        axes.barh(place, value, width, color=COLOURS[number % len(COLOURS)], xerr=_around(value, bounds), ecolor="#333", capsize=2)


def _against(runs: Sequence[Run], metric: str, name: str, title: str, axis: str) -> list[Plot]:
    figure, axes = _axes(axis, "fact recall")
    drawn = [_point(axes, run, metric, number) for number, run in enumerate(runs)]
    axes.set_xlim(left=0)
    axes.set_ylim(0, 1)
    return [Plot(f"quality-{name}", title, _svg(figure))] if any(drawn) else []


def _point(axes: Axes, run: Run, metric: str, number: int) -> bool:
    """Whether there is one."""
    found = run.overall()
    x, y = found.metrics[metric], found.metrics["fact_recall"]
    if x is None or y is None or run.settings.get("replayed"):
        return False
    across, along = _around(y, found.intervals["fact_recall"]), _around(x, found.intervals[metric])
    axes.errorbar(x, y, yerr=across, xerr=along, fmt="o", color=COLOURS[number % len(COLOURS)], ecolor="#333")
    return True


def _reliability(runs: Sequence[Run]) -> Plot:
    figure, axes = _unit_axes("mean confidence", "share right")
    axes.plot([0, 1], [0, 1], "--", color="#bbb")
    for number, run in enumerate(runs):
        bins = [(one.confidence or 0.0, one.right or 0.0) for one in run.calibration().reliability if one.count]
        axes.plot([at for at, _ in bins], [right for _, right in bins], "o-", color=COLOURS[number % len(COLOURS)])
    return Plot("reliability", "Reliability: confidence against share right", _svg(figure))


def _risk_coverage(runs: Sequence[Run]) -> Plot:
    figure, axes = _unit_axes("coverage: share of all questions", "share wrong")
    for number, run in enumerate(runs):
        ranked = sorted(judged(run.questions, run.results), key=lambda one: -one.confidence)
        wrong, coverage, risk = 0, list[float](), list[float]()
        for place, one in enumerate(ranked, 1):
            wrong += not one.right
            coverage.append(place / len(run.questions))
            risk.append(wrong / place)
        axes.plot(coverage, risk, color=COLOURS[number % len(COLOURS)])
    return Plot("risk-coverage", "Risk against coverage, the most confident answers first", _svg(figure))


def _unit_axes(x_name: str, y_name: str) -> tuple[Figure, Axes]:
    figure, axes = _axes(x_name, y_name)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    return figure, axes


def _axes(x_name: str, y_name: str, height: float = _HEIGHT) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(_WIDTH, height), layout="constrained")
    axes = figure.add_subplot()
    axes.set_xlabel(x_name)
    axes.set_ylabel(y_name)
    axes.grid(color="#ddd")
    return figure, axes


def _around(value: float, bounds: Bounds) -> list[list[float]] | None:
    """How far the bounds lie below and above, as matplotlib takes them."""
    return None if bounds is None else [[max(0.0, value - bounds[0])], [max(0.0, bounds[1] - value)]]


def _svg(figure: Figure) -> str:
    written = io.StringIO()
    figure.savefig(written, format="svg", metadata=_UNDATED)
    return written.getvalue()
