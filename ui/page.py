"""The chat page: Gradio components, and what they call. What is shown comes from `ui.reader` and `ui.adding`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import gradio as gr
from gradio.components.chatbot import ExampleMessage

from assistant import Assistant
from assistant.conversations import Conversations, to_json, to_markdown
from assistant.llms import EXTRACTIVE
from assistant.llms.discovery import Offer, discover
from ui import library
from ui.adding import Adding, file_types
from ui.conversation import View, conversations_html
from ui.examples import example_questions
from ui.frame import AT_ONCE, QUIET, Frame
from ui.markup import escape
from ui.reader import Options, Reader
from ui.render import noticed_html

TITLE = "Paper Assistant"
CHAT, ADDING = "chat", "adding"
"""Tabs, by id."""

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
_SHELF_SCRIPT = """element.addEventListener('click', (event) => {
  const link = event.target.closest('[data-open]');
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  trigger('click', { id: link.dataset.open });
});"""
_SAVE = "(file) => window.paSave(file)"

PARTS: tuple[tuple[str, str, Callable[[Frame], None]], ...] = (("library", "Library", library.build),)
"""The tabs between the chat and the papers' coming in: id, label, and what builds one, in `ui/`."""

Values = Mapping[Any, Any]
"""What components hold, as Gradio gives it to a handler."""
Changes = dict[Any, Any]
"""Updates by component."""


