"""The known formats, asked in this order; the last takes any text."""

from index.sources import atom, json_records, listing, markdown, table, web_page
from index.sources.base import Format

FORMATS: tuple[Format, ...] = (
    atom.FORMAT,
    web_page.FORMAT,
    json_records.FORMAT,
    table.FORMAT,
    markdown.FORMAT,
    listing.FORMAT,
)
