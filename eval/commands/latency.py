"""`python -m eval latency`: a warm answer against the bare model."""

from __future__ import annotations

from typing import Annotated

import typer

from eval.commands.opening import assistant_over, mistakes_told


def latency(
    source: Annotated[
        list[str] | None, typer.Option(metavar="PATH", help="Over a fresh home of these [default: the current home].")
    ] = None,
    home: Annotated[str | None, typer.Option(metavar="DIR", help="The home to measure, where no --source is given.")] = None,
    count: Annotated[int, typer.Option(min=1, help="How many questions of the fixed set.")] = 200,
) -> None:
    """Measure a warm answer against the bare model's encoding of its question."""
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    from eval.latency import measure
    from eval.questions import FIXED, load
    from index.embedding.minilm import installed

    with mistakes_told(), assistant_over(source or [], home, "extractive") as assistant:
        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        bare = SentenceTransformer(str(installed()), device="cpu", local_files_only=True)
        found = measure(assistant, bare.encode, [one.question for one in load(FIXED)][:count])
    typer.echo(
        f"{found.questions} questions: bare encode {found.encode_ms:.1f} ms, answer {found.answer_ms:.1f} ms (medians): "
        f"{found.ratio:.2f} times"
    )
