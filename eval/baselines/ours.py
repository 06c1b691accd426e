"""The product itself: its library, its search, its answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from eval.baselines.base import PUBLISHED, Given, Material, Place, Ranked
from index import Entry, Library, Source

if TYPE_CHECKING:
    from assistant import Assistant
    from assistant.evidence.readers import Readers


class Ours:
    """An assistant over a home of its own. Indexing cuts the papers anew and embeds sentences beside chunks."""

    def __init__(self, name: str, library: Library, readers: Readers | None) -> None:
        """`readers`: None for the shipped ones."""
        self.name = name
        self.what = f"our chunks, sentences and words, scores added; {library.embedder.name}"
        self._library = library
        self._readers = readers
        self._opened: Assistant | None = None

    def index(self, material: Material) -> None:
        entries = [Entry(paper.title, paper.raw_abstract, number) for number, paper in enumerate(material.papers, 1)]
        self._library.add_entries(Source(self.name, self.name), entries)

    def search(self, question: str, k: int) -> Sequence[Ranked]:
        return [Ranked(paper.paper_id, paper.score) for paper in self._assistant.search(question, k)]

    def answer(self, question: str) -> Given:
        given = self._assistant.answer(question)
        cited = {citation.marker: citation.paper_id for citation in given.citations}
        return Given(given.text, tuple(dict.fromkeys(cited[marker] for marker in sorted(cited))), given.answered)

    def close(self) -> None:
        self._library.close()

    @property
    def _assistant(self) -> Assistant:
        from assistant import Assistant

        if self._opened is None:
            self._opened = Assistant(self._library.home, "extractive", library=self._library, readers=self._readers)
        return self._opened


def as_measured(place: Place) -> Ours:
    """With the encoder and readers to measure with."""
    return Ours("ours", Library(place.folder, place.encoder), place.readers)


def untuned(place: Place) -> Ours:
    """With the published encoder, which the others use too, and without what reads papers."""
    from assistant.evidence.readers import Readers

    return Ours("ours, untuned", Library(place.folder, PUBLISHED), Readers())
