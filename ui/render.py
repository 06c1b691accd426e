"""Questions, answers and notices as HTML for the chat page. Pure functions.

Titles, abstracts, questions and an LLM's words are untrusted: everything is escaped (see `markup`). Knows nothing of Gradio.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import groupby

from assistant import Answer, Citation
from assistant.answer import cells_of, is_row
from assistant.llms import EXTRACTIVE
from assistant.llms.discovery import Offer
from assistant.verification.citations import CONTRADICTED, UNSUPPORTED, doubted
from index import Paper
from ui.cards import nearest_html, source_html
from ui.markup import acts, copies, escape, follows

_LONGEST_QUESTION = 600
"""Characters shown of a question; nothing that long is a question, and it may be a pasted book."""
HIGH, MEDIUM = 0.7, 0.35
"""Confidence from which an answer is told to be of high, and of medium confidence."""
_MARKER = re.compile(r"\s*\[([0-9]{1,3})\]")
_QUOTES = re.compile(r"(?<=\])\s+(?=“)")
"""Between the quotes of one cell."""


def question_html(question: str) -> str:
    """The reader's own words, which can be edited and asked again."""
    shown = question if len(question) <= _LONGEST_QUESTION else question[: _LONGEST_QUESTION - 1] + "…"
    return f'<div class="pa-asked"><div class="pa-question">{escape(shown.strip())}</div>{acts("edit", "Edit")}</div>'


def waiting_html(words: str) -> str:
    """What is being done before any text comes."""
    return f'<div class="pa-waiting">{escape(words)}</div>'


def coming_html(text: str) -> str:
    """Text that is still coming."""
    return f'<div class="pa-answer pa-coming">{_body(text)}</div>'


def stopped_html(text: str) -> str:
    """What had come when the reader stopped the answer."""
    body = f'<div class="pa-answer pa-coming">{_body(text)}</div>' if text.strip() else ""
    return f"{body}{_foot('Stopped; unchecked, and not kept for what you ask next', acts('retry', 'Retry'))}"


def unfinished_html(text: str) -> str:
    """What an LLM had written when it failed, below the answer that took its place."""
    if not text.strip():
        return ""
    return (
        '<details class="pa-unfinished"><summary>What the LLM had written: unfinished or unsupported, no part of the answer</summary>'
        f'<div class="pa-answer pa-coming">{_body(text, {})}</div></details>'
    )


def notice_html(message: str) -> str:
    """Something that went wrong, and what to do."""
    return f'<div class="pa-notice" role="alert">{escape(message)}</div>'


def failed_html(message: str) -> str:
    """Why a question got no answer; it can be asked again."""
    return f"{notice_html(message)}{_foot(acts('retry', 'Retry'))}"


def follow_html(questions: Sequence[str]) -> str:
    """What can be asked next, at one click; empty where there is nothing."""
    if not questions:
        return ""
    asked = "".join(follows(question) for question in questions)
    return f'<div class="pa-follows" role="group" aria-label="Ask next">{asked}</div>'


def answer_html(answer: Answer, papers: Mapping[str, Paper], turn: int) -> str:
    """The finished answer with its sources. `papers`: those it cites or found near, by id; `turn`: its place
    in the conversation, which makes the sources' anchors unique."""
    if not answer.answered:
        return _declined(answer, papers)
    sources = _by_marker(answer.citations)
    anchors = {marker: f"pa-source-{turn}-{marker}" for marker in sources}
    cards = "".join(source_html(anchors[marker], cited, papers.get(cited[0].paper_id)) for marker, cited in sources.items())
    said = "".join(
        [
            f'<div class="pa-answer">{_body(answer.text, anchors)}</div>',
            _notes(sources),
            _warnings(answer),
            _foot(_confidence(answer), _writer(answer), *_used(answer), _seconds(answer)),
            _doing(answer),
        ]
    )
    beside = f'<div class="pa-sources" role="group" aria-label="Sources">{cards}</div>' if cards else ""
    return f'<div class="pa-turn"><div class="pa-said">{said}</div>{beside}</div>'


def noticed_html(offers: Sequence[Offer]) -> str:
    """What could write answers here, and that nothing of it is used unless chosen; of an LLM whose package is missing, what installs it."""
    ready = list(dict.fromkeys(offer.why for offer in offers if offer.first is None))
    lacking = dict.fromkeys((offer.why, offer.first) for offer in offers if offer.first is not None)
    lines = [f"{escape('; '.join(ready))}. Answers quote, unless you choose an LLM:"] if ready else []
    lines += [f"{escape(why)}. To use it: <code>{escape(first or '')}</code>, and start anew." for why, first in lacking]
    return "".join(f'<p class="pa-noticed">{line}</p>' for line in lines)


def _declined(answer: Answer, papers: Mapping[str, Paper]) -> str:
    if answer.reason is None:  # a greeting, say: nothing was sought
        return f'<div class="pa-answer">{_body(answer.text, {})}</div>' + _warnings(answer)
    titles = {paper.display_title: paper for paper in answer.retrieved}
    named = [line[2:] for line in answer.text.splitlines() if line.startswith("- ") and line[2:] in titles]
    text = "\n".join(line for line in answer.text.splitlines() if line[2:] not in named)
    nearest = "".join(nearest_html(titles[title], papers.get(titles[title].paper_id)) for title in named)
    body = f'<div class="pa-answer pa-declined"><p class="pa-verdict">No answer in this library</p>{_body(text, {})}{nearest}</div>'
    return body + _warnings(answer) + _foot(*_used(answer), _seconds(answer), acts("retry", "Retry"))


