"""Minimal edits that take a supported sentence's support away, by rule.

Goes in: a sentence and the text that supports it. Comes out: edits, each of one kind, each
changing a word or two. An edit that the text might support after all is not made as far as rules
tell: names and figures of one list are not exchanged, and a word is not put where the text has it.
`rewordings` makes harmless changes besides, for sentences that stay supported.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import combinations

from eval.support.words import AUXILIARIES, BOUNDS, DIRECTIONS, NEGATIVES, SCOPES, SYNONYMS, TERMS, VERBS

FIGURE = re.compile(r"(?<![\w.,\-–])(\d[\d,]*(?:\.\d+)?)(?=(\s?[x×%]|-?fold|\s(?:times|percent|points?)|[BMKTG]B?\b)|[^\w]|$)(?![.\d])")
_NAME = re.compile(r"(?<![\w-])(?=[\w.+-]*[A-Z])[A-Za-z][\w+]*(?:[-.][\w+]+)*")
_COMMON = frozenset(
    "The This That These Those We Our A An In On At To For By With It Its Their They As And But Or If When While From Using Under "
    "Over Such Here There Each All Both Some Many Most Other Another Two Three Four Five One First Second Last Then Also However "
    "Because Since Given Unlike Instead Rather Experiments Results Tests Code Existing Recent Current Prior Large Small Training "
    "Models Model Data Language Analysis Evaluation Authors Method Methods Work Paper I What How Why Where Which Across After Before "
    "Between Through Without Within Compared Applied Trained Tested Evaluated Based Built Combined Theory Simulations Simulation "
    "Extensive Empirically Theoretically Moreover Furthermore Additionally Finally Specifically Notably Thus Hence Not No Only Even".split()
)
_SPELLED = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_LISTED = re.compile(
    r"^[\s,/()]*(?:(?:and|or|to|plus|versus|vs\.?|as well as|&)?[\s,/()]*|(?:[\w.+-]*[A-Z\d][\w.+-]*[\s,]*(?:and|or)?[\s,]*)+)$"
)
"""Between two members of one list."""


@dataclass(frozen=True)
class Edit:
    """A sentence changed so that its abstract no longer supports it."""

    kind: str
    text: str


def edits(sentence: str, abstract: str, dice: random.Random) -> list[Edit]:
    """All edits that the rules make of a sentence that the abstract supports, each once, in an order of the dice's."""
    found: dict[str, Edit] = {}
    for kind, make in _MAKERS.items():
        for text in make(sentence, abstract, dice):
            text = _tidy(text)
            if text.casefold() != sentence.casefold() and text not in abstract:
                found.setdefault(text, Edit(kind, text))
    made = list(found.values())
    dice.shuffle(made)
    return made


def rewordings(sentence: str, dice: random.Random) -> list[str]:
    """The sentence with a word or a sign changed for its like, or a bracket left out: as true as it was."""
    made = [_tidy(text) for before, after in SYNONYMS for text in _replaced(sentence, before, after)]
    made += [_tidy(f"{sentence[: found.start()]}{sentence[found.end() :]}") for found in re.finditer(r"\s\([^()]{1,40}\)", sentence)]
    made += [re.sub(r"(?<=\d)\s?[x×](?!\w)", " times", sentence), re.sub(r"(?<=\d)%", " percent", sentence)]
    made += [re.sub(r"(?<=\d) times(?= )", "x", sentence), re.sub(r"(\w+), (\w+) and (\w+)(?=[.,;])", r"\2, \1 and \3", sentence)]
    made = [text for text in dict.fromkeys(made) if text != sentence]
    dice.shuffle(made)
    return made


