"""`python -m eval baseline`: others' retrievers beside ours, on the same questions over the same papers."""

from __future__ import annotations

import importlib.util
import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eval.commands.opening import assistant_over, library_of, mistakes_told

if TYPE_CHECKING:
    from eval.baselines.base import Judged, Place
    from eval.baselines.measure import SideBySide
    from index import Paper

_TRAINING = 120
"""Questions that others' settings are chosen on."""


def baseline(
    source: Annotated[
        list[str] | None, typer.Option(metavar="PATH", help="Over the papers of these [default: those of the current home].")
    ] = None,
    home: Annotated[str | None, typer.Option(metavar="DIR", help="The home whose papers to take, where no --source is given.")] = None,
    questions: Annotated[Path | None, typer.Option(metavar="FILE", help="JSON lines or CSV [default: the fixed set].")] = None,
    held_out: Annotated[
        bool, typer.Option("--held-out", help="Ours with the encoder and the matcher that have not seen the fixed set's papers.")
    ] = False,
    limit: Annotated[int | None, typer.Option(min=1, metavar="N", help="Only the first N questions of each kind.")] = None,
    json_out: Annotated[str | None, typer.Option("--json", metavar="OUT", help="Write everything as JSON; - for stdout.")] = None,
) -> None:
    """Measure LlamaIndex's retrievers, as they come and tuned, beside ours: quality, latency, ingest rate, memory."""
    from rich.console import Console

    from assistant.cli.output import announce, print_json, stderr
    from eval.baselines.table import table

    if importlib.util.find_spec("llama_index.retrievers.bm25") is None:
        announce('error: LlamaIndex\'s BM25 retriever is not installed: pip install -e ".[baselines]"')
        raise typer.Exit(1)
    with mistakes_told(), _papers(source or [], home) as papers:
        measured, settings = _measured(papers, questions, held_out, limit)
    (stderr if json_out == "-" else Console()).print(table(measured))
    if json_out == "-":
        print_json(measured.document(settings))
    elif json_out:
        try:
            Path(json_out).write_text(json.dumps(measured.document(settings), ensure_ascii=False, indent=1), encoding="utf-8")
        except OSError as error:
            announce(f"error: {json_out}: cannot be written ({error.strerror}): choose another file for --json")
            raise typer.Exit(1) from error


@contextmanager
def _papers(sources: list[str], home: str | None) -> Iterator[list[Paper]]:
    """The papers alone: each of those that are measured embeds them anew."""
    from index.embedding import ToyEmbedder

    if sources:
        with library_of(sources, ToyEmbedder()) as library:
            yield library.papers()
    else:
        with assistant_over([], home, "extractive") as assistant:
            yield assistant.library.papers()


def _measured(papers: Sequence[Paper], questions: Path | None, held_out: bool, limit: int | None) -> tuple[SideBySide, dict[str, Any]]:
    from rich.progress import Progress

    from assistant.cli.output import announce, stderr
    from eval.baselines.base import Material
    from eval.baselines.measure import measure
    from eval.baselines.registry import BASELINES
    from eval.questions import FIXED, first_of_each_kind, load, shown
    from index.chunking import cut

    path = questions or FIXED
    asked = load(path) if limit is None else first_of_each_kind(load(path), limit)
    training = _training(papers)
    if not training:
        announce("warning: none of the training questions' papers are here: nothing is tuned, and the others decline nothing")
    with tempfile.TemporaryDirectory(prefix="assistant-eval-") as folder, Progress(console=stderr, transient=True) as bar:
        place = _place(Path(folder), held_out)
        material = Material(tuple(papers), tuple(cut(papers, place.encoder)))
        task = bar.add_task("Indexing", total=sum(not one.history for one in asked))

        def tick(done: str) -> None:
            bar.update(task, advance=float(done == "asked"), description=done)

        measured = measure(BASELINES, place, material, asked, training, tick)
    settings = {"questions": shown(path), "limit": limit, "held_out": held_out, "papers": len(papers), "training_questions": len(training)}
    return measured, {**settings, "encoder": place.encoder.name}


def _place(folder: Path, held_out: bool) -> Place:
    from eval.baselines.base import Place
    from eval.held_out import held_out_encoder, held_out_readers
    from index.embedding import MiniLM

    encoder = held_out_encoder() if held_out else MiniLM.shipped()[0]
    encoder.embed_texts(["loads the model, so that no ingest rate holds it"])
    return Place(folder, encoder, held_out_readers() if held_out else None)


def _training(papers: Sequence[Paper]) -> list[Judged]:
    """Questions on papers that are here and that the fixed set does not ask about, evenly from the training set."""
    from eval.baselines.base import Judged
    from eval.held_out import held_out
    from eval.train import data

    measured = held_out()
    unseen = {paper.title: paper.paper_id for paper in papers if paper.title not in measured}
    fitting = [Judged(one.question, unseen[one.title]) for one in data.load() if one.evidence and one.title in unseen]
    return fitting[:: max(1, len(fitting) // _TRAINING)][:_TRAINING]
