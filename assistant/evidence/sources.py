"""A paper given as evidence, and the citation of one of its sentences."""

from __future__ import annotations

from collections.abc import Sequence
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


_LEAST_GIVEN = 5
"""Of the nearest papers, so many are given to an LLM however far behind the first they are."""
_LEAST_NEAR = 0.5
"""Of the first paper's fused score, what a further one must have to be given too. Chosen by hand: half of it leaves out papers
that share no more than the field with the question, and keeps prompts short where the first stands out."""


def near_the_first(sources: Sequence[Source]) -> tuple[Source, ...]:
    """Those that are not far behind the first, and no fewer than five; `sources`: best first."""
    return tuple(one for place, one in enumerate(sources) if place < _LEAST_GIVEN or one.score >= _LEAST_NEAR * sources[0].score)


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
