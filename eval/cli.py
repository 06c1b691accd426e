"""`python -m eval`, also `assistant eval`: asks the question set and prints the metrics."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from eval.commands.support import support

if TYPE_CHECKING:
    from torch import Tensor

    from assistant import Assistant
    from eval.questions import GoldQuestion
    from eval.reading.examples import Pack
    from index import Library
    from index.embedding import Embedder

_READERS_PLACE = "The reader's goes to assistant/reading/reader.safetensors, its SHA-256 into assistant/reading/adapter.py."
_AFTER_HOLDING_OUT = (
    "The encoder's and the matcher's go to eval/held_out/: they have not seen the fixed set's papers, so they measure and fit.\n"
    f"{_READERS_PLACE} Then `python -m eval fit`."
)
_AFTER_ALL = (
    "The encoder's goes to index/embedding/encoder.safetensors, its SHA-256 into index/embedding/tuning.py; homes are then embedded anew.\n"
    "The matcher's goes to assistant/reading/matcher.safetensors, its SHA-256 into assistant/reading/matcher.py.\n"
    f"{_READERS_PLACE} It has seen the fixed set's papers, so the set cannot measure it."
)


class _SourcesInARow(TyperGroup):
    """Reads `--source A B` as `--source A --source B`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
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


@app.callback()
def evaluate(
    context: typer.Context,
    questions: Annotated[Path | None, typer.Option(metavar="FILE", help="JSON lines [default: the fixed set, 340 questions].")] = None,
    source: Annotated[
        list[str] | None,
        typer.Option(metavar="PATH ...", help="Measure over a fresh temporary home built from these [default: the current home]."),
    ] = None,
    llm: Annotated[str | None, typer.Option(metavar="PROVIDER:MODEL", help="The LLM that writes the answers.")] = None,
    home: Annotated[str | None, typer.Option(metavar="DIR", help="The home to measure, where no --source is given.")] = None,
    kinds: Annotated[str | None, typer.Option(metavar="A,B", help="Only the questions of these kinds.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, metavar="N", help="Only the first N questions of each kind.")] = None,
    leave_out_gold: Annotated[
        bool,
        typer.Option("--leave-out-gold", help="Ask each question without the papers that answer it, so that all are to be declined."),
    ] = False,
    held_out: Annotated[
        bool,
        typer.Option(
            "--held-out",
            help="Measure with the encoder and the matcher that have not seen the fixed set's papers. The shipped ones were trained on "
            "some of them, with other questions, and find these better than they find a user's. Needs --source.",
        ),
    ] = False,
    json_out: Annotated[str | None, typer.Option("--json", metavar="OUT", help="Write the whole run as JSON; - for stdout.")] = None,
) -> None:
    """Ask every question of a set and print quality, harm and latency by kind."""
    if context.invoked_subcommand is not None:
        return
    from rich.console import Console
    from rich.progress import Progress

    from assistant.cli.output import announce, errors_told, print_json
    from eval.leaving_out import run_without_gold
    from eval.questions import FIXED, QuestionSetError
    from eval.run import run
    from eval.table import table

    sources = source or []
    if held_out and not sources:
        announce("error: --held-out embeds papers anew with another encoder: name them with --source")
        raise typer.Exit(1)
    path = questions or FIXED
    try:
        golds = _chosen(path, kinds, limit, leave_out_gold)
        if json_out and json_out != "-":
            Path(json_out).touch()
    except OSError as error:
        announce(f"error: {json_out}: cannot be written ({error.strerror}): choose another file for --json")
        raise typer.Exit(1) from error
    except QuestionSetError as error:
        announce(f"error: {error}")
        raise typer.Exit(1) from error
    with errors_told(), _unseeing(sources, llm) if held_out else _assistant(sources, home, llm) as assistant:
        settings = {
            "questions": str(path),
            "kinds": list(dict.fromkeys(gold.kind for gold in golds)),
            "limit": limit,
            "leave_out_gold": leave_out_gold,
            "held_out": held_out,
            "sources": sources,
            "llm": assistant.mode,
            "papers": assistant.library.catalogue.count(),
            "embedding_model": assistant.library.embedder.name,
        }
        console = Console(stderr=True)
        with Progress(console=console, transient=True) as bar:
            task = bar.add_task("Asking", total=len(golds))
            finished = (run_without_gold if leave_out_gold else run)(assistant, golds, settings, lambda: bar.advance(task))
    if json_out == "-":
        print_json(finished.document())
        console.print(table(finished))
    else:
        Console().print(table(finished))
        if json_out:
            Path(json_out).write_text(json.dumps(finished.document(), ensure_ascii=False, indent=1), encoding="utf-8")
    failed = [result.error for result in finished.results if result.error]
    if failed:
        announce(f"error: {len(failed)} questions failed, first: {failed[0]}")
        raise typer.Exit(1)


@app.command()
def fit(
    source: Annotated[list[str], typer.Option(metavar="PATH", help="Listings that hold the papers of the training questions.")],
    every: Annotated[int, typer.Option(min=1, metavar="N", help="Only each N-th question, for a quick look.")] = 1,
) -> None:
    """Fit the weights of evidence and confidence on papers that encoder and reader have not seen, and print them."""
    from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from assistant.cli.output import errors_told, stderr
    from eval.fitting import fit_all
    from eval.unseen import held_out_encoder, held_out_readers

    columns = (TextColumn("Reading questions"), MofNCompleteColumn(), TimeElapsedColumn())
    with errors_told(), _mistakes_told():
        encoder = held_out_encoder()
        readers = held_out_readers(encoder)
        with _library(source, encoder) as library, Progress(*columns, console=stderr, transient=True) as bar:
            task = bar.add_task("fit", total=None)
            fitted = fit_all(library, readers, lambda: bar.advance(task), every)
    typer.echo(fitted)


@app.command()
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
    only: Annotated[str | None, typer.Option(metavar="matcher", help="Train only the matcher, in minutes without a GPU.")] = None,
    encoder: Annotated[
        Path | None, typer.Option(metavar="FILE", help="With --only matcher: the adapter of the encoder that it is to be used with.")
    ] = None,
    only_pack: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Train nothing: write what training needs, for `python -m eval.reading FILE DIR` elsewhere."),
    ] = None,
) -> None:
    """Train the weights of encoder, reader and matcher from listings: some ten minutes on a GPU, about a day on two cores."""
    from assistant.cli.output import announce, errors_told

    with errors_told(), _mistakes_told():
        from eval.reading.pipeline import Plan, Stages, chosen_device, hashes, run, train_matcher, writable
        from index.embedding.minilm import installed

        matrices = _adapter(only, encoder)
        stages = Stages(announce)
        plan = Plan(installed(), out if only_pack else writable(out), chosen_device(device), seed)
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