def _figures_changed(sentence: str, abstract: str, dice: random.Random) -> Iterator[str]:
    held = {found[1] for found in FIGURE.finditer(abstract)}
    for found in FIGURE.finditer(sentence):
        figure = found[1]
        value = float(figure.replace(",", ""))
        decimals = len(figure.partition(".")[2])
        for factor in dice.sample((0.5, 0.7, 0.8, 1.2, 1.3, 1.5, 2.0, 3.0, 10.0), 2):
            other = f"{value * factor:,.{decimals}f}" if "," in figure else f"{value * factor:.{decimals}f}"
            if other not in held and float(other.replace(",", "")) not in (value, 0.0) and not 1900 < value < 2100:
                yield _put(sentence, found.span(1), other)
    for number, word in enumerate(_SPELLED):
        other = dice.choice([each for place, each in enumerate(_SPELLED[:6]) if place != number])
        if word in _words(abstract) and other not in _words(abstract) and str(_SPELLED.index(other) + 2) not in held:
            yield from _replaced(sentence, word, other)


def _figures_swapped(sentence: str, abstract: str, dice: random.Random) -> Iterator[str]:
    """Another figure of the abstract's with the same unit, or two of the sentence's exchanged."""
    here = list(FIGURE.finditer(sentence))
    mine = {found[1] for found in here}
    others = [found for found in FIGURE.finditer(abstract) if found[1] not in mine and not 1900 < float(found[1].replace(",", "")) < 2100]
    for found in here:
        fitting = sorted({other[1] for other in others if _unit(other) == _unit(found)})
        if fitting and not 1900 < float(found[1].replace(",", "")) < 2100:
            yield _put(sentence, found.span(1), dice.choice(fitting))
    for one, other in combinations(here, 2):
        between = sentence[one.end(1) : other.start(1)]
        if one[1] != other[1] and _unit(one) == _unit(other) and len(re.findall(r"[a-z]{3,}", between)) > 1:
            yield _exchanged(sentence, one.span(1), other.span(1))


def _names_swapped(sentence: str, abstract: str, dice: random.Random) -> Iterator[str]:
    """Another name of the abstract's, or two of the sentence's exchanged; none of one list."""
    here, there = _names(sentence), _names(abstract)
    spelled = {name for name, _ in here}
    others = sorted({name for name, _ in there} - spelled)
    for name, span in here:
        fitting = [other for other in others if not _alike(name, other) and not _in_one_list(name, other, abstract)]
        if name in abstract and fitting:
            yield _put(sentence, span, dice.choice(fitting))
    for (one, first), (other, second) in combinations(here, 2):
        between = sentence[first[1] : second[0]]
        apart = one != other and not _alike(one, other) and not _LISTED.match(between) and len(re.findall(r"[a-z]{2,}", between)) > 1
        if apart and not any(_in_one_list(one, other, text) for text in (sentence, abstract)):
            yield _exchanged(sentence, first, second)


def _turned(sentence: str, abstract: str, dice: random.Random) -> Iterator[str]:
    for before, after in DIRECTIONS:
        for text in _replaced(sentence, before, after):
            if before in ("with", "over", "under", "before", "after", "same", "with", "more") and dice.random() < 0.7:
                continue  # these have other senses
            yield text


def _terms_swapped(sentence: str, abstract: str, dice: random.Random) -> Iterator[str]:
    """Where the abstract does not hold the new word, it cannot say this; where it does, it says it of something else."""
    held = _words(abstract)
    for before, after in TERMS:
        if before in held or before[:5] in abstract:
            yield from _replaced(sentence, before, after)


def _negated(sentence: str, abstract: str, dice: random.Random) -> Iterator[str]:
    for found in re.finditer(r"[A-Za-z]+", sentence):
        word = found[0]
        if word in AUXILIARIES and not re.match(r"\s+(?:not|no|never|n't)\b", sentence[found.end() :]):
            yield _put(sentence, found.span(), "cannot" if word == "can" else f"{word} not")
        elif word in VERBS and found.start() > 0 and _follows_subject(sentence[: found.start()]):
            yield _put(sentence, found.span(), f"does not {VERBS[word]}")
    for before, after in NEGATIVES:
        yield from _replaced(sentence, before, after)


def _bounds_changed(sentence: str, abstract: str, dice: random.Random) -> Iterator[str]:
    for before, after in BOUNDS:
        for found in re.finditer(
            rf"\b{before}\s+(?=(?:about |around )?(?:\d|half|one |two |three |ten |a (?:third|quarter|factor)))", sentence, re.I
        ):
            yield _put(sentence, found.span(), _cased(after, found[0]) + " " * bool(after))


