"""Questions in, cited answers out. Knows the library (`index`); knows nothing of pages.

    from assistant import Assistant, answer

Importing this is cheap: models load when the first question is asked.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from threading import Lock

from assistant.answer import Answer, Citation, Done, Event, Reset, Retrieved, RetrievedPaper, Text, Usage
from assistant.errors import AssistantError
from assistant.pipeline import Assistant
from assistant.query.filters import Filters
from index import chosen_home

__version__ = "0.1.0"
__all__ = [
    "Answer",
    "Assistant",
    "AssistantError",
    "Citation",
    "Done",
    "Event",
    "Filters",
    "Reset",
    "Retrieved",
    "RetrievedPaper",
    "Text",
    "Usage",
    "answer",
]


def answer(question: str) -> Answer:
    """The answer from the default home, with what its settings say. Raises as `Assistant` does."""
    home, chosen = chosen_home(None)
    with _opening:
        assistant = _opened(home if chosen else None)
    return assistant.answer(question)


_opening = Lock()


@cache
def _opened(home: Path | None) -> Assistant:
    """One assistant for each home, kept open; None is the default home, which fills itself at first use."""
    return Assistant(home)