def _doing(answer: Answer) -> str:
    """What can be done with an answer; all but copying with the last one only (by the style)."""
    asked = f"{acts('retry', 'Retry')}{acts('shorter', 'Shorter')}{acts('longer', 'Longer')}"
    return f'<div class="pa-doing">{copies("Copy answer", answer.to_markdown())}{asked}</div>'


def _by_marker(citations: Sequence[Citation]) -> dict[int, list[Citation]]:
    sources: dict[int, list[Citation]] = {}
    for citation in sorted(citations, key=lambda one: one.marker):
        sources.setdefault(citation.marker, []).append(citation)
    return sources


def _body(text: str, anchors: Mapping[int, str] | None = None) -> str:
    """Paragraphs, lists and tables, in the text's order. `anchors`: of the sources' cards, by marker."""
    lines = [line for line in text.splitlines() if line.strip()]
    shown = []
    for kind, group in groupby(lines, key=lambda line: "row" if is_row(line) else line[:2] if line.startswith("- ") else ""):
        if kind == "row":
            shown.append(_table([cells for line in group if (cells := cells_of(line))], anchors))
        elif kind:
            shown.append("<ul>" + "".join(f"<li>{_marked(line[2:], anchors)}</li>" for line in group) + "</ul>")
        else:
            shown += [f"<p>{_marked(line, anchors)}</p>" for line in group]
    return "".join(shown)


def _table(rows: Sequence[Sequence[str]], anchors: Mapping[int, str] | None) -> str:
    """A comparison: the first row its heads, the first cell of each other row what that is about. Empty where there are no cells."""
    if not rows:
        return ""
    heads = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in rows[0])
    body = "".join(
        f'<tr><th scope="row">{_marked(row[0], anchors)}</th>'
        + "".join(f"<td>{''.join(f'<p>{_marked(part, anchors)}</p>' for part in _QUOTES.split(cell))}</td>" for cell in row[1:])
        + "</tr>"
        for row in rows[1:]
    )
    return f'<table class="pa-compared"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>'


_FLAGS = {UNSUPPORTED: "not found in the papers", CONTRADICTED: "the paper says otherwise"}


def _marked(line: str, anchors: Mapping[int, str] | None) -> str:
    """The line, sentences that failed the check marked as such."""
    if not anchors:  # not checked, or not an answer
        return _linked(line, anchors)
    return "".join(
        f'<span class="pa-unsupported">{_linked(part, anchors)} <span class="pa-flag">{_FLAGS[doubt]}</span></span>'
        if doubt
        else _linked(part, anchors)
        for part, doubt in doubted(line)
    )


def _linked(line: str, anchors: Mapping[int, str] | None) -> str:
    """The line with its markers as links to the sources' cards."""
    shown, at = [], 0
    for marker in _MARKER.finditer(line):
        shown += [escape(line[at : marker.start()]), _mark(marker[1], anchors) or escape(marker[0])]
        at = marker.end()
    return "".join(shown) + escape(line[at:])


def _mark(number: str, anchors: Mapping[int, str] | None) -> str:
    """A marker as a link; while text is coming, when no card is there yet, as a number. Empty for brackets
    that no citation stands behind: they are the text's own."""
    if anchors is None:
        return f"<sup>{number}</sup>"
    if anchor := anchors.get(int(number)):
        return f'<sup><a class="pa-mark" href="#{anchor}" aria-label="Source {number}">{number}</a></sup>'
    return ""


def _notes(sources: Mapping[int, Sequence[Citation]]) -> str:
    """What a reader must be told of the quoted papers, once for all that share it."""
    markers: dict[str, list[int]] = {}
    for marker, cited in sources.items():
        if note := cited[0].note:
            markers.setdefault(note, []).append(marker)
    lines = []
    for note, of in markers.items():
        which = "" if len(of) == len(sources) else f"{', '.join(map(str, of))}: "
        lines.append(f'<div class="pa-note">{which}{escape(note if which else note[:1].upper() + note[1:])}</div>')
    return "".join(lines)


def _warnings(answer: Answer) -> str:
    return "".join(f'<div class="pa-warning">{escape(warning)}</div>' for warning in answer.warnings)


def _foot(*facts: str) -> str:
    return f'<div class="pa-foot">{"".join(fact if fact.startswith("<") else f"<span>{fact}</span>" for fact in facts)}</div>'


def _confidence(answer: Answer) -> str:
    if UNSUPPORTED in answer.text or CONTRADICTED in answer.text:
        return '<span class="pa-sure pa-low">Not all of it is supported: check the sources</span>'
    confidence = answer.confidence
    if confidence >= HIGH:
        return '<span class="pa-sure pa-high">High confidence</span>'
    if confidence >= MEDIUM:
        return '<span class="pa-sure pa-medium">Medium confidence</span>'
    return '<span class="pa-sure pa-low">Low confidence: check the sources</span>'


def _writer(answer: Answer) -> str:
    return "Quoted, no LLM" if answer.mode == EXTRACTIVE else f"Written by {escape(answer.mode)}"


def _used(answer: Answer) -> list[str]:
    """What an LLM used, where one was asked."""
    return [escape(str(answer.usage))] if answer.usage and str(answer.usage) else []


def _seconds(answer: Answer) -> str:
    return f"{answer.timings_ms.get('total', 0.0) / 1000:.2f} s"
