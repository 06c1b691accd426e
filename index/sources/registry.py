"""The known formats and services. Formats are asked in this order; the last takes any text."""

from index.sources import arxiv, hf_papers, listing, openalex, zotero
from index.sources.base import Format, Service

FORMATS: tuple[Format, ...] = (listing.FORMAT,)
SERVICES: tuple[Service, ...] = (arxiv.SERVICE, hf_papers.SERVICE, openalex.SERVICE, zotero.SERVICE)
