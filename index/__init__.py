"""Knows papers: reads listings, keeps the catalogue, the text index and the vectors.

Knows nothing of questions, answers or pages. Importing this is cheap; models load when used.
"""

from index.chroma import ChromaServer
from index.citing import bibliography, link
from index.errors import BusyError, FormatError, HomeError, IndexingError, ModelError, SourceError
from index.home import chosen_home, default_home, open_library
from index.library import Hit, IndexReport, Library
from index.paper import SUMMARY_NOTE, Entry, Paper, Skipped, Source
from index.sources import Hints

__all__ = [
    "SUMMARY_NOTE",
    "BusyError",
    "ChromaServer",
    "Entry",
    "FormatError",
    "Hints",
    "Hit",
    "HomeError",
    "IndexReport",
    "IndexingError",
    "Library",
    "ModelError",
    "Paper",
    "Skipped",
    "Source",
    "SourceError",
    "bibliography",
    "chosen_home",
    "default_home",
    "link",
    "open_library",
]
