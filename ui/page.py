"""The page: its header, its tabs, and how its parts tell each other what changed. Each part is built in a file of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from assistant import Assistant
from assistant.conversations import Conversations
from assistant.llms import EXTRACTIVE
from ui import library
from ui.chat import Changes, Chat
from ui.conversation import View
from ui.endpoints import Endpoints
from ui.frame import AT_ONCE, QUIET, Frame
from ui.markup import escape
from ui.papers_in import PapersIn
from ui.reader import Reader
from ui.writer import WriterChoice

TITLE = "Paper Assistant"
CHAT, ADDING, WRITER = "chat", "adding", "writer"
"""Tabs, by id."""
PARTS: tuple[tuple[str, str, Callable[[Frame], None]], ...] = (("library", "Library", library.build),)
"""The tabs between the chat and the papers' coming in: id, label, and what builds one, in `ui/`."""

_MOST_THREADS = 100
"""That Gradio may use; many wait for their turn."""


class Page:
    """One page over one assistant; many tabs at once, each with a `View` of its own."""

    def __init__(self, assistant: Assistant, conversations: Conversations, choose_llm: bool, may_add: bool) -> None:
        """Makes the components, within a `gr.Blocks`. `choose_llm`: whether readers may name another LLM; `may_add`: add papers."""
        self._assistant = assistant
        self._may_add = may_add
        frame = Frame(assistant, conversations, gr.State(View()), gr.State(()), may_add)
        self._chat = Chat(frame, Reader(assistant, conversations))
        papers_in = PapersIn(assistant.library)
        writer = WriterChoice(assistant) if choose_llm else None
        with gr.Sidebar(width=290, elem_id="pa-side", open=True):
            self._chat.build_side()
        with gr.Row(elem_id="pa-top"):
            self._header = gr.HTML(self._told(), elem_id="pa-header")
            self._writes = gr.HTML(self._writer_told(assistant.mode, choose_llm), elem_id="pa-writes")
            gr.HTML(_SWITCH, elem_id="pa-switch")
        with gr.Tabs(elem_id="pa-tabs") as tabs:
            with gr.Tab("Chat", id=CHAT, elem_id="pa-asking") as chat_tab:
                self._chat.build()
                with self._chat.dock:
                    if writer:
                        writer.build_offers()
                    with gr.Accordion("Which papers", open=False, elem_id="pa-options") as options, gr.Row():
                        self._chat.build_narrowing()
            for key, label, build_part in PARTS:
                with gr.Tab(label, id=key, elem_id=f"pa-{key}"):
                    build_part(frame)
            with gr.Tab("Add papers", id=ADDING, elem_id="pa-papers", visible=may_add):
                if may_add:
                    papers_in.build()
            with gr.Tab("LLM", id=WRITER, elem_id="pa-writer", visible=writer is not None) as writer_tab:
                if writer:
                    writer.build()
        self._tabs = tabs
        self._chat.wire(tabs, options)
        looked = chat_tab.select(self._chat.look_again, frame.view, self._chat.chat, **AT_ONCE)
        arriving = [self._chat.box, self._chat.chat, frame.view, *self._chat.around, self._header, tabs]
        arrived = gr.context.Context.root_block.load(self.arrive, None, arriving, concurrency_limit=None, **QUIET)  # type: ignore[union-attr]
        for there in (arrived, looked):
            there.then(self._chat.begin, None, self._chat.chat, concurrency_limit=None, **QUIET)
        if may_add:
            papers_in.wire(self._header, self._told)
        if writer:
            writer.wire(self._chat.choice, self._writes, self._writer_told, writer_tab)
        Endpoints(assistant).build()

    def arrive(self, request: gr.Request) -> Changes:
        """What a tab shows when it is opened or reloaded; of an empty library, how papers come in."""
        is_empty = self._may_add and not self._assistant.library.catalogue.count()
        place: dict[Any, Any] = {self._header: self._told()}
        if is_empty:  # else the tab stays that the reader may have pressed meanwhile
            place[self._tabs] = gr.Tabs(selected=ADDING)
        return {**self._chat.arrive(request), **place}

    def _told(self) -> str:
        """What is in the library."""
        catalogue = self._assistant.library.catalogue
        starters = [source.starter for source, _ in catalogue.sources()]
        told = f"{catalogue.count():,} papers"
        if any(starters):
            told += f", {'all' if all(starters) else 'some'} summarised in our own words"
        return f'<div class="pa-header"><h1>{TITLE}</h1><p>{escape(told)}</p></div>'

    @staticmethod
    def _writer_told(llm: str, may_choose: bool = True) -> str:
        """What writes the answers; pressed, it leads to the choice (`page.js`)."""
        told = escape("Answers quote, no LLM" if llm == EXTRACTIVE else f"Answers by {llm}")
        return f'<button type="button" title="{told}">{told}</button>' if may_choose else f'<span title="{told}">{told}</span>'


def build(assistant: Assistant, conversations: Conversations, choose_llm: bool = True, may_add: bool = True) -> gr.Blocks:
    """The page, not yet served. `choose_llm`: whether its readers may name another LLM; `may_add`: add papers."""
    blocks = gr.Blocks(title=TITLE, analytics_enabled=False)
    with blocks:
        Page(assistant, conversations, choose_llm, may_add)
    blocks.max_threads = _MOST_THREADS
    blocks.queue(default_concurrency_limit=8)
    return blocks


_SWITCH = '<button type="button" class="pa-theme" aria-label="Light or dark" title="Light or dark"></button>'
