"""The known formats and services. Formats are asked in this order: the exact ones first, the listing of free lines last."""

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
    csl_json.FORMAT,
    atom.FORMAT,
    web_page.FORMAT,
    json_records.FORMAT,
    table.FORMAT,
    markdown.FORMAT,
    listing.FORMAT,
)
SERVICES: tuple[Service, ...] = (arxiv.SERVICE, hf_papers.SERVICE, openalex.SERVICE, zotero.SERVICE)
