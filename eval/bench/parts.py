"""The parts of the benchmark, by name. Another is one file and one line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from eval.bench import clone, cold, growth, ingest, page, profiling, warm
from eval.bench.commands import BenchError
from eval.bench.figures import Part
from eval.bench.plan import Plan

PARTS: Mapping[str, Callable[[Plan], Part]] = {
    "search": warm.measure_search,
    "answer": warm.measure_answer,
    "cold": cold.measure,
    "ingest": ingest.measure,
    "page": page.measure,
    "profile": profiling.measure,
    "growth": growth.measure,
    "clone": clone.measure,
}
ASKED_FOR = ("clone",)
"""Measured only where it is named: it downloads."""


def chosen(names: str | None) -> list[str]:
    """The parts of a list with commas, in their order; without one, all but those that must be named. Raises `BenchError`."""
    if names is None:
        return [name for name in PARTS if name not in ASKED_FOR]
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in PARTS]
    if unknown or not wanted:
        raise BenchError(f"no such part: {', '.join(unknown) or 'none named'}; there are {', '.join(PARTS)}")
    return [name for name in PARTS if name in wanted]
