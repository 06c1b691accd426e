"""What rules see of a sentence against a paper: figures, names, words of direction, negations, and what is bound to what.

Goes in: a sentence and a paper's title and sentences. Comes out: signals, numbers that are near 0
where nothing speaks against the sentence. Knows no paper and no weights; needs no model.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from assistant.verification.figures import Figure, figures_in, missing, stands_for
from assistant.verification.lexicon import ABSOLUTE, FAMILIES, NEGATIONS
from assistant.verification.places import PLACE_SIGNALS, Laid, Words, laid, place_signals
from assistant.verification.wording import key, normalise, words

RULE_SIGNALS = ("figures", "spelled", "names", "held", "two best", "clash", "turned", "negated", "bound", "dropped", "named with",
                "absolute", *PLACE_SIGNALS)  # fmt: skip
"""Figures that the paper lacks; numbers in words that it lacks; names that it lacks; the share of the
sentence's words that it lacks, that its two nearest sentences lack; directions of which these have only the
contrary; directions whose family these have not; a negation that they lack; a figure bounded the other way;
one whose bound is gone; by how much another name's surroundings fit a name better than its own; a word that
leaves no exception, which the nearest sentences lack; what stands where the paper has something else."""

_NAME = re.compile(r"(?<![\w-])(?=[\w.+-]*[A-Z])[A-Za-z][\w+]*(?:[-.][\w+]+)*")
_PLAIN = frozenset(
    "the this that these those we our a an in on at to for by with it its their they as and but or if when while from using under "
    "over such here there each all both some many most other another then also however because since given unlike instead rather what "
    "how why where which across after before between through into is are was were be been has have had can could may might will would "
    "do does did not no of than so only very more less about up one two per via own any being".split()
)
NEAR = 2
"""Sentences of a paper that a sentence most likely rests on."""
_REACH = 6
"""Words on either side of a figure or name that tell what it is of."""
_SHORTEST = 3


@dataclass(frozen=True)
class Reading:
    """A text in words."""

    text: str
    """Normalised."""

    @cached_property
    def words(self) -> list[str]:
        """In order."""
        return words(self.text)

    @cached_property
    def keys(self) -> list[str]:
        """Of the words."""
        return [key(word) for word in self.words]

    @cached_property
    def content(self) -> frozenset[str]:
        """Keys of the words that say something."""
        return frozenset(key(word) for word in self.words if _tells(word))

    @cached_property
    def lower(self) -> frozenset[str]:
        """The words in lower case."""
        return frozenset(word.casefold() for word in self.words)

    @cached_property
    def figures(self) -> list[Figure]:
        """In order."""
        return figures_in(self.text)

    @cached_property
    def names(self) -> list[tuple[str, int]]:
        """Names with their places."""
        found = [(match[0].rstrip("."), match.start()) for match in _NAME.finditer(self.text)]
        return [(name, at) for name, at in found if _is_name(name, at)]

    @cached_property
    def laid(self) -> Laid:
        """The words with what is near each."""
        return laid(self.text, Words(tuple(self.figures), tuple(self.names), _tells))

    def around(self, start: int, end: int) -> frozenset[str]:
        """Keys of what stands near to a place."""
        before = [key(word) for word in words(self.text[max(0, start - 80) : start]) if _tells(word)]
        after = [key(word) for word in words(self.text[end : end + 80]) if _tells(word)]
        return frozenset(before[-_REACH:] + after[:_REACH])


@lru_cache(2000)
def reading(text: str) -> Reading:
    """A text in words."""
    return Reading(normalise(text))


def nearest(sentence: str, sentences: Sequence[str], count: int) -> list[int]:
    """Places of the sentences that share most words with this one, in their order."""
    content = reading(sentence).content
    ranked = sorted(range(len(sentences)), key=lambda place: -len(content & reading(sentences[place]).content))
    return sorted(ranked[:count])


def signals(sentence: str, title: str, sentences: Sequence[str]) -> list[float]:
    """What `RULE_SIGNALS` names."""
    said, held = reading(sentence), [reading(title), *map(reading, sentences)]
    content = frozenset().union(*(one.content for one in held))
    near = [held[1 + place] for place in nearest(sentence, sentences, NEAR)] or held
    near_words = frozenset().union(*(one.lower for one in near))
    near_content = frozenset().union(*(one.content for one in near))
    figures = [figure for one in held for figure in one.figures]
    lacked = missing(said.figures, figures)
    spelled = [figure for figure in said.figures if figure.spelled and not any(stands_for(figure, other) for other in figures)]
    lower = frozenset().union(*(one.lower for one in held))
    names = {name for name, _ in said.names if not _holds_name(name, lower, held)}
    clash, turned = _directions(said.lower, near_words)
    bound, dropped = _bounds(said, figures)
    return [
        float(min(2, len(lacked))),
        float(min(2, len(spelled))),
        float(min(2, len(names))),
        _lack(said.content, content),
        _lack(said.content, near_content),
        float(min(2, clash)),
        float(min(2, turned)),
        float(bool(said.lower & NEGATIONS) and not near_words & NEGATIONS),
        bound,
        dropped,
        _misnamed(said, held),
        float(bool((said.lower & ABSOLUTE) - near_words)),
        *place_signals(said.laid, [one.laid for one in held]),
    ]


def _tells(word: str) -> bool:
    plain = word.casefold()
    return plain not in _PLAIN and (len(plain) >= _SHORTEST or word.isupper()) and any(char.isalpha() for char in word)


def _is_name(name: str, at: int) -> bool:
    unusual = sum(char.isupper() for char in name) > 1 or any(char.isdigit() for char in name)
    return len(name) > 1 and name.casefold() not in _PLAIN and (unusual or at > 0)


def _holds_name(name: str, lower: frozenset[str], held: Sequence[Reading]) -> bool:
    parts = [part.casefold() for part in words(name) if part.isalnum()]
    if all(part in lower or part.rstrip("s") in lower or f"{part}s" in lower for part in parts):
        return True
    plain = re.sub(r"[\W_]", "", name.casefold()).rstrip("s")
    return any(plain in re.sub(r"[\W_]", "", one.text.casefold()) for one in held)


def _lack(said: frozenset[str], held: frozenset[str]) -> float:
    return 1.0 - len(said & held) / len(said) if said else 0.0


def _directions(said: frozenset[str], held: frozenset[str]) -> tuple[int, int]:
    """How many directions of the sentence meet only their contrary, and how many meet nothing of their family."""
    clash = turned = 0
    for family in FAMILIES:
        for one, other in (family, family[::-1]):
            mine = said & one
            if mine and not said & other and not mine & held:
                clash += not held & one and bool(held & other)
                turned += not held & (one | other)
    return clash, turned


def _bounds(said: Reading, held: Sequence[Figure]) -> tuple[float, float]:
    """Whether a figure is bounded the other way than wherever the paper has it; whether an upper bound is gone, or put in."""
    other = dropped = False
    for figure in said.figures:
        there = {each.bound for each in held if stands_for(figure, each)}
        if there and figure.bound not in there:
            other = other or bool(figure.bound and there - {""})
            dropped = dropped or (figure.bound == "" and there == {"upper"}) or (figure.bound == "lower" and there == {""})
    return float(other), float(dropped)


def _misnamed(said: Reading, held: Sequence[Reading]) -> float:
    """Of the name that fits worst: by how much another name's surroundings fit it better than those of its own."""
    worst = 0.0
    for name, at in said.names:
        own, others = [0.0], [0.0]
        mine = said.around(at, at + len(name))
        for one in held:
            for other, place in one.names:
                fits = _overlap(mine, one.around(place, place + len(other)))
                (own if other.casefold() == name.casefold() else others).append(fits)
        if len(own) > 1:
            worst = max(worst, max(others) - max(own))
    return worst


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / max(1, len(one))
