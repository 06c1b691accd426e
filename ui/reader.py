"""Answers questions for the page: turns an assistant's events into a conversation that grows.

Knows `assistant`; knows nothing of Gradio. One `Reader` serves many tabs at once.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace

from assistant import Answer, Assistant, AssistantError, Done, Filters, Reset, Text
from assistant.llms import EXTRACTIVE
from index import IndexingError
from ui.conversation import Conversation, Exchange, history
from ui.polling import polled
from ui.render import answer_html, coming_html, notice_html, unfinished_html, waiting_html

_PULSE_SECONDS = 0.25
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Options:
    """What a reader can set for a question, as typed; empty does not filter."""

    since: str | None = None
    until: str | None = None
    source: str | None = None
    llm: str | None = None
    """None for the one that the page was started with."""


class Reader:
    """Answers over one assistant's library."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant

    def ask(self, question: str, conversation: Conversation, options: Options) -> Iterator[Conversation]:
        """The conversation with this exchange, again and again as its answer comes; the same one
        again while none does. A failure becomes a notice in its place; what was there
        before always stays.
        """
        exchange = Exchange(question, waiting_html("Searching the papers…"), coming="")
        grown = (*conversation, exchange)
        yield grown
        stop = threading.Event()
        try:
            for newer in polled(self._exchanges(exchange, conversation, options, stop), _PULSE_SECONDS):
                if newer is not None:
                    grown = (*conversation, newer)
                yield grown
        except (AssistantError, IndexingError) as error:
            yield (*conversation, _failed(question, str(error)))
        except Exception as error:  # the last edge: told to the reader here, in full on the terminal
            log.exception("the question could not be answered")
            told = str(error) or type(error).__name__
            yield (*conversation, _failed(question, f"The program failed on this question ({told}). The terminal it runs in says more."))
        finally:
            stop.set()  # a reader who left: the LLM's request ends at once, however silent it is

    def _exchanges(
        self, exchange: Exchange, conversation: Conversation, options: Options, stop: threading.Event
    ) -> Generator[Exchange, None, None]:
        filters = Filters(since=_said(options.since), until=_said(options.until), source=_said(options.source))
        text = unfinished = ""
        for event in self._answering(options.llm).stream(exchange.question, history(conversation), filters, stop):
            if isinstance(event, Text):
                text += event.delta
                yield replace(exchange, shown=coming_html(text), coming=text)
            elif isinstance(event, Reset):
                unfinished, text = text if event.unfinished else "", ""
                yield replace(exchange, shown=waiting_html("Quoting the papers instead…" if event.unfinished else "Thinking…"))
            elif isinstance(event, Done):
                shown = self._shown(event.answer, len(conversation) + 1) + unfinished_html(unfinished)
                yield replace(exchange, shown=shown, coming=None, answer=event.answer)

    def _answering(self, llm: str | None) -> Assistant:
        """The assistant that answers with this LLM, over the same open library."""
        own = self._assistant
        name = own.mode if llm is None else _said(llm) or EXTRACTIVE
        return own if name == own.mode else Assistant(own.library.home, name, settings=own.settings, library=own.library)

    def _shown(self, answer: Answer, turn: int) -> str:
        cited = list(dict.fromkeys(citation.paper_id for citation in answer.citations))
        return answer_html(answer, {paper.paper_id: paper for paper in self._assistant.library.papers(cited)}, turn)


def _failed(question: str, message: str) -> Exchange:
    return Exchange(question, notice_html(message[:1].upper() + message[1:]))


def _said(text: str | None) -> str | None:
    return (text or "").strip() or None
