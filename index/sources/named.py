"""From a record's fields by their usual names, as tables and JSON have them, to an `Entry`.

Goes in: for each field of `Entry`, the values that a source holds under the names of that field, the
likeliest first; a value is text, a number, a list or an object, as JSON knows them. Comes out: an `Entry`.
Knows the names that programs use, and no program.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache

from index.paper import Entry, collapse
from index.sources.fields import (
    are_categories,
    arxiv_id_of,
    author_of,
    authors_of,
    date_from,
    date_of,
    distinct,
    doi_of,
    keywords_of,
    plain,
    plain_abstract,
    pmid_of,
)
from index.sources.fields import names as distinct_names

NAMES = {
    field: tuple(names.split())
    for field, names in {
        "title": "title articletitle papertitle documenttitle primarytitle worktitle titles displayname titel titre titulo título titolo",
        "abstract": "abstract abstractnote abstracttext paperabstract articleabstract abstractsummary abstractinvertedindex "
        "abstracts englishabstract abstracten summary zusammenfassung résumé resumen resumo descriptions description",
        "authors": "authorsparsed authorfullnames authorsfullname fullauthornames authorships authors author authornames "
        "authorname authorlist authorslist authorstring authorsstring creators creator authorshipsauthordisplayname "
        "authorshipsrawauthorname autoren autor auteurs auteur autores autori",
        "date": "publicationdate publisheddate datepublished dateofpublication publishedat published publishedprint "
        "publishedonline pubdate issued coverdate firstpublicationdate publishtime versions date dates pdate odate "
        "cdate updatedate",
        "year": "publicationyear publishedyear yearpublished pubyear year datepublishedyear jahr erscheinungsjahr année año ano anno",
        "month": "publicationmonth publishedmonth month pubmonth",
        "day": "publicationday publishedday day",
        "venue": "publicationtitle sourcetitle journaltitle journal journalbook journalname journalinfo journalref "
        "containertitle publicationvenue venue venuename conference conferencename conferencetitle booktitle "
        "proceedingstitle meetingname publicationname primarylocation primarylocationsourcedisplayname hostvenue "
        "hostvenuedisplayname pubtitle source",
        "doi": "doi doilink doiurl idsdoi externalidsdoi externalids externalid ids articleids articledoi doinumber",
        "arxiv_id": "arxivid arxiv idsarxiv externalidsarxiv externalids externalid ids arxivnumber eprint arxivurl arxivpageurl "
        "arxivlink entryid id",
        "pmid": "pmid pubmedid pubmed medlinepmid idspmid externalidspubmed externalids externalid ids",
        "url": "url link articleurl paperurl urls landingpageurl primarylocationlandingpageurl externalurl sourcelinkout "
        "arxivpageurl pageurl absurl arxivurl ee entryid dimensionsurl embaselink primarylocation bestoalocation "
        "pdflink pdfurl pdf id",
        "keywords": "authorkeywords keywords keyword keywordlist keywordsdisplayname indexkeywords keywordsplus automatictags "
        "meshterms meshheadings mesh ieeeterms categories fieldsofstudy s2fieldsofstudy aikeywords subject subjects",
        "tags": "manualtags tags collections groups",
    }.items()
}
"""The usual names of each field, as `folded` gives them, the likeliest first."""

WEB_OF_SCIENCE = {
    "ti": "title",
    "ab": "abstract",
    "af": "authorfullnames",
    "au": "authors",
    "so": "sourcetitle",
    "py": "publicationyear",
    "pd": "publicationmonth",
    "di": "doi",
    "pm": "pmid",
    "de": "authorkeywords",
    "id": "keywordsplus",
}
"""The two letters that Web of Science heads its columns with."""

FIELDS_OF: dict[str, list[tuple[str, int]]] = {}
"""For each name the fields that it may stand for, with its rank among their names."""
for _field, _names in NAMES.items():
    for _rank, _name in enumerate(_names):
        FIELDS_OF.setdefault(_name, []).append((_field, _rank))

_ABSENT = frozenset(
    "na nan none null nil noabstract noabstractavailable abstractnotavailable notavailable noabstractprovided notitleavailable".split()
) | {""}
_SHORTEST_ABSTRACT = 20
"""Characters of an abstract of one word; words in Chinese are not parted by spaces."""

_WRAPPED = (
    "value", "name", "displayname", "fullname", "title", "text", "rawauthorname", "keyword", "subject", "category", "term",
    "label", "description", "sentence",
)  # fmt: skip
_KINDS = {"doi": ("doi",), "arxiv_id": ("arxiv", "arxivid"), "pmid": ("pmid", "pubmed", "pubmedid")}
_DATED = ("dateparts", "datetime", "created", "date", "raw", "value")
_GIVEN = ("given", "firstname", "first", "forename", "forenames", "givenname", "givennames", "firstnames")
_FAMILY = ("family", "lastname", "last", "surname", "familyname", "lastnames")
_DEEPEST = 4
"""Lists and objects within each other that are looked into for a text."""
_MOST_WORDS = 100_000
"""Words of an inverted abstract."""


@lru_cache(maxsize=4096)
def folded(name: str) -> str:
    """A column's or key's name without case, spaces and punctuation: `Abstract Note` and `abstract_note` are one."""
    return "".join(char for char in unicodedata.normalize("NFKC", name).casefold() if char.isalnum())


def entry_of(found: Mapping[str, Sequence[object]], line: int) -> Entry:
    """The entry of a record; its title or abstract is empty where the record has none."""
    url = _url_of(found.get("url", ()))
    doi = _first(doi_of, "doi", found.get("doi", ())) or doi_of(url or "")
    arxiv_id = _first(arxiv_id_of, "arxiv_id", found.get("arxiv_id", ())) or arxiv_id_of(url or "") or arxiv_id_of(doi or "")
    return Entry(
        title=_title_of(found.get("title", ())),
        abstract=_abstract_of(found.get("abstract", ())),
        line=line,
        date=_date_of(found),
        authors=next(filter(None, map(_authors_of, found.get("authors", ()))), ()),
        arxiv_id=arxiv_id,
        doi=doi,
        pmid=_first(pmid_of, "pmid", found.get("pmid", ())),
        venue=next(filter(None, map(_venue_of, found.get("venue", ()))), None),
        url=url,
        keywords=distinct(word for value in found.get("keywords", ()) for word in _keywords_of(value)),
        tags=distinct(word for value in found.get("tags", ()) for word in _keywords_of(value)),
    )


def text_of(value: object) -> str:
    """The text of a value; of a list or an object, its first."""
    return next(iter(_texts(value)), "")


def is_absent(text: str) -> bool:
    """Whether a text only says that there is none: `N/A`, `[No abstract available]`."""
    return len(text) < 40 and folded(text) in _ABSENT


def _texts(value: object, depth: int = 0) -> list[str]:
    if isinstance(value, str):
        text = collapse(value.replace("\0", " "))
        return [text if text.isascii() else text.encode("utf-8", "replace").decode()] if text else []
    if isinstance(value, bool) or value is None or depth > _DEEPEST:
        return []
    if isinstance(value, int | float):
        return [str(int(value)) if float(value).is_integer() else str(value)] if abs(value) < 1e18 else []
    if isinstance(value, Mapping):
        keys = {folded(key): one for key, one in value.items()}
        return next((texts for name in _WRAPPED if name in keys and (texts := _texts(keys[name], depth + 1))), [])
    return [text for one in value for text in _texts(one, depth + 1)] if isinstance(value, Sequence) else []


def _title_of(values: Sequence[object]) -> str:
    return next((text for value in values if (text := plain(text_of(value))) and not is_absent(text)), "")


def _abstract_of(values: Sequence[object]) -> str:
    for value in values:
        text = _inverted(value) if isinstance(value, Mapping) and not _texts(value) else " ".join(_described(value))
        text = plain_abstract(text)
        if not is_absent(text) and (" " in text or len(text) >= _SHORTEST_ABSTRACT):
            return text
    return ""


def _described(value: object) -> list[str]:
    """DataCite's descriptions tell of what kind they are: only an abstract is one."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        kinds = [one.get("descriptionType") for one in value if isinstance(one, Mapping)]
        if any(kinds):
            return [text for one in value if isinstance(one, Mapping) and one.get("descriptionType") == "Abstract" for text in _texts(one)]
    return _texts(value)


