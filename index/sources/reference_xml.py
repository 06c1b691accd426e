"""XML of reference managers, libraries and publishers: EndNote's, MODS, JATS and Zotero's RDF.

Goes in: the text. Comes out: an entry for each record. EndNote's, MODS' and JATS' records are parsed one at a time, so that a
broken one costs itself; of JATS what stands before the body. Zotero's RDF is parsed whole: its records point at each other.
Nothing that a file declares itself (DTDs, entities) is read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from index.errors import SourceError
from index.paper import Entry, Skipped, collapse
from index.sources.base import Format, Hints, Parsed, sorted_out
from index.sources.named import entry_of

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_Found = Mapping[str, Sequence[object]]
"""What a record tells, as `entry_of` takes it."""

_ROOT = re.compile(
    r"\A\ufeff?\s*(?:<\?[^>]*>\s*|<!DOCTYPE[^\[>]*>\s*|<!--(?:[^-]|-(?!->))*-->\s*)*<(?:\w{1,20}:)?([A-Za-z][\w-]{0,40})[\s>]"
)
_LOOKED_AT = 20_000
_ROOTS = {
    "xml": ("<records", "record", "EndNote"),
    "records": ("<ref-type", "record", "EndNote"),
    "modsCollection": ("loc.gov/mods", "mods", "MODS"),
    "mods": ("loc.gov/mods", "mods", "MODS"),
    "article": ("<front", "article", "JATS"),
    "pmc-articleset": ("<front", "article", "JATS"),
    "RDF": ("zotero.org/namespaces", "", "Zotero"),
}
"""For each root element what must stand at the beginning of the file, the element of a record, and whose it is."""
_BODY = re.compile(r"</front>")
_DECLARED = re.compile(r"\sxmlns:([\w.-]{1,40})\s*=\s*(\"[^\"<>]*\"|'[^'<>]*')")
_KNOWN_PREFIXES = {"xlink": '"http://www.w3.org/1999/xlink"', "mml": '"http://www.w3.org/1998/Math/MathML"', "xsi": '"x"', "ali": '"x"'}
_NOT_TEXT = frozenset(["xref", "fn", "tex-math", "graphic"])
"""Elements of JATS within titles and abstracts that are no words."""
_PUBMED = re.compile(r"pubmed|medline|\bNLM\b", re.IGNORECASE)
_NOT_PAPERS = frozenset(["attachment", "note", "annotation"])
_ABOUT = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about"
_RESOURCE = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}resource"


def recognise(text: str) -> bool:
    """One of the known root elements, with what belongs to it near the beginning."""
    start = text[:_LOOKED_AT]
    root = _ROOT.match(start)
    return root is not None and root[1] in _ROOTS and _ROOTS[root[1]][0] in start


def parse(text: str, source: str, hints: Hints = Hints()) -> Parsed:
    """Entries of all records. Raises `SourceError` where none is in it, or RDF is not well-formed."""
    root = _ROOT.match(text[:_LOOKED_AT])
    _, record, maker = _ROOTS.get(root[1] if root else "", _ROOTS["xml"])
    return sorted_out(source, _of_records(text, source, record) if record else _zotero(text, source), f"{maker} record")


def _of_records(text: str, source: str, record: str) -> Iterator[Entry | Skipped]:
    read = _READ[record]
    begin = re.compile(rf"<((?:\w{{1,20}}:)?{record})(?=[\s>])")
    declared = {**_KNOWN_PREFIXES, **dict(_DECLARED.findall(text[:_LOOKED_AT]))}
    spaces = " ".join(f"xmlns:{prefix}={address}" for prefix, address in declared.items())
    line, counted, at = 1, 0, 0
    while opening := begin.search(text, at):
        following = begin.search(text, opening.end())
        limit = following.start() if following else len(text)
        closing = f"</{opening[1]}>"
        end = text.find(closing, opening.end(), limit)
        line, counted = line + text.count("\n", counted, opening.start()), opening.start()
        written = text[opening.start() : limit if end < 0 else end + len(closing)]
        if record == "article" and (front := _BODY.search(written)):
            written = f"{written[: front.end()]}</{opening[1]}>"
        yield _read(written, spaces, line, source, read)
        at = limit


def _read(written: str, spaces: str, line: int, source: str, read: Callable[[Element], _Found]) -> Entry | Skipped:
    from defusedxml import DefusedXmlException, ElementTree

    try:
        element = ElementTree.fromstring(f"<file {spaces}>{written}</file>".encode("utf-8", "replace"))[0]
    except (ElementTree.ParseError, DefusedXmlException, ValueError) as error:
        return Skipped(source, line, f"this record is not well-formed XML ({error}): export it again")
    return _entry(lambda: read(element), line, source)


def _entry(found: Callable[[], _Found], line: int, source: str) -> Entry | Skipped:
    try:
        entry = entry_of(found(), line)
    except RecursionError:
        return Skipped(source, line, "this record is nested too deeply: it is not read")
    return entry if entry.title else Skipped(source, line, "this record has no title")


# Each kind of record


def _endnote(record: Element) -> _Found:
    """EndNote's `record`: every text stands in one `style` for each typeface."""
    year, day = _text(record, "dates/year"), _text(record, "dates/pub-dates/date")
    number = _text(record, "accession-num")
    database = f"{_text(record, 'remote-database-provider')} {_text(record, 'remote-database-name')}"
    return {
        "title": [_text(record, "titles/title")],
        "abstract": [_text(record, "abstract")],
        "authors": [_texts(record, "contributors/authors/author") or _texts(record, "contributors/secondary-authors/author")],
        "year": [year],
        "month": [day],
        "venue": [_text(record, "titles/secondary-title"), _text(record, "periodical/full-title"), _text(record, "titles/alt-title")],
        "doi": [_text(record, "electronic-resource-num"), *_texts(record, "urls/related-urls/url")],
        "arxiv_id": [*_texts(record, "urls/related-urls/url"), _text(record, "electronic-resource-num")],
        "pmid": [number] if _PUBMED.search(database) else _texts(record, "urls/related-urls/url"),
        "url": [*_texts(record, "urls/related-urls/url"), *_texts(record, "urls/web-urls/url")],
        "keywords": [_texts(record, "keywords/keyword")],
    }


