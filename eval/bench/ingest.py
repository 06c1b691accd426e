"""How fast papers are indexed, beside the bare model's encoding of the same texts, and beside LlamaIndex's stock pipeline.

All in one process with models loaded. The bare model is sentence-transformers on all texts that the index
embeds, sorted by length, at the best of several batch sizes. The stock pipeline cuts an abstract off where the model's
window ends, so it is given less to do: it is compared in papers a second, and in tokens a second besides.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from eval.bench import bare, stock
from eval.bench.figures import Part, Plan, as_listing, in_turn, lap, rate, rate_ratio
from index import Library
from index.chunking import cut
from index.embedding import MiniLM
from index.embedding.minilm import WINDOW, installed

_BATCHES = (4, 8, 16, 32)
_TRIED_ON = 200
"""Texts, from all over the lengths, that the batch sizes are tried on."""
_BARE_WANTED, _STOCK_WANTED = 0.95, 1.1


def measure(plan: Plan) -> Part:
    """Indexes `plan.ingested` papers of the home anew, `plan.rounds` times."""
    with closing(Library(plan.home)) as library:
        papers = library.papers()[: plan.ingested]
    embedder = MiniLM()
    texts = sorted((text for each in cut(papers, embedder) for text in each.chunks), key=len)
    pairs = [(paper.title, paper.abstract) for paper in papers]
    listing = as_listing(papers, plan.scratch / "papers.txt")
    encoder = bare.model()
    theirs = stock.model_of(str(installed()))
    tried = texts[:: max(1, len(texts) // _TRIED_ON)]
    best = min(_BATCHES, key=lambda size: lap(lambda: encoder.encode(tried, batch_size=size, show_progress_bar=False)).cpu)
    ours_once, stock_once = _indexing(plan.scratch, embedder, listing), _stock_indexing(plan.scratch, pairs, theirs)
    small = as_listing(papers[:2], plan.scratch / "small.txt")
    _indexing(plan.scratch, embedder, small)()  # loads what is loaded once
    _stock_indexing(plan.scratch, pairs[:2], theirs)()
    laps = []
    for number in range(plan.rounds):
        plan.tell(f"ingest: round {number + 1} of {plan.rounds}, {len(papers)} papers")
        laps.append(in_turn([lambda: encoder.encode(texts, batch_size=best, show_progress_bar=False), ours_once, stock_once]))
    encode, ours, stocks = zip(*laps, strict=True)
    tokens = _tokens(embedder, texts)
    stock_tokens = _tokens(embedder, [node.get_content() for node in stock.nodes_of(pairs)])
    return Part(
        "ingest",
        "Indexing",
        {"papers": len(papers), "texts": len(texts), "tokens": tokens, "stock_tokens": stock_tokens, "batch": best, "rounds": plan.rounds},
        rows=(
            rate("bare encode of every text embedded", tokens, encode, "tokens/s"),
            rate("indexing", tokens, ours, "tokens/s"),
            rate("LlamaIndex's stock pipeline", stock_tokens, stocks, "tokens/s"),
            rate("indexing, papers", len(papers), ours, "papers/s"),
            rate("stock pipeline, papers", len(papers), stocks, "papers/s"),
        ),
        ratios=(
            rate_ratio("indexing / bare encode, tokens a second", tokens, ours, tokens, encode, _BARE_WANTED),
            rate_ratio("indexing / stock pipeline, tokens a second", tokens, ours, stock_tokens, stocks),
            rate_ratio("indexing / stock pipeline, papers a second", 1, ours, 1, stocks, _STOCK_WANTED),
        ),
        notes=("The stock pipeline embeds no more of an abstract than the window holds; indexing all of it, in chunks.",),
    )


def _indexing(scratch: Path, embedder: MiniLM, listing: Path) -> Callable[[], None]:
    def once() -> None:
        home = scratch / "ours"
        shutil.rmtree(home, ignore_errors=True)
        with closing(Library(home, embedder)) as library:
            library.add([str(listing)])

    return once


def _stock_indexing(scratch: Path, pairs: list[tuple[str, str]], model: object) -> Callable[[], None]:
    made = iter(range(1 << 30))

    def once() -> None:
        stock.index(scratch / f"stock-{len(pairs)}-{next(made)}", pairs, model)  # type: ignore[arg-type]

    return once


def _tokens(embedder: MiniLM, texts: list[str]) -> int:
    """What the model sees of these texts."""
    return sum(min(WINDOW, count + 2) for count in embedder.count_tokens(texts))
