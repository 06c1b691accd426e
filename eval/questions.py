"""Question sets: what is asked, and what a right answer must cite and contain."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from eval.errors import QuestionSetError as QuestionSetError
from eval.tables import csv_records

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
