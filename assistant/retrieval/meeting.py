"""Looks closer at the first papers found: how they meet a question's words, token by token.

Goes in: papers as the search ranks them. Comes out: the same papers, the first of them with a match, and
ranked by it too. A vector of a whole chunk tells the subject; of two papers on one subject, this sees which
one speaks of what is asked (late interaction: Khattab and Zaharia, ColBERT, 2020). Knows nothing of answers.
"""

from __future__ import annotations

import math
from dataclasses import replace

from assistant.reading import Match, PaperMatcher
from assistant.retrieval.fusion import PaperHit
from assistant.retrieval.retriever import Found
from index import Library

LEAD = 0.15
"""A paper so far behind the first, in fused score, is not looked at."""
MEET_SIGNALS = ("met", "best sentence")
"""How far a paper meets the question's words; how far its best sentence does those that the title does not hold."""
MEET_WEIGHTS = (1.29, 0.13)
"""Beside the fused score, which counts 1 (`python -m eval fit`)."""
_NAME = 0.85
"""Rarity from which a word is a name: of 640 papers it stands in one, of 100,000 in four at most."""
_USUAL = (0.56, 0.45)
"""Of papers that answer, on average: added scores stay on the scale of the fused ones."""


def meet(library: Library, matcher: PaperMatcher, found: Found, most: int) -> Found:
    """The same papers, the first `most` of them matched, but none that is far behind.

    One that another process is replacing at this moment is not matched.
    """
    near = [hit.paper_id for hit in found.hits[:most] if found.hits[0].score - hit.score < LEAD]
    spans = {paper_id: places for paper_id, (places, _) in library.sentences(near).items()}
    papers = {paper.paper_id: paper for paper in library.papers(list(spans))}
    rarity = library.lexical.rarity
    names = {term for word in found.own.words if rarity(word) >= _NAME for term in library.lexical.terms_in(word)}
    looked_at: dict[str, tuple[Match, bool]] = {}
    for paper_id, paper in papers.items():
        sentences = tuple(paper.abstract[start:end] for start, end in spans[paper_id])
        match = matcher.match(found.question, found.before, paper.display_title, sentences, rarity)
        looked_at[paper_id] = match, not names.isdisjoint(library.lexical.terms_in(paper.display_title))
    nothing = (None, False)
    told = [(hit, *looked_at.get(hit.paper_id, nothing)) for hit in found.hits]
    return replace(found, hits=tuple(replace(hit, match=match, named=named) for hit, match, named in told))


def by_meeting(found: Found) -> Found:
    """The matched papers ranked by fused score and match together, the others after them.

    None overtakes one that the question names: to token states, a name is only a few pieces of words.
    """
    rest = [hit for hit in found.hits if hit.match is None]
    floor = rest[0].score if rest else 0.0
    gains = [(hit, max(floor - hit.score, _gain(hit.match))) for hit in found.hits if hit.match is not None]
    matched = [replace(hit, score=hit.score + gain, gain=gain) for hit, gain in gains]
    named = max((hit.score for hit in matched if hit.named), default=math.inf)
    capped = [hit if hit.named or hit.score <= named else _at(hit, named) for hit in matched]
    return replace(found, hits=(*sorted(capped, key=lambda hit: (-hit.score, not hit.named)), *rest))


def _at(hit: PaperHit, score: float) -> PaperHit:
    return replace(hit, score=score, gain=hit.gain + score - hit.score)


def meet_signals(match: Match) -> tuple[float, float]:
    """What `MEET_SIGNALS` names."""
    return match.together, max(match.sentences, default=0.0)


def _gain(match: Match) -> float:
    return sum(weight * (value - usual) for weight, value, usual in zip(MEET_WEIGHTS, meet_signals(match), _USUAL, strict=True))
