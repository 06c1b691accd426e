"""Answers questions for the page: turns an assistant's events into a conversation that grows, and is kept.

Knows `assistant`; knows nothing of Gradio. One `Reader` serves many tabs at once.
"""

from __future__ import annotations

import ctypes
import itertools
import logging
import sys
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace

from assistant import Assistant, AssistantError, Done, Reset, Text
from assistant.conversations import Conversations, Exchange, history, title_of
from assistant.llms import EXTRACTIVE
from index import IndexingError, Paper
from ui.conversation import Messages, View, messages, pair, paper_ids
from ui.examples import questions_on
from ui.narrowing import Narrowing
from ui.polling import polled
from ui.render import MEDIUM, answer_html, coming_html, failed_html, notice_html, unfinished_html, waiting_html
from ui.waiting import Line

_PULSE_SECONDS = 0.5
_WAITING_PULSE_SECONDS = 1.5
"""Each pulse of each who waits costs processor time that answers need; a turn that comes is noticed at once."""
_KEPT_EVERY_SECONDS = 1.0
"""How much of a text that is still coming a crash may cost."""
_TRIMMED_EVERY = 20
"""Answers after which freed memory is given back to the system."""
log = logging.getLogger(__name__)


_QUOTING_AT_ONCE = 4
_WRITING_AT_ONCE = 8
"""An LLM's answers mostly wait for it."""
FOLLOW_UPS = ("What results does it reach?", "How is it evaluated?", "What are its limitations?", "What problem does it address?")
"""What is asked silently after an answer, to be offered where it can be answered."""
_MOST_FOLLOW_UPS = 3


@dataclass(frozen=True)
class Choice:
    """What a reader chose for his questions."""

    narrowing: Narrowing = field(default_factory=Narrowing)
    llm: str | None = None
    """None for the one that the page was started with."""
    temperature: float = 0.0
    """0 to 2, of an LLM that is named here."""


Shown = tuple[View, Messages]
"""What a tab is at, and its conversation as messages."""


