"""How commands speak: data on stdout, everything else on stderr, errors in one line."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from assistant.errors import AssistantError, UnknownLLMError, UnknownModelError
from index import IndexingError

if TYPE_CHECKING:
    from assistant.answer import Answer
    from assistant.llms.noticed import Noticed

_MOST_OFFERED = 3
stderr = Console(stderr=True, highlight=False)


def announce(message: str) -> None:
    """One line on stderr, never broken, so that paths can be copied from it."""
    stderr.print(message, markup=False, soft_wrap=True)


def tell_what_was_used(answer: Answer) -> None:
    """Where an LLM was asked, one line on stderr: tokens, retries, cost, time."""
    if answer.usage is None:
        return
    times = answer.timings_ms
    parts = [str(answer.usage), f"first text after {times['first_text'] / 1000:.1f} s", f"{times['total'] / 1000:.1f} s in all"]
    announce(f"LLM: {', '.join(part for part in parts if part)}")


def print_json(document: Any) -> None:
    """One JSON document on stdout."""
    sys.stdout.write(json.dumps(document, ensure_ascii=not _speaks_unicode(sys.stdout), indent=2) + "\n")


def replace_what_cannot_be_printed() -> None:
    """A character that stdout cannot take becomes `?` instead of a failure."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def _speaks_unicode(stream: TextIO) -> bool:
    return (stream.encoding or "").lower().replace("-", "") in {"utf8", "utf8sig"}


def noticed_lines(noticed: Noticed) -> Iterator[str]:
    """What could write answers here, one step each; it is only offered."""
    offers = noticed.offers()
    for offer in offers[:_MOST_OFFERED]:
        before = f"{offer.first}, then " if offer.first else ""
        yield f"noticed: {offer.why}: {before}--llm {offer.name}"
    if len(offers) > _MOST_OFFERED:
        yield f"noticed: {len(offers) - _MOST_OFFERED} more: assistant llm"


@contextmanager
def errors_told() -> Iterator[None]:
    """A user's mistake ends the command with its message and status 1, without a traceback; 2 where an LLM's name is none."""
    try:
        yield
    except UnknownLLMError as error:
        announce(f"error: {error}")
        raise typer.Exit(1 if isinstance(error, UnknownModelError) else 2) from error
    except (AssistantError, IndexingError) as error:
        announce(f"error: {error}")
        raise typer.Exit(1) from error
    except BrokenPipeError as error:  # `assistant papers | head`
        sys.stderr.close()
        raise typer.Exit(1) from error
    finally:
        if not sys.stderr.closed:
            stderr.show_cursor()  # which a bar hides, and keeps hidden when it is interrupted


class EmbeddingBar:
    """A progress bar on stderr that appears with the first call and goes when all is done. An `index` progress."""

    def __init__(self) -> None:
        self._bar = Progress(
            TextColumn("Embedding papers"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=stderr, transient=True
        )
        self._task: TaskID | None = None

    def __call__(self, done: int, total: int) -> None:
        if not total:
            return
        if self._task is None:
            self._task = self._bar.add_task("embed", total=total)
            self._bar.start()
        self._bar.update(self._task, completed=done)
        if done >= total:
            self._bar.stop()
            self._bar.remove_task(self._task)
            self._task = None
