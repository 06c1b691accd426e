"""Which papers an answer may use."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields

from assistant.errors import FilterError
from index.catalogue import PaperFilter

_DATE = re.compile(r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?")


@dataclass(frozen=True)
class Filters(PaperFilter):
    """Filters by date, source, author and text; what is None does not filter.

    Raises `FilterError` where a date is not `2024`, `2024-05` or `2024-05-01`.
    """

    def __post_init__(self) -> None:
        for name in ("since", "until"):
            value = getattr(self, name)
            if value is not None and not _DATE.fullmatch(value):
                raise FilterError(f"{name}: “{value}” is not a date: write 2024, 2024-05 or 2024-05-01")

    def in_words(self) -> str:
        """Such as `since 2024, source listing-2`; empty where nothing filters."""
        return ", ".join(f"{field.name} {value}" for field in fields(self) if (value := getattr(self, field.name)))
