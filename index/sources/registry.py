"""The known formats, asked in this order; the last takes any text."""

from index.sources import listing
from index.sources.base import Format

FORMATS: tuple[Format, ...] = (listing.FORMAT,)
