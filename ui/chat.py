"""The chat: a conversation and its box, the list of conversations beside it, and what can be done with each.

Gradio components, and what they call; what is shown comes from `ui.reader`, `ui.conversation` and `ui.render`.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import gradio as gr
from gradio.components.chatbot import ExampleMessage

from assistant.conversations import Conversations, to_json, to_markdown
from index.browsing import Browse
from ui.conversation import View, conversations_html
from ui.examples import example_questions
from ui.frame import AT_ONCE, QUIET, Frame
from ui.narrowing import FIELDS, Narrowing, chips_html, choices
from ui.reader import Choice, Reader
from ui.render import follow_html

Changes = dict[Any, Any]
"""Updates by component."""

_NO_EVENT = gr.EventData(None, None)
_READY: dict[str, Any] = gr.update(submit_btn="Ask", stop_btn=False)
"""The box as it waits for a question; what is typed in it stays."""
_WELCOME = (
    '<div class="pa-welcome"><h2>What do you want to know from the papers?</h2>'
    "<p>Every sentence of an answer is cited. Open a source to see the quoted words in its abstract.</p></div>"
)
_NO_PAPERS = (
    '<div class="pa-welcome"><h2>The library has no papers yet</h2>'
    "<p>Add some under “Add papers”, or in a terminal, then ask here:</p>"
    "<p><code>assistant index FILE</code> for your own listings, or <code>assistant index --starter</code></p></div>"
)
_SHELF_SCRIPT = """element.addEventListener('click', (event) => {
  const link = event.target.closest('[data-open]');
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  trigger('click', { id: link.dataset.open });
});"""
_RELAY = '<span class="pa-relay"></span>'
_RELAY_SCRIPT = "element.addEventListener('pa-act', (event) => trigger('click', event.detail));"
"""What buttons within messages do: Gradio's chat lets no handler through, so that `page.js` tells it here."""
_CHIPS_SCRIPT = """element.addEventListener('click', (event) => {
  const button = event.target.closest('.pa-drop');
  if (button) trigger('click', { field: button.dataset.field, value: button.dataset.value });
});"""
_MOST_EXAMPLES = 4
_LOOKED_AT = 600
"""Papers, the last added, that questions to begin with are made from."""
_OF_ANOTHER_LIBRARY = 0.1
_SAVE = "(file) => window.paSave(file)"
_SHORTER, _LONGER = "Shorter, please", "Tell me more"
"""Instructions as readers give them (see `assistant/records/instructions.py`)."""


