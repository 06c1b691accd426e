"""One paper in full, several side by side, and those kept to be read. Pure functions; all that papers say is untrusted, and escaped.

What can be pressed says so in `data-do` (see `library.js`). Knows nothing of Gradio.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from assistant import Answer
from assistant.conversations import Kept
from index import Paper, bibliography, link
from index.citing import in_words
from index.merging import Said
from ui.cards import authors_in_words, to_page
from ui.dates import readable_date
from ui.markup import asks, copies, escape

_COPIED = (("Copy BibTeX", "bibtex"), ("Copy RIS", "ris"), ("Copy Markdown", "markdown"))
FORMS = {"bibtex": ("BibTeX", "bib"), "ris": ("RIS", "ris"), "markdown": ("Markdown", "md")}
"""How a list of papers can be exported: its name, and a file's ending."""


@dataclass(frozen=True)
class Similar:
    """A paper that is near to another."""

    paper: Paper
    cosine: float
    """Of their vectors, 1 for the same."""


def paper_html(
    paper: Paper, similar: Sequence[Similar], said: Mapping[str, Sequence[Said]], is_kept: bool, is_selected: bool, on_map: bool
) -> str:
    """A paper: its record, its abstract, where it was seen, what is most like it, and what can be done with it.

    `said`: what its sources say where they differ; `is_kept`: to be read; `is_selected`: chosen for comparing; `on_map`: whether the map
    can show it.
    """
    key = escape(paper.paper_id)
    abstract = escape(paper.abstract) if paper.abstract else "Only the title is here, no abstract."
    note = f'<p class="pa-facts">{escape(paper.note)}</p>' if paper.note else ""
    doing = [
        asks("Ask about this paper", f"What does “{paper.display_title}” say?") if paper.abstract else "",
        _does("only", paper.paper_id, "Ask only this paper") if paper.abstract else "",
        _does("keep", paper.paper_id, "Take off the reading list" if is_kept else "Read later"),
        _does("choose", paper.paper_id, "Do not compare" if is_selected else "Choose for comparing"),
        _does("locate", paper.paper_id, "Show on the map") if on_map else "",
        copies("Copy citation", in_words(paper)),
        *(copies(label, bibliography([paper], form)) for label, form in _COPIED),
    ]
    return (
        f'<article class="pa-paper" data-id="{key}" aria-label="{escape(paper.display_title)}">'
        f'<button type="button" class="pa-do pa-close" data-do="close">Close</button>'
        f"<h2>{to_page(link(paper), paper.display_title)}</h2>{_record(paper)}{note}"
        f'<h3>Abstract</h3><p class="pa-text">{abstract}</p><div class="pa-doing">{"".join(doing)}</div>'
        f"{_seen(paper, said)}{_similar(similar)}</article>"
    )


def comparison_html(papers: Sequence[Paper], question: str, answers: Mapping[str, Answer]) -> str:
    """Papers side by side; where a question was asked, what each says to it. `answers`: by paper; one that is missing is still coming."""
    asked = (
        f'<tr class="pa-stated"><th scope="row">{escape(question)}</th>{"".join(_said(paper, answers) for paper in papers)}</tr>'
        if question
        else ""
    )
    rows = [
        ("Authors", [escape("; ".join(paper.authors)) for paper in papers]),
        ("Venue", [escape(paper.venue or "") for paper in papers]),
        ("Date", [escape(readable_date(paper.date, paper.date_inferred)) for paper in papers]),
        ("Tags, keywords", [escape(", ".join(dict.fromkeys((*paper.tags, *paper.keywords)))) for paper in papers]),
    ]
    told = "".join(
        f'<tr><th scope="row">{name}</th>{"".join(f"<td>{cell or _NOT_KNOWN}</td>" for cell in cells)}</tr>'
        for name, cells in rows
        if any(cells)
    )
    heads = "".join(
        f'<th scope="col"><button type="button" class="pa-open" data-do="open" data-id="{escape(paper.paper_id)}">'
        f"{escape(paper.display_title)}</button>{_does('choose', paper.paper_id, 'Take out')}</th>"
        for paper in papers
    )
    abstracts = "".join(f"<td>{_abstract(paper, answers.get(paper.paper_id))}</td>" for paper in papers)
    return (
        f'<div class="pa-compare" tabindex="0" role="region" aria-label="Papers side by side">'
        f'<table style="--papers: {len(papers)}"><thead><tr><td></td>{heads}</tr></thead>'
        f'<tbody>{asked}{told}<tr><th scope="row">Abstract</th>{abstracts}</tr></tbody></table></div>'
    )


def reading_html(kept: Sequence[Kept], papers: Mapping[str, Paper], selected: Collection[str]) -> str:
    """The reading list, the last put there first. `papers`: those that are still in the library, by id."""
    if not kept:
        return '<p class="pa-none">Nothing is on your reading list yet: open a paper and press “Read later”.</p>'
    items = "".join(_kept(one, papers.get(one.paper_id), one.paper_id in selected) for one in kept)
    exports = "".join(
        f'<button type="button" class="pa-do" data-do="export" data-form="{form}">Export {name}</button>'
        for form, (name, _) in FORMS.items()
    )
    count = f"<b>{len(kept):,}</b> paper{'' if len(kept) == 1 else 's'} to read"
    return f'<div class="pa-found"><span role="status">{count}</span>{exports}</div><ul class="pa-reading">{items}</ul>'


