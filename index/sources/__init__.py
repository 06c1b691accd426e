"""Sources of papers: files and folders in any known format.

A new format is one file in this folder with a `FORMAT`, and one line in `FORMATS`.
"""

from index.sources.base import Format, Hints, Parsed
from index.sources.files import expand, read_source
from index.sources.gather import Gathered, gather
from index.sources.registry import FORMATS

__all__ = ["FORMATS", "Format", "Gathered", "Hints", "Parsed", "expand", "gather", "read_source"]
