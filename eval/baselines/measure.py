"""Measures searchers side by side: `python -m eval baseline`.

Goes in: searchers, one library's papers, questions. Comes out: for each, quality with intervals,
what a search costs, how fast it indexed, what memory it took. Each question is asked of all in turn,
so that a noisy machine weighs on all alike. Questions with earlier turns are left out, since a
retriever knows none. Knows nothing of how anyone searches.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from eval.baselines.base import Answerer, Given, Judged, Make, Material, Place, Ranked, Searcher, Tunable
from eval.metrics import METRICS, Result, Summary, bootstrap, summarise
from eval.questions import GoldQuestion

Tick = Callable[[str], None]
"""Called with what has just been done."""

RETRIEVAL = ("hit@1", "recall@5", "recall@10", "ndcg@10", "mrr@10")
_FOUND = 10
_WARM = 3
_STATUS = Path("/proc/self/status")
"""Where Linux tells a process's memory."""


@dataclass(frozen=True)
class Row:
    """What one searcher gave."""

    name: str
    what: str
    papers_per_s: float
    """Papers indexed in a second, models loaded beforehand."""
    memory_mb: float | None
    """What the process grew by while it indexed and first searched; None where the system does not tell."""
    results: tuple[Result, ...]
    """One for each question: papers found, and the latency of the search."""
    answers: tuple[Result, ...] = ()
    """One for each question, where it answers."""
    papers_per_cpu_s: float | None = None
    """The same by the processor's time, which other programs on the machine disturb less."""


@dataclass
class _Measuring:
    """One searcher while it is measured."""

    searcher: Searcher
    papers_per_s: float
    papers_per_cpu_s: float
    memory_mb: float | None
    results: list[Result] = field(default_factory=list)
    answers: list[Result] = field(default_factory=list)


@dataclass(frozen=True)
class SideBySide:
    """All of them over the same questions."""

    questions: tuple[GoldQuestion, ...]
    rows: tuple[Row, ...]
    """The first is what the others are compared with."""

    def quality(self, row: Row) -> Summary:
        """Of what was found, over the questions with gold."""
        pairs = [(gold, result) for gold, result in zip(self.questions, row.results, strict=True) if gold.gold_titles]
        return summarise([gold for gold, _ in pairs], [result for _, result in pairs])

    def answering(self, row: Row) -> Summary | None:
        """Of the answers, over all questions; None where none were given."""
        return summarise(self.questions, row.answers) if row.answers else None

    def coverage(self, row: Row) -> float | None:
        """The share of the questions with gold that got an answer; None where none were given."""
        given = [result.answered for gold, result in zip(self.questions, row.answers, strict=False) if gold.gold_titles]
        return float(np.mean(given)) if given else None

    def gain(self, row: Row, metric: str) -> tuple[float, tuple[float, float]]:
        """How much better the first row is, question by question, with the 95% bounds."""
        first, other = ([METRICS[metric](gold, result) for gold, result in self._with_gold(one)] for one in (self.rows[0], row))
        differences = [a - b for a, b in zip(first, other, strict=True) if a is not None and b is not None]
        return float(np.mean(differences)), bootstrap(differences) or (0.0, 0.0)

    def document(self, settings: dict[str, Any]) -> dict[str, Any]:
        """The `--json` form."""
        return {"settings": settings, "systems": [self._figures(row) for row in self.rows], "questions": [one.id for one in self.questions]}

    def _figures(self, row: Row) -> dict[str, Any]:
        quality, answering = self.quality(row), self.answering(row)
        return {
            "name": row.name,
            "what": row.what,
            "metrics": quality.metrics,
            "intervals": quality.intervals,
            "papers_per_s": row.papers_per_s,
            "papers_per_cpu_s": row.papers_per_cpu_s,
            "memory_mb": row.memory_mb,
            "answers": None if answering is None else {**answering.metrics, "coverage": self.coverage(row)},
            "answer_intervals": None if answering is None else answering.intervals,
            "retrieved_titles": [list(result.retrieved_titles) for result in row.results],
        }

    def _with_gold(self, row: Row) -> Iterator[tuple[GoldQuestion, Result]]:
        return ((gold, result) for gold, result in zip(self.questions, row.results, strict=True) if gold.gold_titles)


