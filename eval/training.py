"""Training questions: what is asked of one paper, and where in its abstract the answer stands.

Their abstracts are not part of this repository. Evidence is given as character spans of the
source's own text, so it holds only where a library has that text: others are left out, and told.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from eval.questions import QuestionSetError
from index import Paper
from index.repair import repair

FILE = Path(__file__).parent / "training.jsonl"
OFFTOPIC = Path(__file__).parent / "offtopic.txt"
UNSTATED = "unstated"
"""The kind of questions about a paper that its abstract does not answer."""


@dataclass(frozen=True)
class TrainingQuestion:
    """A question with its evidence."""

    id: str
    question: str
    kind: str
    title: str
    evidence: tuple[tuple[int, int], ...]
    """Spans of the paper's `raw_abstract`; empty for `unstated`."""


def load(path: Path = FILE) -> list[TrainingQuestion]:
    """The questions of a JSON-lines file. Raises `QuestionSetError` naming the line."""
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            record = json.loads(line)
            spans = tuple((int(start), int(end)) for start, end in record["evidence"])
            found.append(TrainingQuestion(record["id"], record["question"], record["kind"], record["title"], spans))
        except (ValueError, TypeError, KeyError) as error:
            raise QuestionSetError(f"{path}, line {number}: not a training question ({type(error).__name__}: {error})") from error
    return found


def load_offtopic(path: Path = OFFTOPIC) -> list[str]:
    """Everyday questions, one a line; lines that begin with # are remarks."""
    return [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip() and not line.startswith("#")]


def labels(question: TrainingQuestion, paper: Paper, sentences: tuple[tuple[int, int], ...]) -> list[bool] | None:
    """For each sentence of `paper.abstract`, whether it is evidence; None where the text is not the one meant."""
    spans = [_place(paper, start, end) for start, end in question.evidence]
    if not spans or any(span is None for span in spans):
        return None
    return [any(span and _overlaps(sentence, span) for span in spans) for sentence in sentences]


def _place(paper: Paper, start: int, end: int) -> tuple[int, int] | None:
    """Where a span of the raw abstract stands in the repaired one."""
    quote = repair(paper.raw_abstract[start:end])
    at = paper.abstract.find(quote) if quote else -1
    return (at, at + len(quote)) if at >= 0 else None


def _overlaps(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether the common part is more than half of the shorter."""
    common = min(one[1], other[1]) - max(one[0], other[0])
    return common > 0.5 * min(one[1] - one[0], other[1] - other[0])
