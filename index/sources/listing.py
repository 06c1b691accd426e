"""Reads the text of Hugging Face "Papers" listing pages, in three layouts.

*compact*: every line is a title or an abstract, in turn, the first title glued to the page's
`Subscribe` button. *spaced*: the same with blank lines between. *dated*: spaced, most entries
followed by `• 6 authors`, `·` and a date, which may carry a number of comments.

Goes in: the text. Comes out: entries in the page's order, and what could not be read. The
page's own furniture (banner, button, page date) is dropped wherever it stands alone on a line;
nothing else is.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import zip_longest

from index.errors import SourceError
from index.paper import Entry, Skipped, collapse
from index.sources.base import Format, Hints, Parsed

_BANNER = re.compile(r"Get trending papers in your email inbox(?: once a day)?\W*", re.IGNORECASE)
_FURNITURE = re.compile(r"(?:new|Subscribe|(?:Daily|Trending|Weekly|Monthly) Papers|by ?AK and the research community)")
_BUTTON = "Subscribe"
_AUTHORS = re.compile(r"•\s*([\d,]+)\s+authors?")
_DOT = re.compile(r"·")
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
_DATE = re.compile(rf"({'|'.join(_MONTHS)})\s+(\d{{1,2}})(?:,\s*(\d{{4}}))?(?:\s+(\d+))?")

_TITLE_LIMIT = 300
"""Characters; the longest title seen in 640 papers has 164, the shortest abstract 390."""
_SENTENCE_END = re.compile(r"[.!?][\"')\]”’]*(?:\s|$)")
_STOP = re.compile(r"\.[\"')\]”’]*$")


@dataclass(frozen=True)
class _Line:
    number: int
    text: str


def parse(text: str, source: str, hints: Hints = Hints()) -> Parsed:
    """Entries of a listing page.

    Raises `SourceError` where the text holds no paper.
    """
    lines = list(_content(text))
    entries: list[Entry] = []
    skipped: list[Skipped] = []
    title: _Line | None = None
    for line, following in zip_longest(lines, lines[1:]):
        if _is_detail(line.text):
            if title is None and entries:
                entries[-1] = _with_detail(entries[-1], line.text)
        elif title is None and entries and _continues_abstract(line, following, entries[-1]):
            entries[-1] = replace(entries[-1], abstract=f"{entries[-1].abstract} {collapse(line.text)}")
        elif title is None and _is_prose(line.text):
            skipped.append(Skipped(source, line.number, "an abstract without a title above it"))
        elif title is None:
            title = line
        elif _is_abstract(line, following):
            entries.append(Entry(collapse(title.text), collapse(line.text), title.number))
            title = None
        else:
            skipped.append(Skipped(source, title.number, f"no abstract follows the title “{_short(title.text)}”"))
            title = line
    if title is not None:
        skipped.append(Skipped(source, title.number, f"no abstract follows the title “{_short(title.text)}”"))
    if not entries:
        raise SourceError(source, "no paper found: a listing has a title on one line and its abstract on the next")
    return Parsed(tuple(_infer_years(entries)), tuple(skipped))


def recognise(text: str) -> bool:
    """Any text may be a listing: this is the format of last resort."""
    return True


def _content(text: str) -> Iterator[_Line]:
    """Lines that are not blank and not the page's furniture, numbered as an editor does."""
    in_header, button_next = True, False
    for number, raw in enumerate(re.split(r"\r\n?|\n", text), 1):
        line = raw.replace("\ufeff", "").strip()
        if not line:
            continue
        if _BANNER.fullmatch(line):
            in_header = button_next = True
            continue
        if _FURNITURE.fullmatch(line) or (in_header and _DATE.fullmatch(line)):
            button_next = button_next and line != _BUTTON
            continue
        if button_next:
            line = line.removeprefix(_BUTTON).strip()
        in_header = button_next = False
        yield _Line(number, line)


def _is_detail(line: str) -> bool:
    return bool(_AUTHORS.fullmatch(line) or _DOT.fullmatch(line) or _DATE.fullmatch(line))


def _is_prose(line: str) -> bool:
    """Longer than any title, or several sentences."""
    return len(line) > _TITLE_LIMIT or (len(line) > 120 and len(_SENTENCE_END.findall(line)) >= 2 and _is_closed(line))


def _is_closed(line: str) -> bool:
    """Ends like prose (a title may end with `?` or `!`), or tells a link."""
    return bool(_STOP.search(line)) or "://" in line


def _is_abstract(line: _Line, following: _Line | None) -> bool:
    """What stands below a title: prose, a closed sentence, or anything that an entry's details follow."""
    closed = bool(_STOP.search(line.text)) or line.text.endswith("!")
    return _is_prose(line.text) or closed or (following is not None and _is_detail(following.text))


def _continues_abstract(line: _Line, following: _Line | None, entry: Entry) -> bool:
    """A further paragraph: prose before the entry's details, or a closed sentence that is not the next title."""
    if entry.date is not None or entry.author_count is not None:
        return False
    return _is_prose(line.text) or (_is_closed(line.text) and not (following is not None and _is_prose(following.text)))


def _with_detail(entry: Entry, line: str) -> Entry:
    if found := _AUTHORS.fullmatch(line):
        return replace(entry, author_count=int(found[1].replace(",", "")))
    if found := _DATE.fullmatch(line):
        month_name, day, year, comments = found.groups()
        month_day = f"{_MONTHS.index(month_name) + 1:02d}-{int(day):02d}"
        date = f"{year}-{month_day}" if year else f"--{month_day}"
        return replace(entry, date=date, comment_count=int(comments) if comments else None)
    return entry


def _infer_years(entries: list[Entry]) -> list[Entry]:
    """The page prints a year only for years gone by, so a date without one is of the year after
    the latest printed: an inference, kept apart from what was given."""
    years = [int(entry.date[:4]) for entry in entries if entry.date and not entry.date.startswith("--")]
    return [replace(entry, date_inferred=_inferred(entry.date, max(years) + 1)) for entry in entries] if years else entries


def _inferred(date: str | None, year: int) -> str | None:
    if date is None or not date.startswith("--"):
        return None
    try:
        return datetime.date.fromisoformat(f"{year}-{date[2:]}").isoformat()
    except ValueError:
        return None  # 29 February of another year


def _short(text: str, limit: int = 60) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


FORMAT = Format("listing", (".txt", ".text"), recognise, parse)