class Page:
    """One page over one assistant, and its handlers; many tabs at once, each with a `View` of its own."""

    def __init__(self, assistant: Assistant, conversations: Conversations, choose_llm: bool, may_add: bool) -> None:
        """Makes the components, within a `gr.Blocks`. `choose_llm`: whether readers may name another LLM; `may_add`: add papers."""
        self._assistant = assistant
        self._conversations = conversations
        self._may_add = may_add
        self._reader = Reader(assistant, conversations)
        self._adding = Adding(assistant.library)
        self._examples: list[str] = []
        self._counted = 0
        self.view = gr.State(View())
        self.only = gr.State(())
        frame = Frame(assistant, conversations, self.view, self.only, may_add)
        with gr.Sidebar(width=290, elem_id="pa-side", open=True):
            self._side()
        with gr.Row(elem_id="pa-top"):
            self.header = gr.HTML(self._header())
        with gr.Tabs(elem_id="pa-tabs") as self.tabs:
            with gr.Tab("Chat", id=CHAT, elem_id="pa-asking") as self.asking:
                self._bar()
                self.chat = _chat()
                with gr.Column(elem_id="pa-dock"):
                    offered = _Offered() if choose_llm else None
                    self.box = _box()
                    with gr.Accordion("Options", open=False, elem_id="pa-options") as opened:
                        self.options = _options(assistant.mode if choose_llm else None)
            for key, label, build_part in PARTS:
                with gr.Tab(label, id=key, elem_id=f"pa-{key}"):
                    build_part(frame)
            with gr.Tab("Add papers", id=ADDING, elem_id="pa-papers", visible=may_add) as self.papers:
                if may_add:
                    self._add_papers()
        self._wire()
        if may_add:
            self._wire_adding()
        if offered:
            self._wire_offers(offered, opened.expand)

    # Components

    def _side(self) -> None:
        self.fresh = gr.Button("New conversation", size="md", elem_id="pa-new")
        self.search = gr.Textbox(
            label="Search conversations", placeholder="Search conversations", show_label=False, max_lines=1, elem_id="pa-search"
        )
        with gr.Row(visible=False, elem_id="pa-undo") as self.undo_row:
            self.undo_words = gr.HTML()
            self.undo = gr.Button("Undo", size="sm", scale=0, min_width=60)
        self.shelf = gr.HTML(js_on_load=_SHELF_SCRIPT, elem_id="pa-shelf")

    def _bar(self) -> None:
        """What can be done with the open conversation."""
        with gr.Row(visible=False, elem_id="pa-bar") as self.bar:
            self.name = gr.Textbox(label="Name of the conversation", show_label=False, max_lines=1, elem_id="pa-name", scale=1)
            self.as_markdown = gr.Button("Export Markdown", size="sm", scale=0, min_width=80)
            self.as_json = gr.Button("Export JSON", size="sm", scale=0, min_width=60)
            self.delete = gr.Button("Delete", size="sm", scale=0, min_width=60)
        self.file = gr.Textbox(show_label=False, elem_id="pa-file")

    def _add_papers(self) -> None:
        gr.HTML(
            '<div class="pa-add"><h2>Add papers</h2><p>Lists of papers with their abstracts, as reference managers and services export '
            "them: BibTeX, RIS, CSV, JSON, PubMed, EndNote, Web of Science, Zotero, OpenAlex, arXiv, Markdown and plain listings. "
            "They stay on this machine.</p></div>"
        )
        self.files = gr.File(label="Drop files here, or choose them", file_count="multiple", file_types=file_types(), elem_id="pa-files")
        self.pasted = gr.Textbox(
            label="Or paste records or a listing", lines=4, max_lines=12, placeholder="@article{…}, TY  - JOUR …, or titles and abstracts"
        )
        with gr.Row(elem_id="pa-add-row"):
            self.add = gr.Button("Add to the library", variant="primary", elem_id="pa-add-button", scale=0, min_width=180)
            self.starter = gr.Button("Use the starter library", elem_id="pa-starter", scale=0, min_width=180)
        self.report = gr.HTML(elem_id="pa-report")

    def _wire(self) -> None:
        asking = {self.box, self.view, *self.options.values()}
        shown = [self.box, self.chat, self.view]
        everything = [*shown, *self._around()]
        # One event for both ways to ask: Gradio then takes no second question while one is being answered.
        asked = gr.on([self.box.submit, self.chat.example_select], self.ask, asking, [*shown, self.shelf], trigger_mode="once", **QUIET)
        # Runs when Gradio has let go of the answer: before that, it would not take another question.
        asked.then(self.settle, self.view, everything, **AT_ONCE)
        self.box.stop(None, None, None, cancels=[asked], **AT_ONCE)
        gr.context.Context.root_block.load(self.arrive, None, everything, **QUIET)  # type: ignore[union-attr]
        self.fresh.click(self.clear, self.view, everything, cancels=[asked], **AT_ONCE)
        self.shelf.click(self.open, self.view, everything, cancels=[asked], **AT_ONCE)
        self.search.change(self.listed, [self.view, self.search], self.shelf, trigger_mode="always_last", **AT_ONCE)
        self.name.submit(self.rename, [self.view, self.name], [self.shelf, self.name], **AT_ONCE)
        self.name.blur(self.rename, [self.view, self.name], [self.shelf, self.name], **AT_ONCE)
        self.asking.select(self.look_again, self.view, self.chat, **AT_ONCE)
        self.only.change(lambda: gr.Tabs(selected=CHAT), None, self.tabs, **AT_ONCE)
        self.delete.click(self.remove, self.view, everything, cancels=[asked], **AT_ONCE)
        self.undo.click(self.bring_back, self.view, everything, **AT_ONCE)
        self.as_markdown.click(self.markdown, self.view, self.file, **AT_ONCE).then(None, self.file, None, js=_SAVE)
        self.as_json.click(self.json, self.view, self.file, **AT_ONCE).then(None, self.file, None, js=_SAVE)

    def _wire_adding(self) -> None:
        progress = [self.report, self.header, self.files, self.pasted, self.add, self.starter]
        for button, handler, inputs in ((self.add, self.take, [self.files, self.pasted]), (self.starter, self.take_starter, [])):
            button.click(handler, inputs, progress, trigger_mode="once", concurrency_limit=1, concurrency_id="adding", **QUIET)

    def _wire_offers(self, offered: _Offered, opened: Callable[..., Any]) -> None:
        choice = self.options["llm"]
        for look_at in (gr.context.Context.root_block.load, opened):  # type: ignore[union-attr]
            look_at(self.noticed, choice, [choice, offered.row, offered.words, *offered.buttons], **AT_ONCE)
        for button in offered.buttons:
            button.click(str, button, choice, **AT_ONCE)
        choice.change(self.chosen, choice, [self.header, offered.row], **AT_ONCE)

    def _around(self) -> list[Any]:
        """What a view shows beside the conversation itself."""
        return [self.header, self.shelf, self.bar, self.name, self.undo_row, self.undo_words, self.tabs]

    # Asking

    def ask(self, values: Values, event: gr.EventData = _NO_EVENT) -> Iterator[Changes]:
        """Streams an answer into the conversation; asked in the box, or by choosing an example."""
        view: View = values[self.view]
        question = event.value["text"] if isinstance(event.target, gr.Chatbot) else values[self.box]
        if not question.strip():
            gr.Info("Type a question first.", title="Nothing asked")
            yield {self.view: view}
            return
        options = Options(**{name: values[component] for name, component in self.options.items()})
        before: Any = None
        for at, messages in self._reader.ask(question, view, options):
            changes: Changes = {self.chat: gr.skip() if messages is before else messages, self.view: at}
            if before is None:
                changes |= {self.box: gr.Textbox("", submit_btn=False, stop_btn="Stop"), self.shelf: self.listed(at, "")}
            yield changes
            before = messages

    def settle(self, view: View) -> Changes:
        """Ends an answer, however it ended: the box is ready again, and the conversation is shown as it is kept, with what
        was asked in other tabs."""
        self._reader.stop(view)
        return self._shown(replace(view, asking=0))

    # Conversations

    def arrive(self, request: gr.Request) -> Changes:
        """What a tab shows when it is opened or reloaded: the conversation of its link, else a new one."""
        wanted = str(request.query_params.get("c", ""))
        view = View(owner=request.username or "")
        if wanted and self._kept(view).conversation(wanted):
            view = replace(view, conversation_id=wanted)
        elif wanted:
            gr.Warning("There is no conversation under this link; perhaps it was deleted.", title="Not found")
        return {**self._shown(view), **self._place(papers=self._may_add and not self._assistant.library.catalogue.count())}

    def clear(self, view: View) -> Changes:
        """A new conversation; what is typed stays."""
        self._reader.stop(view)
        return {**self._shown(replace(view, conversation_id="", asking=0)), **self._place()}

    def open(self, view: View, event: gr.EventData) -> Changes:
        """Another conversation, chosen in the list."""
        self._reader.stop(view)
        chosen = str((event._data or {}).get("id", ""))
        return {**self._shown(replace(view, conversation_id=chosen, asking=0)), **self._place()}

    def look_again(self, view: View) -> Any:
        """The conversation over the library as it is now, when the chat is come back to."""
        if self._counted == self._assistant.library.catalogue.count():
            return gr.skip()
        return self._shown(view)[self.chat]

    def listed(self, view: View, words: str) -> str:
        """The list of conversations, or of those that hold these words."""
        return conversations_html(self._kept(view).listed(words), view.conversation_id, date.today(), bool(words.strip()))

    def rename(self, view: View, name: str) -> tuple[Any, Any]:
        """Gives the open conversation another name; an empty one is put back."""
        kept = self._kept(view)
        named = kept.conversation(view.conversation_id)
        if named is None or named.title == name:
            return gr.skip(), gr.skip()
        kept.rename(view.conversation_id, name)
        named = kept.conversation(view.conversation_id) or named
        return self.listed(view, ""), named.title

    def remove(self, view: View) -> Changes:
        """Deletes the open conversation, and offers to bring it back."""
        self._reader.stop(view)
        self._kept(view).delete(view.conversation_id)
        return self._shown(replace(view, conversation_id="", asking=0, deleted=view.conversation_id))

    def bring_back(self, view: View) -> Changes:
        """Takes the last deletion back, and opens what was deleted."""
        self._kept(view).restore(view.deleted)
        return {**self._shown(replace(view, conversation_id=view.deleted, deleted="")), **self._place()}

    def markdown(self, view: View) -> str:
        """The open conversation as a Markdown file, for the browser to save."""
        return self._file(view, to_markdown, "md")

    def json(self, view: View) -> str:
        """The open conversation as a JSON file, for the browser to save."""
        return self._file(view, to_json, "json")

    # Papers

    def take(self, files: Sequence[str] | None, pasted: str) -> Iterator[Changes]:
        """Adds dropped files and pasted text to the library, telling how far it is, and at last what came of it."""
        if not files and not (pasted or "").strip():
            gr.Info("Drop a file or paste some text first.", title="Nothing to add")
            yield {self.report: gr.skip()}
            return
        yield from self._taking(self._adding.add(files or [], pasted or ""))

    def take_starter(self) -> Iterator[Changes]:
        """Adds the starter library."""
        yield from self._taking(self._adding.add_starter())

    def _taking(self, reports: Iterator[str]) -> Iterator[Changes]:
        waiting = {self.add: gr.Button(interactive=False), self.starter: gr.Button(interactive=False)}
        for report in reports:
            yield {self.report: report, **waiting}
            waiting = {}
        ready = {self.add: gr.Button(interactive=True), self.starter: gr.Button(interactive=True)}
        yield {**ready, self.header: self._header(), self.files: None, self.pasted: ""}

    # What writes the answers

    def noticed(self, llm: str | None) -> list[Any]:
        """What could write answers here: for the choice, in words, and as a button for each. None of it is used unless it is chosen."""
        offers = discover().offers()
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
        return self._header(name), gr.Row(visible=False) if name != EXTRACTIVE else gr.skip()

    # Inside

    def _kept(self, view: View) -> Conversations:
        return self._conversations.owned_by(view.owner)

    def _shown(self, view: View) -> Changes:
        """All that a view shows."""
        named = self._kept(view).conversation(view.conversation_id)
        view = view if named else replace(view, conversation_id="")
        examples: list[ExampleMessage] = [{"text": question} for question in self._example_questions()]
        messages = self._reader.messages(view)
        return {
            self.box: _READY,
            self.chat: gr.Chatbot(messages, placeholder=_WELCOME if self._counted else _NO_PAPERS, examples=examples),
            self.view: view,
            self.shelf: self.listed(view, ""),
            self.bar: gr.Row(visible=bool(named)),
            self.name: named.title if named else "",
            self.undo_row: gr.Row(visible=bool(view.deleted)),
            self.undo_words: "<span>Conversation deleted.</span>" if view.deleted else "",
        }

    def _place(self, papers: bool = False) -> Changes:
        return {self.tabs: gr.Tabs(selected=ADDING if papers else CHAT)}

    def _file(self, view: View, form: Callable[..., str], ending: str) -> str:
        conversation = self._kept(view).conversation(view.conversation_id)
        if conversation is None:
            return ""
        text = form(conversation, self._kept(view).exchanges(view.conversation_id))
        words = "".join(char if char.isalnum() else " " for char in conversation.title).split()
        return json.dumps({"name": f"{'-'.join(words)[:60] or 'conversation'}.{ending}", "text": text})

    def _header(self, llm: str | None = None) -> str:
        """What is in the library, and what writes the answers: this LLM, by default the one that the page was started with."""
        catalogue = self._assistant.library.catalogue
        starters = [source.starter for source, _ in catalogue.sources()]
        told = f"{catalogue.count():,} papers"
        if any(starters):
            told += f", {'all' if all(starters) else 'some'} summarised in our own words"
        writer = llm or self._assistant.mode
        writer = "answers quote the papers, no LLM" if writer == EXTRACTIVE else f"answers by {writer}"
        return f'<div class="pa-header"><h1>{TITLE}</h1><p>{escape(told)} · {escape(writer)}</p></div>'

    def _example_questions(self) -> list[str]:
        """Questions that this library can be asked, as it is now."""
        count = self._assistant.library.catalogue.count()
        if count != self._counted:
            self._examples, self._counted = example_questions(self._assistant.library.papers()), count
        return self._examples


