"""Finds which line of a page is a title, an author's line, a piece of an abstract.

Goes in: the lines of a page, its own parts told (`lines`). Comes out: a role for each content
line, and how sure it is. A page repeats one layout: what stands between title and abstract, how
titles are set off, how wide lines are. So the roles are the states of a hidden Markov model whose
tables are learnt from the page itself (Viterbi training, from a prior in which length and wording
speak), and the best sequence over the whole page is taken: structure decides before length does.

Knows no paper, and nothing of dates or links. Linear in the number of lines.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise
from typing import TypeVar

from index.sources.lines import ENDING, Kind, Line, address, names


class Role(IntEnum):
    """What a content line is on the page."""

    TITLE = 0
    TITLE_MORE = 1
    AUTHORS = 2
    ABSTRACT = 3
    ABSTRACT_MORE = 4
    PARAGRAPH = 5
    PARAGRAPH_MORE = 6
    AUTHORS_BELOW = 7


@dataclass(frozen=True)
class Placed:
    """A content line and its role."""

    line: Line
    role: Role
    chance: float
    """That the line is in this part of its entry, by the model: 0 to 1."""
    between: tuple[Line, ...]
    """The page's own parts between the content line before and this."""


@dataclass(frozen=True)
class _Seen:
    """What the model sees of a content line and of the gap before it."""

    emitted: tuple[tuple[str, str], ...]
    gap: tuple[tuple[str, str], ...]
    title_possible: bool


TITLE_LIMIT = 300
"""Characters of a title's line; the longest of 640 real titles has 164."""
_SAMPLE = 4000
"""Content lines that a layout is learnt from."""
_ROUNDS = 5
_STRENGTH = 12.0
"""Lines that the prior is worth."""
_LOOKS_STRENGTH = 40.0
"""The same for how lines look: there the prior knows more."""
_WIDEST = 180
"""Characters; lines that are longer were not wrapped."""

_LONGER = (0, 2, 5, 10, 20, 50)
"""In a thousand: the lines (of one long word) that may be longer than the page is wide."""

_T, _TM, _U, _A, _AM, _P, _PM, _B = Role
_EMITS = {_T: "title", _TM: "title more", _U: "authors", _A: "abstract", _AM: "more", _P: "paragraph", _PM: "more", _B: "authors"}
_STEPS: dict[tuple[Role, Role], tuple[str, float]] = {
    (_T, _TM): ("wrap title", 0.02),
    (_T, _U): ("authors", 0.01),
    (_T, _A): ("body", 0.95),
    (_T, _T): ("orphan", 0.02),
    (_TM, _TM): ("wrap title", 0.1),
    (_TM, _U): ("authors", 0.05),
    (_TM, _A): ("body", 0.83),
    (_TM, _T): ("orphan", 0.02),
    (_U, _U): ("authors", 0.05),
    (_U, _A): ("body", 0.93),
    (_U, _T): ("orphan", 0.02),
    (_A, _AM): ("wrap", 0.3),
    (_A, _P): ("paragraph", 0.08),
    (_A, _B): ("below", 0.005),
    (_A, _T): ("next", 0.61),
    (_A, _A): ("lost", 0.0005),
    (_AM, _AM): ("wrap", 0.85),
    (_AM, _P): ("paragraph", 0.02),
    (_AM, _B): ("below", 0.005),
    (_AM, _T): ("next", 0.12),
    (_AM, _A): ("lost", 0.0005),
    (_P, _PM): ("wrap", 0.3),
    (_P, _P): ("paragraph", 0.03),
    (_P, _B): ("below", 0.005),
    (_P, _T): ("next", 0.66),
    (_P, _A): ("lost", 0.0005),
    (_PM, _PM): ("wrap", 0.85),
    (_PM, _P): ("paragraph", 0.02),
    (_PM, _B): ("below", 0.005),
    (_PM, _T): ("next", 0.12),
    (_PM, _A): ("lost", 0.0005),
    (_B, _B): ("below", 0.02),
    (_B, _T): ("next", 0.97),
    (_B, _A): ("lost", 0.01),
}
"""Each step from line to line: the gap that it crosses, and how often it is taken."""
_UNLEARNT = ("orphan", "lost")
"""What goes wrong is never the layout."""

