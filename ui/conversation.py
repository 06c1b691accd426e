"""What a tab shows of conversations: one of them as messages, all of them as a list by day. Pure functions; knows no Gradio."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any

from assistant.conversations import COMING, FAILED, Conversation, Exchange
from assistant.sanitize import visible
from index import Paper
from index.paper import collapse
from ui.dates import readable_date
from ui.markup import escape
from ui.render import answer_html, failed_html, question_html, stopped_html, unfinished_html, waiting_html

_MOST_LISTED = 100
"""Conversations; the list is sent anew with each question."""
Messages = list[Any]
"""As Gradio's chatbot takes them: `role` and `content` of each."""


@dataclass(frozen=True)
class View:
    """What one tab is at."""

    owner: str = ""
    """The user who is logged in; empty where nobody need be."""
    conversation_id: str = ""
    """The conversation that is open; empty before the first question of a new one."""
    asking: int = 0
    """The exchange that is being answered in this tab."""
    replacing: int = 0
    """The exchange whose place the next question takes."""
    deleted: str = ""
    """The conversation that was last deleted, to be brought back."""


def messages(exchanges: Sequence[Exchange], papers: Mapping[str, Paper], live: Collection[int] = ()) -> Messages:
    """A conversation as a Gradio chatbot takes it. `papers`: those it cites or names, by id; `live`: exchanges that are being answered."""
    shown: Messages = []
    for turn, exchange in enumerate(exchanges, 1):
        shown += pair(exchange.question, _reply(exchange, papers, turn, exchange.exchange_id in live))
    return shown


def pair(question: str, reply: str) -> Messages:
    """A question and the HTML of its reply."""
    return [{"role": "user", "content": question_html(question)}, {"role": "assistant", "content": reply}]


def paper_ids(exchanges: Sequence[Exchange]) -> list[str]:
    """The papers whose abstracts a conversation can open."""
    answers = [exchange.answer for exchange in exchanges if exchange.answer]
    cited = [citation.paper_id for answer in answers for citation in answer.citations]
    return list(dict.fromkeys([*cited, *(paper.paper_id for answer in answers if not answer.answered for paper in answer.retrieved)]))


def conversations_html(listed: Sequence[Conversation], current: str, today: date, searched: bool = False) -> str:
    """The conversations under the days they were last asked something, the current one marked."""
    if not listed:
        told = "No conversation holds these words." if searched else "Your conversations will be listed here."
        return f'<div class="pa-shelf" data-current="{escape(current)}"><p class="pa-none">{told}</p></div>'
    older = len(listed) - _MOST_LISTED
    more = f'<p class="pa-none">and {older:,} older: search for {"more words" if searched else "them above"}</p>' if older > 0 else ""
    groups = groupby(listed[:_MOST_LISTED], key=lambda one: _day(datetime.fromtimestamp(one.changed).date(), today))
    shown = "".join(f"<h3>{day}</h3><ul>{''.join(_item(one, current) for one in group)}</ul>" for day, group in groups)
    return f'<nav class="pa-shelf" aria-label="Conversations" data-current="{escape(current)}">{shown}{more}</nav>'


def _item(one: Conversation, current: str) -> str:
    marked = ' aria-current="page"' if one.conversation_id == current else ""
    name, key = escape(collapse(visible(one.title))), escape(one.conversation_id)
    return f'<li><a href="?c={key}" data-open="{key}" title="{name}"{marked}>{name}</a></li>'


def _day(day: date, today: date) -> str:
    if day >= today:
        return "Today"
    if day == today - timedelta(days=1):
        return "Yesterday"
    return readable_date(day.isoformat())


def _reply(exchange: Exchange, papers: Mapping[str, Paper], turn: int, live: bool) -> str:
    if exchange.answer:
        return answer_html(exchange.answer, papers, turn) + unfinished_html(exchange.text)
    if exchange.state == FAILED:
        return failed_html(exchange.text)
    if exchange.state == COMING and live:
        return waiting_html("Being answered in another tab; reload to see the answer")
    return stopped_html(exchange.text)
