"""Question sets: what is asked, and what a right answer must cite and contain.

A set is JSON lines, or CSV with a heading, as a spreadsheet saves it: `question` must be there; `gold_titles`, `facts`, `history`
and `about_titles` hold several things between `|`, and a fact several spellings between `;`. Where `kind` or `id` is lacking,
questions are of the kind `own` (`absent` where they have no gold), and are numbered by line.
"""

from __future__ import annotations

import csv
import difflib
import io
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from eval.errors import QuestionSetError as QuestionSetError

FIXED = Path(__file__).parent / "questions.jsonl"

SINGLE_PAPER = ("paraphrase", "named", "detail", "keywords", "typo", "title_recall", "summary")
"""Kinds that one paper answers."""
FALSE_PREMISE = "false_premise"

Record = TypeVar("Record")


@dataclass(frozen=True)
class GoldQuestion:
    """A question with its gold."""

    id: str
    question: str
    kind: str
    gold_titles: tuple[str, ...]
    """Empty where the right answer is to decline."""
    facts: tuple[tuple[str, ...], ...]
    """Each a list of spellings, one of which a right answer contains."""
    history: tuple[str, ...] = ()
    """The user's earlier turns, asked first, in order."""
    about_titles: tuple[str, ...] = ()


def shown(path: Path) -> str:
    """A set's path as a report shows it: our own without the folder that this package lies in."""
    return str(path.relative_to(FIXED.parents[1])) if path == FIXED else str(path)


def load(path: Path) -> list[GoldQuestion]:
    """The questions of a file of JSON lines, or of CSV where its name ends so. Raises `QuestionSetError` naming the line."""
    return [question for _, question in numbered(path)]


def numbered(path: Path) -> list[tuple[int, GoldQuestion]]:
    """As `load`, each question with the line that it begins on."""
    if path.suffix.lower() == ".csv":
        return csv_records(path, _text(path), gold_of)
    return _records(path, gold_of, "id, question, kind, gold_titles, facts")


def read(path: Path, make: Callable[[Any], Record], wanted: str) -> list[Record]:
    """The records of a JSON-lines file, each made of a line's JSON. Raises `QuestionSetError` naming the line."""
    return [record for _, record in _records(path, make, wanted)]


def _records(path: Path, make: Callable[[Any], Record], wanted: str) -> list[tuple[int, Record]]:
    found: list[tuple[int, Record]] = []
    for number, line in lines(path):
        try:
            found.append((number, make(json.loads(line))))
        except (ValueError, TypeError) as error:
            raise QuestionSetError(f"{path}, line {number}: not a question in JSON ({error})") from error
        except KeyError as error:
            raise QuestionSetError(f"{path}, line {number}: {error} is missing (wanted: {wanted})") from error
    if not found:
        raise QuestionSetError(f"{path}: holds no question")
    return found


def lines(path: Path) -> list[tuple[int, str]]:
    """The lines of a file that are not blank, with their numbers. Raises `QuestionSetError` where it cannot be read."""
    return [(number, line) for number, line in enumerate(_text(path).splitlines(), 1) if line.strip()]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise QuestionSetError(f"{path}: cannot be read ({error})") from error


def as_text(value: object) -> str:
    """The value, which must be text."""
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not text")
    return value


def as_texts(values: object) -> tuple[str, ...]:
    """The values, which must be a list of texts."""
    if not isinstance(values, list):
        raise TypeError(f"{values!r} is not a list")
    return tuple(map(as_text, values))


def gold_of(record: Any) -> GoldQuestion:
    """The question of a record of JSON. Raises `KeyError` or `TypeError` where it is none."""
    return GoldQuestion(
        id=as_text(record["id"]),
        question=as_text(record["question"]),
        kind=as_text(record["kind"]),
        gold_titles=as_texts(record["gold_titles"]),
        facts=tuple(as_texts(spellings) for spellings in record["facts"]),
        history=as_texts(record.get("history", [])),
        about_titles=as_texts(record.get("about_titles", [])),
    )


COLUMNS = ("id", "question", "kind", "gold_titles", "facts", "history", "about_titles")
_SEPARATOR = "|"
_SPELLINGS = ";"


def csv_records(path: Path, text: str, make: Callable[[Any], Record]) -> list[tuple[int, Record]]:
    """Each row's record, made of what JSON would hold, with the line it begins on. Raises `QuestionSetError` naming the line."""
    rows = _csv_rows(path, text)
    _, heading = next(rows, (1, []))
    columns = _csv_columns(path, heading)
    found = []
    for number, row in rows:
        if len(row) != len(columns):
            raise QuestionSetError(
                f"{path}, line {number}: {len(row)} cells, {len(columns)} in the heading: a cell that holds a comma stands in quotes"
            )
        cells = dict(zip(columns, map(str.strip, row), strict=True))
        if not cells["question"]:
            raise QuestionSetError(f"{path}, line {number}: the question is empty")
        found.append((number, make(_csv_record(cells, number))))
    if not found:
        raise QuestionSetError(f"{path}: holds no question")
    return found


def _csv_rows(path: Path, text: str) -> Iterator[tuple[int, list[str]]]:
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


def _csv_columns(path: Path, heading: list[str]) -> list[str]:
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


def _csv_record(cells: dict[str, str], number: int) -> dict[str, Any]:
    several = {name: _split_cell(cells.get(name, ""), _SEPARATOR) for name in ("gold_titles", "facts", "history", "about_titles")}
    return {
        **several,
        "id": cells.get("id") or f"line-{number}",
        "question": cells["question"],
        "kind": cells.get("kind") or ("own" if several["gold_titles"] else "absent"),
        "facts": [_split_cell(fact, _SPELLINGS) for fact in several["facts"]],
    }


def _split_cell(cell: str, separator: str) -> list[str]:
    """The parts of a cell; none of an empty one, and an empty part stays, to be told."""
    return [part.strip() for part in cell.split(separator)] if cell else []


def of_kinds(questions: Sequence[GoldQuestion], kinds: Sequence[str]) -> list[GoldQuestion]:
    """Those of these kinds. Raises `QuestionSetError` for a kind that the set does not have."""
    known = list(dict.fromkeys(one.kind for one in questions))
    for kind in kinds:
        if kind not in known:
            near = difflib.get_close_matches(kind, known, n=1)
            meant = f" (did you mean “{near[0]}”?)" if near else ""
            raise QuestionSetError(f"no question is of the kind “{kind}”{meant}; kinds of this set: {', '.join(known)}")
    return [one for one in questions if one.kind in kinds]


def first_of_each_kind(questions: Sequence[GoldQuestion], count: int) -> list[GoldQuestion]:
    """The first so many of each kind; all, where there are fewer."""
    seen: Counter[str] = Counter()
    chosen = []
    for one in questions:
        seen[one.kind] += 1
        if seen[one.kind] <= count:
            chosen.append(one)
    return chosen


def with_gold(questions: Sequence[GoldQuestion]) -> list[GoldQuestion]:
    """Those that some paper answers. Raises `QuestionSetError` where there are none."""
    chosen = [one for one in questions if one.gold_titles]
    if not chosen:
        raise QuestionSetError("none of these questions has gold to leave out: choose other --kinds, or ask without --leave-out-gold")
    return chosen
