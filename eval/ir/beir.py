"""Reads a collection in BEIR's layout: a folder with `corpus.jsonl`, `queries.jsonl` and `qrels/SPLIT.tsv`.

Thakur et al., BEIR: A Heterogeneous Benchmark for Zero-shot Evaluation of Information Retrieval
Models (2021). A line of the corpus is `{"_id", "title", "text"}`, one of the queries `{"_id", "text"}`,
one of the qrels query, document and grade between tabs, below a heading.
"""

from __future__ import annotations

from pathlib import Path

from eval.ir.collection import Collection, CollectionError, Qrels, assemble, doc, judged, lines, query, records

_USUAL = "test"
"""The split that figures are reported on."""


def read(folder: Path, split: str | None = None) -> Collection:
    """The collection with the judgements of a split: `test`, or the only one there is. Raises `CollectionError`."""
    if not folder.is_dir():
        raise CollectionError(f"{folder}: there is no such folder: name one that holds corpus.jsonl, queries.jsonl and qrels/")
    judgements = _judgements(folder / "qrels", split)
    docs, queries = records(folder / "corpus.jsonl", doc), records(folder / "queries.jsonl", query)
    return assemble(f"{folder.name}, {judgements.stem}", docs, queries, qrels(judgements), judgements)


def qrels(path: Path) -> Qrels:
    """Judgements: query, document and grade, between tabs. Raises `CollectionError` naming the line."""
    found: dict[str, dict[str, int]] = {}
    for number, line in lines(path):
        fields = line.split("\t")
        if number == 1 and not fields[-1].strip().lstrip("-").isdigit():
            continue  # the heading
        try:
            query_id, doc_id, grade = fields
            judged(found, query_id.strip(), doc_id.strip(), grade)
        except ValueError as error:
            raise CollectionError(f"{path}, line {number}: not query, document and grade between tabs ({error})") from error
    if not found:
        raise CollectionError(f"{path}: holds no judgement")
    return found


def _judgements(folder: Path, split: str | None) -> Path:
    there = sorted(folder.glob("*.tsv"))
    names = [path.stem for path in there]
    if not there:
        raise CollectionError(f"{folder}: holds no judgements (SPLIT.tsv)")
    wanted = split or (_USUAL if _USUAL in names else names[0] if len(names) == 1 else None)
    if wanted not in names:
        lacking = f"there is no split “{wanted}”" if wanted else "which split is meant?"
        raise CollectionError(f"{folder}: {lacking} Choose with --split: {', '.join(names)}")
    return there[names.index(wanted)]
