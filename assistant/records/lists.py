"""Questions about the papers as records: how many, by whom, from when and where, the newest, all on a theme.

Goes in: a question that asks for records, and the library. Comes out: a draft that counts or lists papers, a line each, and says
how it counted and for how many papers a field is not known. Dates are read by exact forms; authors and venues are those that the
catalogue knows; what is left of the question, without the words that only ask (learnt, `assistant/query/intent.py`), is the theme.
Answers from the catalogue alone; of nearness in meaning it knows what a search found.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from assistant.answer import Citation
from assistant.evidence.selection import Evidence
from assistant.evidence.sources import cite
from assistant.generation.base import Draft
from assistant.query.filters import Filters
from assistant.query.intent import shipped
from assistant.query.question import Question
from assistant.records.overview import NEWEST_AT_MOST
from assistant.retrieval.retriever import RetrievalResult
from index import Library, Paper
from index.catalogue import by_title
from index.sentences import sentence_spans

LISTED_AT_MOST = 20
SHOWN_OF_COUNT = 5
_NEAR_NAMED = 3
_AUTHORS_NAMED = 3
_NEAREST = 0.9
"""A paper without all the words is named as near where its score is at least this part of the median of those with them."""
MONTHS = "january february march april may june july august september october november december".split()
_MONTH = "|".join(f"{month[:3]}(?:{month[3:]})?" for month in MONTHS)
_DATE = rf"(?:(?:19|20)\d\d(?:-(?:0[1-9]|1[0-2])(?:-(?:0[1-9]|[12]\d|3[01]))?)?(?![\w-])|(?:{_MONTH}|sept)\.? (?:19|20)\d\d\b)"
_BETWEEN = re.compile(rf"\b(?:between|from)\s+({_DATE})\s+(?:and|to|until|till)\s+({_DATE})", re.IGNORECASE)
_SINCE = re.compile(rf"\b(?:since|(after))\s+({_DATE})|\bfrom\s+({_DATE})\s+(?:on(?=\s*[.?!]|\s*$)|onwards?)", re.IGNORECASE)
_UNTIL = re.compile(rf"\b(?:until|till|up to|(before))\s+({_DATE})", re.IGNORECASE)
_WITHIN = re.compile(rf"(?:\b(?:published|released|written|dated)\s+)?(?:\b(?:in|from|of|on|the year|year)\s+)*\b({_DATE})", re.IGNORECASE)
_ENDS = r"(?=\s+(?:about|on|in|from|since|before|after|are|is|at|of|that|which|here|please|published|wrote|written)\b|\s*[,?.!]|\s*$)"
_AUTHOR = (
    re.compile(rf"\b(?:by|authors?|from)\s+((?:[\w.'’-]+\s*){{1,4}}?){_ENDS}", re.IGNORECASE),
    re.compile(r"\b(?:did|has|have|does)\s+((?:[\w.'’-]+\s+){1,3}?)(?:publish(?:ed)?|writ(?:e|ten)|have|author(?:ed)?)\b", re.IGNORECASE),
    re.compile(r"\b((?:[\w.-]+\s+){0,2}[\w.-]+)(?:['’]s|s['’])\s+(?:\w+\s+)?(?:papers|articles|works?|publications)\b", re.IGNORECASE),
    re.compile(r"\b((?:[\w.-]+\s+){0,2}[\w.-]+)\s+et\s+al\b\.?", re.IGNORECASE),
)
"""Forms in which an author stands; the catalogue says whether it is one."""
_VENUE = re.compile(r"\b(?:in|at|from|of)\s+(?:the\s+)?((?:[\w&.-]+\s+){0,7}[\w&.-]+)", re.IGNORECASE)
_NUMBER = re.compile(r"\b(\d{1,3}|two|three|four|five|six|seven|eight|nine|ten)\b", re.IGNORECASE)
_WORDS = "two three four five six seven eight nine ten".split()
_WORD = re.compile(r"[^\W_](?:[\w+.'’-]*[\w+])?")


Field = Literal["authors", "venue", "date"]


@dataclass(frozen=True)
class Wanted:
    """Which records a question asks for."""

    filters: Filters
    """By date, author and venue."""
    theme: str
    """The words that are left, of what the papers are to be about; empty: of anything."""
    unknown_author: str = ""
    """A name asked for that no paper has."""
    number: int | None = None
    """How many are asked for."""

    @property
    def everything(self) -> bool:
        """Whether nothing narrows it, so that the whole library is meant."""
        return not self.theme and self.filters == Filters() and not self.unknown_author


def wanted_of(text: str, library: Library, newest: bool = False) -> Wanted:
    """What records a clean text asks for."""
    rest, since, until = _dates(text)
    rest, author, unknown = _author(rest, library)
    rest, venue = _venue(rest, library)
    number = _NUMBER.search(rest) if newest else None
    if number:
        rest = rest.replace(number[0], " ", 1)
    filters = Filters(since=since, until=until, author=author or None, venue=venue or None)
    return Wanted(filters, theme_of(rest, library), unknown, _value(number[1]) if number else None)


def theme_of(text: str, library: Library) -> str:
    """The words of a text that name what it is about: neither common ones nor such as only ask for papers."""
    asking = shipped().asking
    words = [word for word in _WORD.findall(text) if word.lower().removesuffix("'s") not in asking]
    content = library.lexical.terms(" ".join(words)).words
    return " ".join(word for word in words if any(part in content for part in re.findall(r"\w+", word.lower())))


def answer_records(
    question: Question, wanted: Wanted, found: RetrievalResult | None, library: Library, allowed: set[str] | None
) -> Draft | None:
    """The answer to a question that counts or lists papers. `found`: of the theme, where there is one.

    None where a theme is all that is asked by and no paper holds all its words: what is near in meaning is then to be read.
    """
    if wanted.unknown_author:
        known = library.count_known("authors")
        reason = f"no paper here is known to be by “{wanted.unknown_author}”"
        return Draft(f"The library has none: {reason}. {_known('authors', known, library)}", (), False, reason)
    ids = set(library.catalogue.digests()) if allowed is None else set(allowed)
    if wanted.filters != Filters():
        ids &= library.allowed(wanted.filters)
    terms = library.lexical.terms(wanted.theme)
    if wanted.theme:
        ids &= library.lexical.holding(terms)
    near = _near(found, ids) if wanted.theme else []
    if not ids:
        return None if near and wanted.filters == Filters() else _none(wanted, near, library)
    papers = library.papers(sorted(ids))
    newest = question.intent.name == "newest"
    if newest:
        dated = [paper for paper in papers if _date(paper)]
        papers = sorted(dated, key=lambda paper: (_date(paper), paper.paper_id), reverse=True)
        if not papers:
            reason = f"none of the papers {_what(wanted)} has a date with a year"
            return Draft(f"The library cannot tell: {reason}.", (), False, reason)
    else:
        rank = {hit.paper_id: place for place, hit in enumerate(found.hits)} if found else {}
        papers = sorted(by_title(papers), key=lambda paper: rank.get(paper.paper_id, len(rank)))
    counting = question.intent.name == "count"
    most = SHOWN_OF_COUNT if counting else min(wanted.number or NEWEST_AT_MOST, LISTED_AT_MOST) if newest else LISTED_AT_MOST
    return _listing(papers, len(ids), most, wanted, near, library, newest)


def record_of(papers: Sequence[Paper]) -> Draft:
    """By whom, when and where papers were published, as far as their records tell; a line each."""
    lines = [f"{_record(paper)} [{marker}]" for marker, paper in enumerate(papers, 1)]
    return Draft("\n".join(lines), tuple(first_sentence(paper, marker) for marker, paper in enumerate(papers, 1)))


def tells_record(paper: Paper) -> bool:
    """Whether anything is known of a paper's authors, venue or date."""
    return bool(paper.authors or paper.author_count or paper.venue or paper.date)


