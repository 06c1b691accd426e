"""JSON of reference managers: CSL-JSON, Zotero's API (`data`), Better BibTeX's JSON (`items`), Crossref's answers.

Goes in: the text: a list of items, one item, or an object that holds them. Comes out: an entry for each.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from index.paper import Entry, Skipped, collapse
from index.sources.base import Format, Hints, Parsed, sorted_out
from index.sources.fields import arxiv_id_of, author_of, date_of, distinct, doi_of, plain, plain_abstract, pmid_of

_CSL_TYPES = (
    "article(?:-journal|-magazine|-newspaper)?|bill|book|broadcast|chapter|classic|collection|dataset|document|entry(?:-dictionary|-encyclopedia)?|"
    "event|figure|graphic|hearing|interview|legal_case|legislation|manuscript|map|motion_picture|musical_score|pamphlet|paper-conference|"
    "patent|performance|periodical|personal_communication|post(?:-weblog)?|regulation|report|review(?:-book)?|software|song|speech|standard|"
    "thesis|treaty|webpage|journal-article|proceedings-article|book-chapter|posted-content|monograph"
)
_ZOTERO = re.compile(r'"itemType"\s*:\s*"[a-zA-Z]+"')
_CSL_TYPE = re.compile(rf'"type"\s*:\s*"(?:{_CSL_TYPES})"')
_CSL_FIELD = re.compile(r'"(?:issued|container-title|family|literal)"\s*:')
_NOT_PAPERS = {"attachment", "note", "annotation"}
_HOLDERS = ("items", "data", "message", "references")
_MOST_BREAKS = 100
"""A file with more of them is not worth going on: each costs a look at all before it."""
_LOOKED_AT = 200_000
_BLANK = {"": re.compile(r"[\s]*"), ",": re.compile(r"[\s,]*"), ":": re.compile(r"[\s:]*")}


def recognise(text: str) -> bool:
    """JSON with Zotero's item types, or with CSL's types and CSL's names of fields."""
    start = text[:_LOOKED_AT].lstrip("\ufeff \t\r\n")
    if start[:1] not in ("[", "{"):
        return False
    return bool(_ZOTERO.search(start)) or bool(_CSL_TYPE.search(start) and _CSL_FIELD.search(start))


def parse(text: str, source: str, hints: Hints = Hints()) -> Parsed:
    """Entries of all items; attachments and notes are none. Where the JSON breaks, the items around the break are kept."""
    document = _Document(text.lstrip("\ufeff"), source)
    collections = _collections(document.rest.get("collections"))
    found = [*(_entry(item, line, source, collections) for item, line in document.items if not _is_attached(item)), *document.broken]
    return sorted_out(source, found, "item of a reference manager")


