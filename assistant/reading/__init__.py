"""The reader: a small model of our own that reads an abstract for a question."""

from assistant.reading.reader import PaperReader, Reader, Reading, Text

__all__ = ["PaperReader", "Reader", "Reading", "Text"]
