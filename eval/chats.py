"""Conversations that change their subject: what is right alone must stay right after turns about other papers.

Goes in: an assistant and a question set. Comes out: for each group of questions how many are right alone, and of these the share that
stays right after one turn and after three turns about other papers, and within long chats. Beside the set's own questions, papers
that have a name of their own in their title are asked for by it, in five wordings. Questions without gold are asked so too: a turn
before must not get them answered either. The turns are drawn by a fixed seed. Knows nothing of follow-ups: the question set holds those.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from assistant import Answer, Assistant
from assistant.query.question import names_in
from eval.questions import SINGLE_PAPER, GoldQuestion
from index import Library

WORDINGS = ("How does {} work?", "What is {}?", "Tell me about {}.", "Explain {}", "What does {} do?")
NAMED = "by name"
TURNS = (1, 3)
"""After how many turns about other papers a question is asked."""
LONG = 20
"""Turns of a long chat."""
Turns = list[tuple[str, Answer]]


@dataclass(frozen=True)
class Steadiness:
    """How a group of questions fares after turns about other papers."""

    group: str
    n: int
    alone: int
    """Right alone: answered with the gold paper cited first; or declined, where there is no gold."""
    after: tuple[float | None, ...]
    """Of these, the share that is right after so many turns as `TURNS` says; None where none was right alone."""


@dataclass(frozen=True)
class Chats:
    """What was measured."""

    groups: tuple[Steadiness, ...]
    long: float | None
    """Of the turns of long chats, each right alone, the share that is right; None where there were no chats."""
    last: float | None
    """Of their last turns alone."""
    lost: tuple[str, ...]
    """What was right alone and no longer: the turn before, the question, and what was answered, a line each."""


def measure(assistant: Assistant, golds: Sequence[GoldQuestion], names: int, chats: int, tick: Callable[[], None] = lambda: None) -> Chats:
    """Asks the questions of a set that have no history of their own, and `names` papers by name, then holds `chats` long chats."""
    asked = [*(gold for gold in golds if not gold.history), *by_name(assistant.library, names)]
    alone = {}
    for gold in asked:
        tick()
        alone[gold.id] = assistant.answer(gold.question)
    right = [gold for gold in asked if is_right(gold, alone[gold.id])]
    pool = [gold for gold in right if gold.gold_titles]
    dice = random.Random(0)
    lost: list[str] = []

    def stays(gold: GoldQuestion, turns: int) -> bool:
        others = [one for one in pool if not set(one.gold_titles) & set(gold.gold_titles)]
        before = dice.sample(others, min(turns, len(others)))
        answer = assistant.answer(gold.question, [(one.question, alone[one.id]) for one in before])
        return _kept(gold, before[-1].question if before else "", answer, lost)

    shares: dict[tuple[str, int], list[bool]] = {}
    for gold in right:
        for turns in TURNS:
            tick()
            shares.setdefault((_group(gold), turns), []).append(stays(gold, turns))
    held = [_chat(assistant, dice.sample(pool, min(LONG, len(pool))), lost, tick) for _ in range(chats)]
    groups = []
    for group in dict.fromkeys(map(_group, asked)):
        after = tuple(_share(shares.get((group, turns), [])) for turns in TURNS)
        n, steady = (sum(_group(one) == group for one in some) for some in (asked, right))
        groups.append(Steadiness(group, n, steady, after))
    return Chats(tuple(groups), _share([one for chat in held for one in chat]), _share([chat[-1] for chat in held]), tuple(lost))


def by_name(library: Library, count: int) -> list[GoldQuestion]:
    """`count` papers, drawn, each asked for in all wordings by the name in its title that no other paper has."""
    found = [(name, paper.title) for paper in library.papers() if paper.abstract and (name := _own_name(paper.display_title, library))]
    drawn = random.Random(0).sample(found, min(count, len(found)))
    return [
        GoldQuestion(f"{name}-{number}", wording.format(name), NAMED, (title,), ())
        for name, title in drawn
        for number, wording in enumerate(WORDINGS, 1)
    ]


def is_right(gold: GoldQuestion, answer: Answer) -> bool:
    """Answered with a gold paper cited first; or declined, where there is no gold."""
    if not gold.gold_titles or not answer.answered:
        return not gold.gold_titles and not answer.answered
    return bool(answer.citations) and min(answer.citations, key=lambda one: one.marker).title in gold.gold_titles


def _own_name(title: str, library: Library) -> str | None:
    head, colon, _ = title.partition(":")
    names = [head] if colon and len(head.split()) == 1 else [name for name in names_in(title) if sum(map(str.isupper, name)) > 1]
    return next((name for name in names if len(library.lexical.holding(library.lexical.terms(name))) == 1), None)


def _chat(assistant: Assistant, golds: Sequence[GoldQuestion], lost: list[str], tick: Callable[[], None]) -> list[bool]:
    history: Turns = []
    right = []
    for gold in golds:
        tick()
        answer = assistant.answer(gold.question, history)
        right.append(_kept(gold, history[-1][0] if history else "", answer, lost))
        history.append((gold.question, answer))
    return right


def _kept(gold: GoldQuestion, before: str, answer: Answer, lost: list[str]) -> bool:
    right = is_right(gold, answer)
    if not right:
        lost.append(f"{before} | {gold.question} | {answer.titles()[0][1] if answer.answered and answer.citations else answer.text}")
    return right


def _group(gold: GoldQuestion) -> str:
    return gold.kind if not gold.gold_titles or gold.kind == NAMED else "one paper" if gold.kind in SINGLE_PAPER else gold.kind


def _share(right: Sequence[bool]) -> float | None:
    return sum(right) / len(right) if right else None
