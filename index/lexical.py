"""Lexical search: BM25 over the catalogue's FTS5 index, or what is derived from it, as a share of what was possible.

Robertson and Zaragoza, The Probabilistic Relevance Framework (2009). A raw BM25 score grows
with the question's length; divided by the weight of all the question's terms it says how much
of what was asked for a paper holds, on one scale for every question.
"""

from __future__ import annotations

import functools
import math
import re
import sqlite3
import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from index.catalogue import Catalogue
from index.postings import Postings, best
from index.spelling import IsWord, Speller

TITLE_WEIGHT = 4.0
_HELD_IN_MEMORY = 2000
"""Terms whose papers are kept at hand."""
_WORD = re.compile(r"\w+")
_STOP_WORDS = frozenset(
    "a about all also am an and any are as at be been being but by can could did do does for from get got had has have "
    "here how i if in into is it its just many may me might more most much must my no not of on one only or our out over "
    "shall she so some such tell than that the their them then there these they this those to too two under up use used "
    "using very was we were what when where which while who whom whose why will with without would you your".split()
)


@dataclass(frozen=True)
class Terms:
    """The question's words as the text index knows them."""

    words: tuple[str, ...]
    """Without stop words, each once, as asked."""
    weights: dict[str, float]
    """Inverse document frequency of each stemmed term; a term of no paper weighs most."""
    unknown: frozenset[str] = frozenset()
    """The terms that no paper holds."""

    @property
    def total(self) -> float:
        """The weight of all terms together."""
        return sum(self.weights.values())

    @property
    def unknown_share(self) -> float:
        """The part (0 to 1) of the weight that no paper holds."""
        return sum(self.weights[term] for term in self.unknown) / (self.total or 1.0)


