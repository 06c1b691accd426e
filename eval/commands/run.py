"""`python -m eval`: asks the question set and prints the metrics."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eval.commands.opening import assistant_over, unseeing_assistant

if TYPE_CHECKING:
    from eval.questions import GoldQuestion


def evaluate(
    context: typer.Context,
    questions: Annotated[Path | None, typer.Option(metavar="FILE", help="JSON lines [default: the fixed set, 340 questions].")] = None,
    source: Annotated[
        list[str] | None,
        typer.Option(metavar="PATH ...", help="Measure over a fresh temporary home built from these [default: the current home]."),
    ] = None,
    llm: Annotated[str | None, typer.Option(metavar="PROVIDER:MODEL", help="The LLM that writes the answers.")] = None,
    home: Annotated[str | None, typer.Option(metavar="DIR", help="The home to measure, where no --source is given.")] = None,
    kinds: Annotated[str | None, typer.Option(metavar="A,B", help="Only the questions of these kinds.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, metavar="N", help="Only the first N questions of each kind.")] = None,
    leave_out_gold: Annotated[
        bool,
        typer.Option("--leave-out-gold", help="Ask each question without the papers that answer it, so that all are to be declined."),
    ] = False,
    held_out: Annotated[
        bool,
        typer.Option(
            "--held-out",
            help="Measure with the encoder and the matcher that have not seen the fixed set's papers. The shipped ones were trained on "
            "some of them, with other questions, and find these better than they find a user's. Needs --source.",
        ),
    ] = False,
    json_out: Annotated[str | None, typer.Option("--json", metavar="OUT", help="Write the whole run as JSON; - for stdout.")] = None,
) -> None:
    """Ask every question of a set and print quality, harm and latency by kind."""
    if context.invoked_subcommand is not None:
        return
    from rich.console import Console
    from rich.progress import Progress

    from assistant.cli.output import announce, errors_told, print_json
    from eval.leaving_out import run_without_gold
    from eval.questions import FIXED, QuestionSetError
    from eval.run import run
    from eval.table import table

    sources = source or []
    if held_out and not sources:
        announce("error: --held-out embeds papers anew with another encoder: name them with --source")
        raise typer.Exit(1)
    path = questions or FIXED
    try:
        golds = _chosen(path, kinds, limit, leave_out_gold)
        if json_out and json_out != "-":
            Path(json_out).touch()
    except OSError as error:
        announce(f"error: {json_out}: cannot be written ({error.strerror}): choose another file for --json")
        raise typer.Exit(1) from error
    except QuestionSetError as error:
        announce(f"error: {error}")
        raise typer.Exit(1) from error
    with errors_told(), unseeing_assistant(sources, llm) if held_out else assistant_over(sources, home, llm) as assistant:
        settings = {
            "questions": str(path),
            "kinds": list(dict.fromkeys(gold.kind for gold in golds)),
            "limit": limit,
            "leave_out_gold": leave_out_gold,
            "held_out": held_out,
            "sources": sources,
            "llm": assistant.mode,
            "papers": assistant.library.catalogue.count(),
            "embedding_model": assistant.library.embedder.name,
        }
        console = Console(stderr=True)
        with Progress(console=console, transient=True) as bar:
            task = bar.add_task("Asking", total=len(golds))
            finished = (run_without_gold if leave_out_gold else run)(assistant, golds, settings, lambda: bar.advance(task))
    if json_out == "-":
        print_json(finished.document())
        console.print(table(finished))
    else:
        Console().print(table(finished))
        if json_out:
            Path(json_out).write_text(json.dumps(finished.document(), ensure_ascii=False, indent=1), encoding="utf-8")
    failed = [result.error for result in finished.results if result.error]
    if failed:
        announce(f"error: {len(failed)} questions failed, first: {failed[0]}")
        raise typer.Exit(1)


def _chosen(path: Path, kinds: str | None, limit: int | None, leave_out_gold: bool) -> list[GoldQuestion]:
    """The questions to ask. Raises `QuestionSetError`."""
    from eval import choosing
    from eval.questions import load

    golds = load(path)
    if kinds is not None:
        golds = choosing.of_kinds(golds, [kind.strip() for kind in kinds.split(",")])
    if leave_out_gold:
        golds = choosing.with_gold(golds)
    return golds if limit is None else choosing.first_of_each_kind(golds, limit)
