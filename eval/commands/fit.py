"""`python -m eval fit`: the numbers of evidence, verdict, follow-ups, check and intents, fitted anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from eval.commands.opening import library_of, mistakes_told
from eval.train.fit.parts import Part

if TYPE_CHECKING:
    from assistant.fitted import Section

_OF_PAPERS = (Part.JOINING, Part.SENTENCES, Part.VERDICT)


def fit(
    source: Annotated[list[str] | None, typer.Option(metavar="PATH", help="Listings with the papers of the training questions.")] = None,
    every: Annotated[int, typer.Option(min=1, metavar="N", help="Only each N-th question, for a quick look.")] = 1,
    only: Annotated[
        list[Part] | None, typer.Option(help="Fit only this; may be repeated [default: all]. The intents need no --source.")
    ] = None,
    a_kind: Annotated[int, typer.Option(min=1, metavar="N", help="For `support`: edits of each kind.")] = 120,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the numbers and write nothing.")] = False,
) -> None:
    """Fit numbers on papers that encoder and reader have not seen; write them to assistant/fitted.json (intents: to their own file)."""
    from assistant.cli.output import stderr
    from eval.train.fit.all import fit_check, fit_questions, in_words, save

    parts = only or list(Part)
    if set(parts) != {Part.INTENT} and not source:
        raise typer.BadParameter("name the listings that hold the papers of the training questions", param_hint="--source")

    def tell(name: str, section: Section) -> None:
        if not dry_run:
            save(name, section)
        typer.echo(in_words(name, section) + "\n")

    from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn())
    with mistakes_told(), Progress(*columns, console=stderr, transient=True) as bar:

        def ticking(what: str) -> Callable[[], None]:
            task = bar.add_task(what, total=None)
            return lambda: bar.advance(task)

        if source and set(parts) & set(_OF_PAPERS):
            from eval.held_out import held_out_encoder, held_out_readers

            with library_of(source, held_out_encoder()) as library:
                fit_questions(library, held_out_readers(), parts, tell, ticking("Reading questions"), every)
        if source and Part.SUPPORT in parts:
            fit_check(source, a_kind, tell, ticking("Checking sentences"))
        if Part.INTENT in parts:
            from eval.train.fit.intents import fit_intents
            from index.embedding import MiniLM

            typer.echo(f"{Part.INTENT}\n{fit_intents(MiniLM(), write=not dry_run)}")
