"""From a listing's text to its lines, each told apart by what it can be on its own.

Goes in: text as browsers, terminals and scrapers save a page. Comes out: lines without the
markup around them (links, headings, bullets, numbers, labels), each either content (a title,
authors, a piece of an abstract) or one kind of the page's own: dates, counts, links, buttons.
Does not know which content line is what: `layout` finds that from the whole page.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum

from index.sources.fields import authors_of


class Kind(Enum):
    """What a line is on its own."""

    CONTENT = "title, authors or abstract"
    AUTHORS = "a number of authors"
    DOT = "the dot before a date"
    DATE = "a date"
    NUMBER = "upvotes or comments"
    ORGANISATION = "an organisation in the place of authors"
    IDENTIFIER = "an arXiv number"
    LINK = "a link of the page"
    LABEL = "a word above an abstract"
    FURNITURE = "a part of the page"
    BANNER = "the beginning of a page"


ENDING = frozenset({Kind.AUTHORS, Kind.DOT, Kind.DATE, Kind.ORGANISATION})
"""What stands at the end of an entry on the page."""


@dataclass(frozen=True)
class Line:
    """One line of the page that is not blank."""

    number: int
    """As an editor counts, from 1."""
    text: str
    """White space collapsed, markup gone."""
    raw: str
    """White space collapsed, with the bullet or number that stood before it."""
    width: int
    """Characters in the source, indentation included."""
    kind: Kind = Kind.CONTENT
    mark: str = ""
    """How it is set off: a heading's level (`#3`), `bullet`, `number`, `bold`, `title`, `abstract`, `authors` (a label)."""
    after_blank: bool = False
    """Whether a blank line stands before it."""
    broken: bool = False
    """Whether the source says that its text goes on in the next line."""
    links: tuple[str, ...] = ()
    """The addresses in its markup, in order."""


_INVISIBLE = dict.fromkeys(map(ord, "\ufeff\u00ad\u200b\u2060"))
_LINK_MARKUP = re.compile(r"\]\((?:https?:|/)|\]\[\d+\]")
_IMAGE = re.compile(r"!\[[^\[\]]*\]\([^()\s]*\)")
_LINK = re.compile(r"\[([^\[\]]*)\]\(((?:https?:|/)[^()\s]*)\)")
_OPEN_LINK_END = re.compile(r"\]\(((?:https?:|/)[^()\s]*)\)")
_IMAGE_REFERENCE = re.compile(r"\[\[[^\[\]]*\]([^\[\]]*)\]\[\d+\]")
_REFERENCE = re.compile(r"\[([^\[\]]*)\]\[\d+\]")
_OPEN_REFERENCE_END = re.compile(r"\]\[\d+\]")

_HEADING = re.compile(r"(#{1,6})\s+(?=\S)")
_BULLET = re.compile(r"[-*+•◦‣▪–]\s+(?=\S)")
_NUMBERED = re.compile(r"(?:(\d{1,6})[.)]|\[(\d{1,6})\]|\((\d{1,6})\))\s+(?=\S)")
_LABELLED = re.compile(r"(title|abstract|summary|authors?)\s*[:：]\s*(?=\S)", re.IGNORECASE)
_LABELS = {"title": "title", "abstract": "abstract", "summary": "abstract", "author": "authors", "authors": "authors"}

