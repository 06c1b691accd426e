"""BibTeX and biblatex: what Zotero, Better BibTeX, JabRef, Mendeley and people write.

Goes in: the text. Comes out: an entry for each record, LaTeX read, `@string`s put in, venue and date of its `crossref`
taken over. The splitter is our own: parsers that tolerate broken records lose fields behind a stray brace or a missing
comma without a word; here a value that does not end is read up to the next line that begins a field, and that is told.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from index.latex import decoded
from index.paper import Entry, Skipped, collapse
from index.sources.base import Format, Hints, Parsed, sorted_out
from index.sources.fields import arxiv_id_of, date_from, date_of, distinct, doi_of, keywords_of, names, plain, pmid_of

_NAME = r"[A-Za-z][\w:+./-]{0,60}"
_HEAD = re.compile(r"(?:^[ \t]*|(?<=[})])[ \t]*)@([A-Za-z]+)[ \t]*\n?[ \t]*[{(]", re.MULTILINE)
_KEY = re.compile(r"\s*([^\s,{}=\"]*)\s*(?:,|(?=[})])|\n)")
_FIELD = re.compile(rf"[\s,]*({_NAME})\s*=\s*")
_FIELD_LINE = re.compile(rf"^[ \t,]*{_NAME}[ \t]*=[ \t]*(?=[{{\"\w])", re.MULTILINE)
_NEXT = re.compile(rf"\s*(?:,|[)}}]|(?={_NAME}\s*=\s*[{{\"\w]))|\s*\Z")
_BRACES = re.compile(r"\\[\\{}\"]|[{}]")
_QUOTES = re.compile(r"\\[\\{}]|[{}\"]")
_MACRO = re.compile(r"[^\s#{}\",=()]+")
_CONCATENATION = re.compile(r"\s*#\s*")
_AND = re.compile(r"\s+and\s+|[{}]", re.IGNORECASE)
_EXTENDED = re.compile(r"\s*(family|given|prefix|suffix)\s*=\s*([^,]*)", re.IGNORECASE)
_CLOSING = re.compile(r"\s*[})]")
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_VENUES = "journaltitle journal booktitle maintitle eventtitle school institution howpublished series organization publisher".split()
_AAS_JOURNALS = {
    "aj": "AJ", "apj": "ApJ", "apjl": "ApJL", "apjlett": "ApJL", "apjs": "ApJS", "apss": "Ap&SS", "aap": "A&A", "aapr": "A&A Rev.",
    "aaps": "A&AS", "actaa": "Acta Astron.", "araa": "ARA&A", "baas": "BAAS", "icarus": "Icarus", "jcap": "J. Cosmology Astropart. Phys.",
    "jgr": "J. Geophys. Res.", "grl": "Geophys. Res. Lett.", "mnras": "MNRAS", "nar": "New A Rev.", "nat": "Nature", "pasa": "PASA",
    "pasj": "PASJ", "pasp": "PASP", "planss": "Planet. Space Sci.", "pra": "Phys. Rev. A", "prb": "Phys. Rev. B", "prc": "Phys. Rev. C",
    "prd": "Phys. Rev. D", "pre": "Phys. Rev. E", "prl": "Phys. Rev. Lett.", "physrep": "Phys. Rep.", "procspie": "Proc. SPIE",
    "qjras": "QJRAS", "solphys": "Sol. Phys.", "sovast": "Soviet Ast.", "ssr": "Space Sci. Rev.",
}  # fmt: skip
"""Commands for journals that ADS writes: https://ui.adsabs.harvard.edu/help/actions/journal-macros."""
_KEYWORDS = ("author_keywords", "author-keywords", "keywords", "keyword", "keywords-plus")
_INHERITED = {"booktitle": ("booktitle", "title"), "year": ("year",), "date": ("date",), "month": ("month",), "series": ("series",)}
_NOT_PAPERS = frozenset({"comment", "string", "preamble", "xdata", "control"})


@dataclass
class _Record:
    """A record as written; its values hold their LaTeX."""

    kind: str
    line: int
    key: str = ""
    values: dict[str, str] = field(default_factory=dict)
    """By name in lower case; the first of several counts."""
    mended: str = ""
    """The field whose end was not found."""

    def first(self, *wanted: str) -> str:
        """The value of the first of these fields that has one."""
        for name in wanted:
            if (value := self.values.get(name)) and (value := value.strip()):
                return value
        return ""

    def text(self, *wanted: str) -> str:
        """The same, read."""
        value = self.first(*wanted)
        return plain(decoded(value)) if value else ""


