"""`python -m eval graphs`: the graphs that ONNX Runtime runs, written anew after a network has changed its structure."""

from __future__ import annotations

import typer

from eval.commands.opening import mistakes_told


def graphs() -> None:
    """Write the graphs of encoder, reader, matcher and check, which the package carries, without their weights."""
    with mistakes_told():
        from eval.train.graphs import write
        from index.embedding.minilm import installed

        for file in write(installed()):
            typer.echo(f"{file}: {file.stat().st_size:,} bytes")
