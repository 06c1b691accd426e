"""What became of a question, in one word, and where a run loses. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eval.metrics import Result, false_refusal, harm
from eval.questions import GoldQuestion
from eval.report.screen import figure
from eval.results import Run
from eval.targets import Outcome, against_targets

RIGHT = "right"
WRONG = "wrong"
RIGHTLY_DECLINED = "declined rightly"
WRONGLY_DECLINED = "declined wrongly"
FAILED = "failed"
OUTCOMES = (RIGHT, WRONG, RIGHTLY_DECLINED, WRONGLY_DECLINED, FAILED)


@dataclass(frozen=True)
class Loss:
    """A kind of question in which a run does badly."""

    kind: str
    n: int
    wrong: int
    """Answered, and wrong."""
    declined: int
    """Declined, though a paper answers."""

    @property
    def share(self) -> float:
        """Of the kind's questions, what went wrong in either way."""
        return (self.wrong + self.declined) / self.n


def outcome(gold: GoldQuestion, result: Result) -> str:
    """One of `OUTCOMES`; right is an answer that does no harm."""
    if result.error:
        return FAILED
    if result.answered:
        return WRONG if harm(gold, result) else RIGHT
    return WRONGLY_DECLINED if false_refusal(gold, result) else RIGHTLY_DECLINED


def losses(run: Run) -> list[Loss]:
    """The kinds in which anything went wrong, the worst first."""
    found = []
    for kind in run.kinds():
        ends = [outcome(gold, result) for gold, result in zip(run.questions, run.results, strict=True) if gold.kind == kind]
        found.append(Loss(kind, len(ends), ends.count(WRONG), ends.count(WRONGLY_DECLINED)))
    return sorted((one for one in found if one.share), key=lambda one: -one.share)


Cells = list[str]
Document = Mapping[str, Any]

KINDS = {
    "paraphrase": "asked in other words than the paper's",
    "named": "asks about a paper or method by name",
    "detail": "asks for a detail",
    "keywords": "only keywords",
    "typo": "misspelt",
    "title_recall": "looks for a title",
    "summary": "asks for a summary",
    "follow_up": "the last turn of a chat",
    "multi": "several papers answer",
    "overview": "asks what there is on a subject",
    "compare": "compares two papers",
    "absent": "of this field, but no paper here answers",
    "offtopic": "of another field",
    "missing_detail": "a detail that the paper's abstract does not state",
    "refused_follow_up": "a last turn that nothing here answers",
    "false_premise": "takes for granted what the paper contradicts",
}
"""The kinds of the fixed set, in words."""

_WORST = 6
_COMPARED: tuple[tuple[str, str, bool], ...] = (
    ("hit@1", "right paper first", True),
    ("recall@10", "recall@10", True),
    ("ndcg@10", "nDCG@10", True),
    ("harm", "wrong answers", False),
    ("fact_recall", "facts", True),
    ("latency_ms_p50", "search, median ms", False),
    ("latency_ms_p95", "search, 95th percentile ms", False),
    ("papers_per_s", "papers indexed a second", True),
    ("memory_mb", "memory added, MB", False),
)
"""Of systems side by side: the figure, its name, whether more is better."""
_OF_ANSWERS = ("harm", "fact_recall")


@dataclass(frozen=True)
class Section:
    """A table, and the lines that say what it means for us."""

    title: str
    lines: list[str]
    heads: Cells
    rows: list[Cells]
    notes: tuple[str, ...] = ()
    """What the table's rows are."""


def targets_section(run: Run) -> Section | None:
    """Every target with the run's figure, the missed ones first; None where it can show none."""
    found = sorted(against_targets(run), key=lambda one: one.held)
    rows = [[one.target.what, _bound(one), _value(one), "held" if one.held else "missed"] for one in found]
    missed = sum(not one.held for one in found)
    line = f"Missed: {missed} of {len(found)} targets." if missed else f"All {len(found)} targets hold."
    return Section("Against what is wanted", [line], ["", "wanted", "figure", ""], rows) if found else None