def recognise(text: str) -> bool:
    """A record, macro or comment of BibTeX with nothing but remarks before it, and a field within it."""
    start = text[:100_000].lstrip("\ufeff")
    found = _HEAD.search(start)
    if found is None:
        return False
    before = [line for line in start[: found.start()].splitlines() if line.strip() and not line.lstrip().startswith(("%", "#", "//"))]
    if len(before) > 5 or any(line.startswith(("```", "~~~")) for line in before):
        return False
    return found[1].lower() in ("comment", "preamble") or bool(re.compile(rf"[^=]{{0,200}}?{_NAME}\s*=").match(start, found.end()))


def parse(text: str, source: str, hints: Hints = Hints()) -> Parsed:
    """Entries of all records."""
    reader = _Reader(text.lstrip("\ufeff"))
    records = list(reader.records())
    _inherit(records)
    groups = _groups(reader.comments)
    found = [_entry(record, groups.get(record.key, ()), source) for record in records if record.kind not in _NOT_PAPERS]
    mended = [
        f"line {record.line}: the braces of {record.mended} do not balance; read up to the next field"
        for record in records
        if record.mended
    ]
    return sorted_out(source, found, "BibTeX record", tuple(mended))


def keyed(text: str) -> dict[str, Entry]:
    """The entries by the keys that they are cited by."""
    records = list(_Reader(text.lstrip("\ufeff")).records())
    _inherit(records)
    found = [(record.key, _entry(record, (), "")) for record in records if record.kind not in _NOT_PAPERS]
    return {key: entry for key, entry in reversed(found) if key and isinstance(entry, Entry)}


class _Reader:
    """Goes through a text once."""

    def __init__(self, text: str) -> None:
        self.comments: list[str] = []
        self._text = text
        self._macros = {name: name for name in _MONTHS}
        self._heads = [found.start() for found in _HEAD.finditer(text) if text[found.start() - 1 : found.start()] in ("", "\n")]
        """Where a line begins a record, as it seems: no value goes beyond."""

    def records(self) -> Iterator[_Record]:
        """The records in order, macros put in."""
        at, line, counted = 0, 1, 0
        while head := _HEAD.search(self._text, at):
            begin = self._text.index("@", head.start())
            line += self._text.count("\n", counted, begin)
            counted = begin
            limit = self._limit(head.end())
            kind = head[1].lower()
            if kind == "comment":
                at = self._comment(head.end(), limit)
                continue
            record = _Record(kind, line)
            at = self._fields(record, head.end(), limit)
            if kind == "string":
                for name, value in record.values.items():
                    self._macros.setdefault(name, value)
            yield record

    def _limit(self, at: int) -> int:
        index = bisect_right(self._heads, at)
        return self._heads[index] if index < len(self._heads) else len(self._text)

    def _comment(self, at: int, limit: int) -> int:
        end, closed = self._balanced(at, limit)
        self.comments.append(self._text[at:end])
        return end if closed else limit

    def _fields(self, record: _Record, at: int, limit: int) -> int:
        """Reads a record's fields; where it ends."""
        if record.kind not in ("string", "preamble"):
            first = _FIELD.match(self._text, at, limit)
            key = None if first else _KEY.match(self._text, at, limit)
            record.key, at = (key[1], key.end()) if key else ("", at)
        name, begin = "", at
        while found := _FIELD.match(self._text, at, limit):
            name, begin = found[1].lower(), found.end()
            value, at = self._value(begin, limit)
            after = None if value is None else _NEXT.match(self._text, at, limit)
            if after and value and not after[0].strip() and at + len(after[0]) == limit and _FIELD_LINE.search(value):
                after = None  # nothing is left to end the record: the value took its brace, and the fields before it
            if value is None or after is None:
                return self._by_lines(record, name, begin, limit)
            record.values.setdefault(name, value)
            at = after.end()
            if after[0].strip()[:1] in ("}", ")"):
                break
        following = _HEAD.search(self._text, at, limit)
        end = following.start() if following else limit
        if name and _FIELD_LINE.search(self._text, at, end):  # a brace too many ended the record
            return self._by_lines(record, name, begin, end)
        closing = None if name else _CLOSING.match(self._text, at, limit)
        return closing.end() if closing else at

    def _by_lines(self, record: _Record, name: str, begin: int, limit: int) -> int:
        """Reads the field whose braces do not balance and those after it, each up to the line that begins the next."""
        following = _HEAD.search(self._text, begin, limit)
        limit = following.start() if following else limit
        record.mended = name
        record.values.pop(name, None)
        while True:
            found = _FIELD_LINE.search(self._text, begin, limit)
            end = found.start() if found else limit
            record.values.setdefault(name, self._text[begin:end].strip(' \t\r\n,{}"'))
            named = _FIELD.match(self._text, end, limit) if found else None
            if named is None:
                return limit
            name, begin = named[1].lower(), named.end()

    def _value(self, at: int, limit: int) -> tuple[str | None, int]:
        """A value, its parts put together; None where it does not end."""
        parts: list[str] = []
        while True:
            opening = self._text[at : at + 1] if at < limit else ""
            if opening == "{":
                end, closed = self._balanced(at + 1, limit)
                parts.append(self._text[at + 1 : end - 1])
            elif opening == '"':
                end, closed = self._quoted(at + 1, limit)
                parts.append(self._text[at + 1 : end - 1])
            else:
                macro = _MACRO.match(self._text, at, limit)
                end, closed = (macro.end(), True) if macro else (at, bool(parts) or opening in (",", "}", ")"))
                parts.append(self._macros.get(macro[0].lower(), macro[0]) if macro else "")
            if not closed:
                return None, at
            more = _CONCATENATION.match(self._text, end, limit)
            if more is None:
                return "".join(parts), end
            at = more.end()

    def _balanced(self, at: int, limit: int) -> tuple[int, bool]:
        """Behind the brace that closes the one before `at`, and whether there is one."""
        depth = 1
        for found in _BRACES.finditer(self._text, at, limit):
            depth += {"{": 1, "}": -1}.get(found[0], 0)
            if depth == 0:
                return found.end(), True
        return limit, False

    def _quoted(self, at: int, limit: int) -> tuple[int, bool]:
        """Behind the quotation mark, outside of braces, that closes the one before `at`."""
        depth = 0
        for found in _QUOTES.finditer(self._text, at, limit):
            depth += {"{": 1, "}": -1}.get(found[0], 0)
            if depth < 0:
                return limit, False
            if depth == 0 and found[0] == '"':
                return found.end(), True
        return limit, False


