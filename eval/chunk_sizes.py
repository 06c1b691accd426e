"""Measures chunk sizes: `python -m eval chunk-sizes --source PATH`.

Goes in: the papers of a library and the single-paper questions. Comes out: for each size, how many
chunks there are and how often the right paper comes first by chunks alone, and with the
words that a paper holds beside. Cosines are exact, so that only the cutting
differs. Figures: docs/LOG.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assistant.query.question import read_question
from eval.questions import SINGLE_PAPER, GoldQuestion
from index import Library, Paper
from index.chunking import cut
from index.embedding import Embedder, MiniLM, Vectors, embed

SIZES = (64, 128, 192, 256)
"""Tokens of a chunk, its title included; the last is the model's window."""

_WORDS = 0.4
"""Weight of the words that a paper holds beside a cosine."""

Scores = NDArray[np.float64]
"""Shape (questions, papers)."""


@dataclass(frozen=True)
class Row:
    """One way of cutting."""

    name: str
    chunks: int
    alone: tuple[float, float]
    """Right paper first, and within five, by chunks alone."""
    fused: tuple[float, float]
    """The same, with words beside."""


def measure(library: Library, questions: Sequence[GoldQuestion], tick: Callable[[], None] = lambda: None) -> list[Row]:
    """A row for each size, and one for abstracts cut off where the model's window ends."""
    papers = library.papers()
    place = {paper.title: number for number, paper in enumerate(papers)}
    asked = [one for one in questions if one.kind in SINGLE_PAPER and one.gold_titles[0] in place]
    gold = [place[one.gold_titles[0]] for one in asked]
    vectors = library.embedder.embed_queries([one.question for one in asked])
    coverage = _coverage(library, asked, papers)

    def row(name: str, texts: Sequence[Sequence[str]]) -> Row:
        chunks = _best(vectors, library.embedder, texts)
        fused = chunks + _WORDS * coverage
        tick()
        return Row(name, sum(map(len, texts)), _right(chunks, gold), _right(fused, gold))

    rows = [row("cut off", [(f"{paper.display_title}. {paper.abstract}",) for paper in papers])]
    for size in SIZES:
        rows.append(row(f"{size} tokens", [text.chunks for text in cut(papers, MiniLM(max_tokens=size))]))
    return rows


def as_text(rows: Sequence[Row]) -> str:
    """The rows as a table in Markdown."""
    lines = ["| chunks of | chunks | alone: first | within five | fused: first | within five |", "| --- | --- | --- | --- | --- | --- |"]
    lines += [f"| {row.name} | {row.chunks} | " + " | ".join(f"{share:.3f}" for share in row.alone + row.fused) + " |" for row in rows]
    return "\n".join(lines)


def _best(vectors: Vectors, embedder: Embedder, texts: Sequence[Sequence[str]]) -> Scores:
    """For each question and paper the best cosine of the paper's texts."""
    embedded = embed(embedder, [text for group in texts for text in group])
    starts = np.cumsum([0, *map(len, texts[:-1])])
    return np.maximum.reduceat(vectors @ embedded.T, starts, axis=1)


def _coverage(library: Library, asked: Sequence[GoldQuestion], papers: Sequence[Paper]) -> Scores:
    ids = [paper.paper_id for paper in papers]
    rows = [library.lexical.coverage(library.lexical.terms(read_question(one.question).text), ids) for one in asked]
    return np.array([[row[paper_id] for paper_id in ids] for row in rows])


def _right(scores: Scores, gold: Sequence[int]) -> tuple[float, float]:
    ranks = (scores > scores[np.arange(len(gold)), gold][:, None]).sum(axis=1)
    return float(np.mean(ranks < 1)), float(np.mean(ranks < 5))
