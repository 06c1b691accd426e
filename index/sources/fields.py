"""What the formats share: dates, identifiers, names and keywords in the many ways that programs write them.

Goes in: the text of one field. Comes out: the value as `Entry` holds it, or None (an empty tuple) where the
field does not hold one. Knows no format; whoever has a year, a month and a day apart asks `date_from`.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable, Sequence
from urllib.parse import unquote

from index.markup import without_html
from index.paper import collapse

_LONGEST = 400
"""Characters of a date, an identifier or a link that are looked at."""

_MONTHS = (
    "january januar janvier enero gennaio janeiro januari",
    "february februar février fevrier febrero febbraio fevereiro februari",
    "march märz maerz mars marzo março marco maart",
    "april avril abril aprile",
    "may mai mayo maggio maio mei",
    "june juni juin junio giugno junho",
    "july juli juillet julio luglio julho",
    "august août aout agosto augustus",
    "september septembre septiembre settembre setembro",
    "october oktober octobre octubre ottobre outubro",
    "november novembre noviembre novembro",
    "december dezember décembre decembre diciembre dicembre dezembro",
)
"""Names of the months, in the languages that reference managers write them."""

_WORD = re.compile(r"\d+|[^\W\d_]+")
_YEAR = re.compile(r"(?<!\d)(1\d{3}|20\d{2}|2100)(?!\d)")
_YEAR_FIRST = re.compile(r"\W{0,3}(1\d{3}|20\d{2}|2100)(?!\d)(?:[-/. ]{1,4}(\d{1,2})(?!\d)(?:[-/. ]{1,4}(\d{1,2})(?!\d))?)?")
_YEAR_LAST = re.compile(r"(\d{1,2})(?:([-/.]) ?(\d{1,2}))?[-/.] ?(1\d{3}|20\d{2}|2100)(?!\d)")
_COMPACT = re.compile(r"(1\d{3}|20\d{2})(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])")
_NO_YEAR = re.compile(r"--(\d{2})-?(\d{2})")


def date_of(text: str) -> str | None:
    """`2024-10-01`, `2024-10`, `2024` or `--12-12`: as exact as the text is sure of.

    `3/4/2020` is `2020`, since nothing tells the day from the month; of a range, the beginning.
    """
    text = collapse(text[:_LONGEST])
    if found := _NO_YEAR.fullmatch(text):
        return _checked(None, int(found[1]), int(found[2]))
    words = [word for word in _WORD.findall(text) if word.isdecimal() or month_of(word)]
    if any(not word.isdecimal() for word in words):
        return _of_words(words)
    if found := _COMPACT.fullmatch(text):
        return _checked(int(found[1]), int(found[2]), int(found[3]))
    if found := _YEAR_FIRST.match(text):
        return _checked(int(found[1]), *(int(part) if part else None for part in found.groups()[1:]))
    if found := _YEAR_LAST.match(text):
        return _of_year_last(found)
    return found[1] if (found := _YEAR.search(text)) else None


def date_from(year: str | None, month: str | None = None, day: str | None = None) -> str | None:
    """The date of a year, a month (a name, a number, or both `10 Jan`) and a day given apart."""
    whole = date_of(year or "")
    if whole is None or len(whole) != 4 or not (month or "").strip():
        return whole
    if re.fullmatch(r"\s*\d{1,2}\s*", month or ""):
        number = int(month or 0)
        return _checked(int(whole), number, int(day) if day and day.strip().isdecimal() else None)
    return date_of(f"{day or ''} {month} {whole}") or whole


def month_of(word: str) -> int | None:
    """The number of a month by its name or the beginning of it, at least three letters long."""
    word = word.casefold()
    if len(word) < 3:
        return None
    return next((number for number, names in enumerate(_MONTHS, 1) if any(name.startswith(word) for name in names.split())), None)


def _of_words(words: list[str]) -> str | None:
    """`10 January 2006`, `Jan 10, 2006`, `2006 Jan 10`: the day stands next to the month, after it before it."""
    at = next(index for index, word in enumerate(words) if not word.isdecimal())
    month = month_of(words[at])
    beside = [words[index] for index in (at + 1, at - 1) if 0 <= index < len(words)]
    day = next((int(word) for word in beside if word.isdecimal() and len(word) <= 2), None)
    year = next((int(word) for word in words if _YEAR.fullmatch(word)), None)
    return _checked(year, month, day)


def _of_year_last(found: re.Match[str]) -> str | None:
    first, separator, second, year = found.groups()
    if second is None:
        return _checked(int(year), int(first), None)
    one, two = int(first), int(second)
    if one == two or two > 12:
        return _checked(int(year), one, two)
    if one > 12 or separator == ".":
        return _checked(int(year), two, one)
    return year


def _checked(year: int | None, month: int | None, day: int | None) -> str | None:
    """The date as far as the calendar knows it."""
    if month is None or not 1 <= month <= 12:
        return None if year is None else f"{year:04d}"
    days = calendar.monthrange(year or 2000, month)[1]
    if day is None or not 1 <= day <= days:
        return None if year is None else f"{year:04d}-{month:02d}"
    return f"--{month:02d}-{day:02d}" if year is None else f"{year:04d}-{month:02d}-{day:02d}"


_DOI = re.compile(
    r"(?:^|doi\s{0,3}[:=]?\s{0,3}|doi[.-]org[^/\s]{0,80}/|info:doi/|[\s(\[<\"'])(10\.\d{4,9}(?:\.\d{1,9}){0,4}/[^\s\"]+)",
    re.IGNORECASE,
)
_CLOSERS = {")": "(", "]": "[", "}": "{", ">": "<"}


def doi_of(text: str) -> str | None:
    """The bare DOI of a field or a doi.org link, in lower case."""
    text = without_html(text[:_LONGEST]).strip()
    if "%2f" in text.lower():
        text = unquote(text)
    found = _DOI.search(text)
    if found is None:
        return None
    doi = found[1]
    if "doi.org" in found[0].lower() or "doi-org" in found[0].lower():
        doi = unquote(doi).partition("?")[0].partition("#")[0]
    while doi and (doi[-1] in ".,;:'" or (doi[-1] in _CLOSERS and doi.count(doi[-1]) > doi.count(_CLOSERS[doi[-1]]))):
        doi = doi[:-1]
    return doi.lower() if not doi.endswith("/") else None


_ARCHIVES = (
    "acc-phys|adap-org|alg-geom|ao-sci|astro-ph|atom-ph|bayes-an|chao-dyn|chem-ph|cmp-lg|comp-gas|cond-mat|cs|dg-ga|funct-an|gr-qc|"
    "hep-ex|hep-lat|hep-ph|hep-th|math|math-ph|mtrl-th|nlin|nucl-ex|nucl-th|patt-sol|physics|plasm-ph|q-alg|q-bio|quant-ph|solv-int|supr-con"
)
_CATEGORY = re.compile(rf"(?:{_ARCHIVES}|eess|econ|q-fin|stat)(?:\.[A-Za-z-]{{2,16}})?")
_ARXIV_ID = rf"(\d{{2}}(?:0[1-9]|1[0-2])\.\d{{4,5}}|(?:{_ARCHIVES})(?:\.[A-Za-z-]{{2,16}})?/\d{{7}})(?:v\d{{1,3}})?"
_BARE_ARXIV = re.compile(rf"{_ARXIV_ID}(?:\s*\[[\w.-]{{1,20}}\])?")
_NAMED_ARXIV = re.compile(
    rf"(?:arxiv(?:\.org/(?:abs|pdf|html|format|src)/|[:.\s/]{{1,3}})|huggingface\.co/papers/){_ARXIV_ID}(?!\d)", re.IGNORECASE
)


def arxiv_id_of(text: str) -> str | None:
    """The arXiv id, without version, of a bare id, `arXiv:…`, a link or arXiv's own DOI."""
    text = text[:_LONGEST].strip()
    found = _BARE_ARXIV.fullmatch(text) or _NAMED_ARXIV.search(text)
    return None if found is None else re.sub(r"\.[A-Za-z-]+/", "/", found[1])


