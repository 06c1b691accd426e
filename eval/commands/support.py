"""`python -m eval support`: what the check of generated sentences catches, and what it doubts wrongly."""

from __future__ import annotations

from typing import Annotated

import typer


def support(
    source: Annotated[
        list[str] | None,
        typer.Option(metavar="PATH ...", help="Check against the abstracts of these listings [default: the starter library's summaries]."),
    ] = None,
    a_kind: Annotated[int, typer.Option(min=1, metavar="N", help="Edits of each kind by rule; four times as many supported.")] = 120,
    rules_only: Annotated[bool, typer.Option("--rules-only", help="Check without the trained network.")] = False,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Of everything that is drawn.")] = 0,
) -> None:
    """Judge the check of sentences on minimal edits of supported ones, over papers that it was not trained on."""
    from rich.progress import Progress

    from assistant.cli.output import announce, errors_told, stderr
    from assistant.verification.checker import Checker, shipped
    from eval.support.claims import STARTER, papers_of, trials, trials_by_hand, trials_in_answers, unseen
    from eval.support.judging import judge

    with errors_told():
        summaries = papers_of([str(STARTER)])
        library = papers_of(source) if source else summaries
        asked = [*trials(library, summaries, unseen(False), a_kind, seed), *trials_by_hand(library), *trials_in_answers(library)]
        checker = Checker(None) if rules_only else shipped()
        if checker.fault:
            announce(f"warning: {checker.fault}; checking by rules alone")
        with Progress(console=stderr, transient=True) as bar:
            task = bar.add_task("Checking", total=len(asked))
            told = str(judge(checker, asked, lambda: bar.advance(task)))
    typer.echo(told)
