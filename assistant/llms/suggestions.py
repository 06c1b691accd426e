"""The nearest of known names, for messages about one that is not known. Pure functions."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

_MOST_LISTED = 5


def nearest(name: str, known: Sequence[str]) -> str | None:
    """The known name that was probably meant."""
    by_lower = {each.lower(): each for each in reversed(known)}
    near = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.5)
    return by_lower[near[0]] if near else None


def hint(name: str, known: Sequence[str]) -> str:
    """`did you mean …?`, else what there is; empty where nothing is known."""
    if near := nearest(name, known):
        return f"did you mean {near}?"
    if not known:
        return ""
    more = f" and {len(known) - _MOST_LISTED} more" if len(known) > _MOST_LISTED else ""
    return f"there are {', '.join(known[:_MOST_LISTED])}{more}"
