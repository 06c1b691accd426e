"""Asks questions of a library without the papers that answer them: all are then to be declined.

Goes in: an assistant and questions with gold. Comes out: a run in which nothing is gold, so that
every answer given is harm. The home is only read: papers are left out while searching, from hits
and from what the text index knows of words, so that a name that only they bear is unknown. What
is not undone: a misspelt word may still be read as a word that only they hold.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant import Assistant
from eval.questions import GoldQuestion
from eval.results import Run
from eval.run import Manner, run
from index import Hit, Library
from index.catalogue import Catalogue
from index.embedding import Embedder, Vectors
from index.lexical import LexicalIndex, Terms
from index.library import CATALOGUE_FILE
from index.vectors import Part


class LibraryWithout(Library):
    """A library whose searches miss some papers, others for each question; all else stays as it is. For one thread."""

    def __init__(self, home: Path, embedder: Embedder) -> None:
        """Opens a home that is there, a second time in this process; at first nothing is left out."""
        super().__init__(home, embedder)
        self._words = _WordsWithout(home / CATALOGUE_FILE)
        self.lexical = LexicalIndex(self._words, lambda word: self.embedder.count_tokens([word]) == [1])
        self._title = {paper.paper_id: paper.title for paper in self.papers()}
        self._kept: set[str] | None = None

    def close(self) -> None:
        self._words.close()
        super().close()

    def leave_out(self, titles: Iterable[str]) -> None:
        """From now on searches miss the papers of these titles, and no others; a title that is not here is passed over."""
        unwanted = set(titles)
        missed = {paper_id for paper_id, title in self._title.items() if title in unwanted}
        self._kept = self._title.keys() - missed if missed else None
        self._words.leave_out(missed)
        self.lexical.forget()

    def search_words(self, terms: Terms, limit: int, allowed: set[str] | None = None, also: Collection[str] = ()) -> list[Hit]:
        return super().search_words(terms, limit, self._of_kept(allowed), also)

    def search_vectors(self, part: Part, query: Vectors, limit: int, allowed: set[str] | None = None) -> list[Hit]:
        return super().search_vectors(part, query, limit, self._of_kept(allowed))

    def _of_kept(self, allowed: set[str] | None) -> set[str] | None:
        if self._kept is None:
            return allowed
        return self._kept if allowed is None else self._kept & allowed


class _WordsWithout(Catalogue):
    """What a catalogue tells the text index, as if some papers were not there."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._missed: NDArray[np.int64] = np.empty(0, dtype=np.int64)

    def leave_out(self, paper_ids: Iterable[str]) -> None:
        self._missed = np.array(sorted(self.numbers(list(paper_ids)).values()), dtype=np.int64)

    def count(self) -> int:
        return super().count() - len(self._missed)

    def holders(self, term: str) -> NDArray[np.int64]:
        return np.setdiff1d(super().holders(term), self._missed, assume_unique=True)


def run_without_gold(assistant: Assistant, questions: Sequence[GoldQuestion], settings: dict[str, Any], manner: Manner = Manner()) -> Run:
    """Asks each question, and its earlier turns, without its gold papers and those it is about.

    There must be no question without gold, and they are asked one at a time. In the run that comes out none has any.
    """
    with _searching_without(assistant) as library:
        leaving = replace(manner, before=lambda gold: library.leave_out({*gold.gold_titles, *gold.about_titles}), jobs=1)
        finished = run(assistant, questions, settings, leaving)
    without_gold = tuple(replace(gold, gold_titles=(), facts=()) for gold in questions)
    return replace(finished, settings={**settings, "leave_out_gold": True}, questions=without_gold)


@contextmanager
def _searching_without(assistant: Assistant) -> Iterator[LibraryWithout]:
    """Gives the assistant a library that can leave papers out, and its own back afterwards."""
    whole = assistant.library
    without = LibraryWithout(whole.home, whole.embedder)
    assistant.library = without
    try:
        yield without
    finally:
        assistant.library = whole
        without.close()