_GAPS = {
    "blank": {"wrap title": 0.02, "authors": 0.2, "body": 0.5, "wrap": 0.02, "paragraph": 0.6, "below": 0.4, "next": 0.7},
    "ending": {"wrap title": 3e-4, "authors": 1e-3, "body": 0.01, "wrap": 3e-4, "paragraph": 3e-4, "below": 0.01, "next": 0.3},
    "number": {"wrap title": 3e-4, "authors": 1e-3, "body": 0.01, "wrap": 1e-3, "paragraph": 1e-3, "below": 0.01, "next": 0.25},
    "link": {"wrap title": 3e-4, "authors": 0.01, "body": 0.1, "wrap": 1e-3, "paragraph": 0.01, "below": 0.01, "next": 0.15},
    "page": {"wrap title": 3e-4, "authors": 0.01, "body": 0.02, "wrap": 1e-3, "paragraph": 3e-3, "below": 0.01, "next": 0.25},
    "label": {"wrap title": 3e-4, "authors": 1e-3, "body": 0.1, "wrap": 3e-4, "paragraph": 1e-3, "below": 1e-3, "next": 1e-3},
}
"""How often something stands in a gap."""
_FULL = {
    "wrap title": (0.45, 0.15, 0.2, 0.02, 0.18),
    "authors": (0.08, 0.12, 0.2, 0.4, 0.2),
    "body": (0.08, 0.12, 0.2, 0.4, 0.2),
    "wrap": (0.85, 0.12, 0.02, 1e-4, 0.0099),
    "paragraph": (0.08, 0.12, 0.2, 0.4, 0.2),
    "below": (0.08, 0.12, 0.2, 0.4, 0.2),
    "next": (0.08, 0.12, 0.2, 0.4, 0.2),
}
"""How often the line before a gap is full; where the page's width is known, the next word would not have fitted, or would (loose);
else it is nearly as long as its block, or short; and how often lines were not wrapped."""
_OPEN = {"wrap title": 0.5, "authors": 0.02, "body": 0.02, "wrap": 0.7, "paragraph": 0.02, "below": 0.02, "next": 0.02}
"""How often the lines around a gap are open: the one ends like no sentence or title does, or the other begins small."""
_ENDS = {
    "wrap title": (0.01, 0.03, 0.1, 0.86),
    "authors": (0.06, 0.06, 0.1, 0.78),
    "body": (0.06, 0.08, 0.02, 0.84),
    "wrap": (0.06, 0.005, 0.14, 0.795),
    "paragraph": (0.9, 0.03, 0.03, 0.04),
    "below": (0.85, 0.03, 0.02, 0.1),
    "next": (0.85, 0.03, 0.02, 0.1),
}
"""How often the line before a gap ends with a full stop (or a link), with `?` or `!`, hangs (a comma, a colon), or none of them."""
_END_VALUES = ("stop", "query", "hang", "open")
_FULLNESS = ("full", "near", "short", "loose", "unwrapped")

_EMISSIONS: dict[str, dict[str, tuple[float, ...]]] = {
    "prose": {
        "title": (0.47, 0.34, 0.14, 0.046, 0.004),
        "authors": (0.7, 0.24, 0.05, 0.0099, 0.0001),
        "abstract": (0.03, 0.1, 0.22, 0.2, 0.45),
        "more": (0.1, 0.25, 0.35, 0.2, 0.1),
    },
    "capitals": {
        "title": (0.55, 0.45),
        "authors": (0.5, 0.5),
        "abstract": (0.995, 0.005),
        "more": (0.99, 0.01),
    },
    "lower": {
        "title": (0.97, 0.03),
        "title more": (0.75, 0.25),
        "authors": (0.97, 0.03),
        "abstract": (0.98, 0.02),
        "more": (0.4, 0.6),
    },
    "names": {
        "title": (0.96699, 0.022, 0.007, 0.004, 1e-5),
        "title more": (0.90399, 0.07, 0.02, 0.006, 1e-5),
        "authors": (0.05, 0.12, 0.23, 0.45, 0.15),
        "abstract": (0.99939, 0.0001, 0.0003, 0.0002, 1e-5),
        "paragraph": (0.9934, 0.0001, 0.0003, 0.0002, 0.006),
        "more": (0.9797, 0.0003, 0.006, 0.004, 0.01),
    },
    "mark": {
        "title": (0.5, 0.2, 0.1, 0.1, 0.07, 0.0299, 5e-5, 5e-5),
        "title more": (0.98, 0.002, 0.015, 0.001, 0.0018, 1e-5, 1e-5, 1e-5),
        "authors": (0.93, 0.001, 0.01, 0.001, 0.018, 1e-5, 1e-5, 0.04),
        "abstract": (0.93, 0.0005, 0.01, 0.0005, 0.002, 1e-5, 0.05, 1e-5),
        "more": (0.98, 0.0005, 0.015, 0.002, 0.0025, 1e-5, 1e-5, 1e-5),
    },
}
"""How often a line of a kind looks so: the prior."""
_VALUES = {
    "prose": ("0", "1", "2", "3", "4"),
    "capitals": ("no", "yes"),
    "lower": ("no", "yes"),
    "names": ("none", "one", "two", "many", "link"),
    "mark": ("", "heading", "bullet", "number", "bold", "title", "abstract", "authors"),
}
_LEARNT = ("prose", "capitals", "mark", "names")
"""Features whose tables a page may move."""

