"""The chat page: Gradio components, and what they call. What is shown comes from `ui.reader`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import gradio as gr
from gradio.components.chatbot import ExampleMessage

from assistant import Assistant
from assistant.llms import EXTRACTIVE
from assistant.llms.noticed import Offer, look
from ui.conversation import Conversation, messages, stopped
from ui.examples import example_questions
from ui.reader import Options, Reader
from ui.render import escape, noticed_html

TITLE = "Paper Assistant"

_NO_EVENT = gr.EventData(None, None)
_READY: dict[str, Any] = gr.update(submit_btn="Ask", stop_btn=False)
"""The box as it waits for a question; what is typed in it stays."""
_WELCOME = (
    '<div class="pa-welcome"><h2>What do you want to know from the papers?</h2>'
    "<p>Every sentence of an answer is cited. Open a source to see the quoted words in its abstract.</p></div>"
)
_NO_PAPERS = (
    '<div class="pa-welcome"><h2>The library has no papers yet</h2>'
    "<p>Add some in a terminal, then ask here:</p>"
    "<p><code>assistant index FILE</code> for your own listings, or <code>assistant index --starter</code></p></div>"
)

Updates = tuple[Any, Any, Conversation]
"""For the question's box, the chat and the conversation kept for the tab."""


class Page:
    """The handlers of one page over one assistant; many tabs at once, each with its conversation."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant
        self._reader = Reader(assistant)
        self._examples: list[str] = []
        self._counted = 0

    def ask(
        self,
        question: str,
        conversation: Conversation,
        since: str | None,
        until: str | None,
        source: str | None,
        llm: str | None,
        event: gr.EventData = _NO_EVENT,
    ) -> Iterator[Updates]:
        """Streams an answer into the conversation; asked in the box, or by choosing an example."""
        if isinstance(event.target, gr.Chatbot):
            question = event.value["text"]
        if not question.strip():
            gr.Info("Type a question first.", title="Nothing asked")
            yield gr.skip(), gr.skip(), conversation
            return
        box: Any = gr.Textbox("", submit_btn=False, stop_btn="Stop")
        before = conversation
        for grown in self._reader.ask(question, conversation, Options(since, until, source, llm)):
            yield box, gr.skip() if grown is before else messages(grown), grown
            before, box = grown, gr.skip()

    def settle(self, conversation: Conversation) -> Updates:
        """Ends an answer, however it ended: the box is ready again, and what was still coming when
        the reader stopped it is marked as such."""
        settled = stopped(conversation)
        return _READY, gr.skip() if settled == conversation else messages(settled), settled

    def clear(self) -> Updates:
        """A new conversation."""
        return {**_READY, "value": ""}, [], ()

    def header(self) -> str:
        """What is in the library, and what writes the answers."""
        catalogue = self._assistant.library.catalogue
        starters = [source.starter for source, _ in catalogue.sources()]
        told = f"{catalogue.count():,} papers"
        if any(starters):
            told += f", {'all' if all(starters) else 'some'} summarised in our own words"
        writer = "answers quote the papers, no LLM" if self._assistant.mode == EXTRACTIVE else f"answers by {self._assistant.mode}"
        return f'<div class="pa-header"><h1>{TITLE}</h1><p>{escape(told)} · {escape(writer)}</p></div>'

    def noticed(self, llm: str | None) -> tuple[gr.Dropdown, gr.HTML]:
        """The LLMs that could be used here, for the choice and in words. None of them is used unless it is chosen."""
        offers = look().offers()
        return gr.Dropdown(_choices(self._assistant.mode, offers), value=llm), gr.HTML(noticed_html(offers), visible=bool(offers))

    def welcome(self) -> tuple[str, gr.Chatbot]:
        """The header, and for an empty conversation questions that this library can be asked: as
        the library is whenever a reader opens the page."""
        count = self._assistant.library.catalogue.count()
        if count != self._counted:
            self._examples, self._counted = example_questions(self._assistant.library.papers()), count
        examples: list[ExampleMessage] = [{"text": question} for question in self._examples]
        return self.header(), gr.Chatbot(placeholder=_WELCOME if count else _NO_PAPERS, examples=examples)


def build(assistant: Assistant, choose_llm: bool = True) -> gr.Blocks:
    """The page, not yet served. `choose_llm`: whether its readers may name another LLM."""
    page = Page(assistant)
    blocks = gr.Blocks(title=TITLE, analytics_enabled=False)
    with blocks:
        conversation = gr.State(())
        with gr.Row(elem_id="pa-top"):
            header = gr.HTML(page.header())
            fresh = gr.Button("New conversation", size="md", elem_id="pa-new", scale=0)
        chat = _chat()
        with gr.Column(elem_id="pa-dock"):
            box = _box()
            with gr.Accordion("Options", open=False, elem_id="pa-options") as opened:
                options = _options(assistant.mode if choose_llm else None)
                noticed = gr.HTML(visible=False, elem_id="pa-noticed")
        _wire(page, box, chat, conversation, fresh, options)
        if choose_llm:
            # Looked for when the choice is opened, so that it holds up neither the start nor the page.
            opened.expand(page.noticed, options[-1], [options[-1], noticed], queue=False, show_progress="hidden", api_visibility="private")
        blocks.load(page.welcome, None, [header, chat], show_progress="hidden", api_visibility="private")
    blocks.queue(default_concurrency_limit=8)
    return blocks


def _chat() -> gr.Chatbot:
    return gr.Chatbot(
        show_label=False,
        container=False,
        layout="panel",
        elem_id="pa-chat",
        height=None,
        autoscroll=False,
        latex_delimiters=[],
        allow_tags=False,
        allow_file_downloads=False,
        feedback_options=None,
        buttons=[],
        group_consecutive_messages=False,
    )


def _box() -> gr.Textbox:
    return gr.Textbox(
        label="Your question",
        placeholder="Ask a question about the papers",
        show_label=False,
        container=False,
        autofocus=True,
        lines=1,
        max_lines=6,
        submit_btn="Ask",
        html_attributes=gr.InputHTMLAttributes(enterkeyhint="send", autocomplete="off"),
        elem_id="pa-question",
    )


def _options(llm: str | None) -> list[gr.components.Component]:
    """Their components, in the order of `Page.ask`. `llm`: the one that answers at first; None for no choice."""
    with gr.Row():
        return [
            gr.Textbox(label="Papers since", placeholder="2023 or 2023-05-01", max_lines=1, min_width=120, elem_id="pa-since"),
            gr.Textbox(label="Papers until", placeholder="2024", max_lines=1, min_width=120, elem_id="pa-until"),
            gr.Textbox(label="Source", placeholder="part of a file’s name", max_lines=1, min_width=120, elem_id="pa-source"),
            gr.Dropdown(_choices(llm, ()), value=llm, label="LLM", allow_custom_value=True, min_width=120, elem_id="pa-llm")
            if llm is not None
            else gr.State(None),
        ]


def _choices(llm: str, offers: Sequence[Offer]) -> list[str]:
    """The LLMs to choose from: the one that answers at first, none, and those that were noticed and can be used at once."""
    return list(dict.fromkeys([llm, EXTRACTIVE, *(offer.name for offer in offers if offer.first is None)]))


def _wire(
    page: Page, box: gr.Textbox, chat: gr.Chatbot, conversation: gr.State, fresh: gr.Button, options: list[gr.components.Component]
) -> None:
    shown = [box, chat, conversation]
    # One event for both ways to ask: Gradio then takes no second question while one is being answered.
    asked = gr.on(
        [box.submit, chat.example_select],
        page.ask,
        [box, conversation, *options],
        shown,
        trigger_mode="once",
        show_progress="hidden",
        api_visibility="private",
    )
    # Runs when Gradio has let go of the answer: before that, it would not take another question.
    asked.then(page.settle, conversation, shown, queue=False, show_progress="hidden", api_visibility="private")
    box.stop(None, None, None, cancels=[asked], queue=False, show_progress="hidden", api_visibility="private")
    fresh.click(page.clear, None, shown, cancels=[asked], queue=False, show_progress="hidden", api_visibility="private")
