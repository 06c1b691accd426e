"""Which questions of a set are asked. Pure functions.

Goes in: questions, and what was asked for on the command line. Comes out: some of them, in their order.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Sequence

from eval.questions import GoldQuestion, QuestionSetError


def of_kinds(questions: Sequence[GoldQuestion], kinds: Sequence[str]) -> list[GoldQuestion]:
    """Those of these kinds. Raises `QuestionSetError` for a kind that the set does not have."""
    known = list(dict.fromkeys(one.kind for one in questions))
    for kind in kinds:
        if kind not in known:
            near = difflib.get_close_matches(kind, known, n=1)
            meant = f" (did you mean “{near[0]}”?)" if near else ""
            raise QuestionSetError(f"no question is of the kind “{kind}”{meant}; kinds of this set: {', '.join(known)}")
    return [one for one in questions if one.kind in kinds]


def first_of_each_kind(questions: Sequence[GoldQuestion], count: int) -> list[GoldQuestion]:
    """The first so many of each kind; all, where there are fewer."""
    seen: Counter[str] = Counter()
    chosen = []
    for one in questions:
        seen[one.kind] += 1
        if seen[one.kind] <= count:
            chosen.append(one)
    return chosen


def with_gold(questions: Sequence[GoldQuestion]) -> list[GoldQuestion]:
    """Those that some paper answers. Raises `QuestionSetError` where there are none."""
    chosen = [one for one in questions if one.gold_titles]
    if not chosen:
        raise QuestionSetError("none of these questions has gold to leave out: choose other --kinds, or ask without --leave-out-gold")
    return chosen
