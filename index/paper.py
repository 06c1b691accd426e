"""The records of the library: what a source tells, and what the library knows.

Goes in: text of a source. Comes out: frozen records. Knows nothing of storage or questions.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass, field
from functools import lru_cache

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
        """The id of the paper that this tells of, unless another of the same title has it (see `identity`)."""
        return paper_id_of(self.title) if self.key is None else hashed(f"key {self.key}")


@dataclass(frozen=True)
class Source:
    """One file that papers came from."""

    name: str
    root: str
    """What the user named: a file, a folder, a glob."""
    starter: bool = False
    """Whether its abstracts are summaries in our own words."""
    options: str = "{}"
    """What the user told of how it is to be read again: JSON, keys sorted."""


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


def fold(text: str) -> str:
    """The text for comparing: neither case, accents nor the form of dashes, quotes and white space count."""
    return collapse(fold_letters(text))


def fold_letters(text: str) -> str:
    """The same, white space as it is."""
    text = text.casefold()
    return text if text.isascii() else _NOT_ASCII.sub(lambda run: _folded(run[0]), text)


@lru_cache(maxsize=10_000)
def _folded(run: str) -> str:
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", run).casefold()).translate(_PLAIN)
    return "".join(char for char in plain if not unicodedata.combining(char))


_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
_PLAIN = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ŧ": "t", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th", "ŋ": "n"}
    | dict.fromkeys("‐‑‒–—―−", "-")
    | dict.fromkeys("‘’‚‛′", "'")
    | dict.fromkeys("“”„‟″«»", '"')
)
"""Letters and signs that Unicode does not take apart."""


def paper_id_of(title: str) -> str:
    """The identity of a paper: SHA-256 of its title's letters and digits, 12 hex digits.

    Case, punctuation, white space and Unicode form do not count, so that two listings that
    typeset a title differently still mean one paper.
    """
    letters = re.sub(r"[\W_]+", " ", unicodedata.normalize("NFKC", title).casefold()).strip()
    return hashed(letters or title)


def hashed(text: str) -> str:
    """SHA-256, 12 hex digits."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]