def listed(papers: Sequence[Paper], head: str) -> Draft:
    """A head, then a line for each paper, cited by its first sentence."""
    lines = [f"- {line_of(paper)} [{marker}]" for marker, paper in enumerate(papers, 1)]
    return Draft("\n".join([head, *lines]), tuple(first_sentence(paper, marker) for marker, paper in enumerate(papers, 1)))


def line_of(paper: Paper) -> str:
    """Title, then in brackets whom, where and when, as far as known."""
    told = [part for part in (_names(paper), paper.venue, _date(paper)) if part]
    return paper.display_title + (f" ({', '.join(told)})" if told else "")


def first_sentence(paper: Paper, marker: int) -> Citation:
    """The citation of a paper by how its abstract begins."""
    start, end = next(iter(sentence_spans(paper.abstract)), (0, 0))
    return cite(Evidence(paper, 0, start, end, 1.0), marker)


def _listing(papers: Sequence[Paper], count: int, most: int, wanted: Wanted, near: Sequence[str], library: Library, newest: bool) -> Draft:
    shown = papers[:most]
    what = _what(wanted)
    if newest:
        head = f"The newest of {_papers(len(papers))} {what}".rstrip() + " with a date:"
    else:
        head = f"{_papers(count)} {what}".rstrip() + (f", {len(shown)} of them shown:" if len(shown) < count else ":")
    draft = listed(shown, head[0].upper() + head[1:])
    tail = [*_counted(wanted, near, library), *_missing(wanted, library, newest)]
    return replace(draft, text="\n".join([draft.text, *tail]))


