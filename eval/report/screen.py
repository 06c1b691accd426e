"""Runs as one screen of text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table

from eval.calibration import Bin, Calibration
from eval.metrics import METRICS, Summary
from eval.results import Run

if TYPE_CHECKING:
    from eval.report.error_analysis import Section

_COLUMNS = (
    ("n", "n"),
    ("harm", "harm"),
    ("refusal_rate", "decl"),
    ("hit@1", "hit@1"),
    ("recall@5", "rec@5"),
    ("ndcg@10", "ndcg"),
    ("fact_recall", "facts"),
    ("citation_precision", "cit.P"),
    ("citation_recall", "cit.R"),
    ("answer_words", "words"),
    ("latency_ms_p50", "ms"),
)
_SHORT = {"sentence_citation_precision": "sentence_cit.P", "sentence_citation_recall": "sentence_cit.R"}
_BESIDE = (("harm", "harm"), ("fact_recall", "facts"), ("refusal_rate", "decl"), ("hit@1", "hit@1"))
"""What is shown of each run, where there are several."""
_COSTS = ("latency_ms_p50", "latency_ms_p95", "first_text_ms_p50", "first_text_ms_p95", "peak_memory_mb")
_WHOLE = ("answer_words", "prompt_tokens", "completion_tokens", "peak_memory", "latency", "first_text")
_WIDTH = 80


def table(runs: Sequence[Run]) -> Group:
    """The first run by kind, every figure of it with its bounds, its confidence; then the others beside it. Within 80 columns."""
    first = runs[0]
    legend = ["harm: answered, and wrong; decl: declined; cit.P, cit.R: precision and recall of the papers cited; ms: median."]
    if first.settings.get("leave_out_gold"):
        legend.insert(0, "Asked without the papers that answer: each answer given is harm.")
    if (jobs := first.settings.get("jobs", 1)) > 1:
        legend.append(f"Asked {jobs} at a time: times are those under that load.")
    told: list[RenderableType] = [_by_kind(first), *legend, "All questions, with 95% bootstrap intervals:", _figures(first)]
    if first.single_paper().metrics["n"]:
        told += [f"single-paper: {', '.join(_with_bounds(first.single_paper(), name) for name in ('hit@1', 'recall@5', 'fact_recall'))}"]
    told += [*_confidence(first.calibration()), *_doubts(runs)]
    if len(runs) > 1:
        told += ["", *_side_by_side(runs)]
    return Group(*told)


def libraries(section: Section) -> Group:
    """Libraries side by side, a column for each, so that it fits the screen."""
    shown = _plain("", *(row[0] for row in section.rows))
    for place, head in enumerate(section.heads[1:], 1):
        shown.add_row(head, *(row[place] for row in section.rows))
    return Group(f"{section.title}:", *section.lines, shown, "")


def _by_kind(run: Run) -> Table:
    shown = _plain("kind", *(heading for _, heading in _COLUMNS))
    for kind in run.kinds():
        shown.add_row(kind, *_cells(run.of_kinds([kind])))
    shown.add_row()
    if run.single_paper().metrics["n"]:
        shown.add_row("single-paper", *_cells(run.single_paper()))
    shown.add_row("all", *_cells(run.overall()), style="bold")
    return shown


def _figures(run: Run) -> Table:
    """Every metric over all questions, two in a row."""
    shown = Table.grid(padding=(0, 2, 0, 0))
    overall = run.overall()
    cells = [(_SHORT.get(name, name), bounded(overall, name)) for name in (*METRICS, *_COSTS) if overall.metrics[name] is not None]
    half = (len(cells) + 1) // 2
    for left, right in zip(cells[:half], [*cells[half:], ("", "")], strict=False):
        shown.add_row(*left, *right)
    return shown


def _side_by_side(runs: Sequence[Run]) -> list[RenderableType]:
    """As many runs in a table as fit, each with its few headline figures, kind by kind."""
    room = (_WIDTH - 23) // (6 * len(_BESIDE))
    lines: list[RenderableType] = []
    for start in range(0, len(runs), room):
        some = runs[start : start + room]
        lines.append("; ".join(f"{_letter(start + place)}: {run.name}" for place, run in enumerate(some)))
        headings = [f"{_letter(start + place)} {heading}" for place in range(len(some)) for _, heading in _BESIDE]
        shown = _plain("kind", "n", *headings)
        for kind in [*runs[0].kinds(), "all"]:
            summaries = [run.overall() if kind == "all" else run.of_kinds([kind]) for run in some]
            cells = [figure(name, summary.metrics[name]) for summary in summaries for name, _ in _BESIDE]
            shown.add_row(kind, figure("n", summaries[0].metrics["n"]), *cells, style="bold" if kind == "all" else None)
        lines.append(shown)
    return lines


def _letter(place: int) -> str:
    return chr(ord("A") + place)


def _doubts(runs: Sequence[Run]) -> list[str]:
    """What a reader must know of LLMs that failed, or whose time was not measured."""
    told = [
        f"{run.name}: in {run.fell_back()} answers the LLM failed, and the papers were quoted instead." for run in runs if run.fell_back()
    ]
    return told + [
        f"{run.name}: completions replayed; the model's own time and cost are not measured." for run in runs if run.settings.get("replayed")
    ]


def _confidence(found: Calibration) -> list[RenderableType]:
    """One line, and the reliability table where anything was answered."""
    names = {
        "right": "right",
        "expected_calibration_error": "calibration error",
        "brier_score": "Brier",
        "area_under_risk_coverage": "risk-coverage",
    }
    values = Summary({name: getattr(found, name) for name in names}, found.intervals)
    lines: list[RenderableType] = [
        f"confidence of {found.n} answers: {', '.join(f'{said} {bounded(values, name)}' for name, said in names.items())}"
    ]
    return [*lines, _reliability(found.reliability)] if found.n else lines


def _reliability(bins: Sequence[Bin]) -> Table:
    """A column for each bin, headed by its lowest confidence."""
    shown = _plain("confidence from", *(f"{one.low:.1f}" for one in bins))
    shown.add_row("answers", *(str(one.count) for one in bins))
    shown.add_row("mean confidence", *(figure("confidence", one.confidence) for one in bins))
    shown.add_row("share right", *(figure("right", one.right) for one in bins))
    return shown


def _plain(first: str, *headings: str) -> Table:
    shown = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    shown.add_column(first, no_wrap=True)
    for heading in headings:
        shown.add_column(heading, justify="right")
    return shown


def _cells(summary: Summary) -> list[str]:
    return [figure(name, summary.metrics[name]) for name, _ in _COLUMNS]


def _with_bounds(summary: Summary, metric: str) -> str:
    return f"{metric} {bounded(summary, metric)}"


def bounded(summary: Summary, metric: str) -> str:
    """A figure with its bounds."""
    bounds = summary.intervals[metric]
    shown = "" if bounds is None else f" [{figure(metric, bounds[0])}, {figure(metric, bounds[1])}]"
    return f"{figure(metric, summary.metrics[metric])}{shown}"


def figure(name: str, value: float | None) -> str:
    """A figure as it is shown: shares with two decimals, counts and times whole, money with four."""
    if value is None:
        return "-"
    if name == "cost":
        return f"{value:.4f}"
    return f"{value:.0f}" if name == "n" or name.startswith(_WHOLE) else f"{value:.2f}"
