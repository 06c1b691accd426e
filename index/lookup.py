"""Which paper a name means: an id of ours, a DOI, an arXiv id, PubMed's number, a title, or a citation key.

Goes in: what people write where they mean one paper. Comes out: the papers of the library that it may mean. Citation
keys are those of the BibTeX files that the library was made from, as far as they are still there, and our own
(`citing.keys`). Knows nothing of what a paper is wanted for.
"""

from __future__ import annotations

import re
from pathlib import Path

from index.catalogue import Catalogue
from index.citing import keys
from index.errors import SourceError
from index.paper import Entry, Paper
from index.sources import bibtex
from index.sources.encoding import decode
from index.sources.fields import arxiv_id_of, doi_of, pmid_of

_ID = re.compile(r"[0-9a-f]{12}")


def papers_named(catalogue: Catalogue, name: str) -> list[Paper]:
    """The papers of this id, DOI, arXiv id, PubMed number (`PMID: 123`) or title; several where a title is of several."""
    if _ID.fullmatch(name.strip()) and (found := catalogue.papers([name.strip()])):
        return found
    return papers_like(catalogue, entry_named(name))


def papers_like(catalogue: Catalogue, entry: Entry) -> list[Paper]:
    """The papers that share their title or an identifier with this record."""
    return catalogue.papers(catalogue.sharing(entry))


def entry_named(name: str) -> Entry:
    """What a name tells of a paper."""
    pmid = pmid_of(name) if "pmid" in name.casefold() or "pubmed" in name.casefold() else None
    return Entry(name, "", 0, doi=doi_of(name), arxiv_id=arxiv_id_of(name), pmid=pmid)


def keys_of_library(catalogue: Catalogue) -> dict[str, Paper]:
    """Every citation key by which the library knows a paper."""
    papers = catalogue.papers()
    found = dict(zip(keys(papers), papers, strict=True))
    for source, _ in catalogue.sources():
        path = Path(source.name)
        known = keys_of_file(path) if path.suffix == ".bib" and path.is_file() else {}
        for key, entry in known.items():
            if like := papers_like(catalogue, entry):
                found[key] = like[0]
    return found


def keys_of_file(path: Path) -> dict[str, Entry]:
    """The records of a BibTeX file, by their keys. Raises `SourceError` where it cannot be read."""
    try:
        text, _ = decode(path.read_bytes(), str(path))
    except OSError as error:
        raise SourceError(str(path), f"it cannot be read ({error.strerror}): check its name and permissions") from error
    return bibtex.keyed(text)
