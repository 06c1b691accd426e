"""A report as Markdown, with its plots in files beside it."""

from __future__ import annotations

from collections.abc import Sequence

from eval.reporting.losing import Section, against_wanted, worst
from eval.reporting.outcome import FAILED, WRONG, WRONGLY_DECLINED, outcome
from eval.reporting.plots import Plot
from eval.reporting.tables import KIND_COLUMNS, Cells, by_kind, headline, remarks, settings
from eval.run import Run


def as_markdown(runs: Sequence[Run], pictures: Sequence[Plot], folder: str, sections: Sequence[Section] = ()) -> str:
    """The whole file; `folder`: where the pictures lie, as seen from it; `sections`: what else was measured."""
    parts = ["# How good the answers are", "", *(f"- {_safe(line)}" for line in remarks(runs)), ""]
    for run in runs:
        wanted = against_wanted(run)
        parts += [f"## Where it loses: {_safe(run.name)}", "", *(_section(wanted) if wanted else [])]
        parts += ["Kinds in which most goes wrong:", "", *(f"- {_safe(line)}" for line in worst(run)), ""]
    for section in sections:
        parts += [f"## {section.title}", "", *_section(section)]
    parts += ["## All questions", "", "With 95% bootstrap intervals.", ""]
    rows = [[f"{group.name}: {row[0]}", *row[1:]] for group in headline(runs) for row in group.rows]
    parts += [_table(["measure", *(run.name for run in runs)], rows), ""]
    parts += ["## By kind", ""]
    for run in runs:
        parts += [f"### {_safe(run.name)}", "", _table(["kind", *(heading for _, heading in KIND_COLUMNS)], by_kind(run)), ""]
    parts += ["## Plots", "", *(f"![{plot.title}]({folder}/{plot.name}.svg)" for plot in pictures), "", "## What went wrong", ""]
    for run in runs:
        parts += [f"### {_safe(run.name)}", "", *_wrong(run), ""]
    for run in runs:
        parts += [f"## What was measured: {_safe(run.name)}", "", _table(["setting", "value"], settings(run)), ""]
    return "\n".join(parts).rstrip() + "\n"


def _section(section: Section) -> list[str]:
    return [*_bullets(section.lines), _table(section.heads, section.rows), "", *_bullets(section.notes)]


def _bullets(lines: Sequence[str]) -> list[str]:
    return [*(f"- {_safe(line)}" for line in lines), ""] if lines else []


def _wrong(run: Run) -> list[str]:
    ends = [(gold, result, outcome(gold, result)) for gold, result in zip(run.questions, run.results, strict=True)]
    rows = [
        [gold.id, gold.kind, end, gold.question, result.error or (result.cited_titles[0] if result.cited_titles else "")]
        for gold, result, end in ends
        if end in {WRONG, WRONGLY_DECLINED, FAILED}
    ]
    return [_table(["id", "kind", "outcome", "question", "led with"], rows)] if rows else ["Nothing."]


def _table(heads: Sequence[str], rows: Sequence[Cells]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(_safe(cell) for cell in line) + " |" for line in lines)


def _safe(text: str) -> str:
    """Text that is neither markup nor the end of a cell."""
    plain = " ".join(text.split())
    for char in "\\`*_[]<>|#":
        plain = plain.replace(char, f"\\{char}") if char not in "<>" else plain.replace(char, {"<": "&lt;", ">": "&gt;"}[char])
    return plain
