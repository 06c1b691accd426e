"""Papers as cards below an answer: what it cites, with the quotes in their place; what came nearest where it declines.

Pure functions; titles, names and abstracts are untrusted, and escaped. Knows nothing of Gradio.
"""

from __future__ import annotations

from collections.abc import Sequence

from assistant import Citation, RetrievedPaper
from assistant.answer import references
from index import Paper, link
from index.citing import name_parts
from ui.dates import readable_date
from ui.markup import asks, copies, escape

_AUTHORS_SHOWN = 3


def source_html(anchor: str, cited: Sequence[Citation], paper: Paper | None) -> str:
    """A cited paper: all its quotes, marked in its abstract, where that is there. `anchor`: what its markers link to."""
    first = cited[0]
    doubt = "" if all(one.supported for one in cited) else '<span class="pa-doubt">not all supported by its abstract</span>'
    date = readable_date(first.date, paper.date_inferred if paper else None)
    known = _known(authors_in_words(first.authors), first.venue, date)
    abstract = _with_quotes(paper.abstract, cited) if paper else " ".join(f"<mark>{escape(one.quote)}</mark>" for one in cited)
    quotes = " ".join(f"“{one.quote}”" for one in sorted(cited, key=lambda one: one.start))
    copying = "".join(
        [
            copies("Copy BibTeX", references([first], "bibtex")),
            copies("Copy citation", first.in_words()),
            copies("Copy quote", f"{quotes} ({first.in_words()})"),
        ]
    )
    return (
        f'<details class="pa-source" id="{anchor}"><summary><span class="pa-number">{first.marker}</span><span class="pa-named">'
        f'<span class="pa-title">{to_page(first.url, first.display_title)}</span>{known}{doubt}'
        f'</span></summary><div class="pa-abstract">{abstract}</div><div class="pa-facts">{_facts(first)}</div>'
        f'<div class="pa-doing">{copying}</div></details>'
    )


def nearest_html(found: RetrievedPaper, paper: Paper | None) -> str:
    """A paper that came near and does not answer, to be opened and asked about."""
    known = _known(authors_in_words(paper.authors), paper.venue, readable_date(paper.date, paper.date_inferred)) if paper else ""
    about = f"What does “{found.display_title}” say?"
    abstract = escape(paper.abstract) if paper and paper.abstract else "Its abstract is not here."
    note = f'<div class="pa-facts">{escape(paper.note)}</div>' if paper and paper.note else ""
    return (
        '<details class="pa-source pa-nearest"><summary><span class="pa-named">'
        f'<span class="pa-title">{to_page((link(paper) if paper else None) or found.url, found.display_title)}</span>{known}'
        f'</span></summary><div class="pa-abstract">{abstract}</div>{note}<div class="pa-doing">'
        f"{asks('Ask about this paper', about)}</div></details>"
    )


def _known(*facts: str | None) -> str:
    return "".join(f'<span class="pa-date">{escape(fact)}</span>' for fact in facts if fact)


def _facts(citation: Citation) -> str:
    facts = [escape(citation.note)] if citation.note else []
    if citation.sources:
        facts.append(f"seen in {escape(', '.join(name.rsplit('/', 1)[-1] for name in citation.sources))}")
    return " · ".join(facts)


def to_page(url: str | None, words: str) -> str:
    """The words, as a link to the paper where there is one that is safe."""
    if not url or not url.startswith(("https://", "http://")):
        return escape(words)
    opens = 'title="Open the paper’s page" target="_blank" rel="noopener noreferrer"'
    return f'<a href="{escape(url)}" {opens}>{escape(words)}</a>'


def authors_in_words(names: Sequence[str]) -> str:
    """`Ada Moss, Bo Reed, Cy Tern and 4 more`."""
    shown = [" ".join(reversed(name_parts(name))).strip() for name in names[:_AUTHORS_SHOWN]]
    return ", ".join(shown) + (f" and {len(names) - len(shown)} more" if len(names) > len(shown) else "")


def _with_quotes(abstract: str, cited: Sequence[Citation]) -> str:
    shown, at = [], 0
    for start, end in sorted({(one.start, one.end) for one in cited}):
        if end <= at:
            continue
        start = max(start, at)
        shown.append(f"{escape(abstract[at:start])}<mark>{escape(abstract[start:end])}</mark>")
        at = end
    return "".join(shown) + escape(abstract[at:])
