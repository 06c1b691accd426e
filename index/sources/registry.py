"""The known formats, asked in this order: the exact ones first, the listing of free lines last."""

from index.sources import (
    atom,
    bibtex,
    csl_json,
    json_records,
    listing,
    markdown,
    medline,
    pubmed_xml,
    refer,
    ris,
    table,
    web_of_science,
    web_page,
)
from index.sources.base import Format

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
