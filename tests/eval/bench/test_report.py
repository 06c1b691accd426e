"""The benchmark as a file: parts of several runs, what is missed said first, each with its day and load."""

from __future__ import annotations

from typing import Any

from eval.bench.figures import Part, Ratio, Row
from eval.bench.report import as_markdown, measured, put

ORDER = ("search", "cold")
MACHINE = {
    "assistant": "0.1",
    "python": "3.11",
    "system": "Linux",
    "processor": "A chip",
    "cores": 2,
    "memory_gb": 8.0,
    "load": 1.26,
    "versions": {"numpy": "2.4"},
    "environment": {},
}
SEARCH = Part("search", "A search", {"papers": 640}, (Row("search", 14.26, "ms", 13.0),), (Ratio("search / bare", 1.64, 1.1, 1.5),))
COLD = Part("cold", "A cold start", {}, ratios=(Ratio("ask / stock", 0.3, 0.31, 0.5), Ratio("ask / import", 1.2, 1.2)), notes=("Once.",))


def document(*parts: Part, machine: dict[str, Any] = MACHINE) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in parts:
        found = put(found, measured(part, machine, "2026-01-02"), ORDER)
    return found


def test_a_part_replaces_the_older_one_and_the_others_stay() -> None:
    again = Part("search", "A search", {"papers": 7})
    found = put(document(COLD, SEARCH), measured(again, MACHINE, "2026-01-03"), ORDER)
    assert [(one["name"], one["date"]) for one in found["parts"]] == [("search", "2026-01-03"), ("cold", "2026-01-02")]


def test_what_is_wanted_and_missed_stands_before_the_parts() -> None:
    text = as_markdown(document(SEARCH, COLD))
    head, _, rest = text.partition("## A search")
    assert "| search / bare | 1.64 | 1.10 | at most 1.5: missed |" in head and "| ask / stock | 0.30 | 0.31 | at most 0.5: held |" in head
    assert "- Missed: search / bare, 1.64 by the clock, 1.10 by the processor's time." in head and "ask / import" not in head
    assert "Measured 2026-01-02; load at the start 1.3; papers: 640." in rest and "| search | 14.3 | 13 | ms |" in rest
    assert "| ask / import | 1.20 | 1.20 | times |" in rest and "\nOnce.\n" in rest
    assert "None of these is missed." in as_markdown(document(COLD))


def test_machines_are_told_once_each_with_their_parts() -> None:
    one = as_markdown(document(SEARCH, COLD))
    assert one.count("A chip, 2 cores, 8 GB of memory") == 1 and "A search:" not in one
    other = put(document(SEARCH), measured(COLD, {**MACHINE, "processor": "Another chip"}, "2026-01-02"), ORDER)
    assert "A search:\n\n- A chip" in as_markdown(other) and "A cold start:\n\n- Another chip" in as_markdown(other)
