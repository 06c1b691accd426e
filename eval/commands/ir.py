"""`python -m eval --beir DIR`, `--trec TOPICS QRELS CORPUS`: other people's test collections. Also `python -m eval ir`."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
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
    retriever: Annotated[
        str, typer.Option(metavar="hybrid|dense|lexical|all", help="How documents are found; all: side by side.")
    ] = "hybrid",
    untuned: Annotated[bool, typer.Option("--untuned", help="Search with the published embedding model, without our adapter.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, metavar="N", help="Only the first N queries; all documents.")] = None,
    json_out: Annotated[str | None, typer.Option("--json", metavar="OUT", help="Write everything as JSON; - for stdout.")] = None,
    run_out: Annotated[
        Path | None, typer.Option("--run", metavar="FILE", help="Write the rankings as a TREC run, for trec_eval; with all, one for each.")
    ] = None,
) -> None:
    """Measure retrieval on a test collection in BEIR's or TREC's format: nDCG@10 and recall@100."""
    from assistant.cli.output import announce, print_json
    from eval.configurations import retrievers

    with mistakes_told():
        chosen = retrievers(retriever)
        collection = _collection(beir, trec, split, limit)
        for warning in collection.warnings:
            announce(f"warning: {warning}")
        measured, model = _measured(collection, untuned, chosen)
    settings = {"collection": collection.name, "documents": len(collection.docs), "limit": limit, "embedding_model": model}
    first, *others = (one.document({**settings, "retriever": name}) for name, one in measured.items())
    document = {**first, "beside": others} if others else first
    if json_out == "-":
        print_json(document)
    else:
        typer.echo(_shown(collection, measured, model))
    if json_out and json_out != "-":
        _write(Path(json_out), json.dumps(document, ensure_ascii=False, indent=1))
    if run_out:
        _write_runs(run_out, measured)


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


def _measured(collection: Collection, untuned: bool, chosen: Sequence[str]) -> tuple[dict[str, Measured], str]:
    """What each way of searching gives over a temporary home of the documents, and the embedding model's name."""
    from rich.progress import Progress

    from assistant.cli.output import EmbeddingBar, announce, stderr
    from eval.configurations import RETRIEVERS
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
            task = bar.add_task("Searching", total=len(chosen) * len(collection.queries))
            found = {name: ask(library, collection, lambda: bar.advance(task), RETRIEVERS[name]) for name in chosen}
        return found, library.embedder.name


def _shown(collection: Collection, measured: Mapping[str, Measured], model: str) -> str:
    lines = [f"{collection.name}: {len(collection.queries)} queries over {len(collection.docs)} documents; {model}"]
    for name, one in measured.items():
        lines += [*(["", f"{name}:"] if len(measured) > 1 else []), *_figures(one)]
    return "\n".join(lines)


def _figures(measured: Measured) -> list[str]:
    from eval.metrics import bootstrap

    metrics = measured.metrics()
    lines = []
    for name, values in measured.values().items():
        low, high = bootstrap(values) or (0.0, 0.0)
        lines.append(f"{name:<10} {metrics[name]:.4f} [{low:.4f}, {high:.4f}]")
    lines.append(f"a search   {metrics['latency_ms_p50']:.0f} ms (p50), {metrics['latency_ms_p95']:.0f} ms (p95)")
    reach = min(100, len(measured.collection.findable))
    if metrics["fewest_found"] < reach:
        lines.append(f"the shortest ranking holds {metrics['fewest_found']:.0f} documents: what it lacks up to {reach} counts as not found")
    return lines


def _write_runs(file: Path, measured: Mapping[str, Measured]) -> None:
    """Each ranking as a TREC run; several of them in files that are named after their way of searching."""
    for name, one in measured.items():
        path = file if len(measured) == 1 else file.with_name(f"{file.stem}.{name}{file.suffix}")
        _write(path, "".join(f"{line}\n" for line in one.trec_run("paper-assistant")))


def _write(path: Path, text: str) -> None:
    from assistant.cli.output import announce

    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        announce(f"error: {path}: cannot be written ({error.strerror}): choose another file")
        raise typer.Exit(1) from error
