"""What an answerer is given, and what it gives."""

from __future__ import annotations

from dataclasses import dataclass

from assistant.answer import Citation, Usage
from assistant.evidence import Evidence
from assistant.question import Question
from index import Paper, link
from index.lexical import Terms


@dataclass(frozen=True)
class Source:
    """A paper given as evidence."""

    paper: Paper
    sentences: tuple[Evidence, ...]
    """All its sentences with their odds to answer, in the abstract's order."""
    score: float
    """Fused score."""


@dataclass(frozen=True)
class Request:
    """All that an answer is made of."""

    question: Question
    """As asked, misspelt words mended."""
    terms: Terms
    """Of the question as read with its history."""
    sources: tuple[Source, ...]
    """Best first."""
    earlier: tuple[str, ...] = ()
    """The questions before this one."""
    replies: tuple[str, ...] = ()
    """The answers to them, in the same order; empty where one is not known."""


@dataclass(frozen=True)
class Draft:
    """A finished answer's text with its citations."""

    text: str
    citations: tuple[Citation, ...]
    answered: bool = True
    reason: str | None = None
    warnings: tuple[str, ...] = ()
    usage: Usage | None = None


def cite(evidence: Evidence, marker: int, supported: bool = True) -> Citation:
    """The citation of a sentence."""
    paper = evidence.paper
    return Citation(
        marker=marker,
        paper_id=paper.paper_id,
        title=paper.title,
        display_title=paper.display_title,
        quote=evidence.text,
        start=evidence.start,
        end=evidence.end,
        score=round(evidence.score, 4),
        supported=supported,
        url=link(paper),
        date=paper.date,
        sources=paper.sources,
        note=paper.note,
        authors=paper.authors,
        venue=paper.venue,
        doi=paper.doi,
        arxiv_id=paper.arxiv_id,
    )