_BANNER = re.compile(r"Get trending papers in your email inbox(?: once a day)?\W*", re.IGNORECASE)
_FURNITURE = re.compile(
    r"new|Subscribe|(?:Daily|Trending|Weekly|Monthly) Papers(?: - Hugging Face)?|(?:by ?)?(?:AK ?)?and the research community"
    r"|Hugging Face's logo(?: Hugging Face)?|View (?:arXiv page|PDF|project page|GitHub|on arXiv)|Add to collection|arXiv ?[Pp]age"
    r"|(?:LINK: *)?GitHub(?: page| [\d.,]+[kKmM]?)?|[Uu]pvote|\W+"
)
_NAVIGATION = frozenset(
    "Hugging Face|Models|Datasets|Spaces|Buckets|Docs|Enterprise|Pricing|Log In|Sign Up|Community|Posts|Solutions|Daily|Weekly|Monthly"
    "|Previous|Next|Company|TOS|Privacy|About|Careers|Website|by|AK|arXiv|PDF|Paper|Code|Project page".casefold().split("|")
)
"""Words of the page that may be words of a title, too: the page's where no content stands around."""
_SUBMITTED = re.compile(r"(?:paper )?submitted by(?: (\S+))?", re.IGNORECASE)
_LABEL = re.compile(r"(?:abstract|summary)\W?", re.IGNORECASE)
_BUTTON = "Subscribe"
_AUTHORS = re.compile(r"[•·*-]?\s*([\d,]*)\s+authors?")
_NUMBER = re.compile(r"(?:\[-\]\s*)?(?:[-–]|\d[\d,.]{0,9}[km]?)(?:\s*(?:upvotes?|comments?|likes?|stars?))?", re.IGNORECASE)
_IDENTIFIER = re.compile(r"(?:arxiv\s*[:：]?\s*)(\d{4}\.\d{4,5}|[a-z.-]{2,20}/\d{7})(?:v\d+)?(?:\s*\[[\w.-]+\])?", re.IGNORECASE)
_BARE_IDENTIFIER = re.compile(r"(\d{4}\.\d{4,5})(?:v\d+)?")
_ADDRESS = re.compile(r"(?:\[\d+\]:?\s*|(?:url|link|pdf|doi|paper|code)\s*:\s*)?<?((?:https?://|doi:)\S+?)>?", re.IGNORECASE)
_PAGE_LINK = re.compile(
    r"//huggingface\.co/(?:login\?|join|models|datasets|docs|pricing|enterprise|papers/(?:trending|date|week|month))"
    r"|//huggingface\.co/papers/[^#\s]*#community|//huggingface\.co/?$"
)
_COMMENT = re.compile(r"<!--.*-->")
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_MONTHS_ELSEWHERE = {"mär": 3, "mai": 5, "okt": 10, "dez": 12}
_YEAR = r"(?:,?\s+(?P<year>\d{4}))?"
_COMMENTS = r"(?:\s+(?P<comments>\d{1,6}))?"
_PUBLISHED = r"(?:(?:published|submitted|posted|date)(?:\s+on)?\s*:?\s*)?"
_DATES = [
    re.compile(_PUBLISHED + shape, re.IGNORECASE)
    for shape in (
        rf"(?P<month>[^\W\d_]{{3,9}})\.?\s+(?P<day>\d{{1,2}}){_YEAR}{_COMMENTS}",
        rf"(?P<day>\d{{1,2}})\.?\s+(?P<month>[^\W\d_]{{3,9}})\.?{_YEAR}{_COMMENTS}",
        rf"(?:(?P<year>\d{{4}})-)?(?P<month>\d\d)-(?P<day>\d\d){_COMMENTS}",
        rf"(?P<first>\d{{1,2}})/(?P<second>\d{{1,2}})(?:/(?P<year>\d{{4}}))?{_COMMENTS}",
        rf"(?:(?P<year>\d{{4}})\s*年\s*)?(?P<month>\d{{1,2}})\s*月\s*(?P<day>\d{{1,2}})\s*日{_COMMENTS}",
        r"(?:about |an? )?(?:\d{1,3} )?(?:minutes?|hours?|days?|weeks?|months?|years?) ago|yesterday|today",
    )
]


@dataclass(frozen=True)
class Dated:
    """What a line with a date tells."""

    date: str | None
    """None where it is not a day of a calendar for sure: `3 days ago`, `05/06`."""
    comments: int | None


def dated(text: str) -> Dated | None:
    """The date of a line that is nothing but one (and a number of comments), else None."""
    for shape in _DATES:
        if found := shape.fullmatch(text):
            groups = found.groupdict()
            month, day = _month_day(groups)
            if "month" in groups and month is None:
                return None
            year = groups.get("year")
            date = None if month is None or day is None else f"{year or '-'}-{month:02d}-{day:02d}"
            comments = groups.get("comments")
            return Dated(date, int(comments) if comments else None)
    return None


def _month_day(groups: dict[str, str | None]) -> tuple[int | None, int | None]:
    if first := groups.get("first"):
        one, other = int(first), int(groups["second"] or 0)
        month, day = (other, one) if one > 12 else (one, other) if other > 12 else (0, 0)
    else:
        written = (groups.get("month") or "").casefold()
        day = int(groups.get("day") or 0)
        month = int(written) if written.isdecimal() else _month(written[:3])
    return (month, day) if 1 <= month <= 12 and 1 <= day <= 31 else (None, None)