def _mods(record: Element) -> _Found:
    """MODS, as the Library of Congress describes it and Zotero writes it."""
    host = next((one for one in _children(record, "relatedItem") if one.get("type") == "host"), None)
    identifiers = [(one.get("type", "").casefold(), _inner(one)) for one in _children(record, "identifier")]
    dates = [date for one in (record, host) if one is not None for path in _MODS_DATES for date in _texts(one, path)]
    return {
        "title": [_mods_title(record)],
        "abstract": [_text(record, "abstract")],
        "authors": [[name for one in _children(record, "name") if (name := _mods_name(one))]],
        "date": [*dates],
        "venue": [_mods_title(host)] if host is not None else [],
        "doi": [text for kind, text in identifiers if kind == "doi"],
        "arxiv_id": [text for kind, text in identifiers if kind == "arxiv"] + _texts(record, "location/url"),
        "pmid": [text for kind, text in identifiers if kind in ("pmid", "pubmed")],
        "url": [*_texts(record, "location/url"), *(text for kind, text in identifiers if kind == "uri")],
        "keywords": [_texts(record, "subject/topic")],
    }


_MODS_DATES = ("originInfo/dateIssued", "part/date", "originInfo/copyrightDate", "originInfo/dateCreated")


def _mods_title(record: Element) -> str:
    for one in _children(record, "titleInfo"):
        if not one.get("type"):
            title = " ".join(filter(None, (_text(one, "nonSort"), _text(one, "title"))))
            return ": ".join(filter(None, (title, _text(one, "subTitle"))))
    return ""