class _Document:
    """The items of a JSON text, wherever it holds them, each with its line; read one by one, so that a broken one costs itself."""

    def __init__(self, text: str, source: str) -> None:
        self.items: list[tuple[Any, int]] = []
        """Of Zotero's API the `data` of each."""
        self.rest: dict[str, Any] = {}
        """What else an object holds beside its items."""
        self.broken: list[Skipped] = []
        self._text = text
        self._source = source
        self._decoder = json.JSONDecoder()
        self._line, self._counted = 1, 0
        self._read(self._next(0))

    def _read(self, at: int) -> int:
        """The items of the list or object that begins here; where it ends."""
        if self._text.startswith("[", at):
            return self._read_list(at)
        holds, own = False, at
        at = self._next(at + 1)
        while self._text.startswith('"', at):
            try:
                name, at = self._decoder.raw_decode(self._text, at)
                at = self._next(at, ":")
                if name in _HOLDERS and self._text[at : at + 1] in ("[", "{") and "title" not in self.rest:
                    holds, at = True, self._read(at)
                else:
                    self.rest[name], at = self._decoder.raw_decode(self._text, at)
            except (json.JSONDecodeError, RecursionError) as error:
                self._break(error, at)
                return len(self._text)
            at = self._next(at, ",")
        if not holds:
            self.items.append((self.rest, self._line_of(own)))
        return at + 1

    def _read_list(self, at: int) -> int:
        at = self._next(at + 1)
        indent = "\n" + self._text[self._text.rfind("\n", 0, at) + 1 : at]
        while at < len(self._text):
            if self._text[at] == "]":
                after = self._next(at + 1, ",")
                named = self._text.startswith('"', after) and "," in self._text[at:after]
                if named or self._text[after : after + 1] in ("", "}", "]"):
                    break
                if self._text[after] == "{":  # a bracket too many
                    at = after
                    continue
            try:
                item, end = self._decoder.raw_decode(self._text, at)
            except (json.JSONDecodeError, RecursionError) as error:
                self._break(error, at)
                if len(self.broken) >= _MOST_BREAKS:
                    return len(self._text)
                again = self._text.find(indent + "{", at + 1) if not indent.strip() else -1
                at = again + len(indent) if again >= 0 else len(self._text)
                continue
            line = self._line_of(at)
            for one in item if isinstance(item, list) and item else [item]:  # a bracket too many begins a list within the list
                self.items.append((one["data"] if isinstance(one, dict) and isinstance(one.get("data"), dict) else one, line))
            at = self._next(end, ",")
        return at + 1

    def _next(self, at: int, passed: str = "") -> int:
        """Where the next sign stands that is neither white space nor `passed`."""
        found = _BLANK[passed].match(self._text, at)
        return found.end() if found else at

    def _line_of(self, at: int) -> int:
        self._line += self._text.count("\n", self._counted, at)
        self._counted = at
        return self._line

    def _break(self, error: Exception, at: int) -> None:
        why = f"is broken ({error.msg}, line {error.lineno})" if isinstance(error, json.JSONDecodeError) else "is nested too deeply"
        self.broken.append(Skipped(self._source, self._line_of(at), f"the JSON of this item {why}: export it again"))


def _is_attached(item: Any) -> bool:
    return isinstance(item, dict) and item.get("itemType") in _NOT_PAPERS


def _entry(item: Any, line: int, source: str, collections: Mapping[Any, tuple[str, ...]]) -> Entry | Skipped:
    title = plain(_one(item.get("title"))) if isinstance(item, dict) else ""
    if not title:
        return Skipped(source, line, "this item has no title")
    subtitle = plain(_one(item.get("subtitle")))  # Crossref's
    if subtitle and subtitle.casefold() not in title.casefold():
        title = f"{title}: {subtitle}"
    extra = f"{_one(item.get('extra'), chr(10))}\n{_one(item.get('note'), chr(10))}"
    keywords, tags = _tags(item)
    link = _one(item.get("URL") or item.get("url"))
    return Entry(
        title,
        plain_abstract(_one(item.get("abstract") or item.get("abstractNote"))),
        line,
        date=_date(item),
        authors=_authors(item),
        arxiv_id=_arxiv_id(item, extra),
        doi=doi_of(_one(item.get("DOI") or item.get("doi"))) or _in_extra("DOI", extra, doi_of) or doi_of(link),
        pmid=pmid_of(_one(item.get("PMID"))) or _in_extra("PMID", extra, pmid_of),
        venue=_venue(item),
        url=link or None,
        keywords=keywords,
        tags=distinct([*tags, *collections.get(item.get("itemID"), ()), *collections.get(item.get("key"), ())]),
    )


def _one(value: Any, separator: str = " ") -> str:
    """A text; of a list of texts (Crossref's titles, Better BibTeX's `extra`) all or, for a title, the first."""
    if isinstance(value, list):
        texts = [one for one in value if isinstance(one, str)]
        return separator.join(texts) if separator != " " else next(iter(texts), "")
    return value if isinstance(value, str) else str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def _date(item: Mapping[str, Any]) -> str | None:
    for name in ("issued", "published", "published-print", "published-online", "date"):
        value = item.get(name)
        date = _csl_date(value) if isinstance(value, dict) else date_of(_one(value))
        if date:
            return date
    return None


