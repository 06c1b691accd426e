"""The errors of the library layer.

IndexingError              anything below; its message says what happened and what to do
├── SourceError            a file or folder cannot be read as a source of papers
├── HomeError              the home folder cannot be made, read or written
├── BusyError              another process is writing to the same home
├── FormatError            there is no such form of references
└── ModelError             the embedding model is missing or is not the expected one
"""


class IndexingError(Exception):
    """Base of all errors that a user can do something about."""


class SourceError(IndexingError):
    """A source cannot be read. `source` is its path, `line` the line (1-based) or None."""

    def __init__(self, source: str, reason: str, line: int | None = None) -> None:
        self.source = source
        self.reason = reason
        self.line = line
        where = source if line is None else f"{source}, line {line}"
        super().__init__(f"{where}: {reason}")


class HomeError(IndexingError):
    """The home folder cannot be used."""


class BusyError(IndexingError):
    """Another process holds the home's write lock."""


class FormatError(IndexingError):
    """There is no such form of references."""


class ModelError(IndexingError):
    """The embedding model is missing or its weights are not the expected ones."""
