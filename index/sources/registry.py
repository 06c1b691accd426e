"""The known formats and services. Formats are asked in this order: the exact ones first, the listing of free lines last.

Other packages bring theirs by an entry point of the group `PLUGINS` whose value is a `Format` or a `Service`. Their formats are asked
before ours, in the order of their names; a scheme of ours stays ours.
"""

from functools import cache
from importlib.metadata import entry_points

from index.errors import SourceError
from index.sources import (
    arxiv,
    atom,
    bibtex,
    csl_json,
    hf_papers,
    json_records,
    listing,
    markdown,
    medline,
    openalex,
    pubmed_xml,
    refer,
    reference_xml,
    ris,
    table,
    web_of_science,
    web_page,
    zotero,
)
from index.sources.base import Format, Service

FORMATS: tuple[Format, ...] = (
    bibtex.FORMAT,
    ris.FORMAT,
    medline.FORMAT,
    web_of_science.FORMAT,
    refer.FORMAT,
    pubmed_xml.FORMAT,
    reference_xml.FORMAT,
    csl_json.FORMAT,
    atom.FORMAT,
    web_page.FORMAT,
    json_records.FORMAT,
    table.FORMAT,
    markdown.FORMAT,
    listing.FORMAT,
)
SERVICES: tuple[Service, ...] = (arxiv.SERVICE, hf_papers.SERVICE, openalex.SERVICE, zotero.SERVICE)
PLUGINS = "paper_assistant.sources"


def formats() -> tuple[Format, ...]:
    """All formats, in the order in which they are asked. Raises `SourceError` for a package whose source cannot be loaded."""
    return (*(one for one in _plugins() if isinstance(one, Format)), *FORMATS)


def services() -> tuple[Service, ...]:
    """All services. Raises `SourceError` as `formats` does."""
    return (*SERVICES, *(one for one in _plugins() if isinstance(one, Service)))


@cache
def _plugins() -> tuple[Format | Service, ...]:
    found = []
    for point in sorted(entry_points(group=PLUGINS), key=lambda point: point.name):
        try:
            one = point.load()
        except Exception as error:  # other people's code raises what it likes
            raise SourceError(point.value, f"the source {point.name} cannot be loaded ({error}): mend or uninstall its package") from error
        if not isinstance(one, Format | Service):
            raise SourceError(point.value, f"the source {point.name} is no Format and no Service: mend or uninstall its package")
        found.append(one)
    return tuple(found)
