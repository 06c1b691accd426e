"""The turns before a question, and what they lend it.

Goes in: history as users give it. Comes out: the readings that a last turn can have: alone,
or together with the turn before. Which one holds is seen from what the library answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assistant.answer import Answer

Turn = str | tuple[str, Answer]
"""An earlier question, alone or with its answer."""


@dataclass(frozen=True)
class Context:
    """What the history lends a question."""

    previous: str = ""
    """The last earlier question that stands on its own, with the turns since."""
    cited: tuple[str, ...] = ()
    """Ids of the papers that the last answer cited, in order."""

    def joined(self, question: str) -> str:
        """The question read together with what came before."""
        return f"{self.previous} {question}".strip()


def context_of(history: Sequence[Turn]) -> Context:
    """What these turns lend the next one; nothing where there are none."""
    if not history:
        return Context()
    last = history[-1]
    cited: list[str] = []
    if not isinstance(last, str):
        cited = list(dict.fromkeys(citation.paper_id for citation in last[1].citations))
    return Context(questions(history)[-1], tuple(cited))


def questions(history: Sequence[Turn]) -> list[str]:
    """The earlier questions, in order."""
    return [turn if isinstance(turn, str) else turn[0] for turn in history]