def _none(wanted: Wanted, near: Sequence[str], library: Library) -> Draft:
    reason = f"no paper {_what(wanted)} is here".replace("  ", " ")
    lines = [f"The library has none: {reason}.", *_counted(wanted, (), library), *_missing(wanted, library, False)]
    if near:
        lines += ["The nearest in meaning:", *(f"- {paper.display_title}" for paper in library.papers(near[:_NEAR_NAMED]))]
    return Draft("\n".join(lines), (), False, reason)


def _what(wanted: Wanted) -> str:
    """Such as `on “sparse attention” by Lee since 2020`."""
    filters, parts = wanted.filters, []
    if wanted.theme:
        parts.append(f"on “{wanted.theme}”")
    if filters.author:
        parts.append(f"by {filters.author}")
    if filters.venue:
        parts.append(f"in {filters.venue}")
    if filters.since and filters.since == filters.until:
        parts.append(f"of {filters.since}")
    else:
        parts += [f"{name} {value}" for name, value in (("since", filters.since), ("until", filters.until)) if value]
    return " ".join(parts)


def _counted(wanted: Wanted, near: Sequence[str], library: Library) -> list[str]:
    """How papers on a theme were counted, and what comes near without being counted."""
    if not wanted.theme:
        return []
    words = ", ".join(f"“{word}”" for word in library.lexical.terms(wanted.theme).words)
    lines = [f"Counted: papers whose title or abstract holds {words}, in whatever ending."]
    if near:
        titles = "; ".join(paper.display_title for paper in library.papers(near[:_NEAR_NAMED]))
        lines.append(f"As near in meaning, without all these words: {len(near):,}, such as {titles}.")
    return lines


def _missing(wanted: Wanted, library: Library, newest: bool) -> list[str]:
    """For how many papers what was asked by is known, where not for all."""
    filters = wanted.filters
    fields: dict[Field, object] = {"authors": filters.author, "venue": filters.venue, "date": filters.since or filters.until or newest}
    total = library.catalogue.count()
    return [_known(name, known, library) for name, by in fields.items() if by and (known := library.count_known(name)) < total]


def _known(field: Field, known: int, library: Library) -> str:
    named = {"authors": "Authors are", "venue": "The venue is", "date": "A date with a year is"}[field]
    return f"{named} known for {known:,} of the {library.catalogue.count():,} papers."


