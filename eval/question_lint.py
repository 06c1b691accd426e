"""What is amiss in a question set, told before it is asked.

Goes in: a file and the titles of the library's papers. Comes out: one line for each thing amiss, with
file and line. Nothing here stops a run: a set may ask for more papers than a library holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from eval.questions import GoldQuestion, numbered

_LISTED = 10
"""Unknown titles that are told one by one."""
_NEAR = 60.0
"""Likeness, of 100, from which a title may be the one that was meant."""


def amiss(path: Path, titles: Sequence[str]) -> list[str]:
    """What is amiss in a set, for people. Raises `QuestionSetError` where it cannot be read."""
    questions = numbered(path)
    return [f"{path}, {remark}" for remark in (*_repeats(questions), *_empty(questions), *_unknown(questions, titles))]


def _repeats(questions: Sequence[tuple[int, GoldQuestion]]) -> Iterator[str]:
    ids: dict[str, int] = {}
    asked: dict[tuple[str, ...], int] = {}
    for number, one in questions:
        if (before := ids.setdefault(one.id, number)) != number:
            yield f"line {number}: the id “{one.id}” of line {before} again: two runs cannot be compared by it"
        words = tuple(" ".join(turn.casefold().split()) for turn in (*one.history, one.question))
        if (before := asked.setdefault(words, number)) != number:
            yield f"line {number}: the question of line {before} again: it counts twice"


def _empty(questions: Sequence[tuple[int, GoldQuestion]]) -> Iterator[str]:
    for number, one in questions:
        if not one.question.strip():
            yield f"line {number}: the question is empty"
        if any(not any(spelling.strip() for spelling in fact) for fact in one.facts):
            yield f"line {number}: a fact is empty: no answer can hold it"
        elif any(not spelling.strip() for fact in one.facts for spelling in fact):
            yield f"line {number}: a fact has an empty spelling"
        if one.facts and not one.gold_titles:
            yield f"line {number}: facts without a gold title: a fact counts only in an answer that cites a gold paper"


def _unknown(questions: Sequence[tuple[int, GoldQuestion]], titles: Sequence[str]) -> Iterator[str]:
    known = set(titles)
    lacking = [(number, title) for number, one in questions for title in (*one.gold_titles, *one.about_titles) if title not in known]
    for number, title in lacking[:_LISTED]:
        if not title.strip():
            yield f"line {number}: a gold title is empty"
            continue
        near = _nearest(title, titles)
        meant = f": did you mean {' or '.join(f'“{one}”' for one in near)}?" if near else ""
        yield f"line {number}: no paper of the library is called “{title}”{meant}"
    if len(lacking) > _LISTED:
        more = len(lacking) - _LISTED
        yield f"line {lacking[_LISTED][0]} and on: {more} more gold titles that no paper of the library has"


def _nearest(title: str, titles: Sequence[str]) -> list[str]:
    """The titles most like it, two at most."""
    from rapidfuzz import fuzz, process

    found = process.extract(title, titles, scorer=fuzz.ratio, processor=str.casefold, limit=2, score_cutoff=_NEAR)
    return [near for near, _, _ in found]
