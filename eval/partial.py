"""What a run has so far, in a file beside its document, so that one stopped half way resumes.

The first line holds a fingerprint of all that decides the results; each further line one result,
written as soon as it is there. A file of another fingerprint is begun anew. What failed is asked again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Any

from eval.metrics import Result
from eval.questions import GoldQuestion
from eval.rows import Row, result_of, row_of

Ask = Callable[[GoldQuestion], Result]


class Partial:
    """One file for all the runs of one command."""

    def __init__(self, out: Path, settings: dict[str, Any]) -> None:
        """Reads what is there of the same settings, and begins the file where nothing is."""
        self.path = out.with_name(f"{out.name}.partial")
        self._lock = Lock()
        self._rows: dict[tuple[str, str, str], Row] = {}
        head = json.dumps({"fingerprint": _fingerprint(settings)})
        kept = self._kept(head)
        for row in kept:
            self._rows[row["setup"], row["id"], row["question"]] = row
        self.path.write_text("".join(f"{line}\n" for line in [head, *map(_line, kept)]), encoding="utf-8")

    def __len__(self) -> int:
        """How many results are there."""
        return len(self._rows)

    def through(self, setup: str, ask: Ask) -> Ask:
        """Asks only what is not there yet of this set-up, and keeps what comes."""

        def asked(gold: GoldQuestion) -> Result:
            if row := self._rows.get((setup, gold.id, gold.question)):
                return result_of(row)
            result = ask(gold)
            if result.error is None:
                with self._lock, self.path.open("a", encoding="utf-8") as file:
                    file.write(_line({"setup": setup, **row_of(gold, result)}) + "\n")
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


def _line(row: Row) -> str:
    return json.dumps(row, ensure_ascii=False)


def _fingerprint(settings: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()