def selection_html(titles: Sequence[str], most: int) -> str:
    """What can be done with the papers that are chosen; empty where none is. `most`: so many can be compared."""
    if not titles:
        return ""
    count = len(titles)
    can_compare = 2 <= count <= most
    why = (
        ""
        if can_compare
        else f'<span class="pa-facts">{"Choose another to compare" if count < 2 else f"Up to {most} can be compared"}</span>'
    )
    return (
        f'<div class="pa-selection" role="region" aria-label="Chosen papers"><span role="status"><b>{count:,}</b> chosen</span>'
        f'<button type="button" class="pa-do pa-main" data-do="compare"{"" if can_compare else " disabled"}>Compare</button>{why}'
        '<button type="button" class="pa-do" data-do="only-chosen">Ask only these</button>'
        '<button type="button" class="pa-do" data-do="keep-chosen">Read later</button>'
        '<button type="button" class="pa-do" data-do="clear">Choose none</button></div>'
    )


_NOT_KNOWN = '<span class="pa-facts">not known</span>'


def _does(what: str, paper_id: str, label: str) -> str:
    return f'<button type="button" class="pa-do" data-do="{what}" data-id="{escape(paper_id)}">{label}</button>'


def _record(paper: Paper) -> str:
    facts = [
        ("Authors", escape("; ".join(paper.authors)) or (f"{paper.author_count} authors, not named" if paper.author_count else "")),
        ("Venue", escape(paper.venue or "")),
        ("Date", escape(readable_date(paper.date, paper.date_inferred))),
        ("DOI", to_page(f"https://doi.org/{quote(paper.doi, safe='/:;().-_')}", paper.doi) if paper.doi else ""),
        ("arXiv", to_page(f"https://arxiv.org/abs/{quote(paper.arxiv_id, safe='/.-')}", paper.arxiv_id) if paper.arxiv_id else ""),
        ("PubMed", to_page(f"https://pubmed.ncbi.nlm.nih.gov/{quote(paper.pmid, safe='')}/", paper.pmid) if paper.pmid else ""),
        ("Your tags", "".join(f'<span class="pa-tag">{escape(tag)}</span>' for tag in paper.tags)),
        ("Keywords", escape(", ".join(paper.keywords))),
    ]
    return '<dl class="pa-record">' + "".join(f"<div><dt>{name}</dt><dd>{told}</dd></div>" for name, told in facts if told) + "</dl>"


def _seen(paper: Paper, said: Mapping[str, Sequence[Said]]) -> str:
    sources = "".join(f"<li>{escape(name)}</li>" for name in paper.sources)
    differing = "".join(
        f"<li>{escape(field.replace('_', ' '))}: "
        + "; ".join(f"“{escape(_cut(str(one.value)))}” ({escape(one.source.rsplit('/', 1)[-1])})" for one in values)
        + "</li>"
        for field, values in said.items()
    )
    differ = f"<h3>Where its sources differ</h3><ul>{differing}</ul>" if differing else ""
    return f'<h3>Seen in</h3><ul class="pa-seen">{sources}</ul>{differ}'


def _similar(similar: Sequence[Similar]) -> str:
    if not similar:
        return ""
    items = "".join(
        f'<li><button type="button" class="pa-open" data-do="open" data-id="{escape(one.paper.paper_id)}">{escape(one.paper.display_title)}'
        f'</button><span class="pa-by">{_by(one.paper)}</span></li>'
        for one in similar
    )
    return f'<h3>Most similar</h3><ul class="pa-similar">{items}</ul>'


def _by(paper: Paper) -> str:
    return escape(" · ".join(filter(None, [authors_in_words(paper.authors), readable_date(paper.date, paper.date_inferred)])))


def _said(paper: Paper, answers: Mapping[str, Answer]) -> str:
    answer = answers.get(paper.paper_id)
    if answer is None:
        return '<td><span class="pa-waiting">reading…</span></td>'
    quotes = [citation.quote for citation in answer.citations if citation.paper_id == paper.paper_id]
    if not answer.answered or not quotes:
        return '<td class="pa-unstated">not stated</td>'
    return f"<td>{' '.join(f'<q>{escape(quoted)}</q>' for quoted in dict.fromkeys(quotes))}</td>"


def _abstract(paper: Paper, answer: Answer | None) -> str:
    spans = (
        sorted({(one.start, one.end) for one in answer.citations if one.paper_id == paper.paper_id}) if answer and answer.answered else []
    )
    shown, at = [], 0
    for start, end in spans:
        if start >= at:
            shown.append(f"{escape(paper.abstract[at:start])}<mark>{escape(paper.abstract[start:end])}</mark>")
            at = end
    return "".join(shown) + escape(paper.abstract[at:])


def _kept(one: Kept, paper: Paper | None, is_selected: bool) -> str:
    take_off = _does("keep", one.paper_id, "Take off")
    if paper is None:
        return f'<li><span class="pa-open">{escape(one.title)}</span><span class="pa-by">no longer in the library</span>{take_off}</li>'
    key, title = escape(paper.paper_id), escape(paper.display_title)
    choose = f'<input type="checkbox" data-do="select" data-id="{key}"{" checked" if is_selected else ""} aria-label="Choose {title}">'
    return (
        f'<li><label class="pa-choose">{choose}</label><span class="pa-kept">'
        f'<button type="button" class="pa-open" data-do="open" data-id="{key}">{title}</button>'
        f'<span class="pa-by">{_by(paper)}</span></span>{take_off}</li>'
    )


def _cut(text: str) -> str:
    return text if len(text) <= 160 else f"{text[:160].rsplit(' ', 1)[0]}…"