class Reader:
    """Answers over one assistant's library, each kept among its conversations."""

    def __init__(self, assistant: Assistant, conversations: Conversations) -> None:
        self._assistant = assistant
        self._conversations = conversations
        self._live: set[int] = set()
        self._answers = itertools.count(1)
        self._quoting, self._writing = Line(_QUOTING_AT_ONCE), Line(_WRITING_AT_ONCE)

    def messages(self, view: View) -> Messages:
        """The open conversation as it is kept, whoever asked in it."""
        return self._messages(self._kept(view).exchanges(view.conversation_id))

    def ask(self, question: str, view: View, choice: Choice) -> Iterator[Shown]:
        """The conversation with this question, again and again as its answer comes; the same again while none does.

        The question is kept before it is answered. A failure becomes a notice in its place; what was there before always stays,
        but for the exchange that the question replaces, and those after it.
        """
        kept = self._kept(view)
        shown: Messages = []
        try:
            if view.replacing:
                self._replaced(view, question)
                view = replace(view, replacing=0)
            if not kept.conversation(view.conversation_id):
                view = replace(view, conversation_id=kept.begin(question))
            before = kept.exchanges(view.conversation_id)
            shown = self._messages(before)
            asking = kept.ask(view.conversation_id, question)
        except IndexingError as error:
            yield view, [*shown, *pair(question, notice_html(_sentence(str(error))))]
            return
        view = replace(view, asking=asking)
        latest = [*shown, *pair(question, waiting_html("Searching the papers…"))]
        self._live.add(asking)
        stop = threading.Event()
        coming = _Coming(kept, asking)
        try:
            yield view, latest
            with self._line(choice).place() as place:
                shown_place = 0
                while waiting := place.wait(_WAITING_PULSE_SECONDS):
                    if waiting != shown_place:  # the page is sent only what changed
                        words = f"Waiting for {waiting} question{'' if waiting == 1 else 's'} before yours…"
                        latest, shown_place = [*shown, *pair(question, waiting_html(words))], waiting
                    yield view, latest
                for reply in polled(self._replies(question, before, choice, coming, stop), _PULSE_SECONDS):
                    if reply is not None:
                        latest = [*shown, *pair(question, reply)]
                    yield view, latest
        except (AssistantError, IndexingError) as error:
            yield view, [*shown, *pair(question, self._failed(coming, str(error)))]
        except Exception as error:  # the last edge: told to the reader here, in full on the terminal
            log.exception("the question could not be answered")
            told = str(error) or type(error).__name__
            why = f"The program failed on this question ({told}). The terminal it runs in says more."
            yield view, [*shown, *pair(question, self._failed(coming, why))]
        finally:
            stop.set()  # a reader who left: the LLM's request ends at once, however silent it is
            self._live.discard(asking)
            coming.end()
            if not next(self._answers) % _TRIMMED_EVERY:
                _give_back_memory()

    def answerable(self, questions: Sequence[str], most: int) -> list[str]:
        """The first `most` of these questions that are answered by quoting, and not with low confidence."""
        quoting, found = self._answering(Choice(llm=EXTRACTIVE)), list[str]()
        for question in questions:
            with self._quoting.place() as place:
                while place.wait(_WAITING_PULSE_SECONDS):
                    pass
                told = quoting.answer(question)
            if told.answered and told.confidence >= MEDIUM:
                found.append(question)
            if len(found) == most:
                break
        return found

    def follow_ups(self, view: View, choice: Choice) -> list[str]:
        """What can be asked next and has an answer of another sentence than the last; nothing while others wait for theirs."""
        exchanges = self._kept(view).exchanges(view.conversation_id)
        last = exchanges[-1].answer if exchanges else None
        if last is None or not last.answered or not last.citations or self._quoting.is_busy:
            return []
        titles = list(dict.fromkeys(one.display_title for one in last.citations))
        asked_before = {exchange.question for exchange in exchanges}
        quoting = self._answering(Choice(llm=EXTRACTIVE))
        said = {one.quote for exchange in exchanges if exchange.answer for one in exchange.answer.citations}
        offered: list[str] = []
        with self._quoting.place():
            for question in FOLLOW_UPS if len(titles) == 1 else questions_on(titles):
                if question in asked_before or len(offered) == _MOST_FOLLOW_UPS:
                    continue
                asked = quoting.answer(question, history(exchanges), choice.narrowing.filters(self._assistant.library))
                quotes = {one.quote for one in asked.citations}
                is_new = not quotes & said if len(titles) == 1 else bool(quotes - said)
                if asked.answered and asked.confidence >= last.confidence / 2 and is_new:
                    offered.append(question)
                    said |= quotes
        return offered

    def stop(self, view: View) -> None:
        """Notes that the answer that was coming in this tab was stopped; nothing where it is there."""
        if view.asking:
            self._kept(view).stop(view.asking)

    def _kept(self, view: View) -> Conversations:
        return self._conversations.owned_by(view.owner)

    def _replaced(self, view: View, question: str) -> None:
        """Makes room for the question where it is to take another's place; a conversation named by that is then named by this."""
        kept = self._kept(view)
        named, exchanges = kept.conversation(view.conversation_id), kept.exchanges(view.conversation_id)
        kept.replace(view.conversation_id, view.replacing)
        if named and exchanges and exchanges[0].exchange_id == view.replacing and named.title == title_of(exchanges[0].question):
            kept.rename(view.conversation_id, question)

    def _messages(self, exchanges: Sequence[Exchange]) -> Messages:
        return messages(exchanges, self._papers(paper_ids(exchanges)), self._live)

    def _papers(self, ids: Sequence[str]) -> dict[str, Paper]:
        return {paper.paper_id: paper for paper in self._assistant.library.papers(list(ids))}

    def _replies(
        self, question: str, before: Sequence[Exchange], choice: Choice, coming: _Coming, stop: threading.Event
    ) -> Generator[str, None, None]:
        """The reply's HTML as it grows."""
        filters = choice.narrowing.filters(self._assistant.library)
        unfinished = ""
        for event in self._answering(choice).stream(question, history(before), filters, stop):
            if isinstance(event, Text):
                yield coming_html(coming.add(event.delta))
            elif isinstance(event, Reset):
                thrown = coming.begin_anew()
                unfinished = thrown if event.unfinished else ""
                yield waiting_html("Quoting the papers instead…" if event.unfinished else "Thinking…")
            elif isinstance(event, Done):
                coming.kept.finish(coming.exchange_id, event.answer, unfinished)
                exchange = Exchange(coming.exchange_id, question, 0.0, "", unfinished, event.answer)
                yield answer_html(event.answer, self._papers(paper_ids([exchange])), len(before) + 1) + unfinished_html(unfinished)

    def _line(self, choice: Choice) -> Line:
        return self._quoting if self._name(choice.llm) == EXTRACTIVE else self._writing

    def _name(self, llm: str | None) -> str:
        return self._assistant.mode if llm is None else llm.strip() or EXTRACTIVE

    def _answering(self, choice: Choice) -> Assistant:
        """The assistant that answers with the LLM that was chosen, over the same open library."""
        own, name = self._assistant, self._name(choice.llm)
        is_own = choice.llm is None or (name == own.mode and not choice.temperature and not own.unusable)
        return own if is_own else own.varied(name, temperature=choice.temperature)

    def _failed(self, coming: _Coming, why: str) -> str:
        coming.kept.fail(coming.exchange_id, _sentence(why))
        return failed_html(_sentence(why))


class _Coming:
    """The text of one answer as it comes, kept now and then."""

    def __init__(self, kept: Conversations, exchange_id: int) -> None:
        self.kept = kept
        self.exchange_id = exchange_id
        self._text = ""
        self._due = time.monotonic() + _KEPT_EVERY_SECONDS

    def add(self, delta: str) -> str:
        """The text so far."""
        self._text += delta
        if time.monotonic() > self._due:
            self.kept.keep(self.exchange_id, self._text)
            self._due = time.monotonic() + _KEPT_EVERY_SECONDS
        return self._text

    def begin_anew(self) -> str:
        """Throws away what came, and returns it."""
        thrown, self._text = self._text, ""
        return thrown

    def end(self) -> None:
        """Keeps what came as stopped, unless there is an answer."""
        self.kept.keep(self.exchange_id, self._text)
        self.kept.stop(self.exchange_id)


def _give_back_memory() -> None:
    """What answers have freed, which glibc otherwise keeps in pieces: 63 MB after 60 answers. Nothing where there is another libc."""
    if sys.platform == "linux" and (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)):
        trim(0)


def _sentence(message: str) -> str:
    return message[:1].upper() + message[1:]
