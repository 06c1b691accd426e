"""Web of Science's own tagged export ("ISI"): two letters, a space, and the further lines of a value indented.

Goes in: the text. Comes out: an entry for each record from `PT` to `ER`.
"""

from __future__ import annotations

import re

from index.paper import Entry, Skipped
from index.sources.base import Format, Hints, Parsed, sorted_out
from index.sources.fields import arxiv_id_of, date_from, date_of, distinct, doi_of, names, plain, pmid_of
from index.sources.tagged import Record, Syntax, opening, records

_SYNTAX = Syntax(re.compile(r"\ufeff?([A-Z][A-Z0-9])(?: (.*)|$)"), "PT", "ER")
_HEADER = re.compile(r"FN .*(?:Web of Science|ISI Export|Thomson|Clarivate).*", re.IGNORECASE)
_TYPE = re.compile(r"PT [A-Z]\s*")
_FOLLOWS_TYPE = re.compile(r"(?:AU|A[1F]|BA|BE|TI|CA|GP) \S")


def recognise(text: str) -> bool:
    """Its header with a record's type, or a type with authors or title on the next line."""
    lines = opening(text, 8)
    types = [index for index, line in enumerate(lines) if _TYPE.fullmatch(line)]
    return bool(types) and (bool(_HEADER.match(lines[0])) or any(map(_FOLLOWS_TYPE.match, lines[types[0] + 1 : types[0] + 2])))


def parse(text: str, source: str, hints: Hints = Hints()) -> Parsed:
    """Entries of all records; what stands before the first (`FN`, `VR`) and after the last (`EF`) is none."""
    written = (record for record in records(text, _SYNTAX) if not record.values.keys() <= {"FN", "VR", "EF"})
    return sorted_out(source, (_entry(record, source) for record in written), "Web of Science record")


def _entry(record: Record, source: str) -> Entry | Skipped:
    title = plain(record.first("TI"))
    if "PT" not in record.values:
        return Skipped(source, record.line, "this record does not begin with PT: add the line `PT J` above it")
    if not title:
        return Skipped(source, record.line, "this Web of Science record has no title (TI)")
    year = date_of(record.first("PY"))
    return Entry(
        title,
        plain(record.first("AB")),
        record.line,
        date=date_from(year, record.first("PD")) if year else None,
        authors=names(name for value in record.all("AF", "AU", "BA", "CA") for name in value.splitlines()),
        arxiv_id=next((found for value in record.every("AR", "DI", "UT") if (found := arxiv_id_of(value))), None),
        doi=doi_of(record.first("DI", "D2")),
        pmid=pmid_of(record.first("PM")),
        venue=plain(record.first("SO", "CT", "SE")) or None,
        keywords=distinct(plain(word) for value in record.every("DE", "ID") for word in value.replace("\n", " ").split(";")),
    )


FORMAT = Format("Web of Science", (".isi", ".ciw", ".txt"), recognise, parse)
