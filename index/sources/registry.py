"""The known formats, asked in this order; the last takes any text."""

from index.sources import json_records, listing, table
from index.sources.base import Format

FORMATS: tuple[Format, ...] = (
    json_records.FORMAT,
    table.FORMAT,
    listing.FORMAT,
)