@app.command(name="chunk-sizes")
def chunk_sizes(
    source: Annotated[list[str], typer.Option(metavar="PATH", help="Listings that hold the papers of the fixed question set.")],
) -> None:
    """Measure how large chunks should be, on the single-paper questions."""
    from assistant.cli.output import errors_told
    from eval.chunk_sizes import as_text, measure
    from eval.questions import FIXED, load

    with errors_told(), _assistant(source, None, "extractive") as assistant:
        typer.echo(as_text(measure(assistant.library, load(FIXED))))


@app.command()
def latency(
    source: Annotated[
        list[str] | None, typer.Option(metavar="PATH", help="Over a fresh home of these [default: the current home].")
    ] = None,
    home: Annotated[str | None, typer.Option(metavar="DIR", help="The home to measure, where no --source is given.")] = None,
    count: Annotated[int, typer.Option(min=1, help="How many questions of the fixed set.")] = 200,
) -> None:
    """Measure a warm answer against the bare model's encoding of its question."""
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    from assistant.cli.output import errors_told
    from eval.latency import measure
    from eval.questions import FIXED, load
    from index.embedding.minilm import installed

    with errors_told(), _assistant(source or [], home, "extractive") as assistant:
        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        bare = SentenceTransformer(str(installed()), device="cpu", local_files_only=True)
        found = measure(assistant, bare.encode, [one.question for one in load(FIXED)][:count])
    typer.echo(
        f"{found.questions} questions: bare encode {found.encode_ms:.1f} ms, answer {found.answer_ms:.1f} ms (medians): "
        f"{found.ratio:.2f} times"
    )


