"""`python -m eval support`: what the check of generated sentences catches, and what it doubts wrongly."""

from __future__ import annotations

from itertools import chain
from typing import Annotated

import typer


def support(
    source: Annotated[
        list[str] | None,
        typer.Option(metavar="PATH ...", help="Check against the abstracts of these listings [default: the starter library's summaries]."),
    ] = None,
    a_kind: Annotated[int, typer.Option(min=1, metavar="N", help="Edits of each kind by rule; four times as many supported.")] = 120,
    rules_only: Annotated[bool, typer.Option("--rules-only", help="Check without the trained network.")] = False,
    fit: Annotated[bool, typer.Option("--fit", help="Fit the weights of the signals instead, on other papers, and print them.")] = False,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Of everything that is drawn.")] = 0,
) -> None:
    """Judge the check of sentences on minimal edits of supported ones, over papers that it was not trained on."""
    from rich.progress import Progress

    from assistant.checking import Checker, shipped, weights
    from assistant.checking.model import SupportModel
    from assistant.cli.output import announce, errors_told, stderr
    from eval.support.claims import STARTER, papers_of, trials, trials_by_hand, unseen
    from eval.support.fitting import STARTER_SHARE
    from eval.support.fitting import fit as fitted
    from eval.support.judging import judge

    with errors_told():
        summaries = papers_of([str(STARTER)])
        library = papers_of(source) if source else summaries
        asked = [trials(library, summaries, unseen(fit), a_kind, seed)]
        if not fit:
            asked.append(trials_by_hand(library))
        elif source:  # what is shipped is to hold for summaries, too
            asked.append(trials(summaries, summaries, unseen(fit), max(1, round(STARTER_SHARE * a_kind)), seed))
        checker = Checker(None) if rules_only else shipped()
        if checker.fault:
            announce(f"warning: {checker.fault}; checking by rules alone")
        with Progress(console=stderr, transient=True) as bar:
            task = bar.add_task("Checking", total=sum(map(len, asked)))
            if fit:
                model = None if rules_only or checker.fault else SupportModel(weights.FILE, weights.SHA256)
                told = fitted(asked, model, lambda: bar.advance(task))
            else:
                told = str(judge(checker, [*chain(*asked)], lambda: bar.advance(task)))
    typer.echo(told)
