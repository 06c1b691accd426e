"""The tables of a report as plain cells, for HTML and Markdown alike. Pure functions of runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eval.metrics import Summary
from eval.report.screen import figure
from eval.results import Run

Cells = list[str]

_GROUPS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    ("Harm", (("harm", "answered, and wrong"), ("coverage", "coverage: answered, right or wrong"))),
    (
        "Found",
        (
            ("hit@1", "right paper first"),
            ("recall@5", "recall@5"),
            ("recall@10", "recall@10"),
            ("mrr@10", "MRR@10"),
            ("ndcg@10", "nDCG@10"),
        ),
    ),
    ("Said", (("fact_recall", "fact recall"), ("fact_precision", "sentences that hold a fact"), ("answer_words", "words of an answer"))),
    (
        "Cited",
        (
            ("citation_precision", "precision, papers"),
            ("citation_recall", "recall, papers"),
            ("sentence_citation_precision", "precision, sentences"),
            ("sentence_citation_recall", "recall, sentences"),
        ),
    ),
    ("Declined", (("refusal_rate", "of all questions"), ("false_refusal", "though a paper answers"))),
    (
        "Confidence",
        (
            ("right", "answers that are right"),
            ("area_under_risk_coverage", "area under risk-coverage"),
            ("expected_calibration_error", "calibration error"),
            ("brier_score", "Brier score"),
        ),
    ),
    (
        "Cost",
        (
            ("latency_ms_p50", "latency, median, ms"),
            ("latency_ms_p95", "latency, 95th percentile, ms"),
            ("first_text_ms_p50", "first text, median, ms"),
            ("first_text_ms_p95", "first text, 95th percentile, ms"),
            ("prompt_tokens", "prompt tokens a question"),
            ("completion_tokens", "completion tokens a question"),
            ("cost", "money a question"),
            ("peak_memory_mb", "peak memory, MB"),
        ),
    ),
)
_OF_TIME = ("latency", "first_text", "peak_memory")
KIND_COLUMNS = (
    ("n", "n"),
    ("harm", "harm"),
    ("refusal_rate", "declined"),
    ("hit@1", "hit@1"),
    ("recall@5", "recall@5"),
    ("ndcg@10", "nDCG@10"),
    ("fact_recall", "facts"),
    ("citation_precision", "cited, precision"),
    ("citation_recall", "cited, recall"),
    ("sentence_citation_precision", "sentences, precision"),
    ("answer_words", "words"),
    ("latency_ms_p50", "ms"),
)
NOT_MEASURED = "not measured"


@dataclass(frozen=True)
class Group:
    """Rows that belong together."""

    name: str
    rows: list[Cells]
    """Each the measure's name and one cell for each run."""


def headline(runs: Sequence[Run]) -> list[Group]:
    """Every metric over all questions, with its bounds, one column for each run."""
    summaries = [_with_confidence(run) for run in runs]
    return [
        Group(name, [[said, *(_cell(run, summary, metric) for run, summary in zip(runs, summaries, strict=True))] for metric, said in rows])
        for name, rows in _GROUPS
    ]


def by_kind(run: Run) -> list[Cells]:
    """A row for each kind, then for the single-paper kinds together and all, as `KIND_COLUMNS` heads them."""
    rows = [(kind, run.of_kinds([kind])) for kind in run.kinds()]
    if run.single_paper().metrics["n"]:
        rows.append(("single-paper", run.single_paper()))
    rows.append(("all", run.overall()))
    return [[name, *(figure(metric, summary.metrics[metric]) for metric, _ in KIND_COLUMNS)] for name, summary in rows]


def remarks(runs: Sequence[Run]) -> list[str]:
    """What a reader must know before the figures."""
    told = []
    if all(run.settings.get("llm", "extractive") == "extractive" for run in runs):
        told.append(f"Answers written by an LLM: {NOT_MEASURED}; no model's completions were at hand.")
    for run in runs:
        if run.settings.get("replayed"):
            told.append(f"{run.name}: completions replayed; the model's own time and cost are {NOT_MEASURED}.")
        if run.settings.get("leave_out_gold"):
            told.append(f"{run.name}: each question was asked without the papers that answer it; every answer is harm.")
        if run.settings.get("jobs", 1) > 1:
            told.append(f"{run.name}: asked {run.settings['jobs']} at a time; times are under that load.")
        if run.fell_back():
            told.append(f"{run.name}: in {run.fell_back()} answers the LLM failed, and the papers were quoted instead.")
        failed = sum(result.error is not None for result in run.results)
        if failed:
            told.append(f"{run.name}: {failed} questions failed.")
    told.append("Precision and recall of citations say nothing of whether an answer is right: read them beside harm and fact recall.")
    return told


def settings(run: Run) -> list[Cells]:
    """What was measured, as pairs."""
    return [[name.replace("_", " "), _plain(value)] for name, value in run.settings.items() if value not in (None, [], "")]


def _plain(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, dict):
        return ", ".join(f"{name} {one}" for name, one in value.items())
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)


def _with_confidence(run: Run) -> Summary:
    found, overall = run.calibration(), run.overall()
    figures = {name: getattr(found, name) for name in found.intervals}
    return Summary({**overall.metrics, **figures}, {**overall.intervals, **found.intervals})


def _cell(run: Run, summary: Summary, metric: str) -> str:
    value, bounds = summary.metrics[metric], summary.intervals[metric]
    if value is None or (run.settings.get("replayed") and metric.startswith(_OF_TIME)):
        return NOT_MEASURED
    shown = figure(metric, value)
    return shown if bounds is None else f"{shown} [{figure(metric, bounds[0])}, {figure(metric, bounds[1])}]"
