"""Example questions made from the library at hand, so that they fit whatever papers there are."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from index import Paper

_NAMED = re.compile(r"([A-Z][\w+-]{2,15}): \S")
_WORD = re.compile(r"[A-Za-z][A-Za-z-]+")
_DULL = frozenset(
    "a an and are as at by for from in into is its of on or over the through to towards toward under via what with without your".split()
)


def example_questions(papers: Sequence[Paper], count: int = 4) -> list[str]:
    """Up to `count` questions: what a named work does, what there is on common themes."""
    named = sorted({match[1] for paper in papers if (match := _NAMED.match(paper.display_title))})
    named_step = max(1, len(named) // 2)
    works = [f"What does {name} do, and how well does it work?" for name in named[named_step // 2 :: named_step]]
    themes = [f"What approaches are there to {theme}?" for theme in _themes(papers)]
    return [*works[: count - count // 2], *themes][:count]


def _themes(papers: Sequence[Paper]) -> list[str]:
    """Pairs of words that many titles share, the commonest first."""
    pairs: Counter[str] = Counter()
    for paper in papers:
        words = _WORD.findall(paper.display_title)
        pairs.update(
            {f"{first} {second}".lower() for first, second in pairwise(words) if first.lower() not in _DULL and second.lower() not in _DULL}
        )
    chosen: list[str] = []
    for pair, titles in pairs.most_common(40):
        if titles > 1 and not any(set(pair.split()) & set(other.split()) for other in chosen):
            chosen.append(pair)
    return chosen
