"""Question sets: what is asked, and what a right answer must cite and contain."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

FIXED = Path(__file__).parent / "questions.jsonl"

SINGLE_PAPER = ("paraphrase", "named", "detail", "keywords", "typo", "title_recall", "summary")
"""Kinds that one paper answers."""
FALSE_PREMISE = "false_premise"


class QuestionSetError(Exception):
    """A question set cannot be read; the message names file and line."""


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


def load(path: Path) -> list[GoldQuestion]:
    """The questions of a JSON-lines file. Raises `QuestionSetError` naming the line."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise QuestionSetError(f"{path}: cannot be read ({error})") from error
    found: list[GoldQuestion] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            found.append(
                GoldQuestion(
                    id=_text(record["id"]),
                    question=_text(record["question"]),
                    kind=_text(record["kind"]),
                    gold_titles=_texts(record["gold_titles"]),
                    facts=tuple(_texts(spellings) for spellings in record["facts"]),
                    history=_texts(record.get("history", [])),
                    about_titles=_texts(record.get("about_titles", [])),
                )
            )
        except (ValueError, TypeError) as error:
            raise QuestionSetError(f"{path}, line {number}: not a question in JSON ({error})") from error
        except KeyError as error:
            raise QuestionSetError(f"{path}, line {number}: {error} is missing (wanted: id, question, kind, gold_titles, facts)") from error
    if not found:
        raise QuestionSetError(f"{path}: holds no question")
    return found


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not text")
    return value


def _texts(values: object) -> tuple[str, ...]:
    if not isinstance(values, list):
        raise TypeError(f"{values!r} is not a list")
    return tuple(map(_text, values))