_Key = TypeVar("_Key")
_Chance = TypeVar("_Chance")
Tables = tuple[dict[tuple[Role, Role], float], dict[str, dict[str, dict[str, float]]], dict[str, dict[str, dict[str, float]]]]


def place(lines: Sequence[Line]) -> list[Placed]:
    """A role for each content line, from the whole page."""
    content, between = _content(lines)
    if not content:
        return []
    seen = _look(content, between)
    tables = _prior()
    for _ in range(_ROUNDS):
        sample = seen[:_SAMPLE]
        learnt = _learn(sample, _best(sample, tables))
        if learnt == tables:
            break
        tables = learnt
    roles = _best(seen, tables)
    chances = _chances(seen, roles, tables)
    return [Placed(*one) for one in zip(content, roles, chances, between, strict=True)]


def _content(lines: Sequence[Line]) -> tuple[list[Line], list[tuple[Line, ...]]]:
    content: list[Line] = []
    between: list[tuple[Line, ...]] = []
    waiting: list[Line] = []
    for line in lines:
        if line.kind is not Kind.CONTENT:
            waiting.append(line)
            continue
        content.append(line)
        between.append(tuple(waiting))
        waiting = []
    return content, between


# What the model sees


def _look(content: Sequence[Line], between: Sequence[tuple[Line, ...]]) -> list[_Seen]:
    stands = [_stands(line, parts) for line, parts in zip(content, between, strict=True)]
    somewhere = set().union(*stands[1:])  # what a page never has tells nothing
    befores = [None, *content[:-1]]
    seen = []
    for before, line, here, full in zip(befores, content, stands, _fullness(content, between), strict=True):
        gap = [(name, "yes" if name in here else "no") for name in _GAPS if name in somewhere]
        is_open = before is not None and _is_open(before.text, line.text)
        gap += [("full", full), ("open", "yes" if is_open else "no"), ("end", _end(before.text) if before else "open")]
        seen.append(_Seen(_emitted(line), tuple(gap), len(line.text) <= TITLE_LIMIT))
    return seen


def _stands(line: Line, parts: tuple[Line, ...]) -> set[str]:
    """What stands before a line."""
    kinds = {part.kind for part in parts}
    found = {
        "blank": line.after_blank or any(part.after_blank for part in parts),
        "ending": bool(kinds & ENDING),
        "number": Kind.NUMBER in kinds,
        "link": bool(kinds & {Kind.LINK, Kind.IDENTIFIER}),
        "page": bool(kinds & {Kind.FURNITURE, Kind.BANNER}),
        "label": Kind.LABEL in kinds,
    }
    return {name for name, value in found.items() if value}


_SENTENCE = re.compile(r"(?<!\b[A-Z])[.!?][\"')\]”’]*\s+[\"'(\[“‘]*[^\W\d_a-z]")
_STOP = re.compile(r"\.[\"')\]”’]*$")
_QUERY = re.compile(r"[!?][\"')\]”’]*$")
_CLAUSE = re.compile(
    r"\b(?:we|our|this|these|it|its|they|is|are|was|were|be|been|has|have|had|can|may|will|would|which|that|there|however)\b", re.IGNORECASE
)
"""Pronouns and auxiliaries: clauses have them, titles hardly."""
_WORD = re.compile(r"[^\W\d_]{4,}")


