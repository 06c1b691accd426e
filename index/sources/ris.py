"""RIS: what Zotero, Mendeley, EndNote, Web of Science, Rayyan and PubMed's way to EndNote write.

Goes in: the text, with the header lines that publishers put before the first record. Comes out: an entry
for each record from `TY` to `ER`. Tags are read as these programs use them, not as the oldest description has them.
Two dialects have the same tags but for a few: RefWorks' and the Cochrane Library's.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

from index.paper import Entry, Skipped
from index.sources.base import Format, Hints, Parsed, sorted_out
from index.sources.fields import arxiv_id_of, authors_of, date_from, date_of, distinct, doi_of, keywords_of, names, plain, pmid_of
from index.sources.tagged import Record, Syntax, opening, records

_SYNTAX = Syntax(re.compile(r"\ufeff?([A-Z][A-Z0-9]) {1,2}-(?:[ \t](.*)|$)"), "TY", "ER")
_TYPE = re.compile(r"TY {1,2}- ?[A-Z]{2,10}\s*")
_REFWORKS = Syntax(re.compile(r"\ufeff?([A-Z][A-Z0-9])(?: (.*)|$)"), "RT", "ER", blank_parts=True)
_REFWORKS_TYPE = re.compile(r"RT [A-Z][A-Za-z, /-]{2,40}\s*")
_COCHRANE = Syntax(re.compile(r"\ufeff?(Record(?= #\d)|[A-Z]{2,3}(?=: ))[: ]*(.*)"), "Record")
_COCHRANE_HEAD = re.compile(r"\ufeff?Record #\d{1,9} of \d{1,9}\s*")
_RENAMED = {"RT": "TY", "YR": "PY", "K1": "KW", "UL": "UR", "Record": "TY", "SO": "JO", "KY": "KW", "DOI": "DO", "US": "UR", "PM": "PMID"}
"""The dialects' own tags."""
_MAJOR = re.compile(r"(?:^|(?<=/))\*")
"""The asterisk of a main topic: `Citrus/*chemistry`."""
_WEB = ("http://", "https://", "ftp://")
_PUBMED = re.compile(r"pubmed|medline|\bNLM\b", re.IGNORECASE)


def recognise(text: str) -> bool:
    """A type, and a further tag on the line after it."""
    return _syntax(text) is not None


def parse(text: str, source: str, hints: Hints = Hints()) -> Parsed:
    """Entries of all records."""
    syntax = _syntax(text) or _SYNTAX
    found = records(text, syntax)
    return sorted_out(source, (_entry(record if syntax is _SYNTAX else _renamed(record), source) for record in found), "RIS record")


def _syntax(text: str) -> Syntax | None:
    lines = opening(text)
    for line, after in pairwise(lines):
        if _TYPE.fullmatch(line) and _SYNTAX.tag.match(after):
            return _SYNTAX
    if len(lines) > 1 and _REFWORKS_TYPE.fullmatch(lines[0].lstrip("\ufeff")) and _REFWORKS.tag.match(lines[1]):
        return _REFWORKS
    return _COCHRANE if len(lines) > 1 and _COCHRANE_HEAD.fullmatch(lines[0]) and _COCHRANE.tag.match(lines[1]) else None


def _renamed(record: Record) -> Record:
    return Record(record.line, {_RENAMED.get(tag, tag): values for tag, values in record.values.items()})


def _entry(record: Record, source: str) -> Entry | Skipped:
    title = plain(record.first("TI", "T1", "CT", "BT", "ST"))
    if "TY" not in record.values:
        return Skipped(source, record.line, "this record does not begin with TY: add the line `TY  - JOUR` above it")
    if not title:
        return Skipped(source, record.line, "this RIS record has no title (TI or T1)")
    links = [link for value in record.every("UR", "LK", "L2") for link in value.replace(";http", " http").split() if link.startswith(_WEB)]
    identified = [*record.every("DO", "DI"), *record.every("M3", "L3", "UR", "L2", "AN")]
    return Entry(
        title,
        plain(" ".join(record.all("AB", "N2"))),
        record.line,
        date=_date(record),
        authors=_authors(record),
        arxiv_id=_first(arxiv_id_of, [*record.every("AN", "M1", "M3", "UR", "DO"), *record.every("T2", "JO", "JF", "PB", "ID")]),
        doi=_first(doi_of, identified),
        pmid=_pmid(record, links),
        venue=plain(record.first("T2", "JF", "JO", "JA", "J2", "BT")) or None,
        url=links[0] if links else None,
        keywords=_keywords(record.every("KW")),
    )


def _first(read: Callable[[str], str | None], values: list[str]) -> str | None:
    return next((found for value in values if (found := read(value))), None)


def _authors(record: Record) -> tuple[str, ...]:
    values = record.all("AU", "A1")
    return names(name for value in values for name in (authors_of(value) if ";" in value or "\n" in value else [value]))


def _date(record: Record) -> str | None:
    """The year, with month and day where another tag tells them of the same year."""
    year = date_of(record.first("PY", "Y1")) or date_of(record.first("Y1"))
    for value in record.every("DA", "Y1"):
        date = date_from(year, value) if year and date_of(value) is None else date_of(value)
        if date and (year is None or (date.startswith(year) and len(date) > len(year))):
            year = date
    return year


def _pmid(record: Record, links: list[str]) -> str | None:
    if number := pmid_of(record.first("PMID").removeprefix("PUBMED ")):
        return number
    if _PUBMED.search(" ".join(record.every("DP", "DB"))) and (number := pmid_of(record.first("AN"))):
        return number
    return next((found for link in links if "ncbi.nlm.nih.gov" in link and (found := pmid_of(link))), None)


def _keywords(values: list[str]) -> tuple[str, ...]:
    """A lone value may hold them all, parted by commas; among several a comma belongs to its keyword."""
    parted = [keywords_of(value) if len(values) == 1 or ";" in value or "\n" in value.strip() else (plain(value),) for value in values]
    return distinct(_MAJOR.sub("", keyword) for keywords in parted for keyword in keywords)


FORMAT = Format("RIS", (".ris", ".txt"), recognise, parse)
