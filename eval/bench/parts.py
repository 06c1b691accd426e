"""The parts of the benchmark, by name. Another is one file and one line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from eval.bench import cold, growth, ingest, warm
from eval.bench.commands import BenchError
from eval.bench.figures import Part, Plan

PARTS: Mapping[str, Callable[[Plan], Part]] = {
    "search": warm.measure_search,
    "answer": warm.measure_answer,
    "cold": cold.measure,
    "ingest": ingest.measure,
    "growth": growth.measure,
}


def chosen(names: str | None) -> list[str]:
    """The parts of a list with commas, in their order; without one, all. Raises `BenchError`."""
    if names is None:
        return list(PARTS)
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in PARTS]
    if unknown or not wanted:
        raise BenchError(f"no such part: {', '.join(unknown) or 'none named'}; there are {', '.join(PARTS)}")
    return [name for name in PARTS if name in wanted]
