"""Whether a text that was read as a listing is one, and what it looks like otherwise.

Goes in: the text and the entries found in it. Comes out: a reason to refuse it, or none. Judges
by form and register (who is spoken to, which signs stand in it, how much of it became entries);
knows no topic.
"""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Sequence
from itertools import islice

from index.paper import Entry
from index.sources.lines import Kind, Line

_HEAD = 20_000
"""Characters that a format is looked for in."""
_AGAIN = "cannot be read as such: export it again"
_OTHER_FORMATS = (
    ("MEDLINE", _AGAIN, re.compile(r"^PMID- ", re.MULTILINE), 1),
    ("PubMed's text", "choose the format “PubMed” there", re.compile(r"^PMID: \d{1,8}\b", re.MULTILINE), 1),
    ("PubMed's summary", "it has no abstracts: choose the format “PubMed” there", re.compile(r"\A\s*1: .+(?:\n.+){0,6}PMID:\s"), 1),
    ("RIS", _AGAIN, re.compile(r"^[A-Z][A-Z0-9] {0,2}- ?", re.MULTILINE), 3),
    ("BibTeX", _AGAIN, re.compile(r"^[ \t]*@[A-Za-z]+[ \t]*[{(]", re.MULTILINE), 1),
    ("BibTeX", _AGAIN, re.compile(r"^[ \t]*(?:title|author|year|abstract|journal)[ \t]*=[ \t]*[{\"]", re.MULTILINE | re.IGNORECASE), 3),
    ("JSON", _AGAIN, re.compile(r"\A\s*(?:\[\s*)?\{\s*(?:\"|\})"), 1),
    ("XML or HTML", _AGAIN, re.compile(r"\A\s*<(?:\?xml|!doctype|[a-z][\w:-]*[\s>/])", re.IGNORECASE), 1),
    (
        "arXiv's mail",
        "name its papers (`arxiv:2401.01234`), or save arXiv's list as a web page",
        re.compile(r"^\\\\\narXiv:\d", re.MULTILINE),
        1,
    ),
    ("LaTeX source", _AGAIN, re.compile(r"^\\(?:documentclass|begin\{document\})", re.MULTILINE), 1),
    ("rich text (RTF)", "save it as plain text", re.compile(r"\A\s*\{\\rtf"), 1),
    ("YAML", "it is not read", re.compile(r"^(?:- | {1,8})(?:title|abstract|authors?|year|type):\s", re.MULTILINE), 3),
    ("PDF's inside", _AGAIN, re.compile(r"\A%PDF-"), 1),
)
"""What each format's lines look like, how many of them there must be, and what is to be said of it."""
_ROOT = re.compile(r"\A\s*(?:<\?[^>]*>\s*|<![^\[>]*>\s*|<!--(?:[^-]|-(?!->))*-->\s*)*<([a-z][\w:.-]{0,60})", re.IGNORECASE)


def other_format(text: str) -> str | None:
    """What another format that a text is written in, however broken, is called, and what to do about it."""
    head = text[:_HEAD]
    found = next((one for one in _OTHER_FORMATS if len(list(islice(one[2].finditer(head), one[3]))) == one[3]), None)
    if found is None:
        return None
    name, advice, *_ = found
    declared = name == "XML or HTML" and ("xmlns" in head or head.lstrip().startswith("<?xml"))
    if declared and (root := _ROOT.match(head)) and root[1].casefold() not in ("html", "feed", "rss", "pubmedarticleset"):
        return f"XML of a kind that is not read (<{root[1]}>)"
    return f"{name}: {advice}" if advice is not _AGAIN else f"{name}, but {advice}"


def unlike_a_listing(text: str, lines: Sequence[Line], entries: Sequence[Entry], skipped: int, shown: int) -> str | None:
    """Why a text is no listing, or more of it is lost than read; None for a listing.

    `skipped` records could not be read, and `shown` characters stand in all records.
    """
    read = sum(len(entry.title) + len(entry.abstract) for entry in entries)
    if shown > 2 * read:
        return f"only {read:,} of {shown:,} characters are titles with abstracts, so nothing is taken: this looks like {_guess(text)}"
    if any(line.kind is Kind.BANNER for line in lines):
        return None
    seen = _look(entries, skipped, sum(len(line.text) for line in lines if line.kind is Kind.CONTENT))
    score = _BIAS + sum(_WEIGHTS[name] * value for name, value in seen.items()) + (_SIGNED if _is_signed(lines, len(entries)) else 0.0)
    guess = _guess(text)
    if score < (_LEAST if seen["whole"] > 1 else _LEAST_FEW) or guess != _PROSE:
        return f"this looks like {guess}, not like a list of papers with their abstracts"
    return None


