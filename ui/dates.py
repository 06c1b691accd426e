"""Dates for people. Goes in: a date as exact as known. Comes out: words."""

from __future__ import annotations

import re

_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
_EXACT = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?")
_YEARLESS = re.compile(r"--(\d\d)-(\d\d)")


def readable_date(date: str | None, inferred: str | None = None) -> str:
    """Such as `1 Oct 2024`, `Oct 2024`, `2024`; `12 Dec, probably 2024` where the year was
    inferred, `12 Dec` where it is unknown. What is no date comes back as it is, none as ''."""
    if not date:
        return ""
    if exact := _EXACT.fullmatch(date):
        year, month, day = exact.groups()
        return " ".join([*([str(int(day))] if day else []), *([_month(month)] if month else []), year])
    if yearless := _YEARLESS.fullmatch(date):
        month, day = yearless.groups()
        return f"{int(day)} {_month(month)}" + (f", probably {inferred[:4]}" if inferred else "")
    return date


def _month(number: str) -> str:
    return _MONTHS[int(number) - 1] if 1 <= int(number) <= 12 else number
