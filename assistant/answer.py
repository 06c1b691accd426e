"""What an answer is, and the events of its making. Records only; knows nothing of how."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


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
        return record

    def titles(self) -> list[tuple[int, str, str | None]]:
        """(marker, display title, note) of each cited paper, by marker."""
        return sorted({(c.marker, c.display_title, c.note) for c in self.citations}, key=lambda title: title[0])

    def __str__(self) -> str:
        """The text, then the numbered titles."""
        lines = [self.text]
        if self.citations:
            lines.append("")
        for marker, title, note in self.titles():
            lines.append(f"[{marker}] {title}" + (f" ({note})" if note else ""))
        return "\n".join(lines + [f"! {warning}" for warning in self.warnings])


@dataclass(frozen=True)
class Retrieved:
    """The search is done."""

    papers: tuple[RetrievedPaper, ...]


@dataclass(frozen=True)
class Text:
    """A piece of provisional text."""

    delta: str


@dataclass(frozen=True)
class Reset:
    """What was streamed so far is to be thrown away."""

    reason: str


@dataclass(frozen=True)
class Done:
    """The answer, which supersedes all streamed text."""

    answer: Answer


Event = Retrieved | Text | Reset | Done
