"""Sources of papers: files and folders in any known format, and services that are asked by name.

A new format is one file in this folder with a `FORMAT`, and one line in `FORMATS`; a new service one
with a `SERVICE`, and one line in `SERVICES`.
"""

from index.sources.base import Format, Hints, Parsed, Service
from index.sources.fetching import fetch, service_of
from index.sources.files import expand, files_in, read_source
from index.sources.gather import Asked, Gathered, Gathering, Note, gather
from index.sources.registry import FORMATS, SERVICES

__all__ = [
    "FORMATS",
    "SERVICES",
    "Asked",
    "Format",
    "Gathered",
    "Gathering",
    "Hints",
    "Note",
    "Parsed",
    "Service",
    "expand",
    "fetch",
    "files_in",
    "gather",
    "read_source",
    "service_of",
]
