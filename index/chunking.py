"""From a paper to the texts that are embedded: chunks of whole sentences, and sentences.

A chunk is as many whole sentences as fit the model's window together with the title, so that
nothing of an abstract is cut off. A sentence longer than that is cut between words. Where each
sentence stands in the chunks is told, so that its vector can be pooled from their token states.
Measured choices: docs/LOG.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from index.catalogue import Spans
from index.embedding import Embedder
from index.paper import Paper
from index.sentences import sentence_spans

VERSION = 3
"""Counts up when the same paper would be cut or pooled differently: vectors are then made anew."""

_SPECIAL_TOKENS = 2
_SEPARATOR = ". "
_SEPARATOR_TOKENS = 1


@dataclass(frozen=True)
class Piece:
    """A sentence, the title, or a part of one, as it stands in a chunk."""

    sentence: int
    """Which of the paper's, from 0; `TITLE` for its title."""
    start: int
    end: int
    """Place in the chunk's text."""


TITLE = -1


@dataclass(frozen=True)
class PaperTexts:
    """What is embedded of one paper."""

    paper_id: str
    spans: Spans
    """The sentences, as spans of `Paper.abstract`."""
    sentences: tuple[str, ...]
    """One for each span."""
    chunks: tuple[str, ...]
    """At least one. Each starts with the title, or as much of it as half the window holds."""
    pieces: tuple[tuple[Piece, ...], ...]
    """Of each chunk, in order. The title is told once: what of it repeats in later chunks is not."""


def cut(papers: Sequence[Paper], embedder: Embedder) -> list[PaperTexts]:
    """The texts of each paper, in order."""
    spans = [tuple(sentence_spans(paper.abstract)) for paper in papers]
    sentences = [tuple(p.abstract[start:end] for start, end in found) for p, found in zip(papers, spans, strict=True)]
    titles = embedder.count_tokens([paper.display_title for paper in papers])
    lengths = iter(embedder.count_tokens([sentence for group in sentences for sentence in group]))
    cut_papers = []
    for paper, found, group, title_length in zip(papers, spans, sentences, titles, strict=True):
        title = (paper.display_title, title_length)
        chunks = list(_chunks(title, [(sentence, next(lengths)) for sentence in group], embedder))
        cut_papers.append(PaperTexts(paper.paper_id, found, group, tuple(text for text, _ in chunks), tuple(of for _, of in chunks)))
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


def _chunks(title: _Counted, sentences: Sequence[_Counted], embedder: Embedder) -> Iterator[tuple[str, tuple[Piece, ...]]]:
    window = embedder.max_tokens - _SPECIAL_TOKENS - _SEPARATOR_TOKENS
    (heading, heading_length), *more_title = _fitted(title, window // 2, embedder)
    room = window - heading_length
    numbered = [(TITLE, part) for part in more_title] + list(enumerate(sentences))
    parts = [(number, part) for number, text in numbered for part in _fitted(text, room, embedder)]
    before: tuple[Piece, ...] = (Piece(TITLE, 0, len(heading)),)
    for first, last in pack([length for _, (_, length) in parts], room):
        chunk, pieces = heading, list(before)
        for number, (text, _) in parts[first:last]:
            chunk += (" " if len(chunk) > len(heading) else _SEPARATOR) if chunk else ""
            pieces.append(Piece(number, len(chunk), len(chunk) + len(text)))
            chunk += text
        yield chunk, tuple(pieces)
        before = ()
    if not parts:
        yield heading, before


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
