"""How commands speak: data on stdout, everything else on stderr, errors in one line."""

from __future__ import annotations

import io
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from assistant.errors import AssistantError, UnknownLLMError, UnknownModelError
from index import IndexingError

if TYPE_CHECKING:
    from assistant.answer import Answer
    from assistant.llms.discovery import Discovered

_MOST_OFFERED = 3
_LINES_SECONDS = 10.0
_RATE_SECONDS = 600.0
"""Over which papers a second are counted: one batch may take half a minute on a busy machine."""
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


def print_text(text: str) -> None:
    """Text that ends its own lines, on stdout."""
    sys.stdout.write(text)


def replace_what_cannot_be_printed() -> None:
    """A character that stdout cannot take becomes `?` instead of a failure."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def _speaks_unicode(stream: TextIO) -> bool:
    return (stream.encoding or "").lower().replace("-", "") in {"utf8", "utf8sig"}


def noticed_lines(noticed: Discovered) -> Iterator[str]:
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


class _Rate(ProgressColumn):
    """Papers a second."""

    def render(self, task: Task) -> Text:
        return Text("" if task.speed is None else f"{task.speed:,.{0 if task.speed >= 10 else 1}f} papers/s")


class EmbeddingBar:
    """A progress bar on stderr that appears with the first call and goes when all is done. An `index` progress.

    Where stderr is no terminal, a line every ten seconds instead.
    """

    def __init__(self) -> None:
        columns = (TextColumn("{task.description} papers"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=stderr, transient=True, speed_estimate_period=_RATE_SECONDS)
        self._task: TaskID | None = None
        self._name = "Embedding"
        self._began = self._said = time.monotonic()

    def stage(self, name: str) -> None:
        """Another stage begins: `reading`, `storing`, `embedding`."""
        self.close()
        self._name = name.capitalize()

    def __call__(self, done: int, total: int) -> None:
        if not total:
            return
        if self._task is None:
            self._began = self._said = time.monotonic()
            self._task = self._bar.add_task(self._name, total=total)
            if stderr.is_terminal:
                self._bar.start()
        self._bar.update(self._task, completed=done, total=total)
        if not stderr.is_terminal:
            self._say(done, total)
        if done >= total:
            self.close()

    def close(self) -> None:
        """Takes the bar away."""
        if self._task is not None:
            if stderr.is_terminal:
                self._bar.stop()
            self._bar.remove_task(self._task)
            self._task = None

    def _say(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._said < _LINES_SECONDS or not done or done >= total:
            return
        self._said = now
        rate = done / (now - self._began)
        announce(f"{self._name.lower()}: {done:,} of {total:,} papers, {rate:,.0f} papers/s, {(total - done) / rate:,.0f} s left")
