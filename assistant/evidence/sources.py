"""A paper given as evidence, and the citation of one of its sentences."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.answer import Citation
from assistant.evidence.selection import Evidence
from index import Library, Paper, link

_NAME_WORD = re.compile(r"[^\W\d_][\w-]+[^\W_]")


@dataclass(frozen=True)
class Source:
    """A paper given as evidence."""

    paper: Paper
    sentences: tuple[Evidence, ...]
    """All its sentences with their odds to answer, in the abstract's order."""
    score: float
    """Fused score."""


@dataclass(frozen=True)
class Group:
    """Papers that share a word or two beyond the theme that was asked for."""

    name: str
    """What they share, as they spell it; empty for those that share nothing with others."""
    places: tuple[int, ...]
    """Of the sources, from 0."""


_FEWEST_GROUPED = 4
_GROUPS_AT_MOST = 4
_PART_OF_ALL = 0.7
"""What more of the papers than this share is the theme itself, and groups nothing."""
_RARITY = 0.3
"""The least rarity of a shared word: of 1,000 papers 120 have it."""
_NO_NAMES = frozenset("based novel new proposed method methods approach approaches paper study studies results using framework".split())
_LEAST_GIVEN = 5
"""Of the nearest papers, so many are given to an LLM however far behind the first they are."""
_LEAST_NEAR = 0.5
"""Of the first paper's fused score, what a further one must have to be given too. Chosen by hand: half of it leaves out papers
that share no more than the field with the question, and keeps prompts short where the first stands out."""


def near_the_first(sources: Sequence[Source]) -> tuple[Source, ...]:
    """Those that are not far behind the first, and no fewer than five; `sources`: best first."""
    return tuple(one for place, one in enumerate(sources) if place < _LEAST_GIVEN or one.score >= _LEAST_NEAR * sources[0].score)


def grouped(sources: Sequence[Source], theme: str, library: Library) -> tuple[Group, ...]:
    """The sources by the rarest words that two or more of them share, in the order of the first of each; in a title a word counts
    double. None where fewer than four sources are there, or they share nothing beyond the theme."""
    if len(sources) < _FEWEST_GROUPED:
        return ()
    lexical = library.lexical
    asked = lexical.terms_in(theme)
    spelled: dict[str, Counter[str]] = {}
    holders: dict[str, dict[int, int]] = {}
    for place, source in enumerate(sources):
        for text, counts in ((source.paper.display_title, 2), (source.paper.abstract, 1)):
            for word in _NAME_WORD.findall(text.lower()):
                for term in lexical.terms_in(word) - asked:
                    spelled.setdefault(term, Counter())[word] += 1
                    holders.setdefault(term, {})[place] = max(counts, holders.get(term, {}).get(place, 0))
    groups: list[Group] = []
    left = set(range(len(sources)))
    most = max(2, round(_PART_OF_ALL * len(sources)))
    while len(groups) < _GROUPS_AT_MOST:
        able = []
        for term, places in holders.items():
            here = left & places.keys()
            word = spelled[term].most_common(1)[0][0]
            if 2 <= len(here) <= most and max(places[place] for place in here) > 1 and word not in _NO_NAMES:
                rarity = lexical.rarity(word)
                if rarity >= _RARITY:
                    able.append((sum(places[place] for place in here) * rarity, word, tuple(sorted(here))))
        if not able:
            break
        _, name, shared = max(able)
        groups.append(Group(name, shared))
        left -= set(shared)
    if not groups:
        return ()
    return (*sorted(groups, key=lambda group: group.places), *([Group("", tuple(sorted(left)))] if left else ()))


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