def _mods_name(name: Element) -> str:
    """`Family, Given`; empty for who is no author."""
    roles = [role.casefold() for role in _texts(name, "role/roleTerm")]
    if roles and not {"author", "aut", "creator", "cre"} & set(roles):
        return ""
    parts = [(one.get("type", ""), _inner(one)) for one in _children(name, "namePart")]
    told = {kind: " ".join(text for one, text in parts if one == kind) for kind in ("family", "given", "")}
    return ", ".join(filter(None, (told["family"], told["given"]))) or told[""]


def _jats(article: Element) -> _Found:
    """What stands before the body of an article in JATS, as PubMed Central and publishers keep it."""
    meta = _first(article, "front/article-meta")
    if meta is None:
        return {}
    ids = [(one.get("pub-id-type", ""), _inner(one)) for one in _children(meta, "article-id")]
    title, subtitle = _text(meta, "title-group/article-title"), _text(meta, "title-group/subtitle")
    published = sorted(
        _children(meta, "pub-date"), key=lambda one: len(_children(one, "year") + _children(one, "month") + _children(one, "day"))
    )
    abstracts = [one for one in _children(meta, "abstract") if one.get("abstract-type") in (None, "", "section", "executive-summary")]
    authors = [one for one in _all(meta, "contrib-group/contrib") if one.get("contrib-type", "author") == "author"]
    return {
        "title": [f"{title}: {subtitle}" if subtitle else title],
        "abstract": [_jats_abstract(one) for one in abstracts[:1]],
        "authors": [[name for one in authors if (name := _jats_name(one))]],
        **{part: [_text(published[-1], part)] for part in ("year", "month", "day") if published},
        "venue": _texts(article, "front/journal-meta/journal-title-group/journal-title")
        or _texts(article, "front/journal-meta/journal-title"),
        "doi": [text for kind, text in ids if kind == "doi"],
        "pmid": [text for kind, text in ids if kind == "pmid"],
        "arxiv_id": [text for kind, text in ids if kind == "arxiv"],
        "keywords": [_texts(meta, "kwd-group/kwd")],
    }


def _jats_abstract(part: Element) -> str:
    """Sections keep their headings, `Results: …`; the heading `Abstract` goes."""
    texts = []
    for one in part:
        if _name(one) == "sec":
            heading = _text(one, "title").rstrip(":. ")
            inner = " ".join(_inner(child) for child in one if _name(child) != "title")
            texts.append(f"{heading}: {inner}" if heading else inner)
        elif _name(one) not in ("title", "label", "object-id"):
            texts.append(_inner(one))
    return " ".join(filter(None, texts))


def _jats_name(contributor: Element) -> str:
    family, given = _text(contributor, "name/surname"), _text(contributor, "name/given-names")
    return ", ".join(filter(None, (family, given))) or _text(contributor, "collab") or _text(contributor, "string-name")


_READ = {"record": _endnote, "mods": _mods, "article": _jats}


def _zotero(text: str, source: str) -> Iterator[Entry | Skipped]:
    """The items of Zotero's RDF, each with what its journal or book tells and the collections that hold it."""
    from defusedxml import DefusedXmlException, ElementTree

    try:
        root: Element = ElementTree.fromstring(text.lstrip("\ufeff").encode("utf-8", "replace"), forbid_dtd=True)
    except (ElementTree.ParseError, DefusedXmlException, ValueError) as error:
        raise SourceError(source, f"this RDF of Zotero's is not well-formed ({error}): export it again") from error
    by_address = {address: one for one in root if (address := one.get(_ABOUT))}
    held: dict[str, list[object]] = {}
    for one in root:
        for part in _children(one, "hasPart") if _name(one) == "Collection" else ():
            held.setdefault(part.get(_RESOURCE, ""), []).append(_text(one, "title"))
    line, counted = 1, 0
    for one in root:
        if not _text(one, "itemType") or _text(one, "itemType") in _NOT_PAPERS:
            continue
        address = one.get(_ABOUT, "")
        place = text.find(f'"{address.replace("&", "&amp;")}"', counted)
        if place >= 0:
            line, counted = line + text.count("\n", counted, place), place
        tags = held.get(address, [])
        yield _entry(lambda one=one, tags=tags: _zotero_item(one, by_address, tags), line, source)  # type: ignore[misc]


