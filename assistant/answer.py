"""What an answer is, and the events of its making. Records only; knows nothing of how."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, TypeVar

from assistant.sanitize import visible
from index import Paper, bibliography
from index.citing import escape_markdown, in_words

_MARKERS = re.compile(r"((?:\s*\[[0-9]{1,3}\])+\s*)")

_BARS = re.compile(r"(?<!\\)\|")

NO_ANSWER = "The library has no answer to this"
"""How the text of every decline begins."""


@dataclass(frozen=True)
class Citation:
    """A marker in an answer, the paper it names, and the evidence quoted from its abstract."""

    marker: int
    """From 1, one for each paper, by first use; two quotes of a paper share its marker."""
    paper_id: str
    title: str
    display_title: str
    quote: str
    """A slice of the abstract: `abstract[start:end]`."""
    start: int
    end: int
    score: float
    """How well the quote answers, 0 to 1."""
    supported: bool
    """Whether the sentence that cites is supported by the abstract."""
    url: str | None = None
    date: str | None = None
    sources: tuple[str, ...] = ()
    note: str | None = None
    """What a reader must be told wherever the paper is quoted."""
    authors: tuple[str, ...] = ()
    venue: str | None = None
    doi: str | None = None
    arxiv_id: str | None = None
    contradicted: bool = False
    """Whether the abstract says nearly what the sentence that cites says, but otherwise; the quote is where."""

    def in_words(self) -> str:
        """The paper as one line for a text: authors, title, venue, year, link."""
        return in_words(_cited(self))


@dataclass(frozen=True)
class RetrievedPaper:
    """A paper that the search found."""

    paper_id: str
    title: str
    display_title: str
    score: float
    """Fused score; higher is nearer, about 1 where much of the question stands in the paper."""
    date: str | None = None
    url: str | None = None


@dataclass(frozen=True)
class Usage:
    """What an LLM used, failed calls included."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost: float | None = None
    """In the currency of the configured price; null where none is configured."""
    retries: int = 0
    estimated: bool = False
    """Whether the server did not tell some of its tokens, so that they were counted here."""

    def __add__(self, other: Usage) -> Usage:
        """What both used."""
        return Usage(
            _sum(self.prompt_tokens, other.prompt_tokens),
            _sum(self.completion_tokens, other.completion_tokens),
            _sum(self.cost, other.cost),
            self.retries + other.retries,
            self.estimated or other.estimated,
        )

    def priced(self, price_in: float | None, price_out: float | None) -> Usage:
        """With its cost, where a price of a million prompt or completion tokens is configured and tokens are known."""
        parts = [
            tokens * price / 1e6
            for tokens, price in ((self.prompt_tokens, price_in), (self.completion_tokens, price_out))
            if tokens is not None and price is not None
        ]
        return replace(self, cost=round(sum(parts), 8)) if parts else self

    def __str__(self) -> str:
        """For a line below an answer: `321 + 12 tokens, 1 retry, cost 0.0012`."""
        about = "about " if self.estimated else ""
        parts = []
        if self.prompt_tokens is not None or self.completion_tokens is not None:
            parts.append(f"{about}{self.prompt_tokens or 0:,} + {self.completion_tokens or 0:,} tokens")
        if self.retries:
            parts.append("1 retry" if self.retries == 1 else f"{self.retries} retries")
        if self.cost is not None:
            parts.append(f"cost {about}{_money(self.cost)}")
        return ", ".join(parts)


