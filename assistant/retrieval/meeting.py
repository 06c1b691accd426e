"""Looks closer at the first papers found: how they meet a question's words, token by token.

Goes in: papers as the search ranks them. Comes out: the same papers, the first of them with a match, and
ranked by it too. A vector of a whole chunk tells the subject; of two papers on one subject, this sees which
one speaks of what is asked (late interaction: Khattab and Zaharia, ColBERT, 2020). Knows nothing of answers.
"""

from __future__ import annotations

from dataclasses import replace

from assistant.reading import Match, PaperMatcher
from assistant.retrieval.retriever import Found
from index import Library

LEAD = 0.15
"""A paper so far behind the first, in fused score, is not looked at."""
MEET_SIGNALS = ("met", "best sentence")
"""How far a paper meets the question's words; how far its best sentence does those that the title does not hold."""
MEET_WEIGHTS = (1.48, 1.14)
"""Beside the fused score, which counts 1 (`python -m eval fit`)."""
_USUAL = (0.69, 0.60)
"""Of papers that answer, on average: added scores stay on the scale of the fused ones."""


def meet(library: Library, matcher: PaperMatcher, found: Found, most: int) -> Found:
    """The same papers, the first `most` of them matched, but none that is far behind.

    One that another process is replacing at this moment is not matched.
    """
    near = [hit.paper_id for hit in found.hits[:most] if found.hits[0].score - hit.score < LEAD]
    spans = {paper_id: places for paper_id, (places, _) in library.sentences(near).items()}
    papers = {paper.paper_id: paper for paper in library.papers(list(spans))}
    matches = {}
    for paper_id, paper in papers.items():
        sentences = tuple(paper.abstract[start:end] for start, end in spans[paper_id])
        matches[paper_id] = matcher.match(found.question, found.before, paper.display_title, sentences, library.lexical.rarity)
    return replace(found, hits=tuple(replace(hit, match=matches.get(hit.paper_id)) for hit in found.hits))


def by_meeting(found: Found) -> Found:
    """The matched papers ranked by fused score and match together, the others after them."""
    rest = [hit for hit in found.hits if hit.match is None]
    floor = rest[0].score if rest else 0.0
    gains = [(hit, max(floor - hit.score, _gain(hit.match))) for hit in found.hits if hit.match is not None]
    matched = [replace(hit, score=hit.score + gain, gain=gain) for hit, gain in gains]
    return replace(found, hits=(*sorted(matched, key=lambda hit: -hit.score), *rest))


def meet_signals(match: Match) -> tuple[float, float]:
    """What `MEET_SIGNALS` names."""
    return match.together, max(match.sentences, default=0.0)


def _gain(match: Match) -> float:
    return sum(weight * (value - usual) for weight, value, usual in zip(MEET_WEIGHTS, meet_signals(match), _USUAL, strict=True))