def _inherit(records: list[_Record]) -> None:
    """What a record takes over from the one that it names: by `crossref` the volume's title and date, by `xdata` all."""
    by_key: dict[str, _Record] = {}
    for record in records:
        by_key.setdefault(record.key.casefold(), record)
    for record in records:
        for key in record.first("xdata").split(","):
            parent = by_key.get(key.strip().casefold()) if key.strip() else None
            for name, value in parent.values.items() if parent else ():
                record.values.setdefault(name, value)
        parent = by_key.get(record.first("crossref").casefold()) if record.first("crossref") else None
        for name, taken in _INHERITED.items() if parent and parent is not record else ():
            dated = name in ("year", "date", "month") and record.first("year", "date")
            if parent and not dated and not record.first(name):
                record.values[name] = parent.first(*taken)


def _groups(comments: list[str]) -> dict[str, tuple[str, ...]]:
    """The groups of each key, as older versions of JabRef list them in a comment, wrapped at any place."""
    held: dict[str, list[str]] = {}
    for comment in comments:
        if not comment.lstrip().startswith("jabref-meta:"):
            continue
        for group in re.split(r"(?<!\\);", re.sub(r"\r?\n", "", comment)):
            kind, _, rest = group.partition(":")
            if kind.strip().endswith("ExplicitGroup"):
                name, _, *keys = [part.replace("\\", "") for part in rest.split("\\;")] + [""]
                for key in filter(None, keys):
                    held.setdefault(key, []).append(name)
    return {key: tuple(found) for key, found in held.items()}


def _entry(record: _Record, groups: tuple[str, ...], source: str) -> Entry | Skipped:
    title, subtitle = record.text("title", "booktitle"), record.text("subtitle")
    if not title:
        return Skipped(source, record.line, f"the BibTeX record {record.key or 'without a key'} has no title")
    url = _link(record)
    tags = [tag for name in ("groups", "mendeley-tags", "mendeley-groups", "collections") for tag in keywords_of(record.text(name))]
    return Entry(
        f"{title}: {subtitle}" if subtitle and subtitle.casefold() not in title.casefold() else title,
        record.text("abstract"),
        record.line,
        date=date_of(record.text("date")) or date_from(record.text("year"), record.text("month"), record.text("day")),
        authors=names(map(_name, _parted(record.first("author") or record.first("editor")))),
        arxiv_id=_arxiv_id(record, url),
        doi=doi_of(_bare(record.first("doi"))) or doi_of(url),
        pmid=_eprint(record, "pubmed", pmid_of) or pmid_of(record.text("pmid")) or _in_note(record) or pmid_of(url),
        venue=_venue(record),
        url=url or None,
        keywords=distinct(word for name in _KEYWORDS for word in _keywords(record.first(name))),
        tags=distinct([*tags, *groups]),
    )