def _month(name: str) -> int:
    return _MONTHS.index(name) + 1 if name in _MONTHS else _MONTHS_ELSEWHERE.get(name, 0)


def author_count(text: str) -> int | None:
    """The number that a line of authors tells, where it can be one."""
    found = _AUTHORS.fullmatch(text)
    digits = found[1].replace(",", "") if found else ""
    return int(digits) if 0 < len(digits) < 7 else None


def identifier(text: str) -> str | None:
    """The arXiv number that a line is."""
    found = _IDENTIFIER.fullmatch(text) or _BARE_IDENTIFIER.fullmatch(text)
    return found[1] if found else None


def address(text: str) -> str | None:
    """The link that a line is."""
    found = _ADDRESS.fullmatch(text)
    return found[1] if found else None


def read_lines(text: str) -> list[Line]:
    """The lines that are not blank, markup peeled off and the page's own parts told."""
    if not text.strip():
        return []
    lines = _without_button(_names_of_submitters(_peeled(text.translate(_INVISIBLE))))
    return list(_organisations(_numbered(_labelled(_navigation(_without_preamble(list(lines)))))))


def _peeled(text: str) -> Iterator[Line]:
    linked = _LINK_MARKUP.search(text) is not None
    after_blank = False
    for number, raw in enumerate(_rows(text), 1):
        row, links = _unlinked(raw) if linked else (raw, ())
        broken = linked and row.rstrip().endswith("\\\\")
        shown = " ".join(row.replace("\\\\ ", " ").rstrip().removesuffix("\\\\").split() if linked else row.split())
        if not shown:
            after_blank = after_blank or not raw.strip()
            if links:
                yield Line(number, links[0], "", len(raw), Kind.LINK, "", after_blank, links=links)
            continue
        mark, peeled = _unmarked(shown)
        kind = _kind(peeled)
        yield Line(number, peeled, shown, len(raw.rstrip()), kind, mark, after_blank, broken, links)
        after_blank = False


def _rows(text: str) -> list[str]:
    """Lines; a page of `title TAB abstract` rows is one of twice as many lines."""
    rows = re.split(r"\r\n?|\n", text)
    filled = [row.strip("\r\n ") for row in rows if row.strip()]
    if filled and all(row.count("\t") == 1 and row.strip() == row for row in filled):
        return [part for row in rows for part in row.split("\t")]
    return rows


def _unlinked(row: str) -> tuple[str, tuple[str, ...]]:
    """A row as it is shown, and the addresses behind it."""
    row = _IMAGE.sub("", row)
    links = tuple(found[1] for found in _OPEN_LINK_END.finditer(row))
    row = _LINK.sub(lambda found: f" {found[1]} ", row)
    row = _OPEN_LINK_END.sub("", row)
    row = _REFERENCE.sub(lambda found: f" {found[1]} ", _IMAGE_REFERENCE.sub(lambda found: f" {found[1]} ", row))
    row = _OPEN_REFERENCE_END.sub("", row)
    stripped = row.strip()
    if stripped.startswith("[") and "]" not in stripped:
        row = stripped[1:]
    return ("" if row.strip(" -*[]\\") == "" and links else row), links


def _unmarked(shown: str) -> tuple[str, str]:
    """The mark of a line and the line without it."""
    mark = ""
    if found := _HEADING.match(shown):
        mark, shown = f"#{len(found[1])}", shown[found.end() :].rstrip("# ")
    elif found := _BULLET.match(shown):
        mark, shown = "bullet", shown[found.end() :]
    if shown.startswith("**"):
        if shown.endswith("**") and len(shown) > 4 and "**" not in shown[2:-2]:
            return mark or "bold", shown[2:-2].strip()
        shown = shown.replace("**", "")
    return mark, shown


def _kind(text: str) -> Kind:
    if not text:
        return Kind.FURNITURE
    if _BANNER.fullmatch(text):
        return Kind.BANNER
    if _AUTHORS.fullmatch(text):
        return Kind.AUTHORS
    if len(text) > 200:
        return Kind.CONTENT
    if text == "·":
        return Kind.DOT
    if _NUMBER.fullmatch(text):
        return Kind.NUMBER
    if dated(text):
        return Kind.DATE
    if identifier(text):
        return Kind.IDENTIFIER
    if (link := address(text)) and _PAGE_LINK.search(link):
        return Kind.LINK
    if _LABEL.fullmatch(text):
        return Kind.LABEL
    return Kind.FURNITURE if _FURNITURE.fullmatch(text) or _COMMENT.fullmatch(text) else Kind.CONTENT


