"""The chat page: Gradio components, and what they call. What is shown comes from `ui.reader`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
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

_MOST_BUTTONS = 3
"""LLMs that are offered as a button; the choice among the options has all."""
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

    def header(self, llm: str | None = None) -> str:
        """What is in the library, and what writes the answers: this LLM, by default the one that the page was started with."""
        catalogue = self._assistant.library.catalogue
        starters = [source.starter for source, _ in catalogue.sources()]
        told = f"{catalogue.count():,} papers"
        if any(starters):
            told += f", {'all' if all(starters) else 'some'} summarised in our own words"
        writer = llm or self._assistant.mode
        writer = "answers quote the papers, no LLM" if writer == EXTRACTIVE else f"answers by {writer}"
        return f'<div class="pa-header"><h1>{TITLE}</h1><p>{escape(told)} · {escape(writer)}</p></div>'

    def noticed(self, llm: str | None) -> list[Any]:
        """What could write answers here: for the choice, in words, and as a button for each. None of it is used unless it is chosen."""
        offers = look().offers()
        ready = [offer.name for offer in offers if offer.first is None][:_MOST_BUTTONS] if llm == EXTRACTIVE else []
        buttons = [gr.Button(name, visible=True) for name in ready]
        return [
            gr.Dropdown(_choices(self._assistant.mode, offers), value=llm),
            gr.Row(visible=bool(offers) and llm == EXTRACTIVE),
            noticed_html(offers),
            *buttons,
            *[gr.Button(visible=False)] * (_MOST_BUTTONS - len(buttons)),
        ]

    def chosen(self, llm: str | None) -> tuple[str, gr.Row]:
        """The header for the LLM that a reader chose; what was offered is then gone."""
        name = (llm or "").strip() or EXTRACTIVE
        return self.header(name), gr.Row(visible=False) if name != EXTRACTIVE else gr.skip()

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
            offered = _Offered() if choose_llm else None
            box = _box()
            with gr.Accordion("Options", open=False, elem_id="pa-options") as opened:
                options = _options(assistant.mode if choose_llm else None)
        _wire(page, box, chat, conversation, fresh, options)
        blocks.load(page.welcome, None, [header, chat], show_progress="hidden", api_visibility="private")
        if offered:
            _wire_offers(page, offered, options[-1], header, [blocks.load, opened.expand])
    blocks.queue(default_concurrency_limit=8)
    return blocks


class _Offered:
    """The line that offers what was noticed: hidden while there is nothing, and (by the style) once a conversation has begun."""

    def __init__(self) -> None:
        with gr.Row(visible=False, elem_id="pa-offers") as self.row:
            self.words = gr.HTML()
            self.buttons = [gr.Button(visible=False, size="sm", scale=0, elem_classes="pa-offer") for _ in range(_MOST_BUTTONS)]


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


def _wire_offers(
    page: Page, offered: _Offered, choice: gr.components.Component, header: gr.HTML, looks: Sequence[Callable[..., Any]]
) -> None:
    """`looks`: the events at which to look what there is; each apart from others, so that the look holds up nothing."""
    quiet: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
    for look_at in looks:
        look_at(page.noticed, choice, [choice, offered.row, offered.words, *offered.buttons], **quiet)
    for button in offered.buttons:
        button.click(str, button, choice, **quiet)
    choice.change(page.chosen, choice, [header, offered.row], **quiet)  # type: ignore[attr-defined]  # a Dropdown
