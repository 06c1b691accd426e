"""`python -m eval fit`: the weights of evidence and confidence, and of what a question wants, fitted anew."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from eval.commands.opening import library_of, mistakes_told


class Part(StrEnum):
    """What can be fitted alone."""

    INTENT = "intent"


def fit(
    source: Annotated[list[str] | None, typer.Option(metavar="PATH", help="Listings with the papers of the training questions.")] = None,
    every: Annotated[int, typer.Option(min=1, metavar="N", help="Only each N-th question, for a quick look.")] = 1,
    only: Annotated[Part | None, typer.Option(help="`intent`: what tells what is wanted; needs no papers, writes its file.")] = None,
) -> None:
    """Fit the weights of evidence and confidence on papers that encoder and reader have not seen, and print them."""
    from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from assistant.cli.output import stderr
    from eval.fitting import fit_all
    from eval.fitting.intents import fit_intents
    from eval.unseen import held_out_encoder, held_out_readers
    from index.embedding import MiniLM

    if only is Part.INTENT:
        with mistakes_told():
            typer.echo(fit_intents(MiniLM()))
        return
    if not source:
        raise typer.BadParameter("name the listings that hold the papers of the training questions", param_hint="--source")
    columns = (TextColumn("Reading questions"), MofNCompleteColumn(), TimeElapsedColumn())
    with mistakes_told():
        encoder = held_out_encoder()
        readers = held_out_readers()
        with library_of(source, encoder) as library, Progress(*columns, console=stderr, transient=True) as bar:
            task = bar.add_task("fit", total=None)
            fitted = fit_all(library, readers, lambda: bar.advance(task), every)
    typer.echo(fitted)