def worst(run: Run) -> list[str]:
    """A line for each of the kinds in which most goes wrong."""
    lines = []
    for loss in losses(run)[:_WORST]:
        parts = [
            f"{loss.wrong} answered, and wrong" if loss.wrong else "",
            f"{loss.declined} declined though answerable" if loss.declined else "",
        ]
        what = f" ({KINDS[loss.kind]})" if loss.kind in KINDS else ""
        lines.append(f"{loss.kind}{what}: of {loss.n} questions {', '.join(filter(None, parts))} ({loss.share:.0%})")
    return lines


def beside_others(document: Document) -> Section:
    """The systems that were measured side by side; the first is ours."""
    systems = [_figures(one) for one in document["systems"]]
    names = [one["name"] for one in document["systems"]]
    rows = [[name, *(_shown(metric, of[metric]) for metric, _, _ in _COMPARED)] for name, of in zip(names, systems, strict=True)]
    lines = [line for metric, said, more in _COMPARED if (line := _better(metric, said, more, names, systems))]
    heads = ["", *(said for _, said, _ in _COMPARED)]
    made = tuple(f"{one['name']}: {one['what']}." for one in document["systems"])
    return Section("Beside others", lines or ["Nothing in which another is better."], heads, rows, made)


def speed(document: Document) -> Section:
    """The ratios that something is wanted of."""
    found = [ratio for part in document["parts"] for ratio in part["ratios"] if ratio["wanted"] is not None]
    rows = [
        [
            one["what"],
            f"{'at most' if one['at_most'] else 'at least'} {one['wanted']:g}",
            f"{one['value']:.2f}",
            f"{one['cpu']:.2f}",
            "held" if one["held"] else "missed",
        ]
        for one in found
    ]
    missed = [
        f"Missed: {row[0]}, {row[2]} by the clock, {row[3]} by the processor's time; wanted {row[1]}." for row in rows if row[4] == "missed"
    ]
    return Section("Speed, as ratios", missed or ["Every ratio is as wanted."], ["", "wanted", "clock", "processor", ""], rows)


def _figures(system: Document) -> dict[str, float | None]:
    answers = system["answers"] or {}
    found = {**system["metrics"], **{name: answers.get(name) for name in _OF_ANSWERS}}
    return {**found, "papers_per_s": system.get("papers_per_cpu_s") or system["papers_per_s"], "memory_mb": system["memory_mb"]}


def _better(metric: str, said: str, more: bool, names: Sequence[str], systems: Sequence[Mapping[str, float | None]]) -> str:
    """Who is better than the first in this; nothing where nobody is."""
    ours = systems[0][metric]
    if ours is None:
        return ""
    sign = 1 if more else -1
    better = [
        f"{name} {_shown(metric, of[metric])}"
        for name, of in zip(names[1:], systems[1:], strict=True)
        if (other := of[metric]) is not None and sign * (other - ours) > 0 and _shown(metric, other) != _shown(metric, ours)
    ]
    return f"Others are better in {said}: {names[0]} {_shown(metric, ours)}; {', '.join(better)}." if better else ""


def _shown(metric: str, value: float | None) -> str:
    if value is None:
        return "-"
    if metric == "papers_per_s":
        return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"
    return f"{value:.0f}" if metric in {"latency_ms_p50", "latency_ms_p95", "memory_mb"} else f"{value:.2f}"


def _bound(one: Outcome) -> str:
    return f"{'at most' if one.target.at_most else 'at least'} {figure(one.target.metric, one.target.bound)}"


def _value(one: Outcome) -> str:
    shown = figure(one.target.metric, one.value)
    if one.bounds is None:
        return shown
    return f"{shown} [{figure(one.target.metric, one.bounds[0])}, {figure(one.target.metric, one.bounds[1])}]"
