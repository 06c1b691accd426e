"""The records of the library: what a source tells, and what the library knows.

Goes in: text of a source. Comes out: frozen records. Knows nothing of storage or questions.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass, field

SUMMARY_NOTE = "summary in our own words, not the authors' abstract"
"""The note on every paper of the starter library, wherever it is quoted."""


@dataclass(frozen=True)
class Entry:
    """One paper as one source tells it."""

    title: str
    """The source's text, white space collapsed; what scripts compare."""
    abstract: str
    """The source's text, white space collapsed, LaTeX residue and all; empty where it tells none."""
    line: int
    """Line of the record or its title in the source, from 1."""
    date: str | None = None
    """As exact as given: `2024-10-01`, `2024-10`, `2024`, `--12-12` (no year)."""
    date_inferred: str | None = None
    """For a date without a year, the full date that the rest of the listing suggests."""
    author_count: int | None = None
    authors: tuple[str, ...] = ()
    """In order: `Family, Given` where the source tells them apart, else as it writes them."""
    comment_count: int | None = None
    arxiv_id: str | None = None
    """Without `arXiv:` and version: `2401.01234`, `cs/0112017`."""
    doi: str | None = None
    """Lower case, without `https://doi.org/`: `10.1000/xyz`."""
    pmid: str | None = None
    """PubMed's number."""
    venue: str | None = None
    """Journal, conference or repository, as the source writes it."""
    url: str | None = None
    keywords: tuple[str, ...] = ()
    """Of the paper, by its authors or an index."""
    tags: tuple[str, ...] = ()
    """The user's own: tags, collections, groups."""
    note: str | None = None
    """What a reader must be told wherever the abstract is quoted."""
    key: str | None = None
    """What tells the paper from others where its title does not (a test collection's own id); None: the title does."""

    @property
    def paper_id(self) -> str:
        """The identity of the paper that this tells of."""
        return paper_id_of(self.title) if self.key is None else _hashed(f"key {self.key}")


@dataclass(frozen=True)
class Source:
    """One file that papers came from."""

    name: str
    root: str
    starter: bool = False
    options: str = "{}"
    """What the user told of how it is to be read: JSON, keys sorted."""


@dataclass(frozen=True)
class Skipped:
    """Something in a source that could not be taken as a paper."""

    source: str
    line: int | None
    reason: str


@dataclass(frozen=True)
class Paper:
    """One paper of the library: the best of what its sources tell."""

    paper_id: str
    """12 hex digits, the same on every clean build (see `paper_id_of`)."""
    title: str
    display_title: str
    """The title repaired for people."""
    abstract: str
    """The abstract repaired for reading and searching; quotes are slices of it."""
    raw_abstract: str
    """The source's own text, white space collapsed."""
    date: str | None = None
    date_inferred: str | None = None
    author_count: int | None = None
    authors: tuple[str, ...] = ()
    comment_count: int | None = None
    arxiv_id: str | None = None
    doi: str | None = None
    pmid: str | None = None
    venue: str | None = None
    url: str | None = None
    keywords: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    note: str | None = None
    sources: tuple[str, ...] = field(default=())
    """The sources it was seen in, sorted."""


def collapse(text: str) -> str:
    """White space collapsed to single spaces, ends trimmed."""
    return " ".join(text.split())


def paper_id_of(title: str) -> str:
    """The identity of a paper: SHA-256 of its title's letters and digits, 12 hex digits.

    Case, punctuation, white space and Unicode form do not count, so that two listings that
    typeset a title differently still mean one paper.
    """
    letters = re.sub(r"[\W_]+", " ", unicodedata.normalize("NFKC", title).casefold()).strip()
    return _hashed(letters or title)


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
