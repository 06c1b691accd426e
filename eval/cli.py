"""`python -m eval`, also `assistant eval`: its commands, each from a file of its own in `commands/`."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from eval.commands.baseline import baseline
from eval.commands.bench import bench
from eval.commands.chats import chats
from eval.commands.chunk_sizes import chunk_sizes
from eval.commands.compare import compare
from eval.commands.expect import expect
from eval.commands.fit import fit
from eval.commands.graphs import graphs
from eval.commands.ir import ir
from eval.commands.projection import projection
from eval.commands.report import report
from eval.commands.run import evaluate
from eval.commands.support import support
from eval.commands.train import train

_OF_IR = ("--beir", "--trec")


class _SourcesInARow(TyperGroup):
    """Reads `--source A B` as `--source A --source B`, and `--beir` or `--trec` as options of the command `ir`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args[:1] != ["ir"] and any(argument.partition("=")[0] in _OF_IR for argument in args):
            args = ["ir", *args]
        spread: list[str] = []
        after_source = False
        for argument in args:
            if argument.startswith("-"):
                after_source = argument == "--source"
            elif after_source and spread[-1] != "--source":
                spread.append("--source")
            spread.append(argument)
        return super().parse_args(ctx, spread)


app = typer.Typer(
    name="eval",
    cls=_SourcesInARow,
    help="Measure answers, citations and refusals on a question set.",
    context_settings={"help_option_names": ["-h", "--help"]},
    add_completion=False,
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

app.callback()(evaluate)
app.command(name="baseline")(baseline)
app.command(name="bench")(bench)
app.command(name="chats")(chats)
app.command(name="chunk-sizes")(chunk_sizes)
app.command(name="compare")(compare)
app.command(name="expect")(expect)
app.command(name="fit")(fit)
app.command(name="graphs")(graphs)
app.command(name="ir")(ir)
app.command(name="projection")(projection)
app.command(name="report")(report)
app.command(name="support")(support)
app.command(name="train")(train)


def register(main: typer.Typer) -> None:
    """Adds `assistant eval`."""
    main.add_typer(app)
