"""Reads the text of Hugging Face "Papers" listing pages, in three layouts.

*compact*: every line is a title or an abstract, in turn, the first title glued to the page's
`Subscribe` button. *spaced*: the same with blank lines between. *dated*: spaced, most entries
followed by `• 6 authors`, `·` and a date, which may carry a number of comments.

Goes in: the text. Comes out: entries in the page's order, and what could not be read. The
page's own furniture (banner, button, page date) is dropped wherever it stands alone on a line;
nothing else is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from index.errors import SourceError
from index.paper import Entry, Skipped, collapse
from index.sources.base import Format, Parsed

_BANNER = re.compile(r"Get trending papers in your email inbox.*", re.IGNORECASE)
_FURNITURE = re.compile(r"(?:new|Subscribe|(?:Daily|Trending|Weekly|Monthly) Papers|by ?AK and the research community)")
_BUTTON = "Subscribe"
_AUTHORS = re.compile(r"•\s*([\d,]+)\s+authors?")
_DOT = re.compile(r"·")
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
_DATE = re.compile(rf"({'|'.join(_MONTHS)})\s+(\d{{1,2}})(?:,\s*(\d{{4}}))?(?:\s+(\d+))?")

_TITLE_LIMIT = 300
"""Characters; the longest title seen in 640 papers has 164, the shortest abstract 390."""
_PROSE = re.compile(r"[.!?][\"')\]”’]*(?:\s|$)")


@dataclass(frozen=True)
class _Line:
    number: int
    text: str
    after_blank: bool


def parse(text: str, source: str) -> Parsed:
    """Entries of a listing page.

    Raises `SourceError` where the text holds no paper.
    """
    lines = list(_content(text))
    entries: list[Entry] = []
    skipped: list[Skipped] = []
    title: _Line | None = None
    for line in lines:
        if _is_detail(line.text):
            if title is None and entries:
                entries[-1] = _with_detail(entries[-1], line.text)
            continue
        if title is None:
            if _continues_abstract(line, entries):
                entries[-1] = replace(entries[-1], abstract=f"{entries[-1].abstract} {collapse(line.text)}")
            elif _is_prose(line.text):
                skipped.append(Skipped(source, line.number, "an abstract without a title above it"))
            else:
                title = line
        elif _is_prose(line.text) or not _looks_like_title(line.text):
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
    """Lines that are not blank and not the page's furniture."""
    after_blank, banner, started = True, False, False
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip().lstrip("\ufeff")
        if not line:
            after_blank = True
            continue
        if _BANNER.fullmatch(line):
            banner = True
            continue
        if _FURNITURE.fullmatch(line) or (not started and _DATE.fullmatch(line)):
            continue
        if banner and line.startswith(_BUTTON):
            line = line[len(_BUTTON) :].strip()
        banner, started = False, True
        yield _Line(number, line, after_blank)
        after_blank = False


def _is_detail(line: str) -> bool:
    return bool(_AUTHORS.fullmatch(line) or _DOT.fullmatch(line) or _DATE.fullmatch(line))


def _is_prose(line: str) -> bool:
    """Longer than any title, or several sentences."""
    return len(line) > _TITLE_LIMIT or (len(line) > 120 and len(_PROSE.findall(line)) >= 2)


def _looks_like_title(line: str) -> bool:
    """Short and not closed like a sentence, so not an abstract (of one sentence, say)."""
    return len(line) <= _TITLE_LIMIT and not line.endswith((".", "!"))


def _continues_abstract(line: _Line, entries: list[Entry]) -> bool:
    """A second paragraph: prose straight after an abstract whose details have not come yet."""
    return bool(entries) and _is_prose(line.text) and entries[-1].date is None and entries[-1].author_count is None


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
    if not years:
        return entries
    year = max(years) + 1
    return [
        replace(entry, date_inferred=f"{year}-{entry.date[2:]}") if entry.date and entry.date.startswith("--") else entry
        for entry in entries
    ]


def _short(text: str, limit: int = 60) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


FORMAT = Format("listing", (".txt", ".text"), recognise, parse)
