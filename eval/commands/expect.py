"""`python -m eval expect`: whether the default set-up still scores what stands beside it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eval.commands.opening import asking_bar, mistakes_told, unseeing_assistant

if TYPE_CHECKING:
    from assistant import Assistant
    from eval.results import Run


def expect(
    source: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATH ...", help="Over these listings, with the models that have not seen them [default: the starter library]."
        ),
    ] = None,
    of: Annotated[
        Path | None, typer.Option("--run", metavar="RUN.json", help="Measure nothing: take this run of the whole set, as --json wrote it.")
    ] = None,
    record: Annotated[bool, typer.Option("--record", help="Write what is measured into eval/expected.json.")] = False,
) -> None:
    """Measure the default set-up on the fixed set; fail, naming the questions, where it is worse than expected."""
    from eval import expected
    from eval.results import load_runs

    with mistakes_told():
        finished = load_runs(of)[0] if of else _measured(source or [])
        library = expected.LISTINGS if finished.settings["held_out"] else expected.STARTER
        if record:
            expected.record(library, finished)
            typer.echo(f"{expected.FILE}: recorded for the {library}")
            return
        fell = expected.drops(finished, expected.load(library))
    for drop in fell:
        typer.echo(str(drop))
    if fell:
        raise typer.Exit(1)
    typer.echo(f"No headline figure is worse than expected of the {library}.")


def _measured(sources: list[str]) -> Run:
    """Over these sources with the models that have not seen them, or over the starter library with those that ship."""
    from eval.questions import FIXED, load
    from eval.run import Manner, run

    golds = load(FIXED)
    with unseeing_assistant(sources, "extractive") if sources else _starter() as assistant:
        settings = {"held_out": bool(sources), "papers": assistant.library.catalogue.count(), "llm": assistant.mode}
        with asking_bar("the fixed set", len(golds)) as tick:
            return run(assistant, golds, settings, Manner(tick=tick))


@contextmanager
def _starter() -> Iterator[Assistant]:
    """Over the starter library, with the models that ship, in a temporary home."""
    import tempfile
    from contextlib import closing

    from assistant import Assistant
    from assistant.cli.output import EmbeddingBar
    from index import Library

    with tempfile.TemporaryDirectory(prefix="assistant-eval-") as folder, closing(Library(Path(folder))) as library:
        library.add_starter(EmbeddingBar())
        yield Assistant(library.home, "extractive", library=library)
