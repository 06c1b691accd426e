"""Whether a sentence has a word where its paper has another of the same kind.

Goes in: a sentence and a paper's title and sentences, as readings. Comes out: a signal for each kind
of word, 0 where nothing speaks against the sentence. Each figure, name, direction and word that has a
contrary is compared with what surrounds it: where the paper's surroundings of a rival (another figure
of the same unit, another name, the contrary) fit it better than those of the word itself, it is
likely bound to the wrong thing. Two figures or names of the sentence may fit better exchanged.
Knows no weights.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

from assistant.verification.figures import Figure, stands_for
from assistant.verification.lexicon import DENIALS, FAMILIES, SIDES, Side
from assistant.verification.wording import key

FIGURE, NAME, TERM, DIRECTION, OTHER = "figure", "name", "term", "direction", "other"
PLACE_SIGNALS = ("figure place", "name place", "term place", "direction place", "figures exchanged", "names exchanged")
"""By how much the place of the word that fits worst fits a rival better, of each kind; by how much two words fit better exchanged."""

_WORD = re.compile(r"\d+(?:\.\d+)?|[^\W\d_]+(?:[-'][^\W\d_]+)*")
_REACH = 10
"""Words on either side that tell what a word is of."""
_FADING = {FIGURE: 1.0, NAME: 0.7, TERM: 0.7, DIRECTION: 0.7}
"""How fast they tell less with their distance: the exponent."""
_DENIED = 3
"""Words after a denial that it reaches."""
_OTHER_SIDE = 0.4
"""What a neighbour is worth that stands before one word and after the other."""
_UNKNOWN = 0.6
"""The weight of a word that the paper does not hold."""

Surroundings = dict[str, int]
"""How far after it each word near by stands; below 0 before it."""


@dataclass(frozen=True)
class Place:
    """A word of a text that says something."""

    kind: str
    key: str
    """What the word is known by."""
    like: str
    """What it is known by as a neighbour: directions of one family are alike."""
    figure: Figure | None
    sides: frozenset[Side]
    denied: bool
    """Whether a denial stands shortly before it."""


@dataclass(frozen=True)
class Laid:
    """The words of a text in order, each with what is near it."""

    places: tuple[Place, ...]
    near: tuple[Surroundings, ...]

    def following(self, number: int) -> str:
        """The key of the next word."""
        return self.places[number + 1].key if number + 1 < len(self.places) else ""


@dataclass(frozen=True)
class Words:
    """What there is to know of a text beside its words."""

    figures: tuple[Figure, ...]
    names: tuple[tuple[str, int], ...]
    """With their starts."""
    tells: Callable[[str], bool]
    """Whether a word says something."""


def laid(text: str, known: Words) -> Laid:
    """A normalised text."""
    places = tuple(_places(text, known))
    return Laid(places, tuple(_surroundings(places, number) for number in range(len(places))))


def _places(text: str, known: Words) -> Iterator[Place]:
    figures = {figure.start: figure for figure in known.figures}
    denial = -_DENIED - 1
    for number, match in enumerate(_WORD.finditer(text)):
        word, at = match[0].casefold(), match.start()
        denied = number - denial <= _DENIED
        if word in DENIALS or word.endswith("n't"):
            denial = number
        name = next(((name, start) for name, start in known.names if start <= at < start + len(name)), None)
        if name and at != name[1]:
            continue
        if place := _place(match[0], figures.get(at), name[0] if name else None, denied, known.tells):
            yield place


def _place(word: str, figure: Figure | None, name: str | None, denied: bool, tells: Callable[[str], bool]) -> Place | None:
    sides = SIDES.get(word.casefold(), frozenset())
    if figure:
        known = f"{figure.value}{figure.unit}"
        return Place(FIGURE, known, known, figure, frozenset(), denied)
    if name and not sides:
        plain = _singular(name)
        return Place(NAME, plain, plain, None, sides, denied)
    if not sides and not tells(word):
        return None
    families = sorted(number for number, _ in sides if number < len(FAMILIES))
    kind = DIRECTION if families else TERM if sides else OTHER
    return Place(kind, key(word), f"family {families[0]}" if families else key(word), None, sides, denied)


def _singular(name: str) -> str:
    return name.casefold().rstrip("s")


def _surroundings(places: Sequence[Place], number: int) -> Surroundings:
    found: Surroundings = {}
    for other in range(max(0, number - _REACH), min(len(places), number + _REACH + 1)):
        if other != number:
            like, distance = places[other].like, other - number
            found[like] = min(distance, found.get(like, distance), key=abs)
    return found


def place_signals(said: Laid, held: Sequence[Laid]) -> list[float]:
    """What `PLACE_SIGNALS` names."""
    judge = _Judge(said, held)
    worst = dict.fromkeys((FIGURE, NAME, TERM, DIRECTION), 0.0)
    exchanged = dict.fromkeys((FIGURE, NAME), 0.0)
    for number, place in enumerate(said.places):
        if place.kind != OTHER:
            worst[place.kind] = max(worst[place.kind], judge.rivalled(number))
    for kind in exchanged:
        numbers = [number for number, place in enumerate(said.places) if place.kind == kind and judge.is_held(place)]
        for one, other in combinations(numbers, 2):
            exchanged[kind] = max(exchanged[kind], judge.exchanged(one, other))
    return [*worst.values(), *exchanged.values()]


class _Judge:
    """Compares places of a sentence with a paper's."""

    def __init__(self, said: Laid, held: Sequence[Laid]) -> None:
        self._said = said
        self._all = [(one, number) for one in held for number in range(len(one.places))]
        counts = Counter(like for one in held for like in {place.like for place in one.places})
        self._weights = {like: math.log((len(held) + 2) / (count + 0.5)) for like, count in counts.items()}
        self._keys = {place.key for place in said.places}
        self._fits = lru_cache(None)(self._best)

    def rivalled(self, number: int) -> float:
        """By how much a rival fits the place better than its own word."""
        place, own, rival, found = self._said.places[number], 0.0, 0.0, False
        for one, at in self._all:
            other = one.places[at]
            relation = _relation(place, other)
            if relation > 0:
                own, found = max(own, self._fit(number, one.near[at], place.kind)), True
            elif relation < 0 and self._may_rival(number, one, at):
                rival = max(rival, self._fit(number, one.near[at], place.kind))
        return rival - own if found or place.kind != NAME else 0.0

    def is_held(self, place: Place) -> bool:
        """Whether the paper has the word anywhere."""
        return any(_relation(place, one.places[at]) > 0 for one, at in self._all)

    def exchanged(self, one: int, other: int) -> float:
        """By how much two places fit better with their words exchanged."""
        first, second = self._said.places[one], self._said.places[other]
        if first.key == second.key or _relation(first, second) >= 0:
            return 0.0
        return self._fits(one, other) + self._fits(other, one) - self._fits(one, one) - self._fits(other, other)

    def _best(self, number: int, word: int) -> float:
        """How well a place fits the surroundings of a word of the sentence in the paper."""
        place = self._said.places[word]
        fits = [self._fit(number, one.near[at], place.kind) for one, at in self._all if _relation(place, one.places[at]) > 0]
        return max(fits, default=0.0)

    def _may_rival(self, number: int, one: Laid, at: int) -> bool:
        """Not what the sentence has elsewhere; of a number in words only one that counts the same thing."""
        place, other = self._said.places[number], one.places[at]
        if place.figure and other.figure and (place.figure.spelled or other.figure.spelled):
            follows = self._said.following(number)
            if not follows or follows != one.following(at):
                return False
        return place.kind not in (FIGURE, NAME) or other.key not in self._keys

    def _fit(self, number: int, there: Surroundings, kind: str) -> float:
        """0 to 1: what part of what is near the sentence's word is near there, what is nearer and rarer weighing more."""
        here, fading = self._said.near[number], _FADING[kind]
        whole = sum(self._weight(like) * abs(distance) ** -fading for like, distance in here.items())
        shared = sum(self._weight(like) * _nearness(here[like], there[like], fading) for like in here.keys() & there.keys())
        return shared / whole if whole else 0.0

    def _weight(self, like: str) -> float:
        return self._weights.get(like, _UNKNOWN)


def _nearness(here: int, there: int, fading: float) -> float:
    """Of a neighbour in both texts; less where it stands on the other side."""
    product = here * there
    return float(abs(product) ** -fading) * (1.0 if product > 0 else _OTHER_SIDE)


def _relation(place: Place, other: Place) -> int:
    """1 where both say the same, -1 where one is the other's rival, 0 where they are of different kinds."""
    if place.figure:
        return _of_figures(place.figure, other.figure)
    if place.kind == NAME:
        return _of_names(place, other)
    same = place.key == other.key or bool(place.sides & other.sides)
    contrary = any((family, 1 - side) in other.sides for family, side in place.sides)
    relation = 1 if same else -1 if contrary else 0
    return -relation if place.kind == DIRECTION and place.denied != other.denied else relation


def _of_figures(one: Figure, other: Figure | None) -> int:
    if other is None:
        return 0
    return 1 if stands_for(one, other) else -1 if one.unit == other.unit else 0


def _of_names(one: Place, other: Place) -> int:
    if one.key == other.key or one.key == _singular(other.key):
        return 1
    return -1 if other.kind == NAME and one.key not in other.key and other.key not in one.key else 0
