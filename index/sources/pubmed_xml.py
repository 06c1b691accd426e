"""PubMed's XML: articles and books, one record at a time, so that a broken one costs itself.

Goes in: the text. Comes out: an entry for each `PubmedArticle` and `PubmedBookArticle`; a structured abstract
keeps its labels, `AIMS: …`. Entities that a file declares are refused, external ones among them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from index.errors import SourceError
from index.paper import Entry, Skipped, collapse
from index.sources.base import Format, Hints, Parsed, sorted_out
from index.sources.fields import date_from, date_of, distinct, doi_of, names, plain, pmid_of

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_ROOT = re.compile(r"<(?:PubmedArticleSet|PubmedBookArticleSet|PubmedArticle|PubmedBookArticle|MedlineCitationSet|MedlineCitation)[\s>]")
_BEFORE_ROOT = re.compile(r"\s*(?:<[?!][^<>]*>\s*)*")
_BEGIN = re.compile(r"<(PubmedArticle|PubmedBookArticle|MedlineCitation)(?=[\s>])")
_WRAPPED = '<record xmlns:mml="http://www.w3.org/1998/Math/MathML" xmlns:xlink="http://www.w3.org/1999/xlink">{}</record>'
_NO_LABEL = {"unlabelled", "unassigned"}


def recognise(text: str) -> bool:
    """PubMed's own root element."""
    start = text[:4000].lstrip("\ufeff")
    before = _BEFORE_ROOT.match(start)
    return bool(before and _ROOT.match(start, before.end()))


def parse(text: str, source: str, hints: Hints = Hints()) -> Parsed:
    """Entries of all records. Raises `SourceError` where the file declares entities."""
    declared = text.find("<!ENTITY", 0, 100_000)
    if declared >= 0:
        line = text.count("\n", 0, declared) + 1
        raise SourceError(source, "this XML declares entities, which could read other files: export it again from PubMed", line)
    return sorted_out(source, (_read(record, line, source) for record, line in _records(text)), "PubMed record")


def _records(text: str) -> Iterator[tuple[str, int]]:
    """The text of each record, and its line; one that does not end ends where the next begins."""
    begins: list[re.Match[str]] = []
    for found in _BEGIN.finditer(text):
        within = begins and found[1] == "MedlineCitation" and text.find(f"</{begins[-1][1]}>", begins[-1].end(), found.start()) < 0
        if not (within and begins[-1][1] != "MedlineCitation"):
            begins.append(found)
    line, counted = 1, 0
    for index, begin in enumerate(begins):
        limit = begins[index + 1].start() if index + 1 < len(begins) else len(text)
        end = text.find(f"</{begin[1]}>", begin.end(), limit)
        line += text.count("\n", counted, begin.start())
        counted = begin.start()
        yield text[begin.start() : limit if end < 0 else end + len(begin[1]) + 3], line


def _read(record: str, line: int, source: str) -> Entry | Skipped:
    from defusedxml import ElementTree

    try:
        return _entry(ElementTree.fromstring(_WRAPPED.format(record))[0], line, source)
    except ElementTree.ParseError as error:
        return Skipped(source, line, f"this PubMed record is not well-formed XML ({error}): export it again")


def _entry(record: Element, line: int, source: str) -> Entry | Skipped:
    article = next(record.iter("Article"), None)
    paper = article if article is not None else next(record.iter("BookDocument"), record)
    title = _text(paper, "ArticleTitle") or _text(paper, "VernacularTitle") or _text(paper, "Book/BookTitle")
    if not title:
        return Skipped(source, line, "this PubMed record has no title (ArticleTitle)")
    pmid = next((element.text or "" for element in record.iter("PMID")), "")
    ids = [(element.get("IdType", element.get("EIdType", "")), element.text or "") for element in _ids(record, paper)]
    return Entry(
        title,
        _abstract(paper),
        line,
        date=_date(paper),
        authors=_authors(paper),
        doi=next((doi for kind, text in ids if kind == "doi" and (doi := doi_of(text))), None),
        pmid=pmid_of(pmid),
        venue=_text(paper, "Journal/Title") or _text(paper, "Journal/ISOAbbreviation") or (_text(paper, "Book/BookTitle") or None),
        keywords=distinct([*map(_inner, record.iter("Keyword")), *map(_heading, record.iter("MeshHeading"))]),
    )


def _ids(record: Element, paper: Element) -> list[Element]:
    """Those of the record itself: the references carry ids, too."""
    return [*paper.findall("ELocationID"), *record.findall("PubmedData/ArticleIdList/ArticleId"), *paper.findall("ArticleIdList/ArticleId")]


def _abstract(paper: Element) -> str:
    parts = []
    for part in paper.findall("Abstract/AbstractText"):
        label = collapse(part.get("Label", ""))
        text = _inner(part)
        if text:
            parts.append(text if not label or label.casefold() in _NO_LABEL else f"{label}: {text}")
    return " ".join(parts)


def _date(paper: Element) -> str | None:
    """The issue's date; the day of the electronic article where that says only the year that both have in common."""
    dates = [
        _date_of(element) for path in ("Journal/JournalIssue/PubDate", "Book/PubDate", "ArticleDate") for element in paper.findall(path)
    ]
    known = [date for date in dates if date]
    return max((date for date in known if date.startswith(known[0])), key=len) if known else None


def _date_of(element: Element) -> str | None:
    parts = [element.findtext(name) for name in ("Year", "Month", "Day")]
    return date_from(*parts) if parts[0] else date_of(element.findtext("MedlineDate") or "")


def _authors(paper: Element) -> tuple[str, ...]:
    lists = [one for one in paper.findall("AuthorList") if one.get("Type", "authors") == "authors"] or paper.findall("Book/AuthorList")
    return names(map(_name, lists[0].findall("Author") if lists else ()))


def _name(author: Element) -> str:
    family, given = author.findtext("LastName") or "", author.findtext("ForeName") or author.findtext("Initials") or ""
    suffix = author.findtext("Suffix") or ""
    return ", ".join(filter(None, (family, given, suffix))) if family else author.findtext("CollectiveName") or ""


def _heading(heading: Element) -> str:
    return "/".join(collapse(part.text or "") for part in heading)


def _text(paper: Element, path: str) -> str:
    element = paper.find(path)
    return "" if element is None else _inner(element)


def _inner(element: Element) -> str:
    """An element's words, its inner markup read as HTML's is."""
    from xml.etree.ElementTree import tostring

    return plain((element.text or "") + "".join(tostring(child, encoding="unicode") for child in element))


FORMAT = Format("PubMed XML", (".xml",), recognise, parse)
