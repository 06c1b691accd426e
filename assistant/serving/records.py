"""What programs are told of papers and sources, the same by every way in: command line, HTTP, MCP."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assistant.errors import QuestionError
from assistant.query.filters import Filters
from index import Library, Paper, link
from index.catalogue import by_title
from index.lookup import papers_named
from index.merging import Said


@dataclass(frozen=True)
class PaperRecord:
    """A paper of the library."""

    paper_id: str
    title: str
    """The source's text, white space collapsed; what scripts compare."""
    display_title: str
    """The title repaired for people."""
    abstract: str
    authors: tuple[str, ...]
    venue: str | None
    date: str | None
    """As exact as known: `2024-10-01`, `2024-10`, `2024`, `--12-12`."""
    date_inferred: str | None
    doi: str | None
    arxiv_id: str | None
    pmid: str | None
    url: str | None
    keywords: tuple[str, ...]
    tags: tuple[str, ...]
    note: str | None
    """What a reader must be told wherever the abstract is quoted."""
    sources: tuple[str, ...]
    told: dict[str, list[Said]]
    """What its sources say, field by field, where they differ."""


@dataclass(frozen=True)
class SourceRecord:
    """A source of the library."""

    source: str
    papers: int
    starter: bool
    """Whether its abstracts are summaries in our own words."""


def paper_records(papers: Sequence[Paper], library: Library) -> list[PaperRecord]:
    """The papers, each with what its sources say where they differ."""
    told = library.catalogue.told([paper.paper_id for paper in papers])
    return [
        PaperRecord(
            paper.paper_id, paper.title, paper.display_title, paper.abstract, paper.authors, paper.venue, paper.date, paper.date_inferred,
            paper.doi, paper.arxiv_id, paper.pmid, link(paper), paper.keywords, paper.tags, paper.note, paper.sources,
            told.get(paper.paper_id, {}),
        )
        for paper in papers
    ]  # fmt: skip


def source_records(library: Library) -> list[SourceRecord]:
    """The sources by name."""
    return [SourceRecord(source.name, count, source.starter) for source, count in library.catalogue.sources()]


def filtered(library: Library, filters: Filters) -> list[Paper]:
    """The papers that pass, by title."""
    return library.papers() if filters == Filters() else by_title(library.papers(sorted(library.allowed(filters))))


def records_named(library: Library, name: str) -> list[PaperRecord]:
    """The papers that a name means. Raises `QuestionError` where there is none."""
    found = papers_named(library.catalogue, name)
    if not found:
        raise QuestionError(f"the library has no paper “{name[:200]}”: give its id, DOI, arXiv id, PMID or whole title, or search for it")
    return paper_records(found, library)
