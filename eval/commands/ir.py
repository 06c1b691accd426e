"""`python -m eval --beir DIR`, `--trec TOPICS QRELS CORPUS`: other people's test collections. Also `python -m eval ir`."""

from __future__ import annotations

import json
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eval.commands.opening import mistakes_told

if TYPE_CHECKING:
    from eval.ir.asking import Measured
    from eval.ir.collection import Collection

_NEITHER = "name a collection: --beir DIR, or --trec TOPICS QRELS CORPUS"


def ir(
    beir: Annotated[
        Path | None, typer.Option(metavar="DIR", help="A collection in BEIR's layout: corpus.jsonl, queries.jsonl, qrels/*.tsv.")
    ] = None,
    trec: Annotated[
        tuple[Path, Path, Path] | None,
        typer.Option(metavar="TOPICS QRELS CORPUS", help="TREC's topics (tagged, or id and text between a tab), qrels, and JSON lines."),
    ] = None,
    split: Annotated[
        str | None, typer.Option(metavar="NAME", help="With --beir: which judgements [default: test, or the only ones].")
    ] = None,
    untuned: Annotated[bool, typer.Option("--untuned", help="Search with the published embedding model, without our adapter.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, metavar="N", help="Only the first N queries; all documents.")] = None,
    json_out: Annotated[str | None, typer.Option("--json", metavar="OUT", help="Write everything as JSON; - for stdout.")] = None,
    run_out: Annotated[Path | None, typer.Option("--run", metavar="FILE", help="Write the rankings as a TREC run, for trec_eval.")] = None,
) -> None:
    """Measure retrieval on a test collection in BEIR's or TREC's format: nDCG@10 and recall@100."""
    from assistant.cli.output import announce, print_json

    with mistakes_told():
        collection = _collection(beir, trec, split, limit)
        for warning in collection.warnings:
            announce(f"warning: {warning}")
        measured, model = _measured(collection, untuned)
    settings = {"collection": collection.name, "documents": len(collection.docs), "limit": limit, "embedding_model": model}
    if json_out == "-":
        print_json(measured.document(settings))
    else:
        typer.echo(_shown(measured, model))
    if json_out and json_out != "-":
        _write(Path(json_out), json.dumps(measured.document(settings), ensure_ascii=False, indent=1))
    if run_out:
        _write(run_out, "".join(f"{line}\n" for line in measured.trec_run("paper-assistant")))


def _collection(beir: Path | None, trec: tuple[Path, Path, Path] | None, split: str | None, limit: int | None) -> Collection:
    from dataclasses import replace

    from eval.ir import beir as beir_format
    from eval.ir import trec as trec_format
    from eval.ir.collection import CollectionError

    if beir is not None and trec is None:
        read = beir_format.read(beir, split)
    elif trec is not None and beir is None:
        read = trec_format.read(*trec)
    else:
        raise CollectionError(_NEITHER)
    return replace(read, queries=read.queries[:limit])


def _measured(collection: Collection, untuned: bool) -> tuple[Measured, str]:
    """What retrieval gives over a temporary home of the documents, and the embedding model's name."""
    from rich.progress import Progress

    from assistant.cli.output import EmbeddingBar, announce, stderr
    from eval.ir.asking import ask, cut_short, fill
    from index import Library
    from index.embedding import MiniLM

    if long := cut_short(collection.queries):
        announce(f"warning: {long} queries are longer than what is read of a question: their ends are left out")
    embedder = MiniLM(adapter=None) if untuned else None
    with tempfile.TemporaryDirectory(prefix="assistant-eval-") as folder, closing(Library(Path(folder), embedder)) as library:
        if library.fault:
            announce(f"warning: {library.fault}")
        fill(library, collection, EmbeddingBar())
        with Progress(console=stderr, transient=True) as bar:
            task = bar.add_task("Searching", total=len(collection.queries))
            return ask(library, collection, lambda: bar.advance(task)), library.embedder.name


def _shown(measured: Measured, model: str) -> str:
    from eval.metrics import bootstrap

    metrics = measured.metrics()
    lines = [f"{measured.collection.name}: {metrics['n']:.0f} queries over {len(measured.collection.docs)} documents; {model}"]
    for name, values in measured.values().items():
        low, high = bootstrap(values) or (0.0, 0.0)
        lines.append(f"{name:<10} {metrics[name]:.4f} [{low:.4f}, {high:.4f}]")
    lines.append(f"a search   {metrics['latency_ms_p50']:.0f} ms (p50), {metrics['latency_ms_p95']:.0f} ms (p95)")
    reach = min(100, len(measured.collection.findable))
    if metrics["fewest_found"] < reach:
        lines.append(f"the shortest ranking holds {metrics['fewest_found']:.0f} documents: what it lacks up to {reach} counts as not found")
    return "\n".join(lines)


def _write(path: Path, text: str) -> None:
    from assistant.cli.output import announce

    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        announce(f"error: {path}: cannot be written ({error.strerror}): choose another file")
        raise typer.Exit(1) from error