def _zotero_item(item: Element, by_address: dict[str, Element], collections: list[object]) -> _Found:
    holders = [
        holder for part in _children(item, "isPartOf") for holder in (*part, by_address.get(part.get(_RESOURCE, ""))) if holder is not None
    ]
    identifiers = [text for one in (item, *holders) for text in _texts(one, "identifier")]
    people = [*_all(item, "authors/Seq/li/Person"), *_all(item, "authors/Seq/li/Organization")]
    extra = _text(item, "description")
    links = _texts(item, "identifier/URI/value")
    return {
        "title": [_text(item, "title")],
        "abstract": [_text(item, "abstract")],
        "authors": [[name for one in people if (name := _zotero_name(one))]],
        "date": [_text(item, "date")],
        "venue": [title for holder in holders if (title := _text(holder, "title"))],
        "doi": [*identifiers, extra],
        "arxiv_id": [*links, *(text for text in identifiers if "arxiv" in text.casefold()), extra],
        "pmid": [extra] if "pmid" in extra.casefold() else [],
        "url": [*links],
        "keywords": [_zotero_subjects(item, automatic=True)],
        "tags": [_zotero_subjects(item, automatic=False), collections],
    }


def _zotero_name(person: Element) -> str:
    given = _text(person, "givenName") or _text(person, "givenname")
    return ", ".join(filter(None, (_text(person, "surname"), given))) or _text(person, "name")


def _zotero_subjects(item: Element, automatic: bool) -> list[object]:
    """Automatic tags are keywords, the others the user's own."""
    return [_inner(one) for one in _children(item, "subject") if bool(_children(one, "AutomaticTag")) == automatic]


# Elements, whatever their namespaces


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _children(element: Element, name: str) -> list[Element]:
    return [one for one in element if _name(one) == name]


def _all(element: Element, path: str) -> list[Element]:
    found = [element]
    for name in path.split("/"):
        found = [child for one in found for child in _children(one, name)]
    return found


def _first(element: Element, path: str) -> Element | None:
    return next(iter(_all(element, path)), None)


def _texts(element: Element, path: str) -> list[str]:
    return [text for one in _all(element, path) if (text := _inner(one))]


def _text(element: Element, path: str) -> str:
    return next(iter(_texts(element, path)), "")


def _inner(element: Element) -> str:
    """The words of an element and all in it, those of `_NOT_TEXT` left out; what is raised or lowered as HTML has it."""
    return collapse("".join(_words(element)))


def _words(element: Element) -> Iterator[str]:
    script = _name(element) in ("msup", "msub")  # MathML: the second of the two is raised or lowered
    yield element.text or ""
    for place, child in enumerate(element):
        name = _SCRIPTS.get(child.get("face", "") or _name(child), "")
        name = _name(element)[1:] if script and place == 1 else name
        if name:
            yield f"<{name}>"
        if _name(child) not in _NOT_TEXT:
            yield from _words(child)
        if name:
            yield f"</{name}>"
        yield " " if _name(child) in ("p", "sec", "title") else ""
        yield child.tail or ""


_SCRIPTS = {"sub": "sub", "sup": "sup", "subscript": "sub", "superscript": "sup"}


FORMAT = Format("EndNote's XML, MODS, JATS or Zotero's RDF", (".xml", ".mods", ".rdf"), recognise, parse)
