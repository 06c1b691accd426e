"""What all parts of the benchmark share: the papers, the home, the questions, how often."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from index import Paper


@dataclass(frozen=True)
class Plan:
    """What to measure with."""

    home: Path
    """A built library."""
    scratch: Path
    """A folder for what is made on the way."""
    questions: Sequence[str]
    rounds: int
    """How often what takes seconds is done; what takes milliseconds is done once for each question."""
    ingested: int
    """How many papers are indexed for the ingest rate."""
    sizes: Sequence[int]
    """Of the libraries that growth is measured over, in papers."""
    tell: Callable[[str], None]
    """Told what is being done."""


def as_listing(papers: Sequence[Paper], file: Path) -> Path:
    """The papers as a listing that can be indexed: a title and an abstract in turn."""
    lines = [f"{' '.join(paper.title.split())}\n{' '.join(paper.abstract.split())}\n" for paper in papers]
    file.write_text("".join(lines), encoding="utf-8")
    return file