def _near(found: RetrievalResult | None, counted: set[str]) -> list[str]:
    """Papers found that are not counted and come as near as the middle one of those that are; where none is, the first found."""
    if found is None:
        return []
    scores = sorted(hit.score for hit in found.hits if hit.paper_id in counted)
    least = _NEAREST * scores[len(scores) // 2] if scores else 0.0
    near = [hit.paper_id for hit in found.hits if hit.paper_id not in counted and hit.score >= least]
    return near if scores else near[:_NEAR_NAMED]


def _record(paper: Paper) -> str:
    names = "; ".join(paper.authors)
    if not names and paper.author_count:
        names = f"{paper.author_count} authors, whose names the record does not tell"
    told = {"by": names, "in": paper.venue, "dated": paper.date, "DOI": paper.doi, "arXiv": paper.arxiv_id}
    known = ", ".join(f"{word} {value}" for word, value in told.items() if value)
    lacking = [word for word, value in (("authors", names), ("venue", paper.venue), ("date", paper.date)) if not value]
    not_told = f" Its record does not tell: {', '.join(lacking)}." if lacking else ""
    return f"“{paper.display_title}”{': ' if known else ''}{known}.{not_told}"


def _names(paper: Paper) -> str:
    if not paper.authors:
        return ""
    first = [author.partition(",")[0] for author in paper.authors[:_AUTHORS_NAMED]]
    return ", ".join(first) + (" and others" if len(paper.authors) > _AUTHORS_NAMED else "")


def _date(paper: Paper) -> str:
    """With a year, or empty."""
    date = paper.date if paper.date and not paper.date.startswith("--") else paper.date_inferred
    return date or ""


def _papers(count: int) -> str:
    return "1 paper" if count == 1 else f"{count:,} papers"


def _dates(text: str) -> tuple[str, str | None, str | None]:
    """The text without its dates, and since and until when."""
    if found := _BETWEEN.search(text):
        return _without(text, found), _iso(found[1]), _iso(found[2])
    since = until = None
    if found := _SINCE.search(text):
        given = _iso(found[2] or found[3])
        since = str(int(given) + 1) if found[1] and given.isdigit() else given
        text = _without(text, found)
    if found := _UNTIL.search(text):
        given = _iso(found[2])
        until = str(int(given) - 1) if found[1] and given.isdigit() else given
        text = _without(text, found)
    if since is None and until is None and (found := _WITHIN.search(text)):
        since = until = _iso(found[1])
        text = _without(text, found)
    return text, since, until


def _iso(date: str) -> str:
    """`2024-10` of `October 2024`; all else as it is."""
    word, _, year = date.partition(" ")
    if not year:
        return date
    return f"{year.strip()}-{[month[:3] for month in MONTHS].index(word[:3].lower()) + 1:02}"


def _author(text: str, library: Library) -> tuple[str, str, str]:
    """The text without its author, the author, and a name that stands like one and is none here."""
    unknown = ""
    for form in _AUTHOR:
        for found in form.finditer(text):
            name = _trimmed(found[1])
            if not name:
                continue
            if library.allowed(Filters(author=name)):
                return text.replace(found[0], " ", 1), name, ""
            if found[0].lower().startswith("by ") and name[0].isupper():
                unknown = unknown or name
    return text, "", unknown


def _trimmed(name: str) -> str:
    """A name without the words before it that only ask (`show me Lee's papers`)."""
    asking, words = shipped().asking, name.strip(" ,.?").split()
    while words and (words[0].lower() in asking or words[0].lower() in {"what", "which", "the", "all", "and", "me", "is", "are", "of"}):
        words = words[1:]
    return " ".join(words)


def _venue(text: str, library: Library) -> tuple[str, str]:
    """The text without its venue, and the venue: a whole one that the catalogue knows, or a part of one with a capital letter."""
    for found in _VENUE.finditer(text):
        words = found[1].split()
        for count in range(len(words), 0, -1):
            name = " ".join(words[:count]).rstrip(".,?")
            if library.is_venue(name) or (any(char.isupper() for char in name) and library.allowed(Filters(venue=name))):
                return text.replace(" ".join(words[:count]), " ", 1), name
    return text, ""


def _value(word: str) -> int:
    return int(word) if word.isdigit() else _WORDS.index(word.lower()) + 2


def _without(text: str, found: re.Match[str]) -> str:
    return f"{text[: found.start()]} {text[found.end() :]}"
