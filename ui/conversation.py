"""One reader's conversation, as the page keeps it for each tab. Records; knows no Gradio."""

from __future__ import annotations

from dataclasses import dataclass, replace

from assistant import Answer
from ui.render import question_html, stopped_html


@dataclass(frozen=True)
class Exchange:
    """A question and what the page shows for it."""

    question: str
    shown: str
    """HTML of the reply so far: an answer, text that is coming, or a notice."""
    coming: str | None = None
    """The text so far, while it comes."""
    answer: Answer | None = None
    """Once there is one; a failed or stopped exchange has none."""


Conversation = tuple[Exchange, ...]


def history(conversation: Conversation) -> list[tuple[str, Answer]]:
    """What a follow-up may refer to: the questions that were answered, with their answers."""
    return [(exchange.question, exchange.answer) for exchange in conversation if exchange.answer]


def messages(conversation: Conversation) -> list[dict[str, str]]:
    """The conversation as a Gradio chatbot takes it."""
    return [
        message
        for exchange in conversation
        for message in (
            {"role": "user", "content": question_html(exchange.question)},
            {"role": "assistant", "content": exchange.shown},
        )
    ]


def stopped(conversation: Conversation) -> Conversation:
    """The conversation with whatever was still coming marked as stopped."""
    if not conversation or conversation[-1].coming is None:
        return conversation
    last = conversation[-1]
    return (*conversation[:-1], replace(last, shown=stopped_html(last.coming or ""), coming=None))