def build(assistant: Assistant, conversations: Conversations, choose_llm: bool = True, may_add: bool = True) -> gr.Blocks:
    """The page, not yet served. `choose_llm`: whether its readers may name another LLM; `may_add`: add papers."""
    blocks = gr.Blocks(title=TITLE, analytics_enabled=False)
    with blocks:
        Page(assistant, conversations, choose_llm, may_add)
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


def _options(llm: str | None) -> dict[str, Any]:
    """The components of `Options`, by name. `llm`: the one that answers at first; None for no choice."""
    with gr.Row():
        return {
            "since": gr.Textbox(label="Papers since", placeholder="2023 or 2023-05-01", max_lines=1, min_width=120, elem_id="pa-since"),
            "until": gr.Textbox(label="Papers until", placeholder="2024", max_lines=1, min_width=120, elem_id="pa-until"),
            "source": gr.Textbox(label="Source", placeholder="part of a file’s name", max_lines=1, min_width=120, elem_id="pa-source"),
            "author": gr.Textbox(label="Author", placeholder="Family, or Given Family", max_lines=1, min_width=120),
            "venue": gr.Textbox(label="Venue", placeholder="beginning of its name", max_lines=1, min_width=120),
            "tag": gr.Textbox(label="Tag", placeholder="one of yours", max_lines=1, min_width=120),
            "llm": gr.Dropdown(_choices(llm, ()), value=llm, label="LLM", allow_custom_value=True, min_width=120, elem_id="pa-llm")
            if llm is not None
            else gr.State(None),
        }


def _choices(llm: str, offers: Sequence[Offer]) -> list[str]:
    """The LLMs to choose from: the one that answers at first, none, and those that were noticed and can be used at once."""
    return list(dict.fromkeys([llm, EXTRACTIVE, *(offer.name for offer in offers if offer.first is None)]))
