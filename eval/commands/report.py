"""`python -m eval report`: runs as one HTML and one Markdown file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eval.commands.opening import mistakes_told, plots_possible

if TYPE_CHECKING:
    from eval.report.error_analysis import Section
    from eval.results import Run


def report(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN.json ...", help="Runs over the same questions, as --json wrote them.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="The folder that report.html, report.md and its plots go to.")] = Path("report"),
    baselines: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What `eval baseline --json` wrote: others beside ours, and where they are better.")
    ] = None,
    bench: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What `eval bench --json` or `--report` wrote: speed beside what is wanted.")
    ] = None,
    without_texts: Annotated[
        bool, typer.Option("--without-texts", help="Leave out answers and quotes, where abstracts must not be passed on.")
    ] = False,
) -> None:
    """Write a report: where it loses, tables, plots, and every question with its answer, evidence and gold."""
    from eval.fields import OWN, side_by_side
    from eval.report import write_report
    from eval.report.error_analysis import beside_others, speed
    from eval.results import load_fields, load_runs

    with mistakes_told():
        plots_possible()
        loaded = [(path, run) for path in runs for run in load_runs(path)]
        made = ((baselines, beside_others), (bench, speed))
        sections = [_section(file, make) for file, make in made if file]
        fields = [one for path in runs for one in load_fields(path)]
        first = []
        if fields:
            from dataclasses import replace

            own = replace(loaded[0][1], settings={**loaded[0][1].settings, "label": OWN})
            first = [side_by_side([own, *fields])]
        written = write_report(_told_apart(loaded), out, texts=not without_texts, sections=sections, first=first)
    for path in written:
        typer.echo(path)


def _section(file: Path, make: Callable[[dict[str, Any]], Section]) -> Section:
    """What another command measured. Raises `EvalError` for a file of another kind."""
    from eval.errors import EvalError

    try:
        return make(json.loads(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise EvalError(f"{file}: cannot be read ({error.strerror})") from error
    except (ValueError, KeyError, TypeError) as error:
        raise EvalError(f"{file}: not what --json of `eval baseline` or `eval bench` writes ({error!r}): make it anew") from error


def _told_apart(loaded: list[tuple[Path, Run]]) -> list[Run]:
    """Runs of one name are named by their files too."""
    from dataclasses import replace

    names = [run.name for _, run in loaded]
    return [
        replace(run, settings={**run.settings, "label": f"{path.stem}: {run.name}"}) if names.count(run.name) > 1 else run
        for path, run in loaded
    ]
