"""Reads the documents that runs were written to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from eval.errors import EvalError
from eval.rows import question_of, result_of
from eval.run import Run


class RunFileError(EvalError):
    """A run's file cannot be used; the message names it."""


def load_runs(path: Path) -> list[Run]:
    """The run of a document, and those made beside it. Raises `RunFileError`."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunFileError(f"{path}: cannot be read as a run ({error}): make one with `python -m eval --json {path.name}`") from error
    try:
        return [_run(one) for one in [document, *document.get("beside", [])]]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RunFileError(
            f"{path}: is not the document of a run, or of an older version ({type(error).__name__}: {error}): make it again with --json"
        ) from error


def _run(document: dict[str, Any]) -> Run:
    rows = document["questions"]
    return Run(
        settings=dict(document["settings"]),
        questions=tuple(map(question_of, rows)),
        results=tuple(map(result_of, rows)),
        peak_memory_mb=document["metrics"].get("peak_memory_mb"),
    )
