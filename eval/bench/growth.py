"""How a search grows with the library: the same questions over libraries of rising size, in turn.

The libraries are drawn (`drawn.py`); a search is what the product does once the question has its vector. The
bare encode of the question stands beside, to say what the sizes weigh. Memory is that of a process of its own
that opens one library and asks: `python -m eval.bench.growth HOME QUESTION ...`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from importlib import resources
from pathlib import Path
from typing import Any

from assistant.retrieval.retriever import retrieve
from eval.bench import bare, commands
from eval.bench.drawn import DrawnEmbedder, build
from eval.bench.figures import Lap, Part, Plan, Row, in_turn, quantile, ratio, row
from index import Library

_ASKED = 20
"""Questions of the process whose memory is measured."""


def measure(plan: Plan) -> Part:
    """Builds what is not there yet in `plan.scratch`, then asks every question of each."""
    homes = {papers: plan.scratch / "growth" / str(papers) for papers in sorted(plan.sizes)}
    starter = sorted(Path(str(resources.files("index.starter"))).glob("*.txt"))
    with ExitStack() as opened:
        libraries = []
        for papers, home in homes.items():
            plan.tell(f"growth: a library of {papers} papers (100,000 take some twenty minutes to make)")
            home.parent.mkdir(parents=True, exist_ok=True)
            libraries.append(opened.enter_context(closing(build(home, papers, starter))))
        plan.tell("growth: asking")
        encode, searches = bare.encoding(), [_searching(library) for library in libraries]
        in_turn([lambda: encode(plan.questions[0]), *(lambda s=search: s(plan.questions[0]) for search in searches)])
        laps = [
            in_turn([lambda q=question: encode(q), *(lambda s=search, q=question: s(q) for search in searches)])  # type: ignore[misc]
            for question in plan.questions
        ]
    encoded, *found = zip(*laps, strict=True)
    rows = [row("bare encode of the question", encoded)]
    for (papers, home), asked in zip(homes.items(), found, strict=True):
        rows += _rows(papers, home, asked, plan.questions[:_ASKED])
    return Part(
        "growth",
        "Growth",
        {"questions": len(plan.questions), "sizes": list(homes)},
        rows=tuple(rows),
        ratios=tuple(ratio(f"{papers} papers: search / bare encode", asked, encoded) for papers, asked in zip(homes, found, strict=True)),
        notes=("A search without the question's own encoding, over vectors drawn at random around 500 subjects.",),
    )


def medians(part: Mapping[str, Any]) -> list[tuple[float, float]]:
    """(papers, milliseconds of the processor's time) of what was measured, for a plot. `part`: its document."""
    asked = {f"{papers} papers: search": papers for papers in part["settings"]["sizes"]}
    return [(asked[one["what"]], one["cpu"]) for one in part["rows"] if one["what"] in asked]


def _searching(library: Library) -> Callable[[str], object]:
    """As the assistant does it: looking first whether others wrote."""

    def search(question: str) -> object:
        library.reopen_if_moved()
        return retrieve(library, question)

    return search


def _rows(papers: int, home: Path, asked: Sequence[Lap], questions: Sequence[str]) -> list[Row]:
    late = 1000 * quantile([one.wall for one in asked], 0.95)
    memory = commands.python("-m", "eval.bench.growth", str(home), *questions).peak_mb
    return [
        row(f"{papers} papers: search", asked),
        Row(f"{papers} papers: search, of 20 the slowest but one", late, "ms"),
        Row(f"{papers} papers: peak memory of a process that searches", memory, "MB"),
        Row(f"{papers} papers: on disk", sum(file.stat().st_size for file in home.rglob("*") if file.is_file()) / 1e6, "MB"),
    ]


def _ask(home: Path, questions: Sequence[str]) -> None:
    with closing(Library(home, DrawnEmbedder())) as library:
        search = _searching(library)
        for question in questions:
            search(question)


if __name__ == "__main__":
    _ask(Path(sys.argv[1]), sys.argv[2:])
