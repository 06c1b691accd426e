"""Answers as HTML for the chat page. Pure functions.

Titles, abstracts, questions and an LLM's words are untrusted: everything is escaped, and no
blank line is ever written, since the page's Markdown reader leaves an HTML block alone only up
to the first one.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence

from assistant import Answer, Citation
from index import Paper

_MARKER = re.compile(r"\[(\d+)\]")


def question_html(question: str) -> str:
    """The reader's own words."""
    return f'<div class="pa-question">{escape(question)}</div>'


def provisional_html(text: str) -> str:
    """Text that is still coming."""
    return f'<div class="pa-answer pa-coming">{_body(text)}</div>'


def notice_html(message: str) -> str:
    """Something that went wrong, and what to do."""
    return f'<div class="pa-notice" role="alert">{escape(message)}</div>'


def answer_html(answer: Answer, papers: Mapping[str, Paper]) -> str:
    """The finished answer with its sources. `papers`: those it cites, by id."""
    parts = [f'<div class="pa-answer{"" if answer.answered else " pa-declined"}">{_body(answer.text)}</div>']
    by_marker: dict[int, list[Citation]] = {}
    for citation in answer.citations:
        by_marker.setdefault(citation.marker, []).append(citation)
    if by_marker:
        sources = "".join(_source(marker, cited, papers.get(cited[0].paper_id)) for marker, cited in sorted(by_marker.items()))
        parts.append(f'<div class="pa-sources">{sources}</div>')
    parts += [f'<div class="pa-warning">{escape(warning)}</div>' for warning in answer.warnings]
    parts.append(f'<div class="pa-foot">{escape(_foot(answer))}</div>')
    return "".join(parts)


def escape(text: str) -> str:
    """Text that no reader of HTML or Markdown takes for anything else; lines stay lines."""
    plain = html.escape(text, quote=True)
    for sign in "*_`~$\\|#":
        plain = plain.replace(sign, f"&#{ord(sign)};") if sign != "#" else plain
    return plain.replace("\r", "").replace("\n", "<br>")


def _body(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    shown, items = [], []
    for line in lines:
        if line.startswith("- "):
            items.append(f"<li>{_marked(line[2:])}</li>")
        else:
            shown.append(f"<p>{_marked(line)}</p>")
    return "".join(shown) + (f"<ul>{''.join(items)}</ul>" if items else "")


def _marked(line: str) -> str:
    return _MARKER.sub(r'<sup class="pa-mark">\1</sup>', escape(line))


def _source(marker: int, cited: Sequence[Citation], paper: Paper | None) -> str:
    first = cited[0]
    facts = [escape(fact) for fact in (first.date, first.note) if fact]
    abstract = _with_quotes(paper.abstract, cited) if paper else "".join(f"<mark>{escape(one.quote)}</mark> " for one in cited)
    link = f'<a href="{html.escape(first.url, quote=True)}" rel="noreferrer">open</a>' if first.url and _is_web(first.url) else ""
    seen = ", ".join(escape(name.rsplit("/", 1)[-1]) for name in first.sources)
    doubt = "" if all(one.supported for one in cited) else '<span class="pa-doubt">not all supported</span>'
    return (
        f'<details class="pa-source"><summary><span class="pa-number">{marker}</span>'
        f'<span class="pa-title">{escape(first.display_title)}</span>{doubt}</summary>'
        f'<div class="pa-abstract">{abstract}</div>'
        f'<div class="pa-facts">{" · ".join([*facts, *([f"seen in {seen}"] if seen else []), *([link] if link else [])])}</div></details>'
    )


def _with_quotes(abstract: str, cited: Sequence[Citation]) -> str:
    shown, at = [], 0
    for start, end in sorted({(one.start, one.end) for one in cited}):
        if start < at:
            continue
        shown.append(f"{escape(abstract[at:start])}<mark>{escape(abstract[start:end])}</mark>")
        at = end
    return "".join(shown) + escape(abstract[at:])


def _foot(answer: Answer) -> str:
    how = "Quoted, no LLM" if answer.mode == "extractive" else answer.mode
    seconds = f"{answer.timings_ms['total'] / 1000:.2f} s"
    if not answer.answered:
        return f"Declined · {seconds}"
    sure = "high" if answer.confidence >= 0.7 else "medium" if answer.confidence >= 0.35 else "low: check the sources"
    return f"{how} · confidence {sure} · {seconds}"


def _is_web(url: str) -> bool:
    return url.startswith(("https://", "http://"))