def _inverted(value: Mapping[str, object]) -> str:
    """The text of OpenAlex's index from words to their places."""
    placed: list[tuple[int, str]] = []
    for word, places in value.items():
        if not isinstance(places, list) or len(placed) > _MOST_WORDS:
            return ""
        placed.extend((place, word) for place in places if isinstance(place, int))
    return " ".join(word for _, word in sorted(placed))


def _date_of(found: Mapping[str, Sequence[object]]) -> str | None:
    year, month, day = (next(filter(None, map(text_of, found.get(name, ()))), None) for name in ("year", "month", "day"))
    dates = [date for value in found.get("date", ()) if (date := _dated(value))]
    whole = date_from(_whole_number(year), _whole_number(month), _whole_number(day))
    if dates and dates[0].startswith("--"):
        return f"{whole[:4]}{dates[0][1:]}" if whole else dates[0]
    if dates and (whole is None or len(dates[0]) >= len(whole)):
        return dates[0]
    return whole


def _whole_number(text: str | None) -> str | None:
    """`2024` of `2024.0`, as a table writes years where some are missing."""
    return text.removesuffix(".0") if text else None


def _dated(value: object) -> str | None:
    if isinstance(value, Mapping):
        keys = {folded(key): one for key, one in value.items()}
        return next(
            (date for name in ("dateparts", "datetime", "created", "date", "raw", "value") if (date := _dated(keys.get(name)))), None
        )
    if isinstance(value, list):
        numbers = value[0] if value and isinstance(value[0], list) else value
        if numbers and all(isinstance(part, int) for part in numbers):
            return date_from(*map(str, numbers[:3]))
        return _dated(value[0]) if value else None
    text = text_of(value)
    if re.fullmatch(r"1\d{12}", text):  # milliseconds since 1970
        return datetime.fromtimestamp(int(text) / 1000, UTC).date().isoformat()
    return date_of(_whole_number(text) or "")