def _without_button(lines: Iterable[Line]) -> Iterator[Line]:
    """The page's button is glued to the first title below a banner, where the page was saved without blank lines."""
    button = False
    for line in lines:
        if line.kind is Kind.BANNER:
            button = True
        elif line.kind is Kind.FURNITURE and line.text == _BUTTON:
            button = False
        elif line.kind is Kind.CONTENT:
            if button and line.text.startswith(_BUTTON) and line.text != _BUTTON:
                shown = line.text.removeprefix(_BUTTON).strip()
                mark, text = _unmarked(shown)
                line = replace(line, text=text, raw=shown, mark=mark)
            button = False
        yield line


def _labelled(lines: Iterable[Line]) -> list[Line]:
    """`Title:` and `Abstract:` are labels where the page has both, `Abstract:` alone too."""
    lines = list(lines)
    found = [_LABELLED.match(line.text) if line.kind is Kind.CONTENT else None for line in lines]
    seen = Counter(_LABELS[one[1].casefold()] for one in found if one)
    if not seen["abstract"]:
        return lines
    known = {"abstract"} | ({"title", "authors"} if seen["title"] else {"authors"} if seen["authors"] > 1 else set())
    return [
        replace(line, text=line.text[one.end() :], mark=_LABELS[one[1].casefold()]) if one and _LABELS[one[1].casefold()] in known else line
        for line, one in zip(lines, found, strict=True)
    ]


def _numbered(lines: list[Line]) -> list[Line]:
    """Numbers that count up from line to line are marks; any other is text."""
    found = [_NUMBERED.match(line.text) if line.kind is Kind.CONTENT else None for line in lines]
    told = [(place, int(one[1] or one[2] or one[3])) for place, one in enumerate(found) if one]
    expected, counted = (told[0][1] if told else 0), set()
    for place, value in told:
        if value == expected:
            counted.add(place)
            expected += 1
    if len(counted) < 2 or len(counted) * 5 < len(told) * 4:
        return lines
    return [
        replace(line, text=line.text[one.end() :], mark="number") if one and place in counted else line
        for place, (line, one) in enumerate(zip(lines, found, strict=True))
    ]


def _without_preamble(lines: list[Line]) -> list[Line]:
    """Above the page's banner stand its name, address and menu, where nothing there is long enough for an abstract."""
    start = next((place for place, line in enumerate(lines) if line.kind is Kind.BANNER), 0)
    if any(line.kind is Kind.CONTENT and len(line.text) > _SHORT * 2 for line in lines[:start]):
        return lines
    return [replace(line, kind=Kind.FURNITURE) if line.kind is Kind.CONTENT else line for line in lines[:start]] + lines[start:]


def _navigation(lines: list[Line]) -> list[Line]:
    """Words of the page that stand among others of its parts."""
    listed = [line.kind is Kind.CONTENT and line.text.casefold() in _NAVIGATION for line in lines]
    own = [one or line.kind is not Kind.CONTENT for one, line in zip(listed, lines, strict=True)]
    out = list(lines)
    for place, (line, one) in enumerate(zip(lines, listed, strict=True)):
        beside = own[max(0, place - 1)] if place else True
        if one and (beside or (place + 1 < len(lines) and own[place + 1])):
            out[place] = replace(line, kind=Kind.FURNITURE)
    return out


def _names_of_submitters(lines: Iterable[Line]) -> Iterator[Line]:
    """`Submitted by` and the name in the same line or the next."""
    named = False
    for line in lines:
        found = _SUBMITTED.fullmatch(line.text)
        yield replace(line, kind=Kind.FURNITURE) if found or named else line
        named = found is not None and not found[1]


