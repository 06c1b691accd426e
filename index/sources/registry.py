"""The known formats, asked in this order; the last takes any text."""

from index.sources import bibtex, csl_json, listing, medline, pubmed_xml, refer, ris, web_of_science
from index.sources.base import Format

FORMATS: tuple[Format, ...] = (
    bibtex.FORMAT,
    ris.FORMAT,
    medline.FORMAT,
    web_of_science.FORMAT,
    refer.FORMAT,
    pubmed_xml.FORMAT,
    csl_json.FORMAT,
    listing.FORMAT,
)