def are_categories(words: Sequence[str]) -> bool:
    """Whether words are arXiv's categories: `cs.CL`, `hep-ph`."""
    return all(map(_CATEGORY.fullmatch, words))


_PMID = re.compile(r"(?:pmid\s{0,3}[:=]?\s{0,3}|pubmed(?:\.ncbi\.nlm\.nih\.gov)?[:/]\s?|medline:)(\d{1,8})(?!\d)", re.IGNORECASE)


def pmid_of(text: str) -> str | None:
    """PubMed's number of a bare number, `PMID: …` or a link to PubMed."""
    text = text[:_LONGEST].strip()
    if re.fullmatch(r"\d{1,8}", text):
        return text.lstrip("0") or None
    return found[1].lstrip("0") or None if (found := _PMID.search(text)) else None


_NUMBER_AFTER_NAME = re.compile(r"\s*[(\[](?:orcid:?\s?)?[\dXx-]{4,24}[)\]]$", re.IGNORECASE)
_ET_AL = re.compile(r"(?:et\.? al\.?|(?:and )?others)\.?", re.IGNORECASE)
_INITIALS = re.compile(r"(?:[^\W\d_]\.[ -]?){1,5}|[^\W\d_](?:[ -]?[^\W\d_]){0,2}")
_DOTTED = re.compile(r"(?:[^\W\d_]\.[ -]?){1,5}")
_COMMAS_IN_NAME = 2
"""`Doe, Jane, Jr`"""
_AND = re.compile(r",?\s+(?:and|&)\s+", re.IGNORECASE)