def _organisations(lines: list[Line]) -> Iterator[Line]:
    """A short line straight before the dot is an organisation; one that recurs with other lines below it is the page's own."""
    below: defaultdict[str, list[str]] = defaultdict(list)
    around = list(zip([None, *lines], lines, [*lines[1:], None], strict=False))
    shown = _next_shown(lines)
    for _, line, after in around:
        if line.kind is Kind.CONTENT and len(line.text) <= _SHORT:
            below[line.text].append(after.text if after else "")
    abstract = _SHORT * 1.5 if any(len(line.text) > 2 * _SHORT for line in lines) else _SHORT * 0.6  # of a page that was wrapped
    for (before, line, after), then in zip(around, shown, strict=True):
        if line.kind is Kind.CONTENT and len(line.text) <= _SHORT:
            if then is Kind.DOT and not address(line.text) and not line.text.endswith("."):
                line = replace(line, kind=Kind.ORGANISATION)
            elif (
                2 * len(line.text) <= _SHORT
                and len(below[line.text]) > 2
                and len(set(below[line.text])) > 2
                and names(line.text) < 2
                and not (_goes_on(before, line) or _is_headed(before, after, abstract))
            ):
                line = replace(line, kind=Kind.FURNITURE)
        yield line


def _is_headed(before: Line | None, after: Line | None, abstract: float) -> bool:
    """Whether a line between these two is where a title stands: below an entry's end and above an abstract."""
    ended = before is None or before.kind is not Kind.CONTENT or before.text.endswith((".", "!", "?"))
    if not ended or after is None:
        return False
    return after.kind in {Kind.IDENTIFIER, Kind.LABEL} or (
        after.kind is Kind.CONTENT and (len(after.text) > abstract or names(after.text) > 1)
    )


def _next_shown(lines: list[Line]) -> list[Kind | None]:
    """For each line, the kind of the next that is no link."""
    kinds: list[Kind | None] = []
    then: Kind | None = None
    for line in reversed(lines):
        kinds.append(then)
        then = then if line.kind is Kind.LINK or address(line.text) else line.kind
    return kinds[::-1]


def _goes_on(before: Line | None, line: Line) -> bool:
    """Whether a line can end the sentence or title of the line before."""
    return before is not None and before.kind is Kind.CONTENT and not line.after_blank and not before.text.endswith((".", "!", "?"))


_SHORT = 80
_PARTICLES = frozenset("af al av bin da de del della den der di dos du e el ibn la le ten ter van von y zu".split())


def names(text: str) -> int:
    """How many people a line lists, 0 where it can be no list of them: short parts, each of capitalised words.

    A lone name may be a title, too, and so may be two joined by `and`: these count 1, but with an initial, `By`, `et al.` or a year more.
    """
    parts, others = people(text), _ET_AL.search(text) is not None
    if not parts or not all(_is_name(part) or (others and part.istitle() and part.isalpha()) for part in parts):
        return 0
    if others:
        return max(len(parts), 3)
    if _INITIAL.search(text) or _BY.match(text) or _DATED.search(text):
        return max(len(parts), 2)
    unsure = len(parts) == 1 or (len(parts) == 2 and not _LISTED.search(text))
    return len(parts) if not unsure else 0 if text.endswith(".") else 1


def people(text: str) -> tuple[str, ...]:
    """The people that a line of authors names, in order."""
    listed = _ET_AL.sub("", _DATED.sub("", _BY.sub("", text.replace("·", ";"))))
    listed = listed if _INITIAL.search(listed[-3:]) else listed.rstrip(" .")
    return tuple(filter(None, (_FOOTNOTES.sub("", name) for name in authors_of(listed))))


_BY = re.compile(r"By\s+(?=\S)")
_DATED = re.compile(r"\s*(?:[.,;]\s+|\()[^.,;()]{0,60}\b(?:19|20)\d\d\)?\W*$")
"""The venue and year after them: `. NeurIPS 2023`, `(2023)`."""
_LISTED = re.compile(r"[,;·|]")
_FOOTNOTES = re.compile(r"(?<=[^\W\d_])[*†‡\d]+$")
_NO_NAME = re.compile(r"[:?!\"“”/=<>\d]|\w-\w+-\w")
_ET_AL = re.compile(r"[,;]?\s*\bet\.?\s+al\b\W*$", re.IGNORECASE)
_INITIAL = re.compile(r"\b[^\W\d_a-z]\.")


def _is_name(part: str) -> bool:
    if _NO_NAME.search(part.rstrip("0123456789*†‡")):
        return False
    family, comma, given = part.partition(",")
    words = [word.strip("*†‡()") for word in (f"{given} {family}" if comma else part).split()]
    words = [word for word in words if word]
    capital = [word for word in words if word[0].isupper()]
    return 1 < len(capital) < 5 and words[-1] in capital and all(word in _PARTICLES for word in words if word not in capital)
