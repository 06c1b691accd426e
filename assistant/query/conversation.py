"""The turns before a question, and what they lend it.

Goes in: history as users give it. Comes out: the readings that a last turn can have: alone,
or together with the turn before. Which one holds is seen from what the library answers.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.answer import Answer
from assistant.query.question import clean

_OPENS = re.compile(r"^(?:and|so|but|ok(?:ay)?|then|also|same|what about|how about|why|no|sure|yes|thanks?|in that case)\b", re.IGNORECASE)
_POINTS = re.compile(
    r"\b(?:it|its|they|them|their|those|these|the ones|the (?:first|second|third|former|latter|other|same)(?: one)?)\b"
    r"|\b(?:does|do|did|is|was|of|for|with|than|about|on|in|by|to|from|after|before|like) (?:that|this|there)\b"
    r"|\b(?:that|this|which) one\b",
    re.IGNORECASE,
)
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")
_POINTED = re.compile(
    rf"\bthe ({'|'.join(_ORDINALS)}|former|latter|last)"
    r"(?: one\b(?! (?:to|that|who|which)\b)| of (?:them|these|those)\b|(?: paper)?(?=\s*(?:[?.,]|$)))|\[(\d)\]",
    re.IGNORECASE,
)
"""`the second one`, `the latter?`, `[2]`; not `the first method for …`, which is plain English."""
_SAME_OF_ANOTHER = re.compile(r"^(?:(?:and|but|ok(?:ay)?|now) )*(?:the )?same\b(?! (?:paper|one|authors?|work|study)\b)", re.IGNORECASE)
"""The question before, of something else: `same but for phones?`."""
_CORRECTS = re.compile(r"^(?:no|nope|sorry|not that)\b|\bi mean(?:t)?\b", re.IGNORECASE)
_AMONG = re.compile(r"\b(?:which|what|who|any|one|some) (?:\w+ )?of (?:these|them|those)\b", re.IGNORECASE)
_NEW_TOPIC = re.compile(
    r"\b(?:forget (?:that|it|about)|never ?mind|(?:another|different|new) (?:topic|question|subject)|something else)\b", re.IGNORECASE
)

Turn = str | tuple[str, Answer]
"""An earlier question, alone or with its answer."""


@dataclass(frozen=True)
class Context:
    """What the history lends a question."""

    previous: str = ""
    """The last earlier question that stands on its own, with those since that lean on it."""
    cited: tuple[str, ...] = ()
    """Ids of the papers that the last answer cited, in order."""
    found: tuple[str, ...] = ()
    """Ids of the papers that were found for it, best first."""
    declined: bool = False
    """Whether the last answer was that the library has none."""

    def joined(self, question: str) -> str:
        """The question read together with what came before."""
        return f"{self.previous} {question}".strip()

    def pointed_at(self, question: str) -> str | None:
        """The paper of the last answer that a question means by its number (`the second one`, `[2]`): of those cited, then of the
        others found."""
        pointer = _POINTED.search(question)
        if not pointer:
            return None
        word = (pointer[1] or pointer[2]).lower()
        ordinals = {name: number for number, name in enumerate(_ORDINALS, 1)} | {"former": 1, "latter": 2, "last": len(self.cited)}
        number = int(word) if word.isdigit() else ordinals[word]
        shown_one = len(self.cited) == 1 and not word.isdigit()  # of one paper, `the second one` is something that it tells of
        listed = list(self.cited if shown_one else dict.fromkeys((*self.cited, *self.found)))
        return listed[number - 1] if 1 <= number <= len(listed) else None


def context_of(history: Sequence[Turn]) -> Context:
    """What these turns lend the next one; nothing where there are none."""
    if not history:
        return Context()
    last = history[-1]
    cited: list[str] = []
    found: tuple[str, ...] = ()
    if not isinstance(last, str):
        cited = list(dict.fromkeys(citation.paper_id for citation in last[1].citations))
        found = tuple(paper.paper_id for paper in last[1].retrieved)
    asked = questions(history)
    first = next((number for number in range(len(asked) - 1, 0, -1) if not _goes_on(history[number - 1], history[number])), 0)
    declined = not isinstance(last, str) and not last[1].answered and last[1].reason is not None
    return Context(" ".join(asked[first:]), tuple(cited), found, declined)


def _goes_on(before: Turn, after: Turn) -> bool:
    """Whether a turn leans on the one before it; not where its answer cites other papers than that one's."""
    if not leans_back(clean(after if isinstance(after, str) else after[0])):
        return False
    if isinstance(before, str) or isinstance(after, str):
        return True
    one, other = ({citation.paper_id for citation in turn[1].citations} for turn in (before, after))
    return not one or not other or bool(one & other)


def leans_back(question: str) -> bool:
    """Whether a question's own words point to the turn before."""
    return bool(_OPENS.search(question) or _POINTS.search(question)) and not _NEW_TOPIC.search(question)


def points_back(question: str) -> bool:
    """Whether a word in it stands for something in the turn before (`it`, `that one`), so that it cannot stand alone."""
    return bool(_POINTS.search(question))


def points_by_number(question: str) -> bool:
    """Whether something of the turn before is meant by its number or place (`the second one`)."""
    return bool(_POINTED.search(question))


def chooses_among(question: str) -> bool:
    """Whether it asks which of the papers at hand does something."""
    return bool(_AMONG.search(question))


def asks_the_same(question: str) -> bool:
    """Whether it is the question before, asked of something else, so that it says nothing alone."""
    return bool(_SAME_OF_ANOTHER.search(question))


def leaves_the_paper(question: str) -> bool:
    """Whether it goes on from the question before, but not from the paper that answered that: asked of something else, or put right."""
    return asks_the_same(question) or bool(_CORRECTS.search(question))


def questions(history: Sequence[Turn]) -> list[str]:
    """The earlier questions, in order, cleaned as a question is."""
    return [clean(turn if isinstance(turn, str) else turn[0]) for turn in history]


def replies(history: Sequence[Turn]) -> list[str]:
    """The text of the answers to them, in order; empty where one is not known."""
    return ["" if isinstance(turn, str) else clean(turn[1].text) for turn in history]
