"""From a paper to the texts that are embedded: chunks of whole sentences, and sentences.

A chunk is as many whole sentences as fit the model's window together with the title, so that
nothing of an abstract is cut off. A sentence longer than that is cut between words, for the
chunks alone. Sentences are embedded on their own beside them: they find papers by one remark,
and are what an answer quotes. Measured choices: docs/LOG.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from index.catalogue import Spans
from index.embedding import Embedder
from index.paper import Paper
from index.sentences import sentence_spans

VERSION = 2
"""Counts up when the same paper would be cut differently: vectors are then made anew."""

_SPECIAL_TOKENS = 2
_SEPARATOR = ". "
_SEPARATOR_TOKENS = 1


@dataclass(frozen=True)
class PaperTexts:
    """What is embedded of one paper."""

    paper_id: str
    spans: Spans
    """The sentences, as spans of `Paper.abstract`."""
    sentences: tuple[str, ...]
    """One for each span; the model sees no more of it than its window holds."""
    chunks: tuple[str, ...]
    """At least one. Each starts with the title, or as much of it as half the window holds."""


def cut(papers: Sequence[Paper], embedder: Embedder) -> list[PaperTexts]:
    """The texts of each paper, in order."""
    spans = [tuple(sentence_spans(paper.abstract)) for paper in papers]
    sentences = [tuple(p.abstract[start:end] for start, end in found) for p, found in zip(papers, spans, strict=True)]
    titles = embedder.count_tokens([paper.display_title for paper in papers])
    lengths = iter(embedder.count_tokens([sentence for group in sentences for sentence in group]))
    cut_papers = []
    for paper, found, group, title_length in zip(papers, spans, sentences, titles, strict=True):
        title = (paper.display_title, title_length)
        chunks = tuple(_chunks(title, [(sentence, next(lengths)) for sentence in group], embedder))
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


_Counted = tuple[str, int]
"""A text and the number of its tokens."""


def _chunks(title: _Counted, sentences: Sequence[_Counted], embedder: Embedder) -> Iterator[str]:
    window = embedder.max_tokens - _SPECIAL_TOKENS - _SEPARATOR_TOKENS
    (heading, heading_length), *more_title = _fitted(title, window // 2, embedder)
    room = window - heading_length
    parts = [part for text in [*more_title, *sentences] for part in _fitted(text, room, embedder)]
    for first, last in pack([length for _, length in parts], room):
        body = " ".join(text for text, _ in parts[first:last])
        yield f"{heading}{_SEPARATOR}{body}" if heading else body
    if not parts:
        yield heading


def _fitted(counted: _Counted, room: int, embedder: Embedder) -> list[_Counted]:
    """The text whole where it has at most `room` tokens, else cut between words."""
    text, length = counted
    if length <= room:
        return [counted]
    words = text.split()
    counted_words = zip(words, embedder.count_tokens(words), strict=True)
    short = [piece for word in counted_words for piece in _halved(word, room, embedder)]
    lengths = [length for _, length in short]
    return [(" ".join(text for text, _ in short[first:last]), sum(lengths[first:last])) for first, last in pack(lengths, room)]


def _halved(word: _Counted, room: int, embedder: Embedder) -> list[_Counted]:
    """A word longer than `room` (an endless link, say) in halves, until each fits."""
    text, length = word
    if length <= room or len(text) == 1:
        return [word]
    halves = [text[: len(text) // 2], text[len(text) // 2 :]]
    return [piece for half in zip(halves, embedder.count_tokens(halves), strict=True) for piece in _halved(half, room, embedder)]
