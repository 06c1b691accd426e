"""Cold starts, as commands that a user would type, and the memory they take.

`assistant ask` over a built library, beside importing the model's library alone, and beside a script of
LlamaIndex's stock pipeline (`stock.py`) over an index of the same papers. In turn, after one of each that is
not counted, so that all find their files in the disk cache.
"""

from __future__ import annotations

from contextlib import closing

from eval.bench import commands, stock
from eval.bench.figures import Part, Plan, Row, ratio, row
from index import Library
from index.embedding.minilm import installed

_WANTED = 0.5


def measure(plan: Plan) -> Part:
    """Each command `plan.rounds` times."""
    question = plan.questions[0]
    with closing(Library(plan.home)) as library:
        pairs = [(paper.title, paper.abstract) for paper in library.papers()]
    folder = plan.scratch / "stock-cold"
    plan.tell(f"cold starts: indexing {len(pairs)} papers with the stock pipeline")
    stock.index(folder, pairs, stock.model_of(str(installed())))
    asked = {
        "assistant ask": ["-m", "assistant", "ask", question, "--home", str(plan.home)],
        "importing sentence-transformers alone": ["-c", "import sentence_transformers"],
        "stock pipeline, a script that only searches": ["-m", "eval.bench.stock", str(folder), str(installed()), question],
    }
    for arguments in asked.values():
        commands.python(*arguments)
    rounds = []
    for number in range(plan.rounds):
        plan.tell(f"cold starts: round {number + 1} of {plan.rounds}")
        rounds.append([commands.python(*arguments) for arguments in asked.values()])
    ours, library_alone, stocks = ([one.lap for one in ran] for ran in zip(*rounds, strict=True))
    peaks = [max(one.peak_mb for one in ran) for ran in zip(*rounds, strict=True)]
    return Part(
        "cold",
        "Cold starts",
        {"papers": len(pairs), "rounds": plan.rounds, "question": question},
        rows=(
            *(row(what, laps, "s") for what, laps in zip(asked, (ours, library_alone, stocks), strict=True)),
            *(Row(f"{what}: peak memory", peak, "MB") for what, peak in zip(asked, peaks, strict=True)),
        ),
        ratios=(
            ratio("assistant ask / stock pipeline's script", ours, stocks, _WANTED),
            ratio("assistant ask / importing sentence-transformers", ours, library_alone),
        ),
    )
