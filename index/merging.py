"""Makes one paper of all records that tell of it. Pure functions.

Goes in: records. Comes out: the paper as the library knows it, and what each source said where they differ.
The rule, field by field: title and abstract are the fullest record's (see `Record.rank`). A published version goes
before a record without a DOI, and that before a preprint; a starter summary comes last. By that order come DOI,
link, venue and ids; the date too, the most exact of the best version's; authors are the longest list. Where that
leaves several, the first source by name. Keywords and tags are all that any source tells.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from index.identity import Record, is_preprint
from index.paper import SUMMARY_NOTE, Paper, fold
from index.repair import repair

VERSION = 2
"""Counts up when the same records would make other papers, by these rules, `identity`'s or `repair`'s."""

_COMPARED = (
    "title", "abstract", "date", "author_count", "authors", "comment_count", "arxiv_id", "doi", "pmid", "venue", "url"
)  # fmt: skip


def merge(paper_id: str, records: Sequence[Record]) -> Paper:
    """One paper from all that its sources tell, in whatever order they came."""
    fullest = sorted(records, key=lambda record: record.rank)
    best = fullest[0]
    entries = [record.entry for record in fullest]
    versions = [record.entry for record in sorted(fullest, key=_version)]  # stable: of each version, the fullest first
    dated = min((record for record in fullest if record.entry.date), key=_dating, default=best).entry
    return Paper(
        paper_id=paper_id,
        title=best.entry.title,
        display_title=repair(best.entry.title),
        abstract=repair(best.entry.abstract),
        raw_abstract=best.entry.abstract,
        date=dated.date,
        date_inferred=dated.date_inferred,
        author_count=next((entry.author_count for entry in entries if entry.author_count is not None), None),
        authors=max((entry.authors for entry in versions), key=lambda authors: (len(authors), sum("," in name for name in authors))),
        comment_count=next((entry.comment_count for entry in entries if entry.comment_count is not None), None),
        arxiv_id=next((entry.arxiv_id for entry in versions if entry.arxiv_id), None),
        doi=next((entry.doi for entry in versions if entry.doi), None),
        pmid=next((entry.pmid for entry in versions if entry.pmid), None),
        venue=next((entry.venue for entry in versions if entry.venue), None),
        url=next((entry.url for entry in versions if entry.url), None),
        keywords=_united(entry.keywords for entry in entries),
        tags=_united(entry.tags for entry in entries),
        note=SUMMARY_NOTE if best.starter and best.entry.abstract else best.entry.note,
        sources=tuple(sorted({record.source for record in records})),
    )


@dataclass(frozen=True)
class Said:
    """What one source says of a field."""

    source: str
    value: str | int | tuple[str, ...]


def differences(records: Sequence[Record]) -> dict[str, list[Said]]:
    """For every field in which records differ, what each source says; sources that tell nothing are left out."""
    told: dict[str, list[Said]] = {}
    ordered = sorted(records, key=lambda record: (record.source, record.rank))
    for field in _COMPARED:
        values = [Said(record.source, getattr(record.entry, field)) for record in ordered]
        said = list(dict.fromkeys(each for each in values if each.value not in (None, "", ())))
        if len({each.value for each in said}) > 1:
            told[field] = said
    return told


def _version(record: Record) -> tuple[bool, int]:
    """Published, unknown, preprint; a starter summary's after all."""
    if record.entry.doi:
        return record.starter, 2 if is_preprint(record.entry.doi) else 0
    return record.starter, 2 if record.entry.arxiv_id else 1


def _dating(record: Record) -> tuple[bool, tuple[bool, int], int]:
    """Dates with a year first, then those of the best version, then the most exact."""
    date = record.entry.date or ""
    return date.startswith("--"), _version(record), -len(date)


def _united(lists: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """All of them, each once, whatever its case and accents."""
    found: dict[str, str] = {}
    for words in lists:
        for word in words:
            found.setdefault(fold(word), word)
    return tuple(found.values())
