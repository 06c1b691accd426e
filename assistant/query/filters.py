"""Which papers an answer may use."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from datetime import date

from assistant.errors import FilterError
from index.filtering import PaperFilter

_DATE = re.compile(r"\d{4}(-\d{2}){0,2}", re.ASCII)


@dataclass(frozen=True)
class Filters(PaperFilter):
    """Filters by date, source, author, text, venue, tag and the papers' ids; what is None does not filter.

    Raises `FilterError` where a date is not `2024`, `2024-05` or `2024-05-01`, or a value is no text (`papers`: no tuple of texts).
    """

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "papers":
                if value is not None and not (isinstance(value, tuple) and all(isinstance(one, str) and _is_text(one) for one in value)):
                    raise FilterError(f"papers: {value!r} is no tuple of papers' ids: write ('id', 'id')")
            elif value is not None and not (isinstance(value, str) and _is_text(value)):
                raise FilterError(f"{field.name}: {value!r} is not text: write it as text")
        for name in ("since", "until"):
            value = getattr(self, name)
            if value is not None and not _is_date(value):
                raise FilterError(f"{name}: “{value}” is not a date: write 2024, 2024-05 or 2024-05-01")

    def in_words(self) -> str:
        """Such as `since 2024, source listing-2`; empty where nothing filters."""
        told = [f"{field.name} {value}" for field in fields(self) if field.name != "papers" and (value := getattr(self, field.name))]
        return ", ".join(told if self.papers is None else [*told, f"{len(self.papers):,} chosen papers"])


def _is_date(text: str) -> bool:
    if not _DATE.fullmatch(text):
        return False
    try:
        date.fromisoformat(text + "0001-01-01"[len(text) :])
    except ValueError:  # a month or a day that no calendar has
        return False
    return True


def _is_text(text: str) -> bool:
    """Not so for bytes of a command line that are no UTF-8."""
    return not any("\ud800" <= char <= "\udfff" for char in text)