def _csl_date(value: Mapping[str, Any]) -> str | None:
    parts = value.get("date-parts")
    first = parts[0] if isinstance(parts, list) and parts and isinstance(parts[0], list) else []
    numbers = [str(part).strip() for part in first if isinstance(part, int | str)]
    if numbers and (date := date_of("-".join(number.zfill(2) for number in numbers[:3]))):
        return date
    return date_of(_one(value.get("raw") or value.get("literal") or value.get("date-time")))


def _authors(item: Mapping[str, Any]) -> tuple[str, ...]:
    people = item.get("author")
    if not isinstance(people, list):
        creators = [one for one in item.get("creators") or () if isinstance(one, dict)]
        people = [one for one in creators if one.get("creatorType", "author") == "author"] or creators
    return tuple(dict.fromkeys(filter(None, (author_of(_name(one)) for one in people))))


def _name(person: Any) -> str:
    if not isinstance(person, dict):
        return _one(person)
    family = " ".join(filter(None, (_one(person.get(name)) for name in ("non-dropping-particle", "family", "lastName"))))
    given = " ".join(filter(None, (_one(person.get(name)) for name in ("given", "firstName", "dropping-particle"))))
    whole = next((text for name in ("literal", "name") if (text := _one(person.get(name)))), "")
    return ", ".join(filter(None, (family, given, _one(person.get("suffix"))))) if family else whole or given


def _venue(item: Mapping[str, Any]) -> str | None:
    names = ("container-title", "publicationTitle", "proceedingsTitle", "bookTitle", "conferenceName", "event-title", "event", "repository")
    named = (
        plain(_one(item.get(name))) for name in (*names, "journalAbbreviation", "university", "institution", "archive", "websiteTitle")
    )
    return next(filter(None, named), None)


def _arxiv_id(item: Mapping[str, Any], extra: str) -> str | None:
    values = [_one(item.get(name)) for name in ("archiveID", "number", "DOI", "URL", "url", "publicationTitle", "container-title")]
    named = next((found for value in values if "arxiv" in value.lower() and (found := arxiv_id_of(value))), None)
    return named or _in_extra("arXiv", extra, arxiv_id_of)


def _in_extra(name: str, extra: str, read: Any) -> str | None:
    """`PMID: 123`, as Zotero's field Extra holds what it has no field for."""
    found = re.search(rf"^{name}\s?(?:ID)?:(.{{1,200}})$", extra, re.IGNORECASE | re.MULTILINE)
    return read(found[1].strip()) if found else None


def _tags(item: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Keywords that came with the paper (Zotero's automatic tags, CSL's `keyword`) and the user's own."""
    keywords: list[str] = []
    tags: list[str] = []
    for tag in item.get("tags") or () if isinstance(item.get("tags"), list) else ():
        name = collapse(_one(tag.get("tag") or tag.get("name")) if isinstance(tag, dict) else _one(tag))
        (keywords if isinstance(tag, dict) and tag.get("type") == 1 else tags).append(name)
    written = item.get("keyword")
    keywords += [plain(part) for part in re.split(r"[;,]", written)] if isinstance(written, str) else map(_one, written or ())
    return distinct(keywords), distinct(tags)


def _collections(known: Any) -> Mapping[Any, tuple[str, ...]]:
    """The names of the collections that hold an item, by its id, as Better BibTeX exports them."""
    held: dict[Any, list[str]] = {}
    for one in known.values() if isinstance(known, dict) else known if isinstance(known, list) else ():
        if isinstance(one, dict) and isinstance(one.get("items"), list):
            for item in one["items"]:
                if isinstance(item, int | str):
                    held.setdefault(item, []).append(collapse(_one(one.get("name"))))
    return {item: tuple(names) for item, names in held.items()}


FORMAT = Format("CSL-JSON or Zotero's JSON", (".json", ".csljson"), recognise, parse)