class Chat:
    """The chat of one page, and its handlers; many tabs at once, each with a `View` of its own."""

    def __init__(self, frame: Frame, reader: Reader) -> None:
        self._frame = frame
        self._library = frame.assistant.library
        self._reader = reader
        self._examples: list[str] = []
        self._counted = 0
        """Papers when conversations were last shown."""
        self._begun = 0
        """Papers when the questions to begin with were made."""
        self._beginning = threading.Lock()
        self.view, self.choice = frame.view, gr.State(Choice())

    # Components

    def build_side(self) -> None:
        """The conversations."""
        self.fresh = gr.Button("New conversation", size="md", elem_id="pa-new")
        self.search = gr.Textbox(
            label="Search conversations", placeholder="Search conversations", show_label=False, max_lines=1, elem_id="pa-search"
        )
        with gr.Row(visible=False, elem_id="pa-undo") as self.undo_row:
            self.undo_words = gr.HTML()
            self.undo = gr.Button("Undo", size="sm", scale=0, min_width=60)
        self.shelf = gr.HTML(js_on_load=_SHELF_SCRIPT, elem_id="pa-shelf")

    def build(self) -> None:
        """The open conversation, and the box."""
        with gr.Row(visible=False, elem_id="pa-bar") as self.bar:
            self.name = gr.Textbox(label="Name of the conversation", show_label=False, max_lines=1, elem_id="pa-name", scale=1)
            self.as_markdown = gr.Button("Export Markdown", size="sm", scale=0, min_width=80)
            self.as_json = gr.Button("Export JSON", size="sm", scale=0, min_width=60)
            self.delete = gr.Button("Delete", size="sm", scale=0, min_width=60)
        self.file = gr.Textbox(show_label=False, elem_id="pa-file")
        self.chat = _chat()
        self.asks = gr.HTML(_RELAY, js_on_load=_RELAY_SCRIPT, elem_id="pa-asks")
        self.edits = gr.HTML(_RELAY, js_on_load=_RELAY_SCRIPT, elem_id="pa-edits")
        with gr.Column(elem_id="pa-dock") as self.dock:
            self.follows = gr.HTML(elem_id="pa-follows")
            self.chips = gr.HTML(js_on_load=_CHIPS_SCRIPT, elem_id="pa-chips")
            with gr.Row(visible=False, elem_id="pa-editing") as self.editing:
                self.editing_words = gr.HTML()
                self.keep = gr.Button("Cancel", size="sm", scale=0, min_width=60)
            self.box = _box()

    def build_narrowing(self) -> None:
        """What papers are asked."""
        self.narrowing = {
            field: gr.Dropdown([], label=label, multiselect=True, filterable=True, min_width=120, elem_id=f"pa-{field}")
            for field, label in FIELDS.items()
        }

    def wire(self, tabs: gr.Tabs, panel: gr.Accordion) -> None:
        """`panel`: where papers are narrowed; what there is to choose is looked up when it is opened."""
        shown = [self.box, self.chat, self.view]
        everything = [*shown, *self.around, tabs]
        # One event for all ways to ask: Gradio then takes no second question while one is being answered.
        asked = gr.on(
            [self.box.submit, self.chat.example_select, self.asks.click],
            self.ask,
            [self.view, self.box, self.choice],
            [*shown, self.shelf, self.follows, self.editing],
            trigger_mode="once",
            concurrency_limit=None,  # who waits, and for whom, is up to `ui.waiting`
            **QUIET,
        )
        # Runs when Gradio has let go of the answer: before that, it would not take another question.
        settled = asked.then(self.settle, self.view, everything, **AT_ONCE)
        settled.then(self.follow, [self.view, self.choice], self.follows, concurrency_limit=1, **QUIET)
        self.box.stop(None, None, None, cancels=[asked], **AT_ONCE)
        self.edits.click(self.edit, self.view, [self.box, self.view, self.editing, self.editing_words], **AT_ONCE)
        self.keep.click(self.keep_as_was, self.view, [self.view, self.editing], **AT_ONCE)
        self.fresh.click(self.clear, self.view, everything, cancels=[asked], **AT_ONCE)
        self.shelf.click(self.open, self.view, everything, cancels=[asked], **AT_ONCE)
        self.search.change(self.listed, [self.view, self.search], self.shelf, trigger_mode="always_last", **AT_ONCE)
        self.name.submit(self.rename, [self.view, self.name], [self.shelf, self.name], **AT_ONCE)
        self.name.blur(self.rename, [self.view, self.name], [self.shelf, self.name], **AT_ONCE)
        self.delete.click(self.remove, self.view, everything, cancels=[asked], **AT_ONCE)
        self.undo.click(self.bring_back, self.view, everything, **AT_ONCE)
        self.as_markdown.click(self.markdown, self.view, self.file, **AT_ONCE).then(None, self.file, None, js=_SAVE)
        self.as_json.click(self.json, self.view, self.file, **AT_ONCE).then(None, self.file, None, js=_SAVE)
        self._wire_narrowing(tabs, panel)

    def _wire_narrowing(self, tabs: gr.Tabs, panel: gr.Accordion) -> None:
        boxes = list(self.narrowing.values())
        panel.expand(self.offered, self.choice, boxes, **AT_ONCE)
        for field, box in self.narrowing.items():
            box.change(_narrowed_by(field), [self.choice, box], self.choice, **AT_ONCE).then(
                self.chips_of, self.choice, self.chips, **AT_ONCE
            )
        dropped = self.chips.click(self.drop, self.choice, [self.choice, *boxes], **AT_ONCE)
        only = self._frame.only.change(self.ask_only, [self.choice, self._frame.only], [self.choice, tabs], **AT_ONCE)
        for changed in (dropped, only):
            changed.then(self.chips_of, self.choice, self.chips, **AT_ONCE)

    @property
    def around(self) -> list[Any]:
        """What a view shows beside the conversation itself."""
        return [self.shelf, self.bar, self.name, self.undo_row, self.undo_words, self.follows, self.editing]

    # Asking

    def ask(
        self, view: View, typed: str, choice: Choice, event: gr.EventData = _NO_EVENT, request: gr.Request | None = None
    ) -> Iterator[Changes]:
        """Streams an answer into the conversation; asked in the box, by choosing an example, or by a button of a message."""
        question, view = self._asked(replace(view, owner=(request and request.username) or ""), typed, event)
        if not question.strip():
            gr.Info("Type a question first.", title="Nothing asked")
            yield {self.view: view}
            return
        is_typed = event.target is None or isinstance(event.target, gr.Textbox)
        before: Any = None
        for at, messages in self._reader.ask(question, view, choice):
            changes: Changes = {self.chat: gr.skip() if messages is before else messages, self.view: at}
            if before is None:
                emptied: dict[str, Any] = {"value": ""} if is_typed else {}
                changes |= {self.box: gr.update(**emptied, submit_btn=False, stop_btn="Stop"), self.shelf: self.listed(at, "")}
                changes |= {self.follows: "", self.editing: gr.Row(visible=False)}
            yield changes
            before = messages

    def settle(self, view: View) -> Changes:
        """Ends an answer, however it ended: the box is ready again, and the conversation is shown as it is kept, with what
        was asked in other tabs."""
        self._reader.stop(view)
        return self.shown(replace(view, asking=0))

    def follow(self, view: View, choice: Choice) -> str:
        """What can be asked next."""
        return follow_html(self._reader.follow_ups(view, choice))

    def edit(self, view: View, event: gr.EventData) -> Changes:
        """Puts a question back into the box; what is asked then takes its place."""
        exchanges = self._kept(view).exchanges(view.conversation_id)
        turn = int((event._data or {}).get("turn", 0))
        if view.asking or not 1 <= turn <= len(exchanges):
            return {self.view: view}
        later = len(exchanges) - turn
        told = f"What you ask now takes the place of question {turn}" + (f" and of the {later} after it." if later else ".")
        return {
            self.box: exchanges[turn - 1].question,
            self.view: replace(view, replacing=exchanges[turn - 1].exchange_id),
            self.editing: gr.Row(visible=True),
            self.editing_words: f"<span>{told}</span>",
        }

    def keep_as_was(self, view: View) -> Changes:
        """No longer edits."""
        return {self.view: replace(view, replacing=0), self.editing: gr.Row(visible=False)}

    # What papers are asked

    def offered(self, choice: Choice) -> list[gr.Dropdown]:
        """What this library can be narrowed to now."""
        found = {field: choices(self._library, field) for field in FIELDS}
        narrowed = choice.narrowing
        return [gr.Dropdown(found[field], value=list(getattr(narrowed, field)), visible=bool(found[field])) for field in FIELDS]

    def chips_of(self, choice: Choice) -> str:
        """What was chosen, in words."""
        titles = [paper.display_title for paper in self._library.papers(list(choice.narrowing.only[:1]))]
        return chips_html(choice.narrowing, titles if len(choice.narrowing.only) == 1 else ())

    def drop(self, choice: Choice, event: gr.EventData) -> list[Any]:
        """Takes back one thing that was chosen."""
        told = event._data or {}
        field = str(told.get("field", ""))
        if field not in {*FIELDS, "only"}:
            return [choice, *[gr.skip()] * len(FIELDS)]
        left = choice.narrowing.without(field, str(told.get("value", "")))
        return [replace(choice, narrowing=left), *[list(getattr(left, one)) if one == field else gr.skip() for one in FIELDS]]

    def ask_only(self, choice: Choice, only: Sequence[str]) -> tuple[Choice, gr.Tabs]:
        """From now on only these papers are asked."""
        return replace(choice, narrowing=replace(choice.narrowing, only=tuple(only))), gr.Tabs(selected="chat")

    # Conversations

    def arrive(self, request: gr.Request) -> Changes:
        """What a tab shows when it is opened or reloaded: the conversation of its link, else a new one."""
        wanted = str(request.query_params.get("c", ""))
        view = View(owner=request.username or "")
        if wanted and self._kept(view).conversation(wanted):
            view = replace(view, conversation_id=wanted)
        elif wanted:
            gr.Warning("There is no conversation under this link; perhaps it was deleted.", title="Not found")
        return self.shown(view)

    def begin(self) -> Any:
        """Questions to begin with that this library answers: asked silently, anew when a tenth of the papers came or went. Another tab's
        are waited for."""
        with self._beginning:
            count = self._library.catalogue.count()
            if abs(count - self._begun) > _OF_ANOTHER_LIBRARY * self._begun:
                newest, _ = self._library.catalogue.page(Browse(), _LOOKED_AT)
                self._examples, self._begun = self._reader.answerable(example_questions(newest), _MOST_EXAMPLES), count
        return gr.Chatbot(examples=self._offered())

    def look_again(self, view: View) -> Any:
        """The conversation over the library as it is now, when the chat is come back to."""
        return gr.skip() if self._counted == self._library.catalogue.count() else self.shown(view)[self.chat]

    def clear(self, view: View) -> Changes:
        """A new conversation; what is typed stays."""
        self._reader.stop(view)
        return self.shown(View(owner=view.owner, deleted=view.deleted))

    def open(self, view: View, event: gr.EventData) -> Changes:
        """Another conversation, chosen in the list."""
        self._reader.stop(view)
        chosen = str((event._data or {}).get("id", ""))
        return self.shown(View(owner=view.owner, conversation_id=chosen, deleted=view.deleted))

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
        return self.shown(View(owner=view.owner, deleted=view.conversation_id))

    def bring_back(self, view: View) -> Changes:
        """Takes the last deletion back, and opens what was deleted."""
        self._kept(view).restore(view.deleted)
        return self.shown(View(owner=view.owner, conversation_id=view.deleted))

    def markdown(self, view: View) -> str:
        """The open conversation as a Markdown file, for the browser to save."""
        return self._file(view, to_markdown, "md")

    def json(self, view: View) -> str:
        """The open conversation as a JSON file, for the browser to save."""
        return self._file(view, to_json, "json")

    def shown(self, view: View) -> Changes:
        """All that a view shows."""
        named = self._kept(view).conversation(view.conversation_id)
        view = view if named else replace(view, conversation_id="")
        self._counted = self._library.catalogue.count()
        messages = self._reader.messages(view)
        return {
            self.box: _READY,
            self.chat: gr.Chatbot(messages, placeholder=_WELCOME if self._counted else _NO_PAPERS, examples=self._offered()),
            self.view: replace(view, replacing=0),
            self.shelf: self.listed(view, ""),
            self.bar: gr.Row(visible=bool(named)),
            self.name: named.title if named else "",
            self.undo_row: gr.Row(visible=bool(view.deleted)),
            self.undo_words: "<span>Conversation deleted.</span>" if view.deleted else "",
            self.follows: "",
            self.editing: gr.Row(visible=False),
        }

    # Inside

    def _asked(self, view: View, typed: str, event: gr.EventData) -> tuple[str, View]:
        """The question, and the view that it is asked in."""
        if isinstance(event.target, gr.Chatbot):
            return str(event.value["text"]), view
        told = (event._data or {}) if isinstance(event.target, gr.HTML) else {}
        what = told.get("what")
        if what == "follow":
            return str(told.get("text", "")), view
        if what in ("shorter", "longer"):
            return _SHORTER if what == "shorter" else _LONGER, view
        if what == "retry" and (exchanges := self._kept(view).exchanges(view.conversation_id)):
            return exchanges[-1].question, replace(view, replacing=exchanges[-1].exchange_id)
        return ("" if told else typed), view

    def _kept(self, view: View) -> Conversations:
        return self._frame.conversations.owned_by(view.owner)

    def _file(self, view: View, form: Callable[..., str], ending: str) -> str:
        conversation = self._kept(view).conversation(view.conversation_id)
        if conversation is None:
            return ""
        text = form(conversation, self._kept(view).exchanges(view.conversation_id))
        words = "".join(char if char.isalnum() else " " for char in conversation.title).split()
        return json.dumps({"name": f"{'-'.join(words)[:60] or 'conversation'}.{ending}", "text": text})

    def _offered(self) -> list[ExampleMessage]:
        return [{"text": question} for question in self._examples]


def _narrowed_by(field: str) -> Callable[[Choice, Sequence[str]], Choice]:
    def narrowed(choice: Choice, values: Sequence[str]) -> Choice:
        return replace(choice, narrowing=Narrowing(**{**vars(choice.narrowing), field: tuple(values)}))

    return narrowed


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
        placeholder="Ask the papers",
        show_label=False,
        container=False,
        autofocus=True,
        lines=1,
        max_lines=6,
        submit_btn="Ask",
        html_attributes=gr.InputHTMLAttributes(enterkeyhint="send", autocomplete="off"),
        elem_id="pa-question",
    )