def _keywords(value: str) -> tuple[str, ...]:
    """Line ends part keywords only where nothing else does; else the program wrapped them."""
    return keywords_of(decoded(collapse(value) if "," in value or ";" in value else value))


def _venue(record: _Record) -> str | None:
    venue = next((venue for name in _VENUES if (venue := record.text(name)) and "://" not in venue), None)
    return _AAS_JOURNALS.get(venue[1:], venue) if venue and venue.startswith("\\") else venue


def _bare(value: str) -> str:
    """An identifier or a link: only what LaTeX makes one escape is read, `~` stays."""
    return re.sub(
        r"\\([_%&#$~{}])", r"\1", value.replace(r"\_", "_").replace(r"\textunderscore", "_").replace("{", "").replace("}", "")
    ).strip()


def _link(record: _Record) -> str:
    found = re.search(r"(?:https?|ftp)://\S+", _bare(record.first("url", "howpublished", "bdsk-url-1", "link", "ee", "note")))
    return found[0].rstrip(".,;)>") if found else ""


def _arxiv_id(record: _Record, url: str) -> str | None:
    known = _eprint(record, "arxiv", arxiv_id_of) or arxiv_id_of(_bare(record.first("arxivid", "arxiv")))
    others = (_bare(record.first(name)) for name in ("doi", "journal", "journaltitle", "note", "number", "howpublished", "pubstate"))
    return known or next((found for value in (url, *others) if "arxiv" in value.lower() and (found := arxiv_id_of(value))), None)


def _eprint(record: _Record, kind: str, read: Callable[[str], str | None]) -> str | None:
    """The e-print's number where its type is this one; without a type it is arXiv's where it looks so."""
    written = record.text("eprinttype", "archiveprefix", "archive").casefold()
    return read(_bare(record.first("eprint"))) if written == kind or (not written and kind == "arxiv") else None


def _in_note(record: _Record) -> str | None:
    note = record.text("note", "annote")
    return pmid_of(note) if "pmid" in note.casefold() else None


def _parted(people: str) -> list[str]:
    """The names that ` and ` parts, outside of braces."""
    parts, depth, begin = [], 0, 0
    for found in _AND.finditer(people):
        if found[0] in "{}":
            depth += 1 if found[0] == "{" else -1
        elif depth <= 0:
            parts.append(people[begin : found.start()])
            begin = found.end()
    return [*parts, people[begin:]]


def _name(written: str) -> str:
    """`Family, Given`, told apart as BibTeX does; a name in braces is one."""
    if "family=" in written.replace(" ", "").casefold():
        told = {part.casefold(): collapse(decoded(value)) for part, value in _EXTENDED.findall(written)}
        family = " ".join(filter(None, (told.get("prefix", ""), told["family"])))
        return ", ".join(filter(None, (family, told.get("given", ""), told.get("suffix", ""))))
    written = written.strip()
    if written.startswith("{") and written.endswith("}") and "}" not in written[:-1]:
        return collapse(decoded(written))
    parts = [collapse(decoded(part)) for part in _outside_braces(written, ",")]
    if len(parts) >= 3:
        return ", ".join(filter(None, (parts[0], " ".join(parts[2:]), parts[1])))
    if len(parts) == 2:
        return ", ".join(filter(None, parts))
    return _turned([collapse(decoded(word)) for word in _outside_braces(written.replace("~", " "), " ") if word.strip()])


def _turned(words: list[str]) -> str:
    """`Ludwig van Beethoven` as `van Beethoven, Ludwig`."""
    family = next((index for index, word in enumerate(words[:-1]) if word[:1].islower()), len(words) - 1)
    return ", ".join(filter(None, (" ".join(words[family:]), " ".join(words[:family]))))


def _outside_braces(text: str, separator: str) -> list[str]:
    parts, depth, begin = [], 0, 0
    for at, char in enumerate(text):
        if char in "{}":
            depth += 1 if char == "{" else -1
        elif depth <= 0 and (char == separator or (separator == " " and char.isspace())):
            parts.append(text[begin:at])
            begin = at + 1
    return [*parts, text[begin:]]


FORMAT = Format("BibTeX", (".bib", ".bibtex", ".biblatex"), recognise, parse)
