"""A paper given as evidence, and the citation of one of its sentences."""

from __future__ import annotations

from dataclasses import dataclass

from assistant.answer import Citation
from assistant.evidence.selection import Evidence
from index import Paper, link


@dataclass(frozen=True)
class Source:
    """A paper given as evidence."""

    paper: Paper
    sentences: tuple[Evidence, ...]
    """All its sentences with their odds to answer, in the abstract's order."""
    score: float
    """Fused score."""


def cite(evidence: Evidence, marker: int, supported: bool = True, contradicted: bool = False) -> Citation:
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
        contradicted=contradicted,
    )