app.command(name="support")(support)


def register(main: typer.Typer) -> None:
    """Adds `assistant eval`."""
    main.add_typer(app)


def _chosen(path: Path, kinds: str | None, limit: int | None, leave_out_gold: bool) -> list[GoldQuestion]:
    """The questions to ask. Raises `QuestionSetError`."""
    from eval import choosing
    from eval.questions import load

    golds = load(path)
    if kinds is not None:
        golds = choosing.of_kinds(golds, [kind.strip() for kind in kinds.split(",")])
    if leave_out_gold:
        golds = choosing.with_gold(golds)
    return golds if limit is None else choosing.first_of_each_kind(golds, limit)


def _pack(sources: list[str], hold_out: bool, tell: Callable[[str], None]) -> Pack:
    """The training questions over these sources, with what is lacking told."""
    from eval.abstracts import known_abstracts
    from eval.reading.building import build
    from eval.unseen import held_out
    from index.embedding import MiniLM

    untuned = MiniLM(adapter=None)
    with _library(sources, untuned) as library:
        known = known_abstracts(library.papers())
        if known.warning:
            tell(f"warning: {known.warning}")
        titles = set(known.same) - (held_out() if hold_out else set())
        pack = build(library, untuned.token_ids, titles)
    tell(f"{len(pack.examples)} questions about {len(titles)} papers and about none; {len(pack.papers)} papers to tell apart")
    return pack


def _adapter(only: str | None, encoder: Path | None) -> dict[str, Tensor] | None:
    """The adapter of the encoder that a matcher alone is to be trained for; None where all is to be trained."""
    from eval.reading.examples import TrainingError
    from index.embedding import tuning

    if only is None and encoder is None:
        return None
    if only != "matcher" or encoder is None:
        raise TrainingError("only the matcher can be trained on its own, and for an encoder: say `--only matcher --encoder FILE`")
    return tuning.matrices(encoder)


@contextmanager
def _mistakes_told() -> Iterator[None]:
    """As `errors_told`, for the errors of this package."""
    from assistant.cli.output import announce
    from eval.questions import QuestionSetError
    from eval.reading.examples import TrainingError

    try:
        yield
    except (QuestionSetError, TrainingError) as error:
        announce(f"error: {error}")
        raise typer.Exit(1) from error


@contextmanager
def _unseeing(sources: list[str], llm: str | None) -> Iterator[Assistant]:
    """Over a temporary home of these sources, with the models that have not seen the fixed set's papers."""
    from assistant import Assistant
    from eval.unseen import held_out_encoder, held_out_readers

    encoder = held_out_encoder()
    readers = held_out_readers(encoder)
    with _library(sources, encoder) as library:
        yield Assistant(library.home, llm, library=library, readers=readers)


@contextmanager
def _assistant(sources: list[str], home: str | None, llm: str | None) -> Iterator[Assistant]:
    """Over a temporary home of these sources, or over the home in use."""
    from assistant import Assistant
    from assistant.cli.output import EmbeddingBar, announce

    if not sources:
        yield Assistant(home, llm, progress=EmbeddingBar(), announce=announce)
        return
    with _library(sources) as library:
        yield Assistant(library.home, llm, library=library)


@contextmanager
def _library(sources: list[str], embedder: Embedder | None = None) -> Iterator[Library]:
    """A temporary home of these sources. Raises `SourceError` for one that cannot be read."""
    from assistant.cli.output import EmbeddingBar
    from index import Library

    with tempfile.TemporaryDirectory(prefix="assistant-eval-") as folder, closing(Library(Path(folder), embedder)) as library:
        report = library.add(sources, EmbeddingBar())
        for failure in report.failed:
            raise failure
        yield library
