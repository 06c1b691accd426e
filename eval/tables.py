"""Question sets as a table: CSV with a heading, as a spreadsheet saves it.

Goes in: the text. Comes out: the same records that a line of JSON holds. `question` must be there;
`gold_titles`, `facts`, `history` and `about_titles` hold several things between `|`, and a fact
several spellings between `;`. Where `kind` or `id` is lacking, questions are of the kind `own` (`absent`
where they have no gold), and are numbered by line.
"""

from __future__ import annotations

import csv
import difflib
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from eval.errors import QuestionSetError

Record = TypeVar("Record")

COLUMNS = ("id", "question", "kind", "gold_titles", "facts", "history", "about_titles")
_SEPARATOR = "|"
_SPELLINGS = ";"


def csv_records(path: Path, text: str, make: Callable[[Any], Record]) -> list[tuple[int, Record]]:
    """Each row's record, made of what JSON would hold, with the line it begins on. Raises `QuestionSetError` naming the line."""
    rows = _rows(path, text)
    _, heading = next(rows, (1, []))
    columns = _columns(path, heading)
    found = []
    for number, row in rows:
        if len(row) != len(columns):
            raise QuestionSetError(
                f"{path}, line {number}: {len(row)} cells, {len(columns)} in the heading: a cell that holds a comma stands in quotes"
            )
        cells = dict(zip(columns, map(str.strip, row), strict=True))
        if not cells["question"]:
            raise QuestionSetError(f"{path}, line {number}: the question is empty")
        found.append((number, make(_record(cells, number))))
    if not found:
        raise QuestionSetError(f"{path}: holds no question")
    return found


def _rows(path: Path, text: str) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not blank, each with the line it begins on."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    begins = 1
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                yield begins, row
            begins = reader.line_num + 1
    except csv.Error as error:
        raise QuestionSetError(f"{path}, line {begins}: not CSV ({error})") from error


def _columns(path: Path, heading: list[str]) -> list[str]:
    names = [cell.strip().lower() for cell in heading]
    for name in names:
        if name not in COLUMNS:
            near = difflib.get_close_matches(name, COLUMNS, n=1)
            meant = f" (did you mean “{near[0]}”?)" if near else ""
            raise QuestionSetError(f"{path}, line 1: there is no column “{name}”{meant}; columns, between commas: {', '.join(COLUMNS)}")
        if names.count(name) > 1:
            raise QuestionSetError(f"{path}, line 1: the column “{name}” is there twice")
    if "question" not in names:
        raise QuestionSetError(f"{path}, line 1: the column “question” is missing; columns, between commas: {', '.join(COLUMNS)}")
    return names


def _record(cells: dict[str, str], number: int) -> dict[str, Any]:
    several = {name: _split(cells.get(name, ""), _SEPARATOR) for name in ("gold_titles", "facts", "history", "about_titles")}
    return {
        **several,
        "id": cells.get("id") or f"line-{number}",
        "question": cells["question"],
        "kind": cells.get("kind") or ("own" if several["gold_titles"] else "absent"),
        "facts": [_split(fact, _SPELLINGS) for fact in several["facts"]],
    }


def _split(cell: str, separator: str) -> list[str]:
    """The parts of a cell; none of an empty one, and an empty part stays, to be told."""
    return [part.strip() for part in cell.split(separator)] if cell else []
