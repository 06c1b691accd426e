"""`python -m eval fit`: the weights of evidence and confidence, fitted anew."""

from __future__ import annotations

from typing import Annotated

import typer

from eval.commands.opening import library_of, mistakes_told


def fit(
    source: Annotated[list[str], typer.Option(metavar="PATH", help="Listings that hold the papers of the training questions.")],
    every: Annotated[int, typer.Option(min=1, metavar="N", help="Only each N-th question, for a quick look.")] = 1,
) -> None:
    """Fit the weights of evidence and confidence on papers that encoder and reader have not seen, and print them."""
    from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from assistant.cli.output import stderr
    from eval.fitting import fit_all
    from eval.unseen import held_out_encoder, held_out_readers

    columns = (TextColumn("Reading questions"), MofNCompleteColumn(), TimeElapsedColumn())
    with mistakes_told():
        encoder = held_out_encoder()
        readers = held_out_readers()
        with library_of(source, encoder) as library, Progress(*columns, console=stderr, transient=True) as bar:
            task = bar.add_task("fit", total=None)
            fitted = fit_all(library, readers, lambda: bar.advance(task), every)
    typer.echo(fitted)
