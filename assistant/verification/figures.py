"""The figures of a text: how much, of what unit, and how they are bounded.

Goes in: a text. Comes out: its figures, written alike however they were written: `2.4x` for `2.4
times`, `2.4×` or `2.4-fold`, `15%` for `15 percent`, `1500000000` for `1.5B` and `1.5 billion`.
Knows which figure may stand for another: the same one, a spelled number, a rounded one where a
rounding word says so, a half for 50%.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from assistant.verification.lexicon import SPELLED
from assistant.verification.wording import normalise

_SCALES = {
    "k": 1e3, "K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12,
}  # fmt: skip
_FIGURE = re.compile(
    r"(?<![A-Za-z\d.])(?<![A-Za-wyz]-)(?<![A-Za-z]x-)(\d+(?:\.\d+)?)(?:\s?(x(?![A-Za-z\d])|%)|(k|K|M|B|T)(?![A-Za-z])|[\s-](thousand|million|billion|"
    r"trillion)\b)?"
)
_SPELLED = re.compile(rf"\b({'|'.join(SPELLED)})\b(?:[\s-](thousand|million|billion|trillion)\b)?", re.IGNORECASE)
_UPPER = re.compile(
    r"\b(?:up to|as (?:much|many|high|low|large|few|little) as|at most|(?:no|not) more than|less than|fewer than|under|below|within|"
    r"(?:a )?maximum of)"
    r"\s+(?:an?\s+|about\s+|around\s+|approximately\s+|roughly\s+|[~≈]\s*)?$",
    re.IGNORECASE,
)
_LOWER = re.compile(
    r"\b(?:at least|more than|over|above|exceed(?:s|ing)?|beyond|(?:greater|larger|higher|better) than|(?:no|not) less than)"
    r"\s+(?:an?\s+|about\s+|around\s+|approximately\s+|[~≈]\s*)?$|[>]\s*$",
    re.IGNORECASE,
)
_ROUND = re.compile(
    r"(?:\b(?:nearly|almost|about|around|approximately|roughly|some|circa|close to|over|more than|an? (?:average|"
    r"average of))\s+(?:an?\s+)?|[~≈∼]\s*|\bsim\s*)$",
    re.IGNORECASE,
)
_BEFORE = 34
"""Characters before a figure in which its bound stands."""
_NEAR = 0.051
"""How far, as a share, a figure may be from another that a rounding word stands before."""


@dataclass(frozen=True)
class Figure:
    """A figure in a text."""

    value: float
    unit: str
    """`x`, `%` or nothing."""
    start: int
    end: int
    """Place in the normalised text."""
    bound: str
    """`upper`, `lower`, or nothing."""
    rounded: bool
    """Whether a rounding word stands before it."""
    spelled: bool
    """Whether it is in words."""


def figures_in(text: str) -> list[Figure]:
    """The figures of a text that is normalised already."""
    found = [_figure(text, match, *_value(match), spelled=False) for match in _FIGURE.finditer(text)]
    for match in _SPELLED.finditer(text):
        (one,) = list(_FIGURE.finditer(SPELLED[match[1].casefold()]))
        value, unit = _value(one)
        found.append(_figure(text, match, value * _SCALES.get((match[2] or "").casefold(), 1.0), unit, spelled=True))
    return sorted(found, key=lambda figure: figure.start)


_LOWEST_BOUND = 1.25
"""How far a figure may lie over what a sentence calls its lower bound: `more than 3x` says 3.2x, not 30x."""


def read_figures(text: str) -> list[Figure]:
    """The figures of a text as it is written."""
    return figures_in(normalise(text))


def missing(said: Iterable[Figure], held: Iterable[Figure]) -> list[Figure]:
    """Those figures of a sentence that an abstract does not hold, nor another that they may stand for.

    Numbers in words are left out: `one of two parts` is often said of what no abstract counts.
    """
    there = list(held)
    return [figure for figure in said if not figure.spelled and not any(stands_for(figure, other) for other in there)]


def stands_for(said: Figure, held: Figure) -> bool:
    """Whether an abstract's figure bears out a sentence's."""
    if said.unit != held.unit and said.unit and held.unit:
        return _as_share(said, held)
    if said.value == held.value:
        return True
    if said.bound == "lower" and said.value <= held.value <= _LOWEST_BOUND * said.value:
        return True
    near = abs(said.value - held.value) <= _NEAR * max(abs(held.value), 1e-9)
    return near and (said.rounded or (held.rounded and said.bound == held.bound))


def _as_share(said: Figure, held: Figure) -> bool:
    """Whether `2x` says what `50%` or `100%` does: a half, or twice."""
    times, share = (said.value, held.value) if said.unit == "x" else (held.value, said.value)
    return times > 1 and any(abs(share - each) < 1.0 for each in (100.0 / times, 100.0 * (times - 1), 100.0 - 100.0 / times))


def _value(match: re.Match[str]) -> tuple[float, str]:
    scale = _SCALES.get(match[3] or match[4] or "", 1.0)
    return round(float(match[1]) * scale, 6), match[2] or ""


def _figure(text: str, match: re.Match[str], value: float, unit: str, spelled: bool) -> Figure:
    before = text[max(0, match.start() - _BEFORE) : match.start()]
    bound = "upper" if _UPPER.search(before) else "lower" if _LOWER.search(before) else ""
    return Figure(value, unit, match.start(), match.end(), bound, bool(_ROUND.search(before)), spelled)