def _emitted(line: Line) -> tuple[tuple[str, str], ...]:
    text = line.text
    mark = "heading" if line.mark.startswith("#") else line.mark
    return (
        ("prose", prose(text)),
        ("capitals", "yes" if _is_titled(text) else "no"),
        ("lower", "yes" if _begins_small(text) else "no"),
        ("names", _names(text)),
        ("mark", mark),
    )


def _names(text: str) -> str:
    if "://" in text and " " not in text and address(text):
        return "link"
    count = names(text) if len(text) <= 1000 else 0
    return ("none", "one", "two", "many")[min(count, 3)]


def _is_titled(text: str) -> bool:
    """Whether nearly all longer words begin with a capital, as titles are set."""
    words = _WORD.findall(text[:300])
    return len(words) > 3 and 5 * sum(word[0].isupper() for word in words) >= 4 * len(words)


def prose(text: str) -> str:
    """How much a line reads like sentences rather than a title: 0 to 4."""
    start = text[:1000]
    sentences = len(_SENTENCE.findall(start))
    soft = sum(found[0][0] != "." for found in _SENTENCE.finditer(start))
    words = _WORD.findall(start)[1:]
    capital = sum(word[0].isupper() for word in words) / len(words) if words else 0.5
    score = 2.0 * min(sentences - soft, 2) + 0.5 * soft
    score += (0.0, 1.0, 1.5, 2.0)[min(len(_CLAUSE.findall(start)), 3)]
    score += 4.0 if len(text) > TITLE_LIMIT else 2.5 if len(text) > 200 else 1.0 if len(text) > 130 else -0.7 if len(text) < 40 else 0.0
    score += -1.2 if capital >= 0.6 else 0.6 if capital <= 0.25 else 0.0
    level = sum(score >= step for step in (-0.5, 0.9, 2.0, 4.0))
    return str(level if len(text) > 130 else min(level, 3))


def _end(text: str) -> str:
    if _STOP.search(text[-8:]):
        return "stop"
    if _QUERY.search(text[-8:]):
        return "query"
    if "://" in text[text.rfind(" ") + 1 :]:
        return "stop"
    return "hang" if text[-1] in ",;:-–(" else "open"


def _is_open(before: str, after: str) -> bool:
    last = before[before.rfind(" ") + 1 :]
    return _end(before) == "hang" or last.casefold() in _LINKING or _begins_small(after)


def _begins_small(text: str) -> bool:
    return text[0].islower() or text[0] == "("


_LINKING = frozenset("a an the of for with in on to and or via by from at as into over under using is are that which we our".split())


def _fullness(content: Sequence[Line], between: Sequence[tuple[Line, ...]]) -> list[str]:
    """For each line, how full the one before it was."""
    width = _width(content, between)
    out = ["unwrapped"] * len(content)
    start = 0
    for end in range(1, len(content) + 1):
        if end < len(content) and not content[end].after_blank and not between[end]:
            continue
        block = content[start:end]
        within = width or _own_width(block)
        for place in range(start + 1, end):
            out[place] = _full(content[place - 1], content[place], within, exact=bool(width)) if within else "unwrapped"
        if width and end < len(content):
            out[end] = _full(content[end - 1], content[end], width, exact=True)
        start = end
    return out


