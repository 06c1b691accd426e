"""What a benchmark is measured with, what it found, and its arithmetic. Pure.

Things to be compared are called in turn, round by round, so that a noisy machine weighs on all alike; what is
told is the median over rounds, and of each round's ratio. Beside the time on the clock stands the processor's,
which other programs on the machine disturb less.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from index import Paper

Call = Callable[[], object]


@dataclass(frozen=True)
class Lap:
    """One thing done once, in seconds."""

    wall: float
    cpu: float
    """Of this process, all threads; for a command, of that command."""


@dataclass(frozen=True)
class Row:
    """A figure."""

    what: str
    value: float
    unit: str
    cpu: float | None = None
    """The same by the processor's time, where there is such."""


@dataclass(frozen=True)
class Ratio:
    """Two things measured in turn, the first divided by the second."""

    what: str
    value: float
    """Median over the rounds, by the clock."""
    cpu: float
    """The same by the processor's time."""
    wanted: float | None = None
    at_most: bool = True
    """Whether less is better."""

    @property
    def held(self) -> bool | None:
        """Whether it is as good as wanted; None where nothing is."""
        if self.wanted is None:
            return None
        return self.value <= self.wanted if self.at_most else self.value >= self.wanted


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


@dataclass(frozen=True)
class Part:
    """What one part of the benchmark found."""

    name: str
    title: str
    settings: Mapping[str, Any]
    """What made the figures."""
    rows: tuple[Row, ...] = ()
    ratios: tuple[Ratio, ...] = ()
    notes: tuple[str, ...] = ()
    """What the figures do not say; why something was not measured."""

    def document(self) -> dict[str, Any]:
        """For JSON."""
        ratios = [{**asdict(ratio), "held": ratio.held} for ratio in self.ratios]
        return {**asdict(self), "settings": dict(self.settings), "ratios": ratios}


def lap(call: Call) -> Lap:
    """One call of this process."""
    wall, cpu = time.perf_counter(), time.process_time()
    call()
    return Lap(time.perf_counter() - wall, time.process_time() - cpu)


def in_turn(calls: Sequence[Call]) -> list[Lap]:
    """Each call once, one after the other."""
    return [lap(call) for call in calls]


def row(what: str, laps: Sequence[Lap], unit: str = "ms") -> Row:
    """The medians, in milliseconds or seconds."""
    scale = 1000.0 if unit == "ms" else 1.0
    return Row(what, scale * statistics.median(one.wall for one in laps), unit, scale * statistics.median(one.cpu for one in laps))


def rate(what: str, done: int, laps: Sequence[Lap], unit: str) -> Row:
    """How many a second, by the median."""
    return Row(what, done / statistics.median(one.wall for one in laps), unit, done / statistics.median(one.cpu for one in laps))


def ratio(what: str, laps: Sequence[Lap], beside: Sequence[Lap], wanted: float | None = None, at_most: bool = True) -> Ratio:
    """Of times: round by round, how many times as long it took."""
    walls = [one.wall / other.wall for one, other in zip(laps, beside, strict=True)]
    cpus = [one.cpu / other.cpu for one, other in zip(laps, beside, strict=True)]
    return Ratio(what, statistics.median(walls), statistics.median(cpus), wanted, at_most)


def rate_ratio(what: str, done: int, laps: Sequence[Lap], beside_done: int, beside: Sequence[Lap], wanted: float | None = None) -> Ratio:
    """Of rates: round by round, how many times as much was done a second; more is better."""
    share = done / beside_done
    walls = [share * other.wall / one.wall for one, other in zip(laps, beside, strict=True)]
    cpus = [share * other.cpu / one.cpu for one, other in zip(laps, beside, strict=True)]
    return Ratio(what, statistics.median(walls), statistics.median(cpus), wanted, at_most=False)


def quantile(values: Sequence[float], share: float) -> float:
    """The value that this share of all does not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, round(share * len(ordered)) - 1))]


def as_listing(papers: Sequence[Paper], file: Path) -> Path:
    """The papers as a listing that can be indexed: a title and an abstract in turn."""
    lines = [f"{' '.join(paper.title.split())}\n{' '.join(paper.abstract.split())}\n" for paper in papers]
    file.write_text("".join(lines), encoding="utf-8")
    return file
