"""A question with its result as one row of JSON, and back."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from eval.attribution import Cited
from eval.metrics import Result
from eval.questions import GoldQuestion, gold_of

Row = dict[str, Any]


def row_of(gold: GoldQuestion, result: Result) -> Row:
    """All of both; `error` only where there is one."""
    row: Row = {**asdict(gold), **asdict(result)}
    for key in ("gold_titles", "history", "about_titles", "retrieved_titles", "cited_titles", "warnings", "citations"):
        row[key] = list(row[key])
    row["facts"] = [list(spellings) for spellings in gold.facts]
    if result.error is None:
        del row["error"]
    return row


def question_of(row: Row) -> GoldQuestion:
    """The question of a row. Raises `KeyError`, `TypeError` or `ValueError` where it is none."""
    return gold_of(row)


def result_of(row: Row) -> Result:
    """The result of a row. Raises `KeyError`, `TypeError` or `ValueError` where it is none."""
    found = Result(**{name: row[name] for name in Result.__dataclass_fields__ if name in row})
    return replace(
        found,
        retrieved_titles=tuple(found.retrieved_titles),
        cited_titles=tuple(found.cited_titles),
        warnings=tuple(found.warnings),
        citations=tuple(Cited(**one) for one in row["citations"]),
    )