def _guess(text: str) -> str:
    """What a text looks like that is no listing, in a few words."""
    head = text[:_HEAD]
    rows = [row for row in head.splitlines() if row.strip()]
    if _LICENCE.search(head):
        return "a licence"
    if 2 * len(_LOGGED.findall(head)) > len(rows):
        return "a log"
    if 3 * len(_CODE.findall(head)) > len(rows):
        return "source code or settings"
    if any(len(rows) > 2 and rows[0].count(mark) > 1 and len({row.count(mark) for row in rows[:5]}) == 1 for mark in "\t;,"):
        return "a table whose columns have no names (put a line above it: title,abstract,…)"
    return _PROSE


def _is_signed(lines: Sequence[Line], count: int) -> bool:
    """Whether at half of the entries stands what pages of papers print there: authors, arXiv numbers, labels."""
    told = sum(line.kind in {Kind.AUTHORS, Kind.IDENTIFIER} or line.mark == "abstract" for line in lines)
    return 2 * told >= count


_PROSE = "prose: a manual, notes or a report"
_WE = re.compile(r"\b(?:we|our|this (?:paper|study|work|article|survey|review|research))\b", re.IGNORECASE)
_YOU = re.compile(r"\b(?:you|your|yours|shall|please)\b", re.IGNORECASE)
_SIGNS = re.compile(r"[{}<>=_|#@;~*`\\]")
_STOP = re.compile(r"[.!?][\"')\]]*$")
_LICENCE = re.compile(
    r"permission is hereby granted|redistributions? (?:and use )?in source|without (?:any )?warrant|licen[cs]ed under the", re.IGNORECASE
)
_LOGGED = re.compile(r"^\W{0,3}(?:\S+ ){0,3}\d\d:\d\d:\d\d", re.MULTILINE)
_CODE = re.compile(r"[;{}]\s*$|^\s*(?:def|class|import|from|#include|return|if|for|function|var|const|let)\b", re.MULTILINE)
_FEW = 120
"""Characters; an abstract is rarely shorter."""
_WEIGHTS = {
    "length": 0.4,
    "short": -1.13,
    "stops": 2.94,
    "skipped": -3.47,
    "unread": -5.5,
    "whole": 0.87,
    "we": 0.75,
    "you": -1.38,
    "signs": -0.81,
    "capitals": -0.19,
    "small": -0.68,
    "title words": 0.11,
    "title signs": -0.3,
    "headings": -3.84,
    "small titles": -1.01,
}
"""A logistic regression's, from 720 lists of 1 to 30 abstracts of nine fields and 999 manuals, licences, logs and programs."""
_BIAS = -3.25
_SIGNED = 5.0
"""What the signs of a page of papers weigh."""
_LEAST, _LEAST_FEW = 0.6, 1.7
"""The least score of a list (a chance of 65%), and of fewer than three papers or one with something left over (85%)."""


def _look(entries: Sequence[Entry], skipped: int, size: int) -> dict[str, float]:
    """What tells abstracts from manuals, licences, code and logs."""
    abstracts = [entry.abstract for entry in entries]
    titles = [entry.title for entry in entries]
    body, heads = " ".join(abstracts), " ".join(titles)
    words = body.split()
    read = len(body) + len(heads)
    count = len(entries)
    unread = max(0.0, 1 - read / size)
    return {
        "skipped": math.log1p(skipped / count),
        "unread": unread,
        "whole": math.log(count) if not skipped and unread < 0.06 else 0.0,
        "length": math.log(statistics.median(map(len, abstracts))),
        "short": sum(len(abstract) < _FEW for abstract in abstracts) / count,
        "stops": sum(_STOP.search(abstract) is not None for abstract in abstracts) / count,
        "we": min(4.0, 100 * len(_WE.findall(body)) / len(words)),
        "you": min(4.0, 100 * len(_YOU.findall(body)) / len(words)),
        "signs": min(6.0, 100 * len(_SIGNS.findall(body)) / len(body)),
        "capitals": min(30.0, 100 * sum(len(word) > 3 and word.isupper() for word in words) / len(words)),
        "small": sum(abstract[0].islower() or not abstract[0].isalnum() for abstract in abstracts) / count,
        "title words": min(25.0, statistics.median(len(title.split()) for title in titles)),
        "title signs": min(8.0, 100 * len(_SIGNS.findall(heads)) / len(heads)),
        "headings": sum(len(title.split()) < 3 for title in titles) / count,
        "small titles": sum(title[0].islower() or not title[0].isalnum() for title in titles) / count,
    }
