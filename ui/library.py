"""The library's tab: the papers as a table and as a map, one of them in full, several side by side, and those to be read.

Gradio components, and what they call; what is shown comes from `ui.table`, `ui.paper` and `ui.map`, whose buttons all come here as
one event (see `library.js`).
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import gradio as gr

from assistant import AssistantError, Filters
from assistant.answer import Answer
from assistant.conversations import Conversations
from assistant.llms import EXTRACTIVE
from index import IndexingError, Paper, bibliography
from index.browsing import FIELDS, ORDERS, Browse, Field, Order
from index.mapping import PaperMap, draw_map, load_map
from ui.conversation import View
from ui.frame import QUIET, Frame
from ui.map import LISTED, clusters_html, drawn, map_json
from ui.paper import FORMS, Similar, comparison_html, paper_html, reading_html, selection_html
from ui.polling import called
from ui.render import notice_html
from ui.table import PAGE, counts_html, table_html

_SCRIPT, _MAP_SCRIPT = (Path(__file__).with_name(name).read_text(encoding="utf-8") for name in ("library.js", "map.js"))
COMPARED = 5
"""Papers side by side, at most."""
_SIMILAR = 6
_COUNTED: tuple[Field, ...] = ("year", "venue", "tag", "source")
_PLACES = (("Papers", "table"), ("Map", "map"), ("Reading list", "reading"))
_SAVE = "(file) => window.paSave(file)"
_PULSE_SECONDS = 0.5
_MAP = """<div class="pa-map"><canvas class="pa-canvas" tabindex="0" role="img"
aria-label="Map of the library: each point a paper, near to those like it. The clusters are listed below. Arrows move it, plus and
minus zoom, zero shows all."></canvas><div class="pa-tip" hidden></div><div class="pa-zoom">
<button type="button" data-zoom="1.5" aria-label="Nearer">+</button>
<button type="button" data-zoom="0.667" aria-label="Further">−</button>
<button type="button" data-zoom="0" aria-label="Show all">All</button></div></div>"""

Values = Mapping[Any, Any]
Changes = dict[Any, Any]


@dataclass(frozen=True)
class At:
    """What one browser tab's library is at."""

    place: str = "table"
    """`table`, `map`, `reading`, `compare`."""
    browse: Browse = field(default_factory=Browse)
    page: int = 0
    paper_id: str = ""
    """The paper that is open."""
    chosen: tuple[str, ...] = ()
    """Papers that were chosen, to compare or to ask."""
    names: Mapping[str, str] = field(default_factory=dict)
    """By field, what the table is narrowed to, as people write it."""
    cluster: int = -1
    """The cluster of the map that is opened."""


