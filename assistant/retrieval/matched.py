"""Looks closer at the first papers found: what the matcher says of each, for the verdict and the choice of sentences.

Goes in: papers as they are ranked. Comes out: the same papers in the same order, the first of them with a match.
Knows nothing of answers.
"""

from __future__ import annotations

from dataclasses import replace

from assistant.reading import PaperMatcher
from assistant.retrieval.retriever import Found
from index import Library


def matched(library: Library, matcher: PaperMatcher, found: Found, most: int) -> Found:
    """The same papers, the first `most` of them matched. One that another process is replacing at this moment is not."""
    spans = {paper_id: places for paper_id, (places, _) in library.sentences([hit.paper_id for hit in found.hits[:most]]).items()}
    matches = {
        paper.paper_id: matcher.match(
            found.question,
            found.before,
            paper.display_title,
            tuple(paper.abstract[start:end] for start, end in spans[paper.paper_id]),
            library.lexical.rarity,
        )
        for paper in library.papers(list(spans))
    }
    return replace(found, hits=tuple(replace(hit, match=matches.get(hit.paper_id)) for hit in found.hits))
