"""`python -m eval chunk-sizes`: how large chunks should be."""

from __future__ import annotations

from typing import Annotated

import typer

from eval.commands.opening import assistant_over, mistakes_told


def chunk_sizes(
    source: Annotated[list[str], typer.Option(metavar="PATH", help="Listings that hold the papers of the fixed question set.")],
) -> None:
    """Measure how large chunks should be, on the single-paper questions."""
    from eval.chunk_sizes import as_text, measure
    from eval.questions import FIXED, load

    with mistakes_told(), assistant_over(source, None, "extractive") as assistant:
        typer.echo(as_text(measure(assistant.library, load(FIXED))))
