"""From a paper to the texts that are embedded: chunks of whole sentences, and sentences.

A chunk is as many whole sentences as fit the model's window together with the title, so that
nothing of an abstract is cut off. Sentences are embedded on their own beside them: they find
papers by one remark, and are what an answer quotes. Measured choices: docs/LOG.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from index.catalogue import Spans
from index.embedding import Embedder
from index.paper import Paper
from index.sentences import sentence_spans

VERSION = 1
"""Counts up when the same paper would be cut differently: vectors are then made anew."""

_SPECIAL_TOKENS = 2
_SEPARATOR = ". "


@dataclass(frozen=True)
class PaperTexts:
    """What is embedded of one paper."""

    paper_id: str
    spans: Spans
    """The sentences, as spans of `Paper.abstract`."""
    sentences: tuple[str, ...]
    chunks: tuple[str, ...]
    """Each starts with the title."""


def cut(papers: Sequence[Paper], embedder: Embedder) -> list[PaperTexts]:
    """The texts of each paper, in order."""
    spans = [tuple(sentence_spans(paper.abstract)) for paper in papers]
    sentences = [tuple(p.abstract[start:end] for start, end in found) for p, found in zip(papers, spans, strict=True)]
    titles = embedder.count_tokens([paper.display_title for paper in papers])
    lengths = iter(embedder.count_tokens([sentence for group in sentences for sentence in group]))
    cut_papers = []
    for paper, found, group, title_length in zip(papers, spans, sentences, titles, strict=True):
        room = embedder.max_tokens - _SPECIAL_TOKENS - title_length - 1
        windows = pack([next(lengths) for _ in group], room)
        chunks = tuple(f"{paper.display_title}{_SEPARATOR}{' '.join(group[first:last])}" for first, last in windows)
        cut_papers.append(PaperTexts(paper.paper_id, found, group, chunks))
    return cut_papers


def pack(lengths: Sequence[int], room: int) -> list[tuple[int, int]]:
    """Runs [first, last) of consecutive items whose lengths add up to at most `room`.

    An item longer than `room` stands alone.
    """
    runs: list[tuple[int, int]] = []
    first, used = 0, 0
    for i, length in enumerate(lengths):
        if i > first and used + length > room:
            runs.append((first, i))
            first, used = i, 0
        used += length
    if lengths:
        runs.append((first, len(lengths)))
    return runs
