"""`python -m eval chats`: what is right alone, asked after turns about other papers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from eval.commands.opening import asking_bar, assistant_over, mistakes_told, unseeing_assistant


def chats(
    source: Annotated[list[str] | None, typer.Option(metavar="PATH ...", help="Papers [default: the current home].")] = None,
    questions: Annotated[Path | None, typer.Option(metavar="FILE", help="JSON lines or CSV [default: the fixed set].")] = None,
    names: Annotated[int, typer.Option(min=0, metavar="N", help="Papers asked for by name, in five wordings each.")] = 40,
    long: Annotated[int, typer.Option(min=0, metavar="N", help="Chats of 20 turns.")] = 10,
    held_out: Annotated[bool, typer.Option("--held-out", help="With the models that have not seen the papers. Needs --source.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else on stdout.")] = False,
) -> None:
    """Ask what is right alone after one and three turns about other papers, and in long chats."""
    from dataclasses import asdict

    from assistant.cli.output import print_json
    from eval.chats import TURNS, measure
    from eval.errors import EvalError
    from eval.questions import FIXED, load

    with mistakes_told():
        if held_out and not source:
            raise EvalError("--held-out embeds papers anew with another encoder: name them with --source")
        golds = load(questions or FIXED)
        over = unseeing_assistant(source or [], None) if held_out else assistant_over(source or [], None, None)
        total = (1 + len(TURNS)) * (len(golds) + 5 * names) + 20 * long
        with over as assistant, asking_bar("chats", total) as tick:
            found = measure(assistant, golds, names, long, tick)
    if as_json:
        print_json(asdict(found))
        return
    for one in found.groups:
        after = ", ".join(f"after {turns}: {_share(share)}" for turns, share in zip(TURNS, one.after, strict=True))
        typer.echo(f"{one.group}: {one.alone} of {one.n} right alone, of these {after}")
    typer.echo(f"long chats: {_share(found.long)} of their turns, {_share(found.last)} of their last")
    for line in found.lost:
        typer.echo(f"lost: {' '.join(line.split())}")


def _share(share: float | None) -> str:
    return "-" if share is None else f"{share:.2f}"
