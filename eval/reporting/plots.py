"""The plots of a report, by name. Pure functions of runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eval.calibration import judged
from eval.metrics import Summary
from eval.reporting.svg import Bar, Point, bars, curves, scatter
from eval.run import Run


@dataclass(frozen=True)
class Plot:
    """One picture."""

    name: str
    """Also of its file."""
    title: str
    svg: str


def plots(runs: Sequence[Run]) -> list[Plot]:
    """All that these runs can show; cost only where some run has a price; a replayed run has neither time nor cost."""
    found = [_by_kind(runs, "harm", "Harm by kind"), _by_kind(runs, "hit@1", "Right paper first, by kind")]
    found += [_by_kind(runs, "fact_recall", "Facts asked for, by kind"), _by_kind(runs, "refusal_rate", "Declined, by kind")]
    found += _against(runs, "latency_ms_p50", "latency", "Quality against latency", "median latency, ms")
    found += _against(runs, "cost", "cost", "Quality against cost", "money a question")
    return [*found, *_confidence(runs)]


def _by_kind(runs: Sequence[Run], metric: str, title: str) -> Plot:
    kinds = list(dict.fromkeys(kind for run in runs for kind in run.kinds()))
    groups = [(kind, [_bar(run.of_kinds([kind]), metric) for run in runs]) for kind in kinds]
    groups = [(kind, values) for kind, values in groups if any(one.value is not None for one in values)]
    return Plot(f"{metric.replace('@', '-')}-by-kind", title, bars(title, groups))


def _bar(summary: Summary, metric: str) -> Bar:
    return Bar(summary.metrics[metric], summary.intervals[metric])


def _against(runs: Sequence[Run], metric: str, name: str, title: str, axis: str) -> list[Plot]:
    points = [_point(run, metric) for run in runs]
    return [Plot(f"quality-{name}", title, scatter(title, points, axis, "fact recall"))] if any(points) else []


def _point(run: Run, metric: str) -> Point | None:
    found = run.overall()
    x, y = found.metrics[metric], found.metrics["fact_recall"]
    if x is None or y is None or run.settings.get("replayed"):
        return None
    return Point(x, y, found.intervals[metric], found.intervals["fact_recall"])


def _confidence(runs: Sequence[Run]) -> list[Plot]:
    reliable = [
        [(one.confidence, one.right) for one in run.calibration().reliability if one.confidence is not None and one.right is not None]
        for run in runs
    ]
    risks = [_risk_coverage(run) for run in runs]
    first, second = "Reliability: confidence against share right", "Risk against coverage, the most confident answers first"
    return [
        Plot("reliability", first, curves(first, reliable, "mean confidence", "share right", dots=True, diagonal=True)),
        Plot("risk-coverage", second, curves(second, risks, "coverage: share of all questions", "share wrong", dots=False, diagonal=False)),
    ]


def _risk_coverage(run: Run) -> list[tuple[float, float]]:
    ranked = sorted(judged(run.questions, run.results), key=lambda one: -one.confidence)
    wrong, line = 0, []
    for place, one in enumerate(ranked, 1):
        wrong += not one.right
        line.append((place / len(run.questions), wrong / place))
    return line
