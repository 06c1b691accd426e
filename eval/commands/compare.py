"""`python -m eval compare`: two runs, question by question."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eval.commands.opening import mistakes_told

if TYPE_CHECKING:
    from eval.compare import Difference

_MOST_FLIPS = 20
"""Of a metric, on the screen; all are in the JSON."""
_OF_TIME = ("latency", "first_text", "answer_words", "prompt_tokens", "completion_tokens", "cost")
"""What differs in nearly every question: these are not listed one by one."""


def compare(
    before: Annotated[Path, typer.Argument(metavar="A.json", help="A run, as --json wrote it.")],
    after: Annotated[Path, typer.Argument(metavar="B.json", help="Another over the same questions.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else on stdout.")] = False,
) -> None:
    """Compare two runs question by question: a paired test for each metric, and the questions that flipped."""
    from assistant.cli.output import print_json
    from eval.compare import compare as compared
    from eval.results import load_runs

    with mistakes_told():
        found = compared(load_runs(before)[0], load_runs(after)[0])
    if as_json:
        print_json([_as_dict(one) for one in found])
        return
    typer.echo(f"A: {before}\nB: {after}\n\n{_table(found)}")
    for one in found:
        if one.significant and one.flips and not one.metric.startswith(_OF_TIME):
            typer.echo(_flips(one))
    if not any(one.significant for one in found):
        typer.echo("\nNo difference is larger than chance makes.")


def _as_dict(one: Difference) -> dict[str, Any]:
    from dataclasses import asdict

    return {**asdict(one), "bounds": list(one.bounds), "flips": [asdict(flip) for flip in one.flips], "verdict": one.verdict}


def _table(found: list[Difference]) -> str:
    lines = [f"{'metric':28}{'n':>5}{'A':>10}{'B':>10}{'B - A':>10}{'95%':>20}{'p':>8}"]
    for one in found:
        digits = 1 if one.metric.startswith(("latency", "first_text", "answer_words")) else 3
        bounds = f"[{one.bounds[0]:+.{digits}f}, {one.bounds[1]:+.{digits}f}]"
        figures = f"{one.before:>10.{digits}f}{one.after:>10.{digits}f}{one.change:>+10.{digits}f}{bounds:>20}{one.p:>8.3f}"
        lines.append(f"{one.metric:28}{one.n:>5}{figures}  {one.verdict}".rstrip())
    return "\n".join(lines)


def _flips(one: Difference) -> str:
    lines = [
        f"\n{one.metric} is {one.verdict}: {len(one.flips)} questions flipped" if one.verdict != "differs" else f"\n{one.metric} differs:"
    ]
    lines += [
        f"  {flip.id} ({flip.kind}) {flip.before:.2f} -> {flip.after:.2f}  {_short(flip.question)}" for flip in one.flips[:_MOST_FLIPS]
    ]
    left = len(one.flips) - _MOST_FLIPS
    return "\n".join([*lines, *([f"  and {left} more: see --json"] if left > 0 else [])])


def _short(question: str) -> str:
    return question if len(question) <= 80 else f"{question[:77]}..."
