"""MEDLINE, as PubMed saves it (`.nbib`, "PubMed format").

Goes in: the text. Comes out: an entry for each record; wrapped lines are joined.
"""

from __future__ import annotations

import re

from index.paper import Entry, Skipped, collapse
from index.sources.base import Format, Hints, Parsed, sorted_out
from index.sources.fields import date_of, distinct, doi_of, names, plain, pmid_of
from index.sources.tagged import Record, Syntax, opening, records

_SYNTAX = Syntax(re.compile(r"\ufeff?([A-Z][A-Z0-9]{1,3}) {0,2}-(.*)"), "PMID", blank_parts=True)
_NUMBER = re.compile(r"\ufeff?PMID ?- ?\d{1,8}\s*")


def recognise(text: str) -> bool:
    """PubMed's number on the first line, and a further tag on the line after it."""
    lines = opening(text, 2)
    return len(lines) == 2 and bool(_NUMBER.fullmatch(lines[0])) and bool(_SYNTAX.tag.match(lines[1]))


def parse(text: str, source: str, hints: Hints = Hints()) -> Parsed:
    """Entries of all records."""
    return sorted_out(source, (_entry(record, source) for record in records(text, _SYNTAX)), "MEDLINE record")


def _entry(record: Record, source: str) -> Entry | Skipped:
    title = plain(" ".join(record.all("TI", "BTI", "CTI", "TT")))
    if not title:
        return Skipped(source, record.line, "this MEDLINE record has no title (TI)")
    return Entry(
        title,
        plain(" ".join(record.all("AB", "OAB"))),
        record.line,
        date=date_of(record.first("DP", "DEP")),
        authors=names(record.all("FAU", "AU", "CN", "FED", "ED")),
        doi=next((doi for value in record.every("AID", "LID", "SO") if (doi := _doi(value))), None),
        pmid=pmid_of(record.first("PMID")),
        venue=plain(record.first("JT", "TA", "CTI")) or None,
        keywords=distinct(collapse(plain(value).replace("*", "")) for value in record.every("OT", "MH")),
    )


def _doi(value: str) -> str | None:
    return None if "[pii]" in value else doi_of(value)


FORMAT = Format("MEDLINE (PubMed)", (".nbib", ".medline", ".txt"), recognise, parse)