def _scope_changed(sentence: str, abstract: str, dice: random.Random) -> Iterator[str]:
    for before, after in SCOPES:
        yield from _replaced(sentence, before, after)


_MAKERS: dict[str, Callable[[str, str, random.Random], Iterable[str]]] = {
    "figure changed": _figures_changed,
    "figure swapped": _figures_swapped,
    "name swapped": _names_swapped,
    "term swapped": _terms_swapped,
    "direction": _turned,
    "negation": _negated,
    "bound": _bounds_changed,
    "scope": _scope_changed,
}
KINDS = tuple(_MAKERS)


def _names(text: str) -> list[tuple[str, tuple[int, int]]]:
    """Names with their places: capitalised words that begin no sentence, and those of unusual spelling anywhere."""
    found = []
    for match in _NAME.finditer(text):
        name = match[0].rstrip(".")
        unusual = sum(char.isupper() for char in name) > 1 or any(char.isdigit() for char in name)
        begins = match.start() == 0 or text[: match.start()].rstrip()[-1:] in {".", ":", "!", "?"}
        if len(name) > 1 and name not in _COMMON and (unusual or not begins):
            found.append((name, (match.start(), match.start() + len(name))))
    return found


def _alike(one: str, other: str) -> bool:
    """Whether one may be the other's plural, short form or variant."""
    one, other = (name.casefold().replace("-", "").rstrip("s") for name in (one, other))
    return one in other or other in one or one[:3] == other[:3]


def _in_one_list(one: str, other: str, text: str) -> bool:
    places = [[match.span() for match in re.finditer(re.escape(name), text)] for name in (one, other)]
    for first in places[0]:
        for second in places[1]:
            low, high = sorted((first, second))
            if high[0] - low[1] < 120 and _LISTED.match(text[low[1] : high[0]]):
                return True
    return False


def _follows_subject(before: str) -> bool:
    """Whether what stands before a word in -s is more likely a subject than an adjective or a number."""
    word = before.rstrip().rpartition(" ")[2]
    return bool(re.fullmatch(r"(?:it|which|that|method|model|framework|approach|[A-Z][\w-]*|\w+(?:ing|tion|ment|er|ity|ism|ance))", word))


def _unit(figure: re.Match[str]) -> str:
    unit = (figure[2] or "").strip()
    return {"×": "x", "times": "x", "-fold": "x", "fold": "x", "percent": "%"}.get(unit, unit)


def _words(text: str) -> set[str]:
    return set(re.findall(r"[\w-]+", text.casefold()))


def _replaced(sentence: str, before: str, after: str) -> Iterator[str]:
    """The sentence with one occurrence of a word replaced, for each."""
    for found in _alone(before).finditer(sentence):
        yield _put(sentence, found.span(), _cased(after, found[0]))


@cache
def _alone(word: str) -> re.Pattern[str]:
    """A word that no letter or hyphen adjoins."""
    return re.compile(rf"(?<![\w-]){re.escape(word)}(?![\w-])", re.IGNORECASE)


def _cased(word: str, like: str) -> str:
    return word[:1].upper() + word[1:] if like[:1].isupper() else word


def _put(text: str, span: tuple[int, int], new: str) -> str:
    return f"{text[: span[0]]}{new}{text[span[1] :]}"


def _exchanged(text: str, first: tuple[int, int], second: tuple[int, int]) -> str:
    one, other = text[slice(*first)], text[slice(*second)]
    return f"{text[: first[0]]}{other}{text[first[1] : second[0]]}{one}{text[second[1] :]}"


def _tidy(text: str) -> str:
    """Single spaces, and a capital at the start."""
    text = re.sub(r"\s+([.,;:])", r"\1", " ".join(text.split()))
    return text[:1].upper() + text[1:] if text[1:2].islower() and " " in text and not text.split()[0][1:].isalnum() else text
