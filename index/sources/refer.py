"""EndNote's tagged text (refer): `%0` type, `%A` author, `%T` title, `%X` abstract.

Goes in: the text. Comes out: an entry for each record.
"""

from __future__ import annotations

import re

from index.paper import Entry, Skipped
from index.sources.base import Format, Hints, Parsed, sorted_out
from index.sources.fields import arxiv_id_of, date_from, date_of, doi_of, keywords_of, names, plain, pmid_of
from index.sources.tagged import Record, Syntax, opening, records

_SYNTAX = Syntax(re.compile(r"\ufeff?%([0-9A-Z@!$&()*+#?<>\[\]~^=])(?:[ \t](.*)|$)"), "0")
_TYPE = re.compile(r"\ufeff?%0 [A-Z][A-Za-z /-]{2,40}\s*")


def recognise(text: str) -> bool:
    """A type on the first line, and a further tag on the line after it."""
    lines = opening(text, 2)
    return len(lines) == 2 and bool(_TYPE.fullmatch(lines[0])) and bool(_SYNTAX.tag.match(lines[1]))


def parse(text: str, source: str, hints: Hints = Hints()) -> Parsed:
    """Entries of all records."""
    return sorted_out(source, (_entry(record, source) for record in records(text, _SYNTAX)), "EndNote record")


def _entry(record: Record, source: str) -> Entry | Skipped:
    title = plain(record.first("T"))
    if not title:
        return Skipped(source, record.line, "this EndNote record has no title (%T)")
    year = date_of(record.first("D"))
    exact = date_of(record.first("8"))
    links = [value.strip() for value in record.every("U") if value.strip().startswith("http")]
    return Entry(
        title,
        plain(record.first("X")),
        record.line,
        date=(exact if exact and exact.startswith(year) else date_from(year, record.first("8"))) if year else exact,
        authors=names(record.all("A")),
        arxiv_id=next((found for value in record.every("R", "U", "M", "J") if (found := arxiv_id_of(value))), None),
        doi=next((found for value in record.every("R", "U") if (found := doi_of(value))), None),
        pmid=next((found for value in links if "ncbi.nlm.nih.gov" in value and (found := pmid_of(value))), None),
        venue=plain(record.first("J", "B")) or None,
        url=links[0] if links else None,
        keywords=keywords_of("\n".join(record.every("K"))),
    )


FORMAT = Format("EndNote (refer)", (".enw", ".refer", ".txt"), recognise, parse)
