"""What an answerer is given, and what it gives."""

from __future__ import annotations

from dataclasses import dataclass

from assistant.answer import Citation, Usage
from assistant.evidence.comparison import Table
from assistant.evidence.sources import Group, Source
from assistant.query.question import Question
from index.lexical import Terms


@dataclass(frozen=True)
class Request:
    """All that an answer is made of."""

    question: Question
    """As asked, misspelt words mended."""
    terms: Terms
    """Of the question as read with its history."""
    sources: tuple[Source, ...]
    """Best first."""
    earlier: tuple[str, ...] = ()
    """The questions before this one."""
    replies: tuple[str, ...] = ()
    """The answers to them, in the same order; empty where one is not known."""
    table: Table | None = None
    """Of a comparison: its sides and what each says."""
    groups: tuple[Group, ...] = ()
    """Of an overview: the sources by what they share; none where they share nothing beyond the theme."""


@dataclass(frozen=True)
class Draft:
    """A finished answer's text with its citations."""

    text: str
    citations: tuple[Citation, ...]
    answered: bool = True
    reason: str | None = None
    warnings: tuple[str, ...] = ()
    usage: Usage | None = None
