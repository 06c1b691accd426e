"""`python -m eval projection`: the directions onto which token states are projected, found anew."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eval.commands.opening import mistakes_told

if TYPE_CHECKING:
    from index import Entry
    from index.embedding import MiniLM, Vectors


def projection(
    source: Annotated[list[str], typer.Option(metavar="PATH", help="Files of abstracts, best one for each of several fields.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where it goes.")] = Path("projection.safetensors"),
    papers: Annotated[int, typer.Option(min=1, metavar="N", help="How many papers of each source, from all over it.")] = 100,
) -> None:
    """Find the directions in which the encoder's token states differ most, each source counting alike."""
    from index.embedding import MiniLM, projection
    from index.sources import gather
    from index.states import fit_moment

    with mistakes_told():
        embedder = MiniLM()
        total: Vectors | None = None
        for named in source:
            gathered = gather([named])
            for failure in gathered.failed:
                raise failure
            entries = [entry for _, parsed in gathered.read for entry in parsed.entries]
            moment = _moment(entries[:: max(1, len(entries) // papers)][:papers], embedder)
            total = moment if total is None else total + moment
            typer.echo(f"{named}: {min(papers, len(entries))} of {len(entries)} papers")
        assert total is not None
        typer.echo(f"{out}: SHA-256 {projection.save(fit_moment(total), out)}")
    typer.echo("It goes to index/embedding/projection.safetensors, its SHA-256 into index/embedding/projection.py.")


def _moment(entries: list[Entry], embedder: MiniLM) -> Vectors:
    """The second moment of the token states of a source, which does not grow with it."""
    from index.chunking import cut
    from index.identity import Record
    from index.merging import merge
    from index.states import moment_of

    made = [merge(entry.paper_id, [Record("projection", False, entry)]) for entry in entries]
    chunks = [chunk for texts in cut(made, embedder) for chunk in texts.chunks]
    return moment_of(encoded.states for _, encoded in embedder.encode(chunks))
