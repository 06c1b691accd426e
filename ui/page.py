"""The chat page: Gradio components and their handlers. Turns events into HTML (`ui.render`)."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from assistant import Answer, Assistant, AssistantError, Done, Filters, Reset, Text
from assistant.llms import EXTRACTIVE
from index import IndexingError
from ui.examples import example_questions
from ui.render import answer_html, escape, notice_html, provisional_html, question_html

TITLE = "Paper Assistant"
STYLE = Path(__file__).with_name("style.css")

_WELCOME = "<div class='pa-welcome'>Ask what the papers say.<br>Every sentence is cited; open a source to see it in its abstract.</div>"

log = logging.getLogger(__name__)

Message = dict[str, Any]
Turns = list[tuple[str, Answer]]


class Page:
    """The handlers of one page over one assistant; many readers at once, each with own turns."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant

    def respond(
        self,
        question: str,
        messages: list[Message],
        turns: Turns,
        llm: str | None,
        since: str | None,
        until: str | None,
        source: str | None,
    ) -> Iterator[tuple[list[Message], Turns]]:
        """Streams the answer into the conversation; a failure becomes a clear message there."""
        shown = [*messages, _message("user", question_html(question)), _message("assistant", provisional_html("Searching…"))]
        yield shown, turns
        try:
            filters = Filters(since=_said(since), until=_said(until), source=_said(source))
            text = ""
            for event in self._with(llm).stream(question, turns, filters):
                if isinstance(event, Text):
                    text += event.delta
                    shown[-1] = _message("assistant", provisional_html(text))
                elif isinstance(event, Reset):
                    text = ""
                    shown[-1] = _message("assistant", provisional_html("Quoting the papers instead…"))
                elif isinstance(event, Done):
                    turns = [*turns, (question, event.answer)]
                    shown[-1] = _message("assistant", self._answer(event.answer))
                else:
                    continue
                yield shown, turns
        except (AssistantError, IndexingError) as error:
            shown[-1] = _message("assistant", notice_html(str(error)))
            yield shown, turns
        except Exception as error:  # the last edge: told to the reader here, in full on the terminal
            log.exception("the question could not be answered")
            shown[-1] = _message(
                "assistant", notice_html(f"The program failed on this question ({error}); the terminal it runs in says more.")
            )
            yield shown, turns

    def header(self) -> str:
        """What is in the library, and what writes the answers."""
        papers = self._assistant.library.papers()
        summaries = sum(paper.note is not None for paper in papers)
        told = f"{len(papers)} papers"
        if summaries:
            told += ", all summarised in our own words" if summaries == len(papers) else f", {summaries} summarised in our own words"
        writer = "answers quote the papers, no LLM" if self._assistant.mode == EXTRACTIVE else f"answers by {self._assistant.mode}"
        return f'<div class="pa-header"><h1>{TITLE}</h1><p>{escape(told)} · {escape(writer)}</p></div>'

    def examples(self) -> Sequence[str]:
        """Questions that this library can be asked."""
        return example_questions(self._assistant.library.papers())

    def mode(self) -> str:
        """The LLM's name that the page starts with."""
        return self._assistant.mode

    def _with(self, llm: str | None) -> Assistant:
        """The assistant that answers with this LLM, over the same open library."""
        name = _said(llm) or EXTRACTIVE
        if name == self._assistant.mode:
            return self._assistant
        return Assistant(self._assistant.library.home, name, settings=self._assistant.settings, library=self._assistant.library)

    def _answer(self, answer: Answer) -> str:
        cited = list(dict.fromkeys(citation.paper_id for citation in answer.citations))
        return answer_html(answer, {paper.paper_id: paper for paper in self._assistant.library.papers(cited)})


def build(assistant: Assistant) -> gr.Blocks:
    """The page, not yet served."""
    page = Page(assistant)
    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_height=True) as blocks:
        turns = gr.State([])
        gr.HTML(page.header)
        chat = gr.Chatbot(
            show_label=False,
            container=False,
            layout="panel",
            scale=1,
            min_height=320,
            elem_id="pa-chat",
            latex_delimiters=[],
            allow_tags=False,
            feedback_options=None,
            buttons=[],
            group_consecutive_messages=False,
            placeholder=_WELCOME,
            examples=[{"text": question} for question in page.examples()],
        )
        with gr.Row(elem_id="pa-ask"):
            box = gr.Textbox(
                placeholder="Ask a question about the papers",
                show_label=False,
                container=False,
                autofocus=True,
                lines=1,
                max_lines=6,
                submit_btn="Ask",
                stop_btn="Stop",
                elem_id="pa-question",
                scale=1,
            )
            fresh = gr.Button("New conversation", variant="secondary", size="md", elem_id="pa-new", scale=0, min_width=150)
        with gr.Accordion("Options", open=False, elem_id="pa-options"), gr.Row():
            llm = gr.Textbox(page.mode, label="LLM (provider:model; extractive uses none)", elem_id="pa-llm")
            since = gr.Textbox(label="Papers since", placeholder="2023, 2023-05 or 2023-05-01", elem_id="pa-since")
            until = gr.Textbox(label="Papers until", placeholder="2024", elem_id="pa-until")
            source = gr.Textbox(label="Only sources named", placeholder="part of a file's name", elem_id="pa-source")
        _wire(page, box, chat, turns, fresh, [llm, since, until, source])
    blocks.queue(default_concurrency_limit=8)
    return blocks


def _wire(page: Page, box: gr.Textbox, chat: gr.Chatbot, turns: gr.State, fresh: gr.Button, options: list[gr.Textbox]) -> None:
    asked = gr.State("")
    taken = box.submit(lambda question: (question, ""), box, [asked, box], queue=False, api_visibility="private")
    answered = taken.then(page.respond, [asked, chat, turns, *options], [chat, turns], api_visibility="private", show_progress="hidden")
    box.stop(lambda: None, None, None, cancels=[answered], queue=False, api_visibility="private")
    chosen = chat.example_select(_chosen, None, asked, queue=False, api_visibility="private")
    chosen.then(page.respond, [asked, chat, turns, *options], [chat, turns], api_visibility="private", show_progress="hidden")
    fresh.click(lambda: ([], [], ""), None, [chat, turns, box], cancels=[answered], queue=False, api_visibility="private")


def _chosen(selected: gr.SelectData) -> str:
    return str(selected.value["text"])


def _said(value: str | None) -> str | None:
    """What a box holds; None where it is empty (Gradio gives None for one never shown)."""
    return (value or "").strip() or None


def _message(role: str, content: str) -> Message:
    return {"role": role, "content": content}
