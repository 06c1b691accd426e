"""`python -m eval train`: the weights of encoder, reader, matcher and check, trained from listings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eval.commands.opening import library_of, mistakes_told

if TYPE_CHECKING:
    from torch import Tensor

    from eval.train.pack import Pack
    from eval.train.pipeline import Plan, Stages

_AFTER_HOLDING_OUT = (
    "All go to eval/held_out/: they have not seen the fixed set's papers, so they measure and fit. Then `python -m eval fit`."
)
_AFTER_CHECK = (
    "It goes to assistant/verification/support.safetensors, its SHA-256 into assistant/verification/weights.py.\n"
    "Then `python -m eval fit --only support --source LISTINGS`, which weighs its signals anew."
)
_AFTER_ALL = (
    "The encoder's goes to index/embedding/encoder.safetensors, its SHA-256 into index/embedding/tuning.py; homes are then embedded anew.\n"
    "The matcher's goes to assistant/evidence/matcher.safetensors, its SHA-256 into assistant/evidence/matcher.py.\n"
    "The reader's goes to assistant/evidence/reader.safetensors, its SHA-256 into assistant/evidence/reader_weights.py.\n"
    "All have seen the fixed set's papers, so the set cannot measure them."
)


def train(
    source: Annotated[list[str], typer.Option(metavar="PATH", help="Listings that hold the papers of the training questions.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="The folder that the weights go to.")] = Path("trained"),
    device: Annotated[str | None, typer.Option(metavar="cpu|cuda", help="Where to train [default: a GPU where there is one].")] = None,
    hold_out: Annotated[
        bool,
        typer.Option(
            "--hold-out/--all", help="Leave out the papers that the fixed set asks about, so that it can measure; or train on all, to ship."
        ),
    ] = True,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Of everything that is drawn.")] = 0,
    only: Annotated[
        str | None,
        typer.Option(metavar="matcher|check", help="Train only one: the matcher takes minutes without a GPU."),
    ] = None,
    encoder: Annotated[
        Path | None, typer.Option(metavar="FILE", help="With --only matcher: the adapter of the encoder that it is to be used with.")
    ] = None,
    only_pack: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Train nothing: write what training needs, for `python -m eval.train FILE DIR` elsewhere.",
        ),
    ] = None,
) -> None:
    """Train the weights of encoder, reader and matcher from listings: some ten minutes on a GPU, about a day on two cores."""
    from assistant.cli.output import announce

    with mistakes_told():
        from eval.train.pipeline import Plan, Stages, chosen_device, hashes, run, train_matcher, writable
        from index.embedding.minilm import installed

        matrices = None if only == "check" else _adapter(only, encoder)
        stages = Stages(announce)
        plan = Plan(installed(), out if only_pack else writable(out), chosen_device(device), seed)
        if only == "check":
            _check(source, plan, stages, only_pack)
            return
        with stages.stage("library and pack"):
            pack = _pack(source, hold_out, announce)
        if only_pack:
            pack.save(only_pack)
            typer.echo(f"{only_pack}: {len(pack.examples)} questions over {len(pack.papers)} papers")
            return
        files = run(pack, plan, stages) if matrices is None else [train_matcher(pack, matrices, plan, stages)]
    typer.echo(hashes(files))
    typer.echo(stages.summary)
    typer.echo(_AFTER_HOLDING_OUT if hold_out else _AFTER_ALL)


def _pack(sources: list[str], hold_out: bool, tell: Callable[[str], None]) -> Pack:
    """The training questions over these sources, with what is lacking told."""
    from eval.held_out import held_out
    from eval.support.claims import STARTER
    from eval.train.data import known_abstracts
    from eval.train.pack import build
    from index.embedding import MiniLM

    untuned = MiniLM(adapter=None)
    with library_of(sources, untuned) as library, library_of([str(STARTER)], untuned) as summaries:
        known = known_abstracts(library.papers())
        if known.warning:
            tell(f"warning: {known.warning}")
        titles = set(known.same) - (held_out() if hold_out else set())
        pack = build(library, untuned.token_ids, titles, summaries)
    tell(f"{len(pack.examples)} questions about {len(titles)} papers and about none; {len(pack.papers)} papers to tell apart")
    return pack


def _check(sources: list[str], plan: Plan, stages: Stages, only_pack: Path | None) -> None:
    """Trains the check, or writes its pack. It never sees the fixed set's papers: what weighs its signals is fitted over these."""
    from eval.train.claims import ClaimsRecipe, train_check
    from eval.train.claims_pack import check_pack
    from eval.train.pipeline import hashes

    with stages.stage("pack"):
        pack = check_pack(sources, plan.seed)
    if only_pack:
        pack.save(only_pack)
        typer.echo(f"{only_pack}: {len(pack.trial)} sentences, {len(pack.what)} pairs")
        return
    typer.echo(hashes([train_check(pack, plan, ClaimsRecipe(), stages)]))
    typer.echo(stages.summary)
    typer.echo(_AFTER_CHECK)


def _adapter(only: str | None, encoder: Path | None) -> dict[str, Tensor] | None:
    """The adapter of the encoder that a matcher alone is to be trained for; None where all is to be trained."""
    from eval.train.pack import TrainingError
    from index.embedding import tuning

    if only is None and encoder is None:
        return None
    if only != "matcher" or encoder is None:
        raise TrainingError(
            "only the matcher can be trained on its own, and for an encoder: say `--only matcher --encoder FILE`, or `--only check`"
        )
    return tuning.matrices(encoder)