def _width(content: Sequence[Line], between: Sequence[tuple[Line, ...]]) -> int:
    """The width that the page was wrapped at, or 0: a third of its lines must be as full as words allow."""
    pairs = [
        (line.width, line.width + 1 + len(after.text.split(" ", 1)[0]))
        for line, after, parts in zip(content, content[1:], between[1:], strict=False)
        if not parts and not after.after_blank
    ]
    widths = Counter(line for line, _ in pairs if 40 <= line <= _WIDEST)
    long = sum(line > _WIDEST for line, _ in pairs)
    if len(pairs) < 3 or not widths or long * 3 > len(pairs):
        return 0
    wide = sorted(widths.elements())
    full = {
        width: sum(line <= width < with_next for line, with_next in pairs) for width in {wide[-1 - len(wide) * q // 1000] for q in _LONGER}
    }
    width = max(full, key=lambda width: full[width])
    return width if full[width] * 3 > len(pairs) else 0


def _own_width(block: Sequence[Line]) -> int:
    widest = max(line.width for line in block)
    return widest if len(block) > 2 and widest <= _WIDEST else 0


def _full(line: Line, after: Line, width: int, *, exact: bool) -> str:
    if line.broken:
        return "full"
    if exact:
        return "full" if line.width + 1 + len(after.raw.split(" ", 1)[0]) > width else "loose"
    return "near" if line.width * 4 >= width * 3 else "short"


# The model


def _prior() -> Tables:
    steps = {step: math.log(chance) for step, (_, chance) in _STEPS.items()}
    gaps: dict[str, dict[str, dict[str, float]]] = {}
    for name, chances in (*_GAPS.items(), ("open", _OPEN)):
        gaps[name] = {gap: {"yes": math.log(chance), "no": math.log(1 - chance)} for gap, chance in _all_gaps(chances).items()}
    for name, table, values in (("full", _FULL, _FULLNESS), ("end", _ENDS, _END_VALUES)):
        gaps[name] = {gap: dict(zip(values, map(math.log, chances), strict=True)) for gap, chances in _all_gaps(table).items()}
    gaps["end"]["orphan"] = gaps["end"]["body"]  # a title's end, though no abstract follows
    emissions = {
        name: {who: dict(zip(_VALUES[name], map(math.log, chances), strict=True)) for who, chances in table.items()}
        for name, table in _EMISSIONS.items()
    }
    return steps, gaps, emissions


def _all_gaps(chances: Mapping[str, _Chance]) -> dict[str, _Chance]:
    return {**chances, "orphan": chances["next"], "lost": chances["next"]}


def _looks(feature: str, role: Role) -> str:
    """The table of a role; lines of one part share what tells no beginning."""
    who = _EMITS[role]
    return who if who in _EMISSIONS[feature] else {"title more": "title", "paragraph": "abstract"}[who]


def _learn(seen: Sequence[_Seen], roles: Sequence[Role]) -> Tables:
    """The tables that the page, read so, shows; the prior counts as some lines more."""
    steps, gaps, emissions = _prior()
    taken = Counter(pairwise(roles))
    gap_seen: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    emitted: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for place, (one, role) in enumerate(zip(seen, roles, strict=True)):
        for name, value in one.emitted:
            emitted[name, _looks(name, role)][value] += 1
        if place and (crossed := _STEPS[roles[place - 1], role][0]) not in _UNLEARNT:
            for name, value in one.gap:
                gap_seen[name, crossed][value] += 1
    for (name, crossed), counts in gap_seen.items():
        if name in _GAPS or name == "end":
            gaps[name][crossed] = _moved(gaps[name][crossed], counts)
    for (name, who), counts in emitted.items():
        if name in _LEARNT:
            emissions[name][who] = _moved(emissions[name][who], counts, _LOOKS_STRENGTH)
    for name in gaps:
        gaps[name] = _all_gaps({crossed: table for crossed, table in gaps[name].items() if crossed not in _UNLEARNT})
    gaps["end"]["orphan"] = gaps["end"]["body"]
    return _moved_steps(steps, taken), gaps, emissions


def _moved(table: Mapping[_Key, float], counts: Mapping[_Key, int], strength: float = _STRENGTH) -> dict[_Key, float]:
    total = strength + sum(counts.values())
    return {value: math.log((math.exp(prior) * strength + counts.get(value, 0)) / total) for value, prior in table.items()}


def _moved_steps(steps: dict[tuple[Role, Role], float], taken: Counter[tuple[Role, Role]]) -> dict[tuple[Role, Role], float]:
    moved = dict(steps)
    for role in Role:
        learnt = {step: chance for step, chance in steps.items() if step[0] is role and _STEPS[step][0] not in _UNLEARNT}
        share = math.log(sum(map(math.exp, learnt.values())))
        normal = {step: chance - share for step, chance in learnt.items()}
        moved |= {step: chance + share for step, chance in _moved(normal, {step: taken[step] for step in normal}).items()}
    return moved


class _Scores:
    """Log chances of what is seen, kept for each look that recurs."""

    def __init__(self, tables: Tables) -> None:
        self._steps, self._gaps, self._emissions = tables
        self._emitted: dict[tuple[object, bool], list[float]] = {}
        self._crossed: dict[object, list[tuple[int, int, float]]] = {}
        self._chances: dict[object, list[float]] = {}
        self._step_chances: dict[object, list[tuple[int, int, float]]] = {}

    def emitted(self, seen: _Seen) -> list[float]:
        """For each role."""
        key = (seen.emitted, seen.title_possible)
        if key not in self._emitted:
            self._emitted[key] = [
                sum(self._emissions[name][_looks(name, role)][value] for name, value in seen.emitted)
                if seen.title_possible or role in _PROSE
                else _IMPOSSIBLE
                for role in Role
            ]
        return self._emitted[key]

    def chances(self, seen: _Seen) -> list[float]:
        """The same, no logarithms."""
        key = (seen.emitted, seen.title_possible)
        if key not in self._chances:
            self._chances[key] = [math.exp(score) for score in self.emitted(seen)]
        return self._chances[key]

    def step_chances(self, seen: _Seen) -> list[tuple[int, int, float]]:
        """The same as `crossed`, no logarithms."""
        if seen.gap not in self._step_chances:
            self._step_chances[seen.gap] = [(source, target, math.exp(score)) for source, target, score in self.crossed(seen)]
        return self._step_chances[seen.gap]

    def crossed(self, seen: _Seen) -> list[tuple[int, int, float]]:
        """For each step: from, to, log chance."""
        if seen.gap not in self._crossed:
            self._crossed[seen.gap] = [
                (source, target, self._steps[source, target] + sum(self._gaps[name][gap][value] for name, value in seen.gap))
                for (source, target), (gap, _) in _STEPS.items()
            ]
        return self._crossed[seen.gap]


_PROSE = (_A, _AM, _P, _PM)
_SAME: dict[Role, tuple[Role, ...]] = {role: _PROSE if role in _PROSE else (role,) for role in Role}
"""Roles that make the same entry: where an abstract's lines break changes nothing."""
_IMPOSSIBLE = -1e4
_START = [math.log({_T: 0.97, _A: 0.01, _B: 0.02}.get(role, 1e-9)) for role in Role]
_END = [math.log(0.02) if role in {_T, _TM, _U} else 0.0 for role in Role]
"""A page may break off after a title, but seldom does."""


def _best(seen: Sequence[_Seen], tables: Tables) -> list[Role]:
    """Viterbi's sequence of roles."""
    if not seen:
        return []
    scores = _Scores(tables)
    reached = [start + score for start, score in zip(_START, scores.emitted(seen[0]), strict=True)]
    back: list[list[int]] = []
    for one in seen[1:]:
        best, came = [-math.inf] * len(Role), [0] * len(Role)
        for source, target, step in scores.crossed(one):
            if (score := reached[source] + step) > best[target]:
                best[target], came[target] = score, source
        reached = [score + emitted for score, emitted in zip(best, scores.emitted(one), strict=True)]
        back.append(came)
    role = max(Role, key=lambda role: reached[role] + _END[role])
    roles = [role]
    for came in reversed(back):
        role = Role(came[role])
        roles.append(role)
    return roles[::-1]


def _chances(seen: Sequence[_Seen], roles: Sequence[Role], tables: Tables) -> list[float]:
    """How sure each line's part is: forward and backward over all sequences, scaled at each line."""
    scores = _Scores(tables)
    emitted = [scores.chances(one) for one in seen]
    steps = [scores.step_chances(one) for one in seen]
    ahead = [_scaled([math.exp(start) * here for start, here in zip(_START, emitted[0], strict=True)])]
    for place in range(1, len(seen)):
        reached = [0.0] * len(Role)
        for source, target, chance in steps[place]:
            reached[target] += ahead[-1][source] * chance
        ahead.append(_scaled([chance * here for chance, here in zip(reached, emitted[place], strict=True)]))
    behind = [math.exp(end) for end in _END]
    out = [0.0] * len(seen)
    for place in range(len(seen) - 1, -1, -1):
        both = [one * other for one, other in zip(ahead[place], behind, strict=True)]
        total = sum(both)
        out[place] = sum(both[role] for role in _SAME[roles[place]]) / total if total else 0.0
        before = [0.0] * len(Role)
        for source, target, chance in steps[place]:
            before[source] += chance * emitted[place][target] * behind[target]
        behind = _scaled(before)
    return out


def _scaled(chances: list[float]) -> list[float]:
    total = sum(chances)
    return [chance / total for chance in chances] if total else chances
