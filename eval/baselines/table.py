"""What was measured side by side, as one screen of text."""

from __future__ import annotations

from rich.console import Group
from rich.table import Table

from eval.baselines.measure import RETRIEVAL, Row, SideBySide

_HEADINGS = {"recall@5": "rec@5", "recall@10": "rec@10", "ndcg@10": "ndcg", "mrr@10": "mrr"}
_ANSWERED = ("harm", "coverage", "fact_recall")


def table(measured: SideBySide) -> Group:
    """Retrieval and its costs; answers, of those that answer; how much better the first is; within 80 columns."""
    with_gold = sum(bool(gold.gold_titles) for gold in measured.questions)
    return Group(
        f"Papers found, {with_gold} questions with gold; a search's median and 95th percentile; papers indexed in a second, and in one of "
        "the processor's time; memory added:",
        _retrieval(measured),
        "",
        f"Answers, all {len(measured.questions)} questions (harm: answered, and wrong; coverage: answered, of those with gold):",
        _answers(measured),
        "",
        *(f"{row.name}: {row.what}" for row in measured.rows),
        "",
        f"{measured.rows[0].name} is better by, question by question, with 95% bootstrap intervals:",
        *(_gains(measured, row) for row in measured.rows[1:]),
    )


def _retrieval(measured: SideBySide) -> Table:
    shown = _table(*(_HEADINGS.get(name, name) for name in RETRIEVAL), "ms", "p95", "pap/s", "cpu", "MB")
    for row in measured.rows:
        metrics = measured.quality(row).metrics
        quality = [_share(metrics[name]) for name in RETRIEVAL]
        latency = [_whole(metrics["latency_ms_p50"]), _whole(metrics["latency_ms_p95"])]
        shown.add_row(row.name, *quality, *latency, _rate(row.papers_per_s), _rate(row.papers_per_cpu_s), _whole(row.memory_mb))
    return shown


def _answers(measured: SideBySide) -> Table:
    shown = _table(*_ANSWERED, "ms", "p95")
    for row in measured.rows:
        summary = measured.answering(row)
        if summary is None:
            continue
        figures = {**summary.metrics, "coverage": measured.coverage(row)}
        latency = [_whole(figures["latency_ms_p50"]), _whole(figures["latency_ms_p95"])]
        shown.add_row(row.name, *(_share(figures[name]) for name in _ANSWERED), *latency)
    return shown


def _table(*headings: str) -> Table:
    shown = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    shown.add_column("", no_wrap=True)
    for heading in headings:
        shown.add_column(heading, justify="right", no_wrap=True)
    return shown


def _gains(measured: SideBySide, row: Row) -> str:
    told = []
    for metric in ("hit@1", "ndcg@10"):
        gain, (low, high) = measured.gain(row, metric)
        told.append(f"{metric} {gain:+.2f} [{low:+.2f}, {high:+.2f}]")
    return f"than {row.name}: {', '.join(told)}"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _rate(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def _whole(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"
