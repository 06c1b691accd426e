"""Answers by quoting: the sentences that answer, from the best papers, each with its marker.

The default answerer, without an LLM. Every sentence is the abstract's own, so every citation
holds. Knows how many papers a question spans; knows nothing of how they were found.
"""

from __future__ import annotations

from collections.abc import Sequence

from assistant.answering.base import Draft, Request, Source, cite
from assistant.evidence import Evidence, choose

ONE_PAPER_WORDS = 90
ONE_PAPER_SENTENCES = 4
COMPARED_WORDS = 50
COMPARED_SENTENCES = 2
SEVERAL_WORDS = 32
SEVERAL_AT_MOST = 6
_NEAR = 0.8
"""A further paper of a theme is shown where its score is at least this part of the best one's."""


def compose(request: Request) -> Draft:
    """The answer that these sources hold."""
    if request.question.wants_comparison:
        return _lines(request.sources[:2], COMPARED_WORDS, COMPARED_SENTENCES)
    if request.question.wants_several:
        best = request.sources[0].score
        near = [source for source in request.sources[:SEVERAL_AT_MOST] if source.score >= _NEAR * best]
        return _lines(near, SEVERAL_WORDS, 1)
    return _lines(request.sources[:1], ONE_PAPER_WORDS, ONE_PAPER_SENTENCES)


def _lines(sources: Sequence[Source], words: int, sentences: int) -> Draft:
    """A line for each paper; one paper's is plain, several are a list."""
    texts, citations = [], []
    for marker, source in enumerate(sources, 1):
        chosen = choose(_fitting(source.sentences, words), words, sentences)
        texts.append(" ".join(f"{one.text} [{marker}]" for one in chosen))
        citations += [cite(one, marker) for one in chosen]
    text = texts[0] if len(texts) == 1 else "\n".join(f"- {line}" for line in texts)
    return Draft(text, tuple(citations))


def _fitting(sentences: Sequence[Evidence], words: int) -> Sequence[Evidence]:
    """The sentences that fit the budget alone; all, where none does."""
    return [one for one in sentences if one.words <= words] or sentences