class Stemmer:
    """Words to index terms, by FTS5's own tokenizer, so that both always agree."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, tuple[str, ...]] = {}
        self._db = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self._db.execute("CREATE VIRTUAL TABLE words USING fts5 (word, content='', tokenize='porter unicode61')")
        self._db.execute("CREATE VIRTUAL TABLE terms USING fts5vocab (words, instance)")

    def terms(self, words: Iterable[str]) -> set[str]:
        """The terms of all these words."""
        words = {word.lower() for word in words}
        with self._lock:
            new = [word for word in words if word not in self._known]
            if new:
                self._learn(new)
            return {term for word in words for term in self._known[word]}

    def of_each(self, words: Sequence[str]) -> list[tuple[str, ...]]:
        """The terms of each word (lower case), in order."""
        self.terms(words)
        return [self._known[word] for word in words]

    def _learn(self, words: list[str]) -> None:
        self._db.execute("INSERT INTO words (words) VALUES ('delete-all')")
        self._db.executemany("INSERT INTO words (rowid, word) VALUES (?, ?)", enumerate(words))
        found: dict[int, list[str]] = {}
        for number, term in self._db.execute("SELECT doc, term FROM terms ORDER BY doc, offset"):
            found.setdefault(number, []).append(term)
        self._known.update({word: tuple(found.get(number, ())) for number, word in enumerate(words)})


def no_postings() -> None:
    """FTS5 alone answers."""


class LexicalIndex:
    """BM25 over one catalogue."""

    def __init__(self, catalogue: Catalogue, is_word: IsWord, postings: Callable[[], Postings | None] = no_postings) -> None:
        """`is_word`: whether something is a word of the language, so that it is never respelled.

        `postings`: finds the derived index of a large library, where there is one.
        """
        self._catalogue = catalogue
        self._is_word = is_word
        self._find_postings = postings
        self._stemmer = Stemmer()
        self._use(None)

    def forget(self) -> None:
        """To be called when the catalogue has changed."""
        self._use(self._find_postings())

    def _use(self, found: Postings | None) -> None:
        self._papers = self._catalogue.count()
        self._postings = found
        self._holders = self._postings.holders if self._postings else lru_cache(_HELD_IN_MEMORY)(self._catalogue.holders)
        self._speller = Speller(self._catalogue, self.terms_in, self._is_word)

    def respell(self, question: str) -> tuple[str, tuple[tuple[str, str], ...]]:
        """The question in the library's own words where a word is misspelt, and the pairs (typed, read)."""
        return self._speller.respell(question)

    def is_unheard_of(self, word: str) -> bool:
        """Whether neither a paper nor the language has a small-lettered word, and nothing near it: then it names something."""
        return not self._is_word(word) and not any(map(self._frequency, self.terms_in(word))) and not self.respell(word)[1]

    def terms(self, question: str) -> Terms:
        """The question's words and the weights of their terms."""
        words = tuple(word for word in dict.fromkeys(_WORD.findall(question.lower())) if word not in _STOP_WORDS)
        frequencies = {term: self._frequency(term) for term in self._stemmer.terms(words)}
        return Terms(
            words,
            {term: self._weight(frequency) for term, frequency in frequencies.items()},
            frozenset(term for term, frequency in frequencies.items() if not frequency),
        )

    def terms_in(self, text: str) -> set[str]:
        """The stemmed terms of a text."""
        return self._stemmer.terms(_WORD.findall(text))

    def search(self, terms: Terms, limit: int, allowed: set[str] | None = None, also: Collection[str] = ()) -> list[tuple[str, float]]:
        """Papers that hold any of the terms, of those `allowed`, best first: (paper_id, share), share about 0 to 2.

        1 is a paper that holds every term once in an abstract of average length. `also`: papers that are told
        besides the first `limit`, in their order, where they hold a term.
        """
        if not terms.words or not terms.total:
            return []
        numbers, scores = self._match(terms)
        shares = scores / terms.total
        first = np.arange(len(numbers)) if allowed is not None else best(scores, limit)
        ids = self._catalogue.ids(numbers[first].tolist())
        found = [
            (ids[number], share) for number, share in zip(numbers[first].tolist(), shares[first].tolist(), strict=True) if number in ids
        ]
        kept = [(paper_id, share) for paper_id, share in found if allowed is None or paper_id in allowed]
        ranked = sorted(kept, key=lambda one: (-one[1], one[0]))[:limit]
        shown = {paper_id for paper_id, _ in ranked}
        return ranked + self._others([one for one in also if one not in shown], numbers, shares)

    def _others(self, paper_ids: Sequence[str], numbers: NDArray[np.int64], shares: NDArray[np.float64]) -> list[tuple[str, float]]:
        """What these papers have, of all that hold a term; best first."""
        wanted = self._catalogue.numbers(paper_ids) if paper_ids else {}
        order = np.argsort(numbers)
        found = []
        for paper_id, number in wanted.items():
            row = int(np.searchsorted(numbers, number, sorter=order))
            if row < len(order) and numbers[order[row]] == number:
                found.append((paper_id, float(shares[order[row]])))
        return sorted(found, key=lambda one: (-one[1], one[0]))

    def _match(self, terms: Terms) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The numbers of the papers that hold any of the terms, and their BM25 scores."""
        stems = self._stemmer.of_each(terms.words)
        if self._postings is not None and all(len(of) <= 1 for of in stems):  # FTS5 takes a word of two terms as a phrase
            scores = self._postings.scores(term for of in stems for term in of)
            numbers = np.flatnonzero(scores)
            return numbers, scores[numbers]
        return self._catalogue.match(" OR ".join(f'"{word}"' for word in terms.words), TITLE_WEIGHT)

    def coverage(self, terms: Terms, paper_ids: Sequence[str]) -> dict[str, float]:
        """For each paper, the share (0 to 1) of the terms' weight that its title and abstract hold."""
        numbers = self._catalogue.numbers(paper_ids)
        wanted = np.fromiter(numbers.values(), dtype=np.int64)
        held = np.zeros(len(wanted))
        for term, weight in terms.weights.items():
            held += weight * np.isin(wanted, self._holders(term))
        return dict(zip(numbers, (held / (terms.total or 1.0)).tolist(), strict=True))

    def holding(self, terms: Terms) -> set[str]:
        """Ids of the papers that hold every one of the terms in title or abstract; none where there is no term."""
        held = [self._holders(term) for term in terms.weights]
        if not held:
            return set()
        common = functools.reduce(lambda one, other: np.intersect1d(one, other, assume_unique=True), held)
        return set(self._catalogue.ids(common.tolist()).values())

    def rarity(self, word: str) -> float:
        """0 where every paper holds a word, 1 where none does; that of its rarest part."""
        papers = max(2, self._papers)
        frequencies = [min(papers, self._frequency(term)) for term in self.terms_in(word)]
        return max((math.log((papers + 1) / (frequency + 1)) / math.log(papers + 1) for frequency in frequencies), default=0.0)

    def _frequency(self, term: str) -> int:
        """How many papers hold a term."""
        return self._postings.frequency(term) if self._postings else len(self._holders(term))

    def _weight(self, frequency: int) -> float:
        papers = max(self._papers, frequency)  # another process may have added some since we counted
        return max(1e-6, math.log((papers - frequency + 0.5) / (frequency + 0.5)))