class LibraryTab:
    """The components over one frame, and their handlers; many browser tabs at once, each with an `At` of its own."""

    def __init__(self, frame: Frame) -> None:
        """Makes the components, within a `gr.Tab`."""
        self._frame = frame
        self._library = frame.assistant.library
        self._map: PaperMap | None = None
        self._drawing = threading.Lock()
        self.at = gr.State(At())
        with gr.Row(elem_id="pa-lib"):
            with gr.Column(elem_id="pa-lib-main", scale=3):
                self.places = gr.Radio(list(_PLACES), value="table", show_label=False, container=False, label="Show", elem_id="pa-places")
                with gr.Column(elem_id="pa-lib-table") as self.table_part:
                    self.words = gr.Textbox(
                        label="Search the library",
                        placeholder="Title, abstract, author or venue",
                        show_label=False,
                        max_lines=1,
                        elem_id="pa-lib-words",
                    )
                    with gr.Accordion("By year, venue, tag and source", open=True, elem_id="pa-lib-counts"):
                        self.counts = _pressable("pa-counts-html")
                    self.table = _pressable("pa-table-html")
                with gr.Column(visible=False, elem_id="pa-lib-map") as self.map_part:
                    self.drawing = gr.HTML()
                    self.map = _pressable("pa-map-html", _MAP, script=_SCRIPT + _MAP_SCRIPT)
                    self.clusters = _pressable("pa-clusters-html")
                with gr.Column(visible=False, elem_id="pa-lib-reading") as self.reading_part:
                    self.reading = _pressable("pa-reading-html")
                with gr.Column(visible=False, elem_id="pa-lib-compare") as self.compare_part:
                    with gr.Row(elem_id="pa-each-row"):
                        self.question = gr.Textbox(
                            label="Ask each of them",
                            placeholder="Ask each of them the same question",
                            show_label=False,
                            max_lines=1,
                            submit_btn="Ask each",
                            elem_id="pa-each",
                        )
                    self.comparison = _pressable("pa-compare-html")
                self.selection = _pressable("pa-selection-html")
            self.paper = _pressable("pa-paper", visible=False)
        self.file = gr.Textbox(show_label=False, elem_id="pa-lib-file", elem_classes="pa-hidden")
        self._wire()

    def _wire(self) -> None:
        state = {self.at, self._frame.view}
        parts = [self.at, self.places, self.table_part, self.map_part, self.reading_part, self.compare_part]
        shown = [self.table, self.counts, self.paper, self.reading, self.comparison, self.selection, self.clusters, self.map, self.file]
        everything = [*parts, *shown, self._frame.only]
        tab = gr.context.Context.block
        assert isinstance(tab, gr.Tab)
        tab.select(self.arrive, {*state, self.places}, everything, **QUIET).then(
            self.draw, state, [self.drawing, self.map, self.clusters], **QUIET
        )
        self.words.change(self.search, {*state, self.words}, everything, trigger_mode="always_last", **QUIET)
        pressed = gr.on(
            [
                one.click
                for one in (self.table, self.counts, self.paper, self.reading, self.comparison, self.selection, self.clusters, self.map)
            ],
            self.press,
            state,
            everything,
            trigger_mode="multiple",  # no press is lost, and each sees what the one before it did
            concurrency_limit=1,
            **QUIET,
        )
        gone = self.places.input(self.go, {*state, self.places}, everything, **QUIET)
        for step in (pressed, gone):
            step.then(self.draw, state, [self.drawing, self.map, self.clusters], **QUIET)
        self.question.submit(self.ask_each, {*state, self.question}, [self.comparison], **QUIET)
        self.file.change(None, self.file, None, js=_SAVE)

    # What readers do

    def arrive(self, values: Values) -> Changes:
        """The tab is opened: all as it is now, whatever happened to the library meanwhile."""
        self._library.reopen_if_moved()
        return {**self._part(values[self.at]), **self._all(values[self.at], values[self._frame.view])}

    def go(self, values: Values) -> Changes:
        """To the table, the map or the reading list."""
        at = replace(values[self.at], place=values[self.places] or "table")
        return {**self._part(at), **self._all(at, values[self._frame.view])}

    def search(self, values: Values) -> Changes:
        """Words are typed."""
        at: At = values[self.at]
        at = replace(at, browse=replace(at.browse, words=values[self.words] or ""), page=0)
        return {self.at: at, self.table: self._table(at), self.counts: self._counts(at)}

    def press(self, values: Values, event: gr.EventData) -> Changes:
        """Something was pressed that has `data-do`."""
        data = {str(name): value for name, value in (event._data or {}).items()}
        at, view = values[self.at], values[self._frame.view]
        act = self._ACTS.get(str(data.get("do", "")))
        if act is None:
            return {self.at: at}
        return act(self, at, view, data)

    def draw(self, values: Values) -> Iterator[Changes]:
        """The map, where it is looked at: drawn first where there is none that fits."""
        at: At = values[self.at]
        if at.place != "map":
            return
        try:
            for whole in called(self._current_map, _PULSE_SECONDS):
                if whole is None:
                    waiting = "Drawing the map of the library… it is kept, so that the next time is quick."
                    yield {
                        self.drawing: f'<p class="pa-waiting" role="status">{waiting}</p>',
                        self.map: gr.skip(),
                        self.clusters: gr.skip(),
                    }
                else:
                    yield {self.drawing: "", **self._drawn(whole, at, values[self._frame.view])}
        except IndexingError as error:
            yield {self.drawing: notice_html(str(error)), self.map: gr.skip(), self.clusters: gr.skip()}

    def ask_each(self, values: Values) -> Iterator[str]:
        """The same question asked of each paper that is compared; what each says comes as it is found."""
        at, question = values[self.at], (values[self.question] or "").strip()
        papers = self._library.papers(list(at.chosen))
        if not question:
            yield comparison_html(papers, "", {})
            return
        answers: dict[str, Answer] = {}
        quoting = self._frame.assistant.varied(EXTRACTIVE)
        yield comparison_html(papers, question, answers)
        try:
            for paper in papers:
                answers[paper.paper_id] = quoting.answer(question, filters=Filters(papers=(paper.paper_id,)))
                yield comparison_html(papers, question, answers)
        except (AssistantError, IndexingError) as error:
            yield notice_html(str(error)) + comparison_html(papers, "", {})

    # What is pressed

    def _open(self, at: At, view: View, data: Values) -> Changes:
        at = replace(at, paper_id=str(data.get("id", "")))
        return {self.at: at, **self._all(at, view)}

    def _close(self, at: At, view: View, data: Values) -> Changes:
        at = replace(at, paper_id="")
        return {self.at: at, **self._all(at, view)}

    def _sort(self, at: At, view: View, data: Values) -> Changes:
        order: Order = next((one for one in ORDERS if one == data.get("order")), "added")
        turned = order == at.browse.order and not at.browse.is_reversed
        at = replace(at, browse=replace(at.browse, order=order, is_reversed=turned), page=0)
        return {self.at: at, self.table: self._table(at)}

    def _narrow(self, at: At, view: View, data: Values) -> Changes:
        by = next((one for one in FIELDS if one == data.get("field")), None)
        if by is None:
            return {self.at: at}
        names = {**at.names, by: str(data.get("name", ""))}
        at = replace(at, browse=at.browse.narrowed(by, str(data.get("value", ""))), page=0, names=names)
        return {self.at: at, self.table: self._table(at), self.counts: self._counts(at)}

    def _turn(self, at: At, view: View, data: Values) -> Changes:
        page = str(data.get("page", ""))
        at = replace(at, page=int(page) if page.isdecimal() else 0)
        return {self.at: at, self.table: self._table(at)}

    def _choose(self, at: At, view: View, data: Values) -> Changes:
        one = str(data.get("id", ""))
        rest = tuple(other for other in at.chosen if other != one)
        wanted = bool(data["on"]) if "on" in data else one not in at.chosen
        at = replace(at, chosen=(*rest, one) if wanted else rest)
        if at.place == "compare" and len(at.chosen) < 2:
            at = replace(at, place="table")
        return {**self._part(at), **self._all(at, view)}

    def _clear(self, at: At, view: View, data: Values) -> Changes:
        at = replace(at, chosen=(), place="table" if at.place == "compare" else at.place)
        return {**self._part(at), **self._all(at, view)}

    def _compare(self, at: At, view: View, data: Values) -> Changes:
        if 2 <= len(at.chosen) <= COMPARED:
            at = replace(at, place="compare", paper_id="")
        return {**self._part(at), **self._all(at, view)}

    def _only(self, at: At, view: View, data: Values) -> Changes:
        return {self.at: at, self._frame.only: (str(data.get("id", "")),)}

    def _only_chosen(self, at: At, view: View, data: Values) -> Changes:
        return {self.at: at, self._frame.only: at.chosen}

    def _keep(self, at: At, view: View, data: Values) -> Changes:
        kept, one = self._kept(view), str(data.get("id", ""))
        if one in {other.paper_id for other in kept.kept()}:
            kept.drop_paper(one)
        else:
            kept.keep_papers(self._library.papers([one]))
        return {self.at: at, **self._all(at, view)}

    def _keep_chosen(self, at: At, view: View, data: Values) -> Changes:
        self._kept(view).keep_papers(self._library.papers(list(at.chosen)))
        gr.Info("They are on your reading list.", title="Read later")
        return {self.at: at, **self._all(at, view)}

    def _export(self, at: At, view: View, data: Values) -> Changes:
        form = str(data.get("form", ""))
        if form not in FORMS:
            return {self.at: at}
        papers = self._library.papers([one.paper_id for one in self._kept(view).kept()])
        text = bibliography(papers, form)
        # The count makes each file another value, so that the same one can be saved twice.
        self._saved = getattr(self, "_saved", 0) + 1
        return {self.at: at, self.file: json.dumps({"name": f"reading-list.{FORMS[form][1]}", "text": text, "count": self._saved})}

    def _locate(self, at: At, view: View, data: Values) -> Changes:
        at = replace(at, place="map")
        return {**self._part(at), **self._all(at, view)}

    def _cluster(self, at: At, view: View, data: Values) -> Changes:
        number = str(data.get("cluster", ""))
        chosen = int(number) if number.isdecimal() else -1
        return {self.at: replace(at, cluster=-1 if chosen == at.cluster else chosen)}

    _ACTS: Mapping[str, Callable[[LibraryTab, At, View, Values], Changes]] = {
        "open": _open,
        "close": _close,
        "sort": _sort,
        "narrow": _narrow,
        "page": _turn,
        "select": _choose,
        "choose": _choose,
        "clear": _clear,
        "compare": _compare,
        "only": _only,
        "only-chosen": _only_chosen,
        "keep": _keep,
        "keep-chosen": _keep_chosen,
        "export": _export,
        "locate": _locate,
        "cluster": _cluster,
    }

    # What is shown

    def _part(self, at: At) -> Changes:
        return {
            self.at: at,
            self.places: gr.Radio(value=at.place if at.place != "compare" else None),
            self.table_part: gr.Column(visible=at.place == "table"),
            self.map_part: gr.Column(visible=at.place == "map"),
            self.reading_part: gr.Column(visible=at.place == "reading"),
            self.compare_part: gr.Column(visible=at.place == "compare"),
        }

    def _all(self, at: At, view: View) -> Changes:
        """All that may have changed where the reader is."""
        changes: Changes = {self.paper: self._paper(at, view), self.selection: self._selection(at)}
        if at.place == "table":
            changes |= {self.table: self._table(at), self.counts: self._counts(at)}
        elif at.place == "reading":
            kept = self._kept(view).kept()
            papers = {paper.paper_id: paper for paper in self._library.papers([one.paper_id for one in kept])}
            changes |= {self.reading: reading_html(kept, papers, at.chosen)}
        elif at.place == "compare":
            changes |= {self.comparison: comparison_html(self._library.papers(list(at.chosen)), "", {})}
        return changes

    def _table(self, at: At) -> str:
        papers, total = self._library.catalogue.page(at.browse, PAGE, at.page * PAGE)
        return table_html(papers, total, at.browse, at.page, at.chosen, at.paper_id, at.names)

    def _counts(self, at: At) -> str:
        return counts_html({by: self._library.catalogue.counts(by, at.browse) for by in _COUNTED}, at.browse)

    def _selection(self, at: At) -> str:
        return selection_html([paper.display_title for paper in self._library.papers(list(at.chosen))], COMPARED)

    def _paper(self, at: At, view: View) -> Any:
        papers = self._library.papers([at.paper_id]) if at.paper_id else []
        if not papers:
            return gr.HTML("", visible=False)
        [paper] = papers
        similar = self._similar(paper)
        said = self._library.catalogue.told([paper.paper_id]).get(paper.paper_id, {})
        is_kept = any(one.paper_id == paper.paper_id for one in self._kept(view).kept())
        html = paper_html(paper, similar, said, is_kept, paper.paper_id in at.chosen, at.place != "map")
        return gr.HTML(html, visible=True)

    def _similar(self, paper: Paper) -> list[Similar]:
        cosines = {hit.paper_id: hit.score for hit in self._library.near(paper.paper_id, _SIMILAR)}
        return [Similar(one, cosines[one.paper_id]) for one in self._library.papers(list(cosines))]

    def _drawn(self, whole: PaperMap, at: At, view: View) -> Changes:
        exchanges = self._kept(view).exchanges(view.conversation_id) if view.conversation_id else ()
        answer = next((exchange.answer for exchange in reversed(exchanges) if exchange.answer), None)
        lit = {citation.paper_id for citation in answer.citations} if answer else set[str]()
        shown = drawn(whole, {*lit, at.paper_id})
        titles = {paper.paper_id: paper.display_title for paper in self._library.papers([whole.paper_ids[one] for one in shown])}
        of_cluster = [paper_id for paper_id, number in zip(whole.paper_ids, whole.clusters, strict=True) if number == at.cluster]
        listed = self._library.papers(of_cluster[:LISTED])
        return {
            self.map: map_json(whole, shown, titles, lit, at.paper_id),
            self.clusters: clusters_html(whole, len(shown), len(lit & set(whole.paper_ids)), at.cluster, listed),
        }

    def _current_map(self) -> PaperMap:
        with self._drawing:  # whoever comes meanwhile waits, and is given the same
            self._library.reopen_if_moved()
            if self._map is None or set(self._map.paper_ids) != self._library.confirmed_ids():
                self._map = load_map(self._library) or draw_map(self._library)
            return self._map

    def _kept(self, view: View) -> Conversations:
        return self._frame.conversations.owned_by(view.owner)


def build(frame: Frame) -> None:
    """The tab's components, within it."""
    LibraryTab(frame)


def _pressable(elem_id: str, template: str = "${value}", visible: bool = True, script: str = _SCRIPT) -> gr.HTML:
    return gr.HTML(html_template=template, js_on_load=script, apply_default_css=False, elem_id=elem_id, visible=visible)
