"""Reads arXiv's feeds: the answer of its API (Atom) and its daily announcements (RSS and Atom).

Goes in: the text. Comes out: an entry for each of its entries; each is parsed alone, so that a broken one costs itself. Entities
that the file declares itself are refused. Knows no other feed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from index.errors import SourceError
from index.paper import Entry, Skipped
from index.sources.base import Format, Hints, Parsed, sorted_out
from index.sources.fields import arxiv_id_of, authors_of, date_of, distinct, doi_of, names, plain

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_FEED = re.compile(r"<(feed|rss|rdf:RDF|entry)(?=[\s>])[^<>]*>")
_DOCTYPE = re.compile(r"<!(?:DOCTYPE|ENTITY)\b")
_OPENING = re.compile(r"<(entry|item)(?=[\s>/])")
_LOOKED_AT = 20_000
_ANNOUNCED = re.compile(r"arXiv:\S+\s+Announce Type:\s*\S+\s*(?:Abstract:\s*)?")
_NAMESPACES = (
    'xmlns="http://www.w3.org/2005/Atom" xmlns:arxiv="http://arxiv.org/schemas/atom" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
)
_DECLARED = re.compile(r"xmlns:([\w.-]{1,40})\s*=\s*(\"[^\"<>]*\"|'[^'<>]*')")
_ERROR = ("errors", "Error")


def recognise(text: str) -> bool:
    """A feed, or one of its entries, that names arxiv.org."""
    start = text[:_LOOKED_AT].lstrip("\ufeff \t\r\n")
    return start.startswith("<") and _FEED.search(start) is not None and "arxiv.org" in start


def parse(text: str, source: str, hints: Hints = Hints()) -> Parsed:
    """Entries of the feed. Raises `SourceError` where none is in it, or the file declares entities."""
    opening = _OPENING.search(text)
    head = text[: opening.start()] if opening else text
    if _DOCTYPE.search(head):
        raise SourceError(source, "this XML declares entities of its own, which no feed of arXiv does: it is not read")
    return sorted_out(source, _entries(text, source, head), "entry of arXiv's feed")


def _entries(text: str, source: str, head: str) -> Iterator[Entry | Skipped]:
    declared = " ".join(f"xmlns:{name}={value}" for name, value in _DECLARED.findall(head) if f"xmlns:{name}=" not in _NAMESPACES)
    line, counted, at = 1, 0, 0
    while opening := _OPENING.search(text, at):
        closing = f"</{opening[1]}>"
        end = text.find(closing, opening.end())
        line, counted = line + text.count("\n", counted, opening.start()), opening.start()
        if end < 0:
            yield Skipped(source, line, "the file ends within this entry: save it again")
            return
        following = _OPENING.search(text, opening.end(), end)
        at = following.start() if following else end + len(closing)
        yield _entry(text[opening.start() : at], source, line, declared)


def _entry(text: str, source: str, line: int, declared: str) -> Entry | Skipped:
    from xml.etree.ElementTree import ParseError

    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        root: Element = fromstring(f"<feed {_NAMESPACES} {declared}>{text}</feed>".encode("utf-8", "replace"), forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, RecursionError) as error:
        return Skipped(source, line, f"this entry is broken XML ({error})")
    entry = root[0]
    title = plain(_first(entry, "title"))
    links = [link.get("href") or link.text or "" for link in entry if _name(link) == "link"]
    address = next((value for value in [_first(entry, "id"), *links] if "arxiv.org" in value), "")
    if not title:
        return Skipped(source, line, "this entry has no title")
    if title in _ERROR:
        return Skipped(source, line, f"arXiv answered with an error: {plain(_first(entry, 'summary'))}")
    return Entry(
        title,
        _ANNOUNCED.sub("", plain(_first(entry, "summary", "description"))),
        line,
        date=date_of(_first(entry, "published", "pubDate", "date", "updated")),
        authors=_authors(entry),
        arxiv_id=arxiv_id_of(address),
        doi=doi_of(_first(entry, "doi", "DOI")) or next((doi for link in links if (doi := doi_of(link))), None),
        venue=plain(_first(entry, "journal_ref", "journal_reference")) or None,
        url=next((link for link in links if "/abs/" in link and link.startswith("http")), address if address.startswith("http") else None),
        keywords=distinct((one.get("term") or one.text or "").strip() for one in entry if _name(one) == "category"),
    )


def _authors(entry: Element) -> tuple[str, ...]:
    persons = [_first(one, "name") for one in entry if _name(one) == "author"]
    return names(persons) or authors_of(", ".join(one.text or "" for one in entry if _name(one) == "creator"))


def _first(element: Element, *wanted: str) -> str:
    """The text of the first child of these names, in their order, whatever its namespace."""
    return next(("".join(one.itertext()) for name in wanted for one in element if _name(one) == name), "")


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


FORMAT = Format("arXiv's feed (Atom)", (".xml", ".atom", ".rss"), recognise, parse)