@dataclass(frozen=True)
class Answer:
    """An answer with its citations, or the finding that the library has none."""

    question: str
    text: str
    """Plain text with markers `[1]`."""
    answered: bool
    mode: str
    """What wrote the final text: `extractive` or the LLM's name."""
    confidence: float
    """0 to 1: how likely the answer leads with a paper that answers."""
    reason: str | None = None
    """Why it was declined, in words; None where it was not, or where nothing was sought (a greeting)."""
    citations: tuple[Citation, ...] = ()
    retrieved: tuple[RetrievedPaper, ...] = ()
    warnings: tuple[str, ...] = ()
    timings_ms: dict[str, float] = field(default_factory=dict)
    """`retrieve`, `read`, `generate`, `first_text`, `total`."""
    usage: Usage | None = None

    def to_dict(self) -> dict[str, Any]:
        """The `--json` form: the same keys, lists for tuples."""
        record = asdict(self)
        for key in ("citations", "retrieved", "warnings"):
            record[key] = list(record[key])
        for citation in record["citations"]:
            citation["sources"] = list(citation["sources"])
            citation["authors"] = list(citation["authors"])
        return record

    @staticmethod
    def from_dict(record: Mapping[str, Any]) -> Answer:
        """The inverse of `to_dict`; what a newer version told beside it is left out."""
        told = _known(Answer, record)
        told["citations"] = tuple(_citation(citation) for citation in record.get("citations", ()))
        told["retrieved"] = tuple(RetrievedPaper(**_known(RetrievedPaper, paper)) for paper in record.get("retrieved", ()))
        told["warnings"] = tuple(record.get("warnings", ()))
        told["usage"] = Usage(**_known(Usage, record["usage"])) if record.get("usage") else None
        return Answer(**told)

    def to_markdown(self) -> str:
        """The text, its markers kept, and the numbered references. Nothing in it becomes markup."""
        lines = [visible(line) for line in self.text.splitlines() if line.strip()]
        shown = [_row(line) if is_row(line) else f"- {_markdown(line[2:])}" if line.startswith("- ") else _markdown(line) for line in lines]
        text = "\n\n".join(shown).replace("\n\n- ", "\n- ").replace("|\n\n| ", "|\n| ")
        listed = enumerate(self.bibliography("markdown").splitlines(), 1)
        return "\n\n".join(filter(None, [text, "\n".join(f"{number}. {line.removeprefix('- ')}" for number, line in listed)]))

    def bibliography(self, form: str) -> str:
        """The cited papers, by marker, as `bibtex`, `ris`, `csl` or `markdown`. Raises `index.FormatError` for another."""
        return references(sorted(self.citations, key=lambda citation: citation.marker), form)

    def titles(self) -> list[tuple[int, str, str | None]]:
        """(marker, display title, note) of each cited paper, by marker."""
        return sorted({(c.marker, c.display_title, c.note) for c in self.citations}, key=lambda title: title[0])

    def __str__(self) -> str:
        """The text, then the numbered titles; nothing in it that cannot be seen, or that steers a terminal."""
        lines = [self.text]
        if self.citations:
            lines.append("")
        for marker, title, note in self.titles():
            lines.append(f"[{marker}] {title}" + (f" ({note})" if note else ""))
        return visible("\n".join(lines + [f"! {warning}" for warning in self.warnings]))


@dataclass(frozen=True)
class Retrieved:
    """The search is done: the papers as it ranks them. The answer ranks anew those that were looked into."""

    papers: tuple[RetrievedPaper, ...]


@dataclass(frozen=True)
class Text:
    """A piece of provisional text."""

    delta: str


@dataclass(frozen=True)
class Reset:
    """What was streamed so far is to be thrown away."""

    reason: str
    unfinished: bool = False
    """Whether the LLM failed while or after it wrote that: it is no answer, neither whole nor checked."""


@dataclass(frozen=True)
class Done:
    """The answer, which supersedes all streamed text."""

    answer: Answer


def references(citations: Sequence[Citation], form: str) -> str:
    """The papers cited, each once, by first use, as `bibtex`, `ris`, `csl` or `markdown`; empty where there are none.

    Raises `index.FormatError` for another form.
    """
    first = {citation.paper_id: citation for citation in reversed(citations)}
    return bibliography([_cited(first[paper_id]) for paper_id in dict.fromkeys(one.paper_id for one in citations)], form)


def is_row(line: str) -> bool:
    """Whether a line of an answer is a row of a table: `| a | b |`, bars within a cell escaped."""
    return line.startswith("| ") and line.endswith(" |")


def cells_of(line: str) -> list[str]:
    """The cells of a row of a table; none of the line below its head."""
    cells = [cell.strip().replace("\\|", "|") for cell in _BARS.split(line[1:-1])]
    return [] if all(cell == "---" for cell in cells) else cells


def _row(line: str) -> str:
    cells = [_markdown(cell).replace("|", "\\|") for cell in cells_of(line)]
    return f"| {' | '.join(cells)} |" if cells else line


def _markdown(line: str) -> str:
    return "".join(escape_markdown(part) if number % 2 == 0 else part for number, part in enumerate(_MARKERS.split(line)))


def _known(record: type[Any], told: Mapping[str, Any]) -> dict[str, Any]:
    names = {one.name for one in fields(record)}
    return {name: value for name, value in told.items() if name in names}


def _citation(told: Mapping[str, Any]) -> Citation:
    known = _known(Citation, told)
    return Citation(**(known | {name: tuple(known.get(name, ())) for name in ("sources", "authors")}))


def _cited(citation: Citation) -> Paper:
    """The paper as far as its citation tells."""
    return Paper(
        citation.paper_id,
        citation.title,
        citation.display_title,
        abstract="",
        raw_abstract="",
        date=citation.date,
        authors=citation.authors,
        arxiv_id=citation.arxiv_id,
        doi=citation.doi,
        venue=citation.venue,
        url=citation.url,
        note=citation.note,
    )


Event = Retrieved | Text | Reset | Done

_Number = TypeVar("_Number", int, float)


def _sum(one: _Number | None, other: _Number | None) -> _Number | None:
    """The sum of what is known."""
    if one is None or other is None:
        return other if one is None else one
    return one + other


def _money(amount: float) -> str:
    """Two digits that tell, at least two after the point."""
    return f"{amount:.2f}" if amount >= 0.1 or not amount else f"{amount:.2g}" if amount >= 1e-4 else f"{amount:.6f}"
