"""The tab by which papers come in: Gradio components, and what they call. What is done and told comes from `ui.adding`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import gradio as gr

from index import Library
from ui.adding import Adding, file_types
from ui.chat import Changes
from ui.frame import AT_ONCE, QUIET


class PapersIn:
    """Files, text and identifiers to be added to one library."""

    def __init__(self, library: Library) -> None:
        self._adding = Adding(library)

    def build(self) -> None:
        """Makes the components."""
        gr.HTML(
            '<div class="pa-add"><h2>Add papers</h2><p>Lists of papers with their abstracts, as reference managers and services export '
            "them: BibTeX, RIS, CSV, JSON, PubMed, EndNote, Web of Science, Zotero, OpenAlex, arXiv, Markdown and plain listings. "
            "They stay on this machine.</p></div>"
        )
        self.files = gr.File(label="Drop files here, or choose them", file_count="multiple", file_types=file_types(), elem_id="pa-files")
        self.pasted = gr.Textbox(
            label="Or paste records or a listing",
            info="Also arXiv ids and DOIs, which are looked up at arXiv and OpenAlex: only then is anything asked of another machine.",
            lines=4,
            max_lines=12,
            placeholder="@article{…}, TY  - JOUR …, titles and abstracts, or 2402.05099",
        )
        self.titles_too = gr.Checkbox(
            label="Keep papers without an abstract, to be found by their titles", elem_id="pa-titles-too", container=False
        )
        with gr.Row(elem_id="pa-add-row"):
            self.add = gr.Button("Add to the library", variant="primary", elem_id="pa-add-button", scale=0, min_width=180)
            self.starter = gr.Button("Use the starter library", elem_id="pa-starter", scale=0, min_width=180)
            self.undo = gr.Button("Undo: take out what was added", visible=False, elem_id="pa-take-out", scale=0, min_width=180)
        self.report = gr.HTML(elem_id="pa-report")
        self.added = gr.State(())

    def wire(self, header: gr.HTML, told: Callable[[], str]) -> None:
        """`header`: what counts the papers, and what it then says."""
        self._header, self._told = header, told
        changed = [self.report, header, self.files, self.pasted, self.add, self.starter, self.undo, self.added]
        taking = {"trigger_mode": "once", "concurrency_limit": 1, "concurrency_id": "adding", **QUIET}
        self.add.click(self.take, [self.files, self.pasted, self.titles_too], changed, **taking)
        self.starter.click(self.take_starter, None, changed, **taking)
        self.undo.click(self.take_out, self.added, changed, **AT_ONCE)

    def take(self, files: Sequence[str] | None, pasted: str, titles_too: bool) -> Iterator[Changes]:
        """Adds dropped files and pasted text to the library, telling how far it is, and at last what came of it."""
        if not files and not (pasted or "").strip():
            gr.Info("Drop a file or paste some text first.", title="Nothing to add")
            yield {self.report: gr.skip()}
            return
        yield from self._taking(self._adding.add(files or [], pasted or "", titles_too))

    def take_starter(self) -> Iterator[Changes]:
        """Adds the starter library."""
        yield from self._taking(self._adding.add_starter())

    def take_out(self, added: Sequence[str]) -> Changes:
        """Takes out again what the last adding brought."""
        return {self.report: self._adding.take_out(added), self._header: self._told(), self.undo: gr.Button(visible=False), self.added: ()}

    def _taking(self, reports: Iterator[tuple[str, Sequence[str]]]) -> Iterator[Changes]:
        waiting: dict[Any, Any] = {self.add: gr.Button(interactive=False), self.starter: gr.Button(interactive=False)}
        added: tuple[str, ...] = ()
        for report, sources in reports:
            yield {self.report: report, **waiting}
            waiting, added = {}, tuple(sources)
        ready: dict[Any, Any] = {self.add: gr.Button(interactive=True), self.starter: gr.Button(interactive=True)}
        undo = {self.added: added, self.undo: gr.Button(visible=bool(added))}
        yield {**ready, **undo, self._header: self._told(), self.files: None, self.pasted: ""}
