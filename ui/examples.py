"""Questions to begin with, made from the library at hand, so that they fit whatever papers there are. `ui.reader` asks them silently
and keeps those that it answers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import zip_longest

from index import Paper

_FIELD_SHARE = 0.02
"""What a larger part of the titles shares is the library's field, not a theme in it."""
_MOST_OF_A_KIND = 5
_NAMED = re.compile(r"([A-Z][\w+-]{2,15}): \S")
_WORD = re.compile(r"[a-z][a-z-]+")
_DULL = frozenset(
    "a all an and are as at by can do for from how in into is it its need of on or over the through to towards toward under via "
    "what with without you your".split()
)

Phrase = tuple[str, ...]


def example_questions(papers: Sequence[Paper]) -> list[str]:
    """In turn what a named work does and what there is on a common theme; then what single papers are about."""
    named = sorted({match[1] for paper in papers if (match := _NAMED.match(paper.display_title))})
    works = [f"What does {name} do, and how well does it work?" for name in _spread(named)]
    themes = [f"Which papers deal with {theme}?" for theme in _themes(papers)]
    single = [f"What is “{title}” about?" for title in _spread(sorted({paper.display_title for paper in papers}))]
    mixed = [question for pair in zip_longest(works, themes[:_MOST_OF_A_KIND]) for question in pair if question]
    return [*mixed, *single]


def questions_on(titles: Sequence[str]) -> list[str]:
    """What can be asked of several papers that name their work: the first two compared, and each alone."""
    names = [match[1] for title in titles if (match := _NAMED.match(title))]
    compared = [f"Compare {names[0]} and {names[1]}"] if len(names) > 1 else []
    return [*compared, *(f"What does {name} do, and how well does it work?" for name in names[:_MOST_OF_A_KIND])]


def _spread(names: Sequence[str]) -> Sequence[str]:
    """Some of them, evenly."""
    step = max(1, len(names) // _MOST_OF_A_KIND)
    return names[step // 2 :: step][:_MOST_OF_A_KIND]


def _themes(papers: Sequence[Paper]) -> list[str]:
    """Phrases that several titles share, the commonest first, no two with a word in common."""
    titles: Counter[Phrase] = Counter()
    for paper in papers:
        titles.update(_phrases(paper.display_title.lower()))
    most = max(3, _FIELD_SHARE * len(papers))
    chosen: list[Phrase] = []
    for phrase, shared in sorted(titles.items(), key=lambda item: (-item[1], item[0])):
        if (
            shared > 1
            and shared + titles[_other_number(phrase)] <= most
            and not _is_fragment(phrase, titles)
            and not any(set(phrase) & set(other) for other in chosen)
        ):
            chosen.append(phrase)
    return [" ".join(phrase) for phrase in chosen[:10]]


def _phrases(title: str) -> set[Phrase]:
    """Two or three telling words that stand together."""
    words = _WORD.findall(title)
    runs = (tuple(words[first : first + length]) for length in (2, 3) for first in range(len(words) - length + 1))
    return {run for run in runs if not _DULL.intersection(run)}


def _other_number(phrase: Phrase) -> Phrase:
    """The plural of a singular phrase, the singular of a plural one."""
    last = phrase[-1]
    return (*phrase[:-1], last.removesuffix("s") if last.endswith("s") else f"{last}s")


def _is_fragment(phrase: Phrase, titles: Counter[Phrase]) -> bool:
    """Whether the phrase mostly stands within one longer phrase."""
    return len(phrase) == 2 and any(
        2 * shared > titles[phrase] for longer, shared in titles.items() if len(longer) == 3 and phrase in (longer[:2], longer[1:])
    )
