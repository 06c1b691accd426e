"""What commands measure over: a fresh temporary home of sources, or a home that is there."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from assistant import Assistant
    from index import Library
    from index.embedding import Embedder


@contextmanager
def mistakes_told() -> Iterator[None]:
    """A user's mistake ends the command with its message and status 1, without a traceback."""
    from assistant.cli.output import announce, errors_told
    from eval.errors import EvalError

    with errors_told():
        try:
            yield
        except EvalError as error:
            announce(f"error: {error}")
            raise typer.Exit(1) from error


def plots_possible() -> None:
    """Raises `EvalError` where what draws and fills reports is not installed."""
    import importlib.util

    from eval.errors import EvalError

    if missing := [name for name in ("jinja2", "matplotlib") if importlib.util.find_spec(name) is None]:
        raise EvalError(f'{missing[0]} is not installed, and reports need it: pip install -e ".[eval]"')


@contextmanager
def asking_bar(name: str, total: int) -> Iterator[Callable[[], None]]:
    """A progress bar on stderr; what it gives is to be called after each question."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from assistant.cli.output import stderr

    columns = (TextColumn("Asking {task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=stderr, transient=True) as bar:
        task = bar.add_task(name, total=total)
        yield lambda: bar.advance(task)


@contextmanager
def unseeing_assistant(sources: list[str], llm: str | None) -> Iterator[Assistant]:
    """Over a temporary home of these sources, with the models that have not seen the fixed set's papers."""
    from assistant import Assistant
    from eval.held_out import held_out_encoder, held_out_readers

    encoder = held_out_encoder()
    readers = held_out_readers()
    with library_of(sources, encoder) as library:
        yield Assistant(library.home, llm, library=library, readers=readers)


@contextmanager
def assistant_over(sources: list[str], home: str | None, llm: str | None) -> Iterator[Assistant]:
    """Over a temporary home of these sources, or over the home in use."""
    from assistant import Assistant
    from assistant.cli.output import EmbeddingBar, announce

    if not sources:
        yield Assistant(home, llm, progress=EmbeddingBar(), announce=announce)
        return
    with library_of(sources) as library:
        yield Assistant(library.home, llm, library=library)


@contextmanager
def library_of(sources: list[str], embedder: Embedder | None = None) -> Iterator[Library]:
    """A temporary home of these sources. Raises `SourceError` for one that cannot be read."""
    from assistant.cli.output import EmbeddingBar
    from index import Library

    with tempfile.TemporaryDirectory(prefix="assistant-eval-") as folder, closing(Library(Path(folder), embedder)) as library:
        report = library.add(sources, EmbeddingBar())
        for failure in report.failed:
            raise failure
        yield library
