"""A derived text index for libraries that are too large for FTS5: which papers hold a term, and how much that weighs.

Goes in: the catalogue's own text index. Comes out: a folder of arrays that are mapped into memory, not read,
and that give FTS5's BM25 scores: a term's weight in each paper is reckoned once, so that a question adds up a
few arrays where FTS5 walks through every occurrence. It holds for one generation of the library; the next one
gets a folder of its own, and until that is there FTS5 answers. Robertson and Zaragoza (2009); how FTS5
reckons: https://sqlite.org/fts5.html#the_bm25_function. Knows no question, no stemming.
"""

from __future__ import annotations

import bisect
import json
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.catalogue import Catalogue
from index.errors import HomeError

PAPERS_FROM = 5_000
"""Papers from which it is made; FTS5 takes 1.4 to 1.8 milliseconds more for each thousand, which doubles a search by then."""
_FOLDER = "postings-{}-{}"
_VERSION = 1
_ARRAYS = ("spelled", "places", "starts", "papers", "weights")
_SATURATION, _LENGTH = 1.2, 0.75
"""BM25's k1 and b, as FTS5 has them."""
_LEAST = 1e-6
"""FTS5's weight of a term that half of the papers hold or more."""

_AT_ONCE = 1_000_000
"""Occurrences that are reckoned with together."""

_Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Postings:
    """Terms with their papers. Safe to call from several threads."""

    spelled: NDArray[np.uint8]
    """All terms one after the other, in order, as UTF-8."""
    places: _Numbers
    """Where each term begins there, and where the last ends."""
    starts: _Numbers
    """Where each term's papers begin, and where the last's end."""
    papers: NDArray[np.int32]
    """Numbers of papers, rising for each term."""
    weights: NDArray[np.float64]
    """What the term adds to the BM25 score of each."""
    highest: int
    """The highest number of a paper."""

    def holders(self, term: str) -> _Numbers:
        """The numbers of the papers that hold a term, rising."""
        found = self._range(term)
        return np.asarray(self.papers[found], dtype=np.int64)

    def frequency(self, term: str) -> int:
        """How many papers hold a term."""
        found = self._range(term)
        return int(found.stop - found.start)

    def scores(self, terms: Iterable[str]) -> NDArray[np.float64]:
        """The BM25 score of every paper by its number, 0 for one that holds no term. A term that comes twice counts twice."""
        scores = np.zeros(self.highest + 1)
        for term in terms:
            found = self._range(term)
            scores[self.papers[found]] += self.weights[found]
        return scores

    def _range(self, term: str) -> slice:
        """Where a term's papers stand; an empty slice where none holds it."""
        sought = term.encode()
        place = bisect.bisect_left(range(len(self.starts) - 1), sought, key=self._spelled)
        if place == len(self.starts) - 1 or self._spelled(place) != sought:
            return slice(0, 0)
        return slice(int(self.starts[place]), int(self.starts[place + 1]))

    def _spelled(self, place: int) -> bytes:
        return self.spelled[self.places[place] : self.places[place + 1]].tobytes()


def best(scores: NDArray[np.float64], limit: int) -> _Numbers:
    """Numbers of the papers of the highest scores above 0, with all that are as good as the last: at least `limit` where there are."""
    held = np.flatnonzero(scores)
    if len(held) > limit > 0:
        least = np.partition(scores[held], len(held) - limit)[len(held) - limit]
        held = held[scores[held] >= least]
    return held if limit > 0 else held[:0]


def build(home: Path, generation: int, catalogue: Catalogue, title_weight: float) -> None:
    """Makes the folder of a generation, and drops those of others. For who holds the write lock."""
    folder = _folder(home, generation)
    draft = folder.with_suffix(".new")
    try:
        for other in [*home.glob(_FOLDER.format("*", "*"))]:
            shutil.rmtree(other)
        draft.mkdir()
        made = _postings(catalogue, title_weight)
        for name in _ARRAYS:
            np.save(draft / f"{name}.npy", getattr(made, name))
        (draft / "highest.json").write_text(json.dumps(made.highest))
        draft.rename(folder)
    except OSError as error:
        raise HomeError(f"{folder}: the text index cannot be written ({error.strerror}): check the disk's space and permissions") from error


def drop(home: Path) -> None:
    """Removes what any generation left."""
    for folder in home.glob(_FOLDER.format("*", "*")):
        shutil.rmtree(folder, ignore_errors=True)


def exists(home: Path, generation: int) -> bool:
    """Whether this generation has its folder."""
    return _folder(home, generation).is_dir()


def load(home: Path, generation: int) -> Postings | None:
    """The postings of a generation; None where there are none, or they cannot be read: FTS5 then answers."""
    folder = _folder(home, generation)
    try:
        arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r").view(np.ndarray) for name in _ARRAYS}
        return Postings(**arrays, highest=int(json.loads((folder / "highest.json").read_text())))
    except (OSError, ValueError, EOFError):
        return None


def _folder(home: Path, generation: int) -> Path:
    return home / _FOLDER.format(_VERSION, generation)


def _postings(catalogue: Catalogue, title_weight: float) -> Postings:
    """Some millions of occurrences at once: of 100,000 papers there are 20 million, and each takes 40 bytes while it is reckoned with."""
    spelled, counts = catalogue.term_counts()
    numbers, of_title = catalogue.occurrences(int(counts.sum()))
    lengths, total = np.bincount(numbers), catalogue.count()
    mean = len(numbers) / max(1, total)
    papers, weights = np.empty(len(numbers), dtype=np.int32), np.empty(len(numbers))  # more than is used, which takes no memory
    held = np.zeros(len(counts), dtype=np.int64)
    ends, filled = _ends(counts), 0
    for begin, end in _runs(ends):
        term = np.repeat(np.arange(begin, end), counts[begin:end])
        some = slice(int(ends[begin]), int(ends[end]))
        first = np.flatnonzero(np.diff(term, prepend=-1) | np.diff(numbers[some], prepend=-1))  # of each paper of each term
        frequency = np.add.reduceat(np.where(of_title[some], title_weight, 1.0), first)
        holders, term = numbers[some][first], term[first]
        held[begin:end] = np.bincount(term - begin, minlength=end - begin)
        rarity = np.log((total - held[begin:end] + 0.5) / (held[begin:end] + 0.5))
        rarity[rarity <= 0.0] = _LEAST
        room = 1.0 - _LENGTH + _LENGTH * lengths[holders] / mean
        papers[filled : filled + len(first)] = holders
        weights[filled : filled + len(first)] = rarity[term - begin] * frequency * (_SATURATION + 1.0) / (frequency + _SATURATION * room)
        filled += len(first)
    return Postings(
        np.frombuffer(b"".join(spelled), dtype=np.uint8),
        _ends([len(one) for one in spelled]),
        _ends(held),
        papers[:filled],
        weights[:filled],
        int(numbers.max(initial=0)),
    )


def _runs(ends: _Numbers) -> Iterator[tuple[int, int]]:
    """Terms that follow each other and have some `_AT_ONCE` occurrences together, from and to."""
    begin = 0
    while begin < len(ends) - 1:
        end = max(begin + 1, int(np.searchsorted(ends, ends[begin] + _AT_ONCE, side="right")) - 1)
        yield begin, end
        begin = end


def _ends(sizes: Sequence[int] | _Numbers) -> _Numbers:
    """Where runs of these sizes begin, and where the last ends."""
    return np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]).astype(np.int64)
