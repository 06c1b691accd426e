"""`python -m eval bench`: speed, memory and growth."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eval.commands.opening import assistant_over, mistakes_told

if TYPE_CHECKING:
    from eval.bench.figures import Part

_SIZES = "1000,10000,100000"


def bench(
    source: Annotated[
        list[str] | None, typer.Option(metavar="PATH", help="Over a fresh home of these [default: the current home].")
    ] = None,
    home: Annotated[str | None, typer.Option(metavar="DIR", help="The home to measure, where no --source is given.")] = None,
    parts: Annotated[
        str | None,
        typer.Option(metavar="NAMES", help="Of search, answer, cold, ingest, page, profile, growth, clone [default: all but clone]."),
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="How many questions of the fixed set.")] = 100,
    rounds: Annotated[int, typer.Option(min=1, help="How often what takes seconds is done.")] = 5,
    papers: Annotated[int, typer.Option(min=1, help="How many papers are indexed for the ingest rate.")] = 64,
    sizes: Annotated[str, typer.Option(metavar="NUMBERS", help="Papers of the libraries that growth is measured over.")] = _SIZES,
    keep: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where what is made on the way stays: libraries for growth are made only once.")
    ] = None,
    plots: Annotated[Path | None, typer.Option(metavar="DIR", help="Draw the growth, as growth.svg there.")] = None,
    json_out: Annotated[str | None, typer.Option("--json", metavar="OUT", help="Write everything as JSON; - for stdout.")] = None,
) -> None:
    """Measure speed, memory and growth, as ratios to the bare model and to LlamaIndex's stock pipeline."""
    from rich.console import Console

    from assistant.cli.output import announce, print_json, stderr
    from eval.bench import machine
    from eval.bench.parts import PARTS, chosen
    from eval.bench.plan import Plan
    from eval.bench.table import table

    console = stderr if json_out == "-" else Console(highlight=False)
    with mistakes_told(), _scratch(keep) as folder:
        names, wanted = chosen(parts), _numbers(sizes)
        with assistant_over(source or [], home, "extractive") as assistant:
            plan = Plan(assistant.library.home, folder, _questions(count), rounds, papers, wanted, announce)
            document: dict[str, Any] = {"machine": machine.describe(), "parts": []}
            for line in machine.in_words(document["machine"]):
                console.print(line, soft_wrap=True, markup=False)
            for name in names:
                part = PARTS[name](plan)
                console.print(table(part))
                document["parts"].append(part.document())
                if json_out and json_out != "-":
                    _write(Path(json_out), json.dumps(document, ensure_ascii=False, indent=1))
                if plots and name == "growth":
                    _draw(part, plots)
    if json_out == "-":
        print_json(document)


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


def _draw(part: Part, folder: Path) -> None:
    from eval.bench.growth import medians
    from eval.reporting.svg import growing

    drawn = growing("Median search by the size of the library", medians(part), "papers", "ms")
    _write(folder / "growth.svg", drawn)


def _write(file: Path, text: str) -> None:
    from eval.bench.commands import BenchError

    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BenchError(f"{file}: cannot be written ({error.strerror}): choose another place") from error
