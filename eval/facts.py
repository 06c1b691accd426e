"""Whether a text contains a fact, both sides normalised alike. Pure functions."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

_TIMES = re.compile(r"(?<=\d)\s*-?\s*(?:\\?times|×|fold|x)(?![a-z])")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")


def normalise(text: str) -> str:
    """Case, Unicode (NFKC), the signs for times and per cent, LaTeX braces, commas in figures."""
    text = unicodedata.normalize("NFKC", text).casefold().replace("\\%", "%")
    text = re.sub(r"[{}$]", "", text)
    text = _THOUSANDS.sub("", text)
    text = _TIMES.sub("x", text).replace("\\times", "x").replace("×", "x")
    return " ".join(text.split())


def contains(text: str, spellings: Sequence[str]) -> bool:
    """Whether one of the spellings stands in the text.

    No letter, digit or decimal point of a figure adjoins a match, but a trailing `x`, `s` or `%` may.
    """
    plain = normalise(text)
    return any(
        re.search(rf"(?<![^\W_])(?<!\d[.,]){re.escape(normalise(spelling))}[xs%]?(?![^\W_]|[.,]\d)", plain) is not None
        for spelling in spellings
        if spelling
    )


def share(text: str, facts: Sequence[Sequence[str]]) -> float:
    """The share of the facts that the text contains; there must be at least one."""
    return sum(contains(text, spellings) for spellings in facts) / len(facts)
