"""Which papers may be used: the filter, and how the catalogue's rows answer it.

Case, accents and punctuation never count. Goes in: a filter. Comes out: SQL over the folded columns, which this makes too.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from index.paper import Paper, fold, fold_letters

_WORD = re.compile(r"[^\W_]+[+#*]*")


@dataclass(frozen=True)
class PaperFilter:
    """Which papers may be used; what is None does not filter. Neither case nor accents count."""

    since: str | None = None
    """Earliest date, `2024`, `2024-05` or `2024-05-01`; papers without a year are left out."""
    until: str | None = None
    """Latest date, inclusive, in the same forms."""
    source: str | None = None
    """A part of a source's name."""
    author: str | None = None
    """An author's name: `Family`, `Given Family` or `Family, Given`; an initial stands for the name that it begins."""
    text: str | None = None
    """A part of the title or the abstract."""
    venue: str | None = None
    """The beginning of a word, or of several, of the venue's name."""
    tag: str | None = None
    """A tag of the user's own, or whole words of it."""
    papers: tuple[str, ...] | None = None
    """The ids of the papers that alone may be used."""


def columns(paper: Paper) -> tuple[str | None, str, str, str, str]:
    """The paper's `date`, `authors`, `venue`, `tags` and `folded_title`, for filters and lists."""
    date = paper.date_inferred if paper.date is None or paper.date.startswith("--") else paper.date
    tags = "\n".join(f" {words_of(tag)} " for tag in paper.tags)
    return date, "\n".join(map(words_of, paper.authors)), f" {words_of(paper.venue or '')} ", tags, fold(paper.display_title)


def condition(wanted: PaperFilter) -> tuple[str, list[str]]:
    """SQL over a row of `papers`, with its values; for a connection that `prepare` prepared."""
    clauses, values = ["1"], list[str]()

    def add(clause: str, *value: str) -> None:
        clauses.append(clause)
        values.extend(value)

    if wanted.since:
        add("date >= ?", wanted.since)
    if wanted.until:
        add("date <= ?", wanted.until + "\uffff")  # 2024 holds all of 2024-…
    if wanted.source:
        of_name = "source_id IN (SELECT source_id FROM sources WHERE instr(fold(name), ?))"
        add(f"EXISTS (SELECT 1 FROM entries WHERE entries.paper_id = papers.paper_id AND {of_name})", fold(wanted.source))
    if wanted.author:
        name = words_of(wanted.author)
        add("instr(authors, ?) AND names_author(authors, ?)", max(name.split(), key=len, default="\0"), name)
    if wanted.venue:
        add("instr(venue, ?)", f" {words_of(wanted.venue)}".rstrip(" ") or "\0")
    if wanted.tag:
        add("instr(tags, ?)", f" {words_of(wanted.tag)} " if words_of(wanted.tag) else "\0")
    if wanted.text:
        add("number IN (SELECT rowid FROM papers_text WHERE instr(fold(title || ' ' || abstract), ?))", fold(wanted.text) or " ")
    if wanted.papers is not None:
        add("paper_id IN (SELECT value FROM json_each(?))", json.dumps(wanted.papers))
    return " AND ".join(clauses), values


def prepare(db: sqlite3.Connection) -> None:
    """Gives a connection the functions that conditions use."""
    db.create_function("fold", 1, fold_letters, deterministic=True)
    db.create_function("names_author", 2, _names_author, deterministic=True)


def words_of(text: str) -> str:
    """A name's words, folded as the columns hold them."""
    return " ".join(_WORD.findall(fold(text).replace("'", "")))


def _names_author(authors: str, name: str) -> bool:
    wanted = name.split()
    return any(_is_name(wanted, author.split()) for author in authors.split("\n"))


def _is_name(wanted: Iterable[str], author: list[str]) -> bool:
    """Whether every word wanted is a word of the author, or an initial of it or the other way round, one of them in full."""
    left, full = list(author), False
    for word in sorted(wanted, key=len, reverse=True):  # initials take what is left
        if word in left:
            full = True
            left.remove(word)
            continue
        found = next((other for other in left if other[0] == word[0] and 1 in (len(other), len(word))), None)
        if found is None:
            return False
        left.remove(found)
    return full
