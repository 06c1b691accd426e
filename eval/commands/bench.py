"""`python -m eval bench`: speed, memory and growth."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eval.commands.opening import assistant_over, mistakes_told, plots_possible

if TYPE_CHECKING:
    from rich.console import Console

    from eval.bench.figures import Plan

_SIZES = "1000,10000,100000"
_KEPT = "bench.json"


def bench(
    source: Annotated[
        list[str] | None, typer.Option(metavar="PATH", help="Over a fresh home of these [default: the current home].")
    ] = None,
    home: Annotated[str | None, typer.Option(metavar="DIR", help="The home to measure, where no --source is given.")] = None,
    parts: Annotated[
        str | None,
        typer.Option(metavar="NAMES", help="Of search, answer, cold, ingest, growth [default: all]."),
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="How many questions of the fixed set.")] = 100,
    rounds: Annotated[int, typer.Option(min=1, help="How often what takes seconds is done.")] = 5,
    papers: Annotated[int, typer.Option(min=1, help="How many papers are indexed for the ingest rate.")] = 64,
    sizes: Annotated[str, typer.Option(metavar="NUMBERS", help="Papers of the libraries that growth is measured over.")] = _SIZES,
    keep: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where what is made on the way stays: libraries for growth are made only once.")
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write bench.md, bench.json and growth.svg there; parts measured there before and not now stay."),
    ] = None,
    json_out: Annotated[str | None, typer.Option("--json", metavar="OUT", help="Write everything as JSON; - for stdout.")] = None,
) -> None:
    """Measure speed, memory and growth, as ratios to the bare model and to LlamaIndex's stock pipeline."""
    from rich.console import Console

    from assistant.cli.output import announce, print_json, stderr
    from eval.bench.figures import Plan
    from eval.bench.parts import chosen

    console = stderr if json_out == "-" else Console(highlight=False)
    with mistakes_told(), _scratch(keep) as folder:
        if report:
            plots_possible()
        names, wanted = chosen(parts), _numbers(sizes)
        known = _known(report) if report else {}
        with assistant_over(source or [], home, "extractive") as assistant:
            plan = Plan(assistant.library.home, folder, _questions(count), rounds, papers, wanted, announce)
            document: dict[str, Any] = {}
            for part in _measured(plan, names, console):
                document = _with(document, part)
                if json_out and json_out != "-":
                    _write(Path(json_out), _as_json(document))
                if report:
                    known = _with(known, part)
                    _report(known, part, report)
    if json_out == "-":
        print_json(document)


def _measured(plan: Plan, names: Sequence[str], console: Console) -> Iterator[dict[str, Any]]:
    """Each part as the document holds it, printed."""
    import time

    from eval.bench import machine
    from eval.bench.parts import PARTS
    from eval.bench.report import measured, screen

    for place, name in enumerate(names):
        described, date = machine.describe(), time.strftime("%Y-%m-%d")
        for line in machine.in_words(described) if not place else ():
            console.print(line, soft_wrap=True, markup=False)
        part = measured(PARTS[name](plan), described, date)
        console.print(screen(part))
        yield part


def _with(document: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    from eval.bench.parts import PARTS
    from eval.bench.report import put

    return put(document, part, list(PARTS))


def _as_json(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _known(folder: Path) -> dict[str, Any]:
    """What was measured before."""
    from eval.bench.commands import BenchError

    file = folder / _KEPT
    try:
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    except (OSError, ValueError) as error:
        raise BenchError(f"{file}: cannot be read as what an earlier run wrote ({error}): choose another folder for --report") from error
    return found


def _report(document: dict[str, Any], part: dict[str, Any], folder: Path) -> None:
    from eval.bench.growth import medians
    from eval.bench.report import GROWTH, PLOTTED, as_markdown
    from eval.report.plots import growing

    _write(folder / _KEPT, _as_json(document))
    _write(folder / "bench.md", as_markdown(document))
    if part["name"] == "growth":
        _write(folder / GROWTH, growing(PLOTTED, medians(part), "papers", "ms"))


@contextmanager
def _scratch(keep: Path | None) -> Iterator[Path]:
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="assistant-bench-") as folder:
            yield Path(folder)
    else:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep.resolve()


def _questions(count: int) -> list[str]:
    """So many of the fixed set's, of all its kinds; those that follow up others are left out."""
    from eval.questions import FIXED, load

    alone = [one.question for one in load(FIXED) if not one.history]
    count = min(count, len(alone))
    return [alone[place * len(alone) // count] for place in range(count)]


def _numbers(told: str) -> list[int]:
    from eval.bench.commands import BenchError

    try:
        found = sorted({int(one) for one in told.split(",")})
    except ValueError as error:
        raise BenchError(f"--sizes {told}: numbers of papers with commas between them are wanted, as {_SIZES}") from error
    if found[0] < 1:
        raise BenchError(f"--sizes {told}: a library holds one paper at least")
    return found


def _write(file: Path, text: str) -> None:
    from eval.bench.commands import BenchError

    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BenchError(f"{file}: cannot be written ({error.strerror}): choose another place") from error
