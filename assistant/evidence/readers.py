"""Reading papers for a question: two small models of our own.

The reader reads question and abstract together, the matcher compares their words. Importing this
loads neither.
"""

from __future__ import annotations

from dataclasses import dataclass

from assistant.errors import ReaderError
from assistant.evidence import matcher as _matcher
from assistant.evidence import reader as _reader
from assistant.evidence.matcher import PaperMatcher
from assistant.evidence.reader import PaperReader
from index.embedding import Embedder, MiniLM


@dataclass(frozen=True)
class Readers:
    """What reads papers, where there is any."""

    reader: PaperReader | None = None
    matcher: PaperMatcher | None = None
    fault: str = ""
    """Why one that is shipped is not here."""


def shipped(embedder: Embedder) -> Readers:
    """The reader and the matcher that the package carries, as far as their weights are whole.

    None beside the untuned model: where the adapter is missing or damaged, the matcher's states are too.
    """
    if isinstance(embedder, MiniLM) and not embedder.tuned:
        return Readers()
    try:
        return Readers(_reader.shipped(), _matcher.shipped())
    except ReaderError as error:
        return Readers(fault=str(error))
