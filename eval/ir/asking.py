"""Asks a test collection's queries of the product's own retrieval, over a library of its documents.

Goes in: a collection and an empty library. Comes out: for each query its ranking, and the field's
measures over them. A document whose id is the query's is left out, as BEIR does. The product keeps
about a hundred hits of each retriever, so a ranking may end before the hundredth document: how far
the shortest reaches is told, and nothing is filled up.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from assistant.query.question import MAX_CHARACTERS, clean
from assistant.retrieval.fusion import Weights
from assistant.retrieval.maxsim import by_maxsim
from assistant.retrieval.retriever import retrieve
from eval.ir.collection import Collection, Doc, Query
from eval.ir.measures import ndcg, recall
from eval.metrics import bootstrap
from index import Entry, Library, Source
from index.library import Progress, no_progress

DEPTH = 100
"""Documents of a ranking that count."""


@dataclass(frozen=True)
class Ranking:
    """What was found for one query."""

    query_id: str
    doc_ids: tuple[str, ...]
    """Best first, `DEPTH` at most."""
    scores: tuple[float, ...]
    latency_ms: float


@dataclass(frozen=True)
class Measured:
    """A collection's queries asked once."""

    collection: Collection
    rankings: tuple[Ranking, ...]
    """In the order of the queries."""

    def values(self) -> dict[str, list[float]]:
        """Each measure, query by query."""
        pairs = [(self.collection.qrels[one.query_id], one.doc_ids) for one in self.rankings]
        return {
            "ndcg@10": [ndcg(grades, doc_ids, 10) for grades, doc_ids in pairs],
            "recall@100": [recall(grades, doc_ids, 100) for grades, doc_ids in pairs],
        }

    def metrics(self) -> dict[str, float]:
        """Means over the queries, latency, and how many documents the shortest ranking has."""
        latencies = [one.latency_ms for one in self.rankings]
        means = {name: float(np.mean(values)) for name, values in self.values().items()}
        percentiles = {f"latency_ms_p{at}": float(np.percentile(latencies, at)) for at in (50, 95)}
        return {
            "n": float(len(self.rankings)),
            **means,
            **percentiles,
            "fewest_found": float(min(len(one.doc_ids) for one in self.rankings)),
        }

    def document(self, settings: dict[str, Any]) -> dict[str, Any]:
        """The `--json` form."""
        values = self.values()
        rows = [
            {"id": query.id, "query": query.text, **{name: of[number] for name, of in values.items()}, "found": list(ranking.doc_ids)}
            for number, (query, ranking) in enumerate(zip(self.collection.queries, self.rankings, strict=True))
        ]
        intervals = {name: bootstrap(of) for name, of in values.items()}
        return {"settings": settings, "metrics": self.metrics(), "intervals": intervals, "queries": rows}

    def trec_run(self, tag: str) -> Iterator[str]:
        """The lines of a run file, as trec_eval reads them."""
        for one in self.rankings:
            for rank, (doc_id, score) in enumerate(zip(one.doc_ids, one.scores, strict=True), 1):
                yield f"{one.query_id} Q0 {doc_id} {rank} {score:.6f} {tag}"


def fill(library: Library, collection: Collection, progress: Progress = no_progress) -> None:
    """Indexes the documents, each a paper of its own whatever its title; those without any text are left out."""
    entries = [_entry(one, number) for number, one in enumerate(collection.findable, 1)]
    library.add_entries(Source(collection.name, collection.name), entries, progress)


def ask(library: Library, collection: Collection, tick: Callable[[], None] = lambda: None, weights: Weights = Weights()) -> Measured:
    """Asks every query of a library that holds exactly the collection's documents. `weights`: of the ways of searching."""
    library.reopen_if_moved()
    doc_of = {_entry(one, 0).paper_id: one.id for one in collection.docs}
    retrieve(library, "warm up")  # loads the model, so that no latency holds it
    rankings = []
    for query in collection.queries:
        rankings.append(_ranking(library, query, doc_of, weights))
        tick()
    return Measured(collection, tuple(rankings))


def cut_short(queries: Sequence[Query]) -> int:
    """How many queries are longer than what the product reads of a question."""
    return sum(len(clean(query.text)) > MAX_CHARACTERS for query in queries)


def _ranking(library: Library, query: Query, doc_of: dict[str, str], weights: Weights) -> Ranking:
    started = time.perf_counter()
    found = retrieve(library, clean(query.text)[:MAX_CHARACTERS], weights=weights)
    hits = by_maxsim(library, found, weights).hits if weights.maxsim else found.hits
    latency = (time.perf_counter() - started) * 1000.0
    kept = [(doc_of[hit.paper_id], hit.score) for hit in hits if doc_of[hit.paper_id] != query.id][:DEPTH]
    return Ranking(query.id, tuple(doc_id for doc_id, _ in kept), tuple(score for _, score in kept), latency)


def _entry(doc: Doc, number: int) -> Entry:
    title, text = " ".join(doc.title.split()), " ".join(doc.text.split())
    return Entry(title, text, number, key=doc.id)
