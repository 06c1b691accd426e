"""Makes one paper of what several sources, or one source twice, tell of it. Pure functions.

Goes in: entries with the sources they came from. Comes out: the paper as the library knows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace

from index.paper import SUMMARY_NOTE, Entry, Paper, Source
from index.repair import repair


def combine(first: Entry, again: Entry) -> Entry:
    """One entry from two of the same paper in one source: the longer abstract's, with what else the other tells."""
    best, other = (again, first) if len(again.abstract) > len(first.abstract) else (first, again)
    missing = [field.name for field in fields(Entry) if getattr(best, field.name) in (None, ())]
    return replace(best, line=first.line, **{name: getattr(other, name) for name in missing})


def merge(paper_id: str, told: Sequence[tuple[Source, Entry]]) -> Paper:
    """One paper from all that its sources tell, in whatever order they came.

    The authors' abstract goes before a summary of ours, a longer one before a shorter (which
    may be cut off); other facts come from the first source, by name, that tells them.
    """
    ranked = sorted(told, key=lambda pair: (pair[0].starter, -len(pair[1].abstract), pair[0].name))
    entries = [entry for _, entry in ranked]
    best_source, best = ranked[0]
    dated = next((entry for entry in entries if entry.date and not entry.date.startswith("--")), None) or next(
        (entry for entry in entries if entry.date), best
    )
    return Paper(
        paper_id=paper_id,
        title=best.title,
        display_title=repair(best.title),
        abstract=repair(best.abstract),
        raw_abstract=best.abstract,
        date=dated.date,
        date_inferred=dated.date_inferred,
        author_count=next((entry.author_count for entry in entries if entry.author_count is not None), None),
        authors=next((entry.authors for entry in entries if entry.authors), ()),
        comment_count=next((entry.comment_count for entry in entries if entry.comment_count is not None), None),
        arxiv_id=next((entry.arxiv_id for entry in entries if entry.arxiv_id), None),
        doi=next((entry.doi for entry in entries if entry.doi), None),
        pmid=next((entry.pmid for entry in entries if entry.pmid), None),
        venue=next((entry.venue for entry in entries if entry.venue), None),
        url=next((entry.url for entry in entries if entry.url), None),
        keywords=tuple(dict.fromkeys(word for entry in entries for word in entry.keywords)),
        tags=tuple(dict.fromkeys(tag for entry in entries for tag in entry.tags)),
        note=SUMMARY_NOTE if best_source.starter else best.note,
        sources=tuple(sorted({source.name for source, _ in told})),
    )