def measure(
    makes: Sequence[Make],
    place: Place,
    material: Material,
    questions: Sequence[GoldQuestion],
    training: Sequence[Judged],
    tick: Tick = lambda done: None,
) -> SideBySide:
    """Makes, tunes and indexes each in turn, then asks all of them every question that has no earlier turns."""
    titles = {paper.paper_id: paper.title for paper in material.papers}
    asked = tuple(one for one in questions if not one.history)
    for number, make in enumerate(makes):
        with _made([make], replace(place, folder=place.folder / f"warm-{number}")) as searchers:
            _warm_up(searchers[0], material, asked[0].question)
    tick("models loaded")
    with _made(makes, place) as searchers:
        measuring = [_indexed(searcher, material, training, asked[0].question, tick) for searcher in searchers]
        for gold in asked:
            for one in measuring:
                one.results.append(_searched(one.searcher, gold.question, titles))
                if isinstance(one.searcher, Answerer):
                    one.answers.append(_answered(one.searcher, gold.question, titles))
            tick("asked")
        rows = [
            Row(
                one.searcher.name,
                one.searcher.what,
                one.papers_per_s,
                one.memory_mb,
                tuple(one.results),
                tuple(one.answers),
                one.papers_per_cpu_s,
            )
            for one in measuring
        ]
    return SideBySide(asked, tuple(rows))


@contextmanager
def _made(makes: Sequence[Make], place: Place) -> Iterator[list[Searcher]]:
    """Each in a folder of its own; all closed at the end."""
    searchers: list[Searcher] = []
    try:
        for number, make in enumerate(makes):
            folder = place.folder / str(number)
            folder.mkdir(parents=True)
            searchers.append(make(Place(folder, place.encoder, place.readers)))
        yield searchers
    finally:
        for searcher in searchers:
            with closing(searcher):
                pass


def _warm_up(searcher: Searcher, material: Material, question: str) -> None:
    """Loads what indexing and searching load, so that no rate and no latency holds it."""
    searcher.index(Material(material.papers[:_WARM], material.chunks[:_WARM]))
    searcher.search(question, _FOUND)


def _indexed(searcher: Searcher, material: Material, training: Sequence[Judged], question: str, tick: Tick) -> _Measuring:
    if isinstance(searcher, Tunable):
        searcher.tune(material, training)
        tick(f"{searcher.name}: tuned")
    gc.collect()
    before = resident_mb()
    started, cpu_started = time.perf_counter(), time.process_time()
    searcher.index(material)
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
    searcher.search(question, _FOUND)  # opens what opens late, so that no latency holds it
    gc.collect()
    after = resident_mb()
    tick(f"{searcher.name}: indexed")
    papers = len(material.papers)
    return _Measuring(
        searcher, papers / seconds, papers / cpu_seconds, None if before is None or after is None else max(0.0, after - before)
    )


def _searched(searcher: Searcher, question: str, titles: dict[str, str]) -> Result:
    started = time.perf_counter()
    found: Sequence[Ranked] = searcher.search(question, _FOUND)
    return Result(tuple(titles[hit.paper_id] for hit in found), "", (), False, _ms(started))


def _answered(searcher: Answerer, question: str, titles: dict[str, str]) -> Result:
    started = time.perf_counter()
    given: Given = searcher.answer(question)
    return Result((), given.text, tuple(titles[paper_id] for paper_id in given.paper_ids), given.answered, _ms(started))


def resident_mb() -> float | None:
    """The memory that this process holds now; None where the system does not tell."""
    if not _STATUS.exists():
        return None
    (line,) = (line for line in _STATUS.read_text().splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024.0


def _ms(started: float) -> float:
    return (time.perf_counter() - started) * 1000.0
