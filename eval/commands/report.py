"""`python -m eval report`: runs as one HTML and one Markdown file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eval.commands.opening import mistakes_told

if TYPE_CHECKING:
    from eval.run import Run


def report(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN.json ...", help="Runs over the same questions, as --json wrote them.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="The folder that report.html, report.md and its plots go to.")] = Path("report"),
    without_texts: Annotated[
        bool, typer.Option("--without-texts", help="Leave out answers and quotes, where abstracts must not be passed on.")
    ] = False,
) -> None:
    """Write a report: tables, plots, and every question with its answer, evidence and gold."""
    from eval.reporting import write_report
    from eval.saved import load_runs

    with mistakes_told():
        loaded = [(path, run) for path in runs for run in load_runs(path)]
        written = write_report(_told_apart(loaded), out, texts=not without_texts)
    for path in written:
        typer.echo(path)


def _told_apart(loaded: list[tuple[Path, Run]]) -> list[Run]:
    """Runs of one name are named by their files too."""
    from dataclasses import replace

    names = [run.name for _, run in loaded]
    return [
        replace(run, settings={**run.settings, "label": f"{path.stem}: {run.name}"}) if names.count(run.name) > 1 else run
        for path, run in loaded
    ]
