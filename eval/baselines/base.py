"""The contract of what is measured side by side.

Goes in: the papers of one library, with the chunks that the library cuts them into, then questions.
Comes out: papers, best first, and where it answers, an answer. Knows nothing of gold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from index import Paper
from index.chunking import PaperTexts
from index.embedding import MiniLM

if TYPE_CHECKING:
    from assistant.evidence.readers import Readers
    from index.embedding import Embedder


@dataclass(frozen=True)
class Material:
    """What each is given to index."""

    papers: tuple[Paper, ...]
    chunks: tuple[PaperTexts, ...]
    """The library's own cutting of these papers, in their order."""


@dataclass(frozen=True)
class Ranked:
    """A paper found."""

    paper_id: str
    score: float
    """Higher is better; comparable within one search alone."""


@dataclass(frozen=True)
class Given:
    """An answer, or none."""

    text: str
    paper_ids: tuple[str, ...]
    """The papers cited, the leading one first."""
    answered: bool


@dataclass(frozen=True)
class Judged:
    """A question of the training set, for choosing settings: never one that is measured."""

    question: str
    paper_id: str


class Searcher(Protocol):
    """Indexes papers once, then finds them."""

    @property
    def name(self) -> str:
        """For the table; short."""
        ...

    @property
    def what(self) -> str:
        """How it is made, in one line."""
        ...

    def index(self, material: Material) -> None:
        """Called once, and timed."""
        ...

    def search(self, question: str, k: int) -> Sequence[Ranked]:
        """Up to `k` papers, best first, each once."""
        ...

    def close(self) -> None:
        """Lets go of what it holds."""
        ...


@runtime_checkable
class Answerer(Protocol):
    """A searcher that answers as well."""

    def answer(self, question: str) -> Given: ...


@runtime_checkable
class Tunable(Protocol):
    """A searcher with settings to choose: before it is indexed, or after."""

    def tune(self, material: Material, training: Sequence[Judged]) -> None:
        """Chooses its settings. Called once, not timed; after it `what` says what was chosen."""
        ...


@dataclass(frozen=True)
class Place:
    """What a searcher may use."""

    folder: Path
    """Its own, empty."""
    encoder: Embedder
    """The embedding model that the product is measured with."""
    readers: Readers | None
    """What the product reads papers with; None for the shipped ones."""


Make = Callable[[Place], Searcher]


PUBLISHED = MiniLM(adapter=None)
