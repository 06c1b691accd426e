"""Runs: a question set asked once, with all that was given. Written as JSON, read back, and kept while they grow.

Goes in: questions and their results. Comes out: the figures over them, and one document. In it, and in the checkpoint beside it, a
question with its result is one row; both are made of the dataclasses and back by pydantic, here and nowhere else.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import to_jsonable_python

from assistant.llms import EXTRACTIVE
from eval.calibration import Calibration, calibrate
from eval.errors import EvalError
from eval.metrics import Result, Summary, summarise
from eval.questions import SINGLE_PAPER, GoldQuestion

Ask = Callable[[GoldQuestion], Result]
Row = dict[str, Any]

_QUESTION, _RESULT = TypeAdapter(GoldQuestion), TypeAdapter(Result)


class RunFileError(EvalError):
    """A run's file cannot be used; the message names it."""


@dataclass(frozen=True)
class Run:
    """A question set asked once."""

    settings: dict[str, Any]
    questions: tuple[GoldQuestion, ...]
    results: tuple[Result, ...]
    peak_memory_mb: float | None = None
    """The most that the process held until the run's end; None where the platform does not tell."""

    @property
    def name(self) -> str:
        """What tells it from the runs beside it."""
        if label := self.settings.get("label"):
            return str(label)
        return f"{self.settings.get('retriever', 'hybrid')}, {self.settings.get('llm', EXTRACTIVE)}"

    def overall(self) -> Summary:
        """Over all questions; peak memory is told only here."""
        found = summarise(self.questions, self.results)
        return Summary({**found.metrics, "peak_memory_mb": self.peak_memory_mb}, {**found.intervals, "peak_memory_mb": None})

    def of_kinds(self, kinds: Sequence[str]) -> Summary:
        """Over the questions of these kinds."""
        chosen = [(gold, result) for gold, result in zip(self.questions, self.results, strict=True) if gold.kind in kinds]
        return summarise([gold for gold, _ in chosen], [result for _, result in chosen])

    def single_paper(self) -> Summary:
        """Over the kinds that one paper answers."""
        return self.of_kinds(SINGLE_PAPER)

    def calibration(self) -> Calibration:
        """Over all questions that got an answer."""
        return calibrate(self.questions, self.results)

    def kinds(self) -> list[str]:
        """In order of appearance."""
        return list(dict.fromkeys(gold.kind for gold in self.questions))

    def fell_back(self) -> int:
        """How many answers quote because the LLM failed."""
        if self.settings.get("llm", EXTRACTIVE) == EXTRACTIVE:
            return 0
        return sum(result.answered and result.mode == EXTRACTIVE for result in self.results)

    def document(self) -> dict[str, Any]:
        """The `--json` form."""
        overall = self.overall()
        by_kind = {kind: self.of_kinds([kind]) for kind in self.kinds()}
        document: dict[str, Any] = to_jsonable_python(
            {
                "settings": self.settings,
                "metrics": overall.metrics,
                "by_kind": {kind: summary.metrics for kind, summary in by_kind.items()},
                "intervals": {"metrics": overall.intervals, "by_kind": {kind: summary.intervals for kind, summary in by_kind.items()}},
                "calibration": self.calibration(),
            }
        )
        return {**document, "questions": [_row(gold, result) for gold, result in zip(self.questions, self.results, strict=True)]}


def document_of(runs: Sequence[Run], fields: Sequence[Run] = ()) -> dict[str, Any]:
    """The first run's document, with those of the others `beside` it, and those over other fields' libraries as `fields`, where there
    are any."""
    first, *others = (run.document() for run in runs)
    parts = {"beside": others, "fields": [run.document() for run in fields]}
    return {**first, **{name: documents for name, documents in parts.items() if documents}}


def load_runs(path: Path) -> list[Run]:
    """The run of a document, and those made beside it. Raises `RunFileError`."""
    return _load(path, lambda document: [document, *document.get("beside", [])])


def load_fields(path: Path) -> list[Run]:
    """The runs over other fields' libraries in a document; none where it has none. Raises `RunFileError`."""
    return _load(path, lambda document: document.get("fields", []))


def _load(path: Path, chosen: Callable[[dict[str, Any]], list[dict[str, Any]]]) -> list[Run]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunFileError(f"{path}: cannot be read as a run ({error}): make one with `python -m eval --json {path.name}`") from error
    try:
        return [_run(one) for one in chosen(document)]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RunFileError(
            f"{path}: is not the document of a run, or of an older version ({type(error).__name__}: {error}): make it again with --json"
        ) from error


class Checkpoint:
    """What the runs of one command have so far, in a file beside their document, so that one stopped half way resumes.

    The first line holds a fingerprint of all that decides the results; each further line one result,
    written as soon as it is there. A file of another fingerprint is begun anew. What failed is asked again.
    """

    def __init__(self, out: Path, settings: dict[str, Any]) -> None:
        """Reads what is there of the same settings, and begins the file where nothing is."""
        self.path = out.with_name(f"{out.name}.checkpoint")
        self._lock = Lock()
        head = json.dumps({"fingerprint": hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()})
        kept = self._kept(head)
        self._rows = {(row["configuration"], row["id"], row["question"]): row for row in kept}
        self.path.write_text("".join(f"{line}\n" for line in [head, *map(_line, kept)]), encoding="utf-8")

    def __len__(self) -> int:
        """How many results are there."""
        return len(self._rows)

    def through(self, configuration: str, ask: Ask) -> Ask:
        """Asks only what is not there yet of this configuration, and keeps what comes."""

        def asked(gold: GoldQuestion) -> Result:
            if row := self._rows.get((configuration, gold.id, gold.question)):
                return _RESULT.validate_python(row)
            result = ask(gold)
            if result.error is None:
                with self._lock, self.path.open("a", encoding="utf-8") as file:
                    file.write(_line({"configuration": configuration, **_row(gold, result)}) + "\n")
            return result

        return asked

    def done(self) -> None:
        """The document is written: the file goes."""
        self.path.unlink(missing_ok=True)

    def _kept(self, head: str) -> list[Row]:
        """The rows of a file with this head; the last may have been cut off."""
        if not self.path.exists():
            return []
        first, *rest = self.path.read_text(encoding="utf-8").split("\n")
        if first != head:
            return []
        rows: list[Row] = []
        for line in rest:
            try:
                rows.append(json.loads(line))
            except ValueError:
                break
        return rows


def _row(gold: GoldQuestion, result: Result) -> Row:
    """A question with its result; `error` only where there is one."""
    row: Row = {**to_jsonable_python(gold), **to_jsonable_python(result)}
    if result.error is None:
        del row["error"]
    return row


def _run(document: dict[str, Any]) -> Run:
    rows = document["questions"]
    return Run(
        settings=dict(document["settings"]),
        questions=tuple(map(_QUESTION.validate_python, rows)),
        results=tuple(map(_RESULT.validate_python, rows)),
        peak_memory_mb=document["metrics"].get("peak_memory_mb"),
    )


def _line(row: Row) -> str:
    return json.dumps(row, ensure_ascii=False)
