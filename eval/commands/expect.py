"""`python -m eval expect`: whether the default set-up still scores what stands beside it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from eval.commands.opening import asking_bar, mistakes_told, unseeing_assistant

if TYPE_CHECKING:
    from assistant import Assistant


def expect(
    source: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATH ...", help="Over these listings, with the models that have not seen them [default: the starter library]."
        ),
    ] = None,
    record: Annotated[bool, typer.Option("--record", help="Write what is measured into eval/expected.json.")] = False,
) -> None:
    """Measure the default set-up on the fixed set; fail, naming the questions, where it is worse than expected."""
    from eval import expected
    from eval.questions import FIXED, load
    from eval.run import Manner, run

    library = expected.LISTINGS if source else expected.STARTER
    with mistakes_told():
        before = None if record else expected.load(library)
        with unseeing_assistant(source, "extractive") if source else _starter() as assistant:
            golds = load(FIXED)
            with asking_bar(f"the {library}", len(golds)) as tick:
                finished = run(assistant, golds, {"library": library, "papers": assistant.library.catalogue.count()}, Manner(tick=tick))
        if before is None:
            expected.record(library, finished)
            typer.echo(f"{expected.FILE}: recorded for the {library}")
            return
        fell = expected.drops(finished, before)
    for drop in fell:
        typer.echo(str(drop))
    if fell:
        raise typer.Exit(1)
    typer.echo(f"No headline figure is worse than expected of the {library}.")


@contextmanager
def _starter() -> Iterator[Assistant]:
    """Over the starter library, with the models that ship, in a temporary home."""
    import tempfile
    from contextlib import closing
    from pathlib import Path

    from assistant import Assistant
    from assistant.cli.output import EmbeddingBar
    from index import Library

    with tempfile.TemporaryDirectory(prefix="assistant-eval-") as folder, closing(Library(Path(folder))) as library:
        library.add_starter(EmbeddingBar())
        yield Assistant(library.home, "extractive", library=library)