def _authors_of(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return authors_of(value)
    if isinstance(value, Mapping):
        keys = {folded(key): one for key, one in value.items()}
        inner = keys.get("author") or keys.get("authors") or keys.get("value")
        return _authors_of(inner) if isinstance(inner, list | str) else distinct_names([_name_of(value)])
    return distinct_names(map(_name_of, value)) if isinstance(value, Sequence) else ()


def _name_of(value: object) -> str:
    """One author, as `Family, Given` where these are told apart."""
    if isinstance(value, list):  # arXiv's snapshot: family, given, suffix
        parts = [part.strip() for part in value if isinstance(part, str)]
        return ", ".join(filter(None, parts[:2])) + (f", {parts[2]}" if len(parts) > 2 and parts[2] else "")
    if not isinstance(value, Mapping):
        return author_of(text_of(value))
    keys = {folded(key): one for key, one in value.items()}
    given, family = (next((text for name in names if (text := text_of(keys.get(name)))), "") for names in (_GIVEN, _FAMILY))
    if family:
        given = " ".join([given, *_texts(keys.get("middle"))])
        return author_of(f"{family}, {given}" if given else family)
    inner = keys.get("author")
    return (_name_of(inner) if isinstance(inner, Mapping) else "") or author_of(text_of(value))


def _venue_of(value: object) -> str | None:
    if isinstance(value, Mapping):
        keys = {folded(key): one for key, one in value.items()}
        inner = [keys[name] for name in ("source", "journal") if isinstance(keys.get(name), Mapping)]
        value = inner[0] if inner else value
    text = plain(text_of(value))
    return text if text and not is_absent(text) and "://" not in text else None


def _first(read: Callable[[str], str | None], kind: str, values: Sequence[object]) -> str | None:
    return next((one for value in values for text in _identifiers(value, kind) if (one := read(text))), None)


def _identifiers(value: object, kind: str) -> list[str]:
    """The texts that may be an identifier of a kind: of an object of several, those under its name."""
    if isinstance(value, Mapping):
        return [text for key, one in value.items() if folded(key) in _KINDS[kind] for text in _texts(one)]
    if isinstance(value, list) and any(isinstance(one, Mapping) for one in value):
        typed = [
            one for one in value if isinstance(one, Mapping) and folded(str(one.get("type") or one.get("idtype") or "")) in _KINDS[kind]
        ]
        return [text for one in typed for text in _texts(one)]
    return _texts(value)


def _url_of(values: Sequence[object]) -> str | None:
    texts = (text for value in values for one in (_linked(value) if isinstance(value, Mapping) else [value]) for text in _texts(one))
    return next((text.split(" ")[0].rstrip(";,|") for text in texts if text.startswith(("http://", "https://"))), None)


def _linked(value: Mapping[str, object]) -> list[object]:
    return [one for key, one in value.items() if folded(key) in ("landingpageurl", "url", "href", "value")]


def _keywords_of(value: object) -> list[str]:
    texts = _texts(value)
    if len(texts) != 1:
        return texts
    words = texts[0].split(" ")
    if are_categories(words):
        return words
    return list(keywords_of(texts[0]))