def author_of(text: str) -> str:
    """One name: white space, markup, a database's number after it and punctuation around it are gone; empty where none is left."""
    name = _NUMBER_AFTER_NAME.sub("", collapse(without_html(text))).strip(" ,;")
    return "" if _ET_AL.fullmatch(name) or not any(char.isalpha() for char in name) else name


def authors_of(text: str) -> tuple[str, ...]:
    """The names of a field that holds several: parted by `;`, lines, ` and `, or commas where these cannot be within a name."""
    if ";" in text:
        return names(text.split(";"))
    if "|" in text:
        return names(text.split("|"))
    if "\n" in text.strip():
        return names(text.splitlines())
    pieces = _AND.split(collapse(text))
    commas = [piece.count(",") for piece in pieces if not _ET_AL.fullmatch(piece)]
    if len(pieces) > 1 and not (any(commas) and commas[-1] == 0) and max(commas, default=0) <= _COMMAS_IN_NAME:
        return names(pieces)
    return names(_of_commas([part.strip() for part in ",".join(pieces).split(",") if part.strip()]))


def names(texts: Iterable[str]) -> tuple[str, ...]:
    """Those that are names, in order, each once."""
    return tuple(dict.fromkeys(filter(None, map(author_of, texts))))


def _of_commas(parts: list[str]) -> list[str]:
    """`Doe, J., Roe, R.` has initials at every second place; in `Jane Doe, Richard Roe` every part is a whole name."""
    initials = all(part.isupper() and _INITIALS.fullmatch(part) for part in parts[1::2])
    if len(parts) % 2 == 0 and initials and not any(map(_DOTTED.fullmatch, parts[::2])):
        return [f"{family}, {given}" for family, given in zip(parts[::2], parts[1::2], strict=True)]
    if len(parts) == 2 and not all(" " in part for part in parts):
        return [", ".join(parts)]
    return parts


def keywords_of(text: str) -> tuple[str, ...]:
    """Keywords parted by `;`, lines, `|` or commas (not those in brackets), in order, each once."""
    text = without_html(text)
    separator = next((one for one in (";", "\n", "|") if one in text.strip()), None)
    parts = text.split(separator) if separator else _split_at_commas(text)
    return distinct(collapse(part).strip(" ,;") for part in parts)


def distinct(texts: Iterable[str]) -> tuple[str, ...]:
    """Without empty ones and repeats in another case."""
    found: dict[str, str] = {}
    for text in texts:
        if text:
            found.setdefault(text.casefold(), text)
    return tuple(found.values())


def _split_at_commas(text: str) -> list[str]:
    parts = [""]
    depth = 0
    start = 0
    for at in [found.start() for found in re.finditer(r"[,()\[\]]", text)]:
        if text[at] in "([":
            depth += 1
        elif text[at] in ")]":
            depth = max(0, depth - 1)
        elif depth == 0:
            parts.append(text[start:at])
            start = at + 1
    return [*parts, text[start:]]


_JATS_HEADING = re.compile(r"\s*<jats:title>\s*(?:abstract|summary)\s*</jats:title>", re.IGNORECASE)


def plain_abstract(text: str) -> str:
    """An abstract as `plain` gives it, without the heading `Abstract` that publishers put above it in JATS."""
    return plain(_JATS_HEADING.sub(" ", text, count=1))


def plain(text: str) -> str:
    """A title or an abstract without HTML's tags and entities, white space collapsed."""
    return collapse(without_html(text))
