"""What the default set-up is expected to score, beside the command that measures it.

Goes in: a run over one of two libraries: `starter`, which every checkout has, with the models that
ship, and `listings`, the authors' abstracts, with the models that have not seen the papers of the
fixed set. Comes out: which headline figures fell beyond their 95% interval, and in which questions.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.errors import EvalError
from eval.metrics import LOWER_IS_BETTER, METRICS
from eval.questions import FALSE_PREMISE, SINGLE_PAPER
from eval.results import Run

FILE = Path(__file__).parent / "expected.json"
STARTER = "starter"
LISTINGS = "listings"

_RECORD = "record it anew (python -m eval expect --record)"
_SAME = 0.001
"""Values nearer than this are the same."""


class ExpectedError(EvalError):
    """The expected scores cannot be compared with; the message says what to do."""


@dataclass(frozen=True)
class Check:
    """One headline figure."""

    name: str
    metric: str
    kinds: tuple[str, ...] = ()
    """Of these kinds; empty: of all questions."""

    @property
    def lower_is_better(self) -> bool:
        """Which way it falls."""
        return self.metric in LOWER_IS_BETTER


CHECKS = (
    Check("harm", "harm"),
    Check("declined though answerable", "false_refusal"),
    Check("right paper first", "hit@1", SINGLE_PAPER),
    Check("right paper within five", "recall@5", SINGLE_PAPER),
    Check("nDCG@10", "ndcg@10"),
    Check("facts asked for", "fact_recall", SINGLE_PAPER),
    Check("words of an answer", "answer_words", SINGLE_PAPER),
    Check("precision of papers cited", "citation_precision"),
    Check("recall of papers cited", "citation_recall"),
    Check("sentences supported", "sentence_citation_recall"),
    Check("declined, of other fields", "refusal_rate", ("offtopic",)),
    Check("declined, in no paper here", "refusal_rate", ("absent",)),
    Check("declined, detail not stated", "refusal_rate", ("missing_detail",)),
    Check("false premise endorsed", "harm", (FALSE_PREMISE,)),
)


@dataclass(frozen=True)
class Score:
    """What one check gave."""

    figure: float
    low: float
    high: float
    """95% bounds."""


@dataclass(frozen=True)
class Expected:
    """What one library is expected to score."""

    settings: dict[str, Any]
    scores: dict[str, Score]
    """By the check's name."""
    questions: dict[str, dict[str, float]]
    """What each question gave, by its id and the metric."""


@dataclass(frozen=True)
class Drop:
    """A figure that is worse than its interval allows."""

    check: Check
    expected: Score
    figure: float
    flipped: tuple[str, ...]
    """The questions that are worse now, each with what it gave and gives."""

    def __str__(self) -> str:
        bounds = f"[{self.expected.low:.3f}, {self.expected.high:.3f}]"
        return f"{self.check.name}: {self.figure:.3f}, expected {self.expected.figure:.3f} {bounds}; worse in {', '.join(self.flipped)}"


def measured(run: Run) -> Expected:
    """What a run would have expected of others after it."""
    summaries = {check: run.of_kinds(check.kinds or run.kinds()) for check in CHECKS}
    scores = {
        check.name: Score(figure, *bounds)
        for check, summary in summaries.items()
        if (figure := summary.metrics[check.metric]) is not None and (bounds := summary.intervals[check.metric]) is not None
    }
    metrics = dict.fromkeys(check.metric for check in CHECKS)
    questions = {
        gold.id: {name: value for name in metrics if (value := METRICS[name](gold, result)) is not None}
        for gold, result in zip(run.questions, run.results, strict=True)
    }
    return Expected(run.settings, scores, questions)


def drops(run: Run, expected: Expected) -> list[Drop]:
    """What is worse than expected, beyond the interval. Raises `ExpectedError` for a run over other questions."""
    now = measured(run)
    if now.questions.keys() != expected.questions.keys() or now.scores.keys() != expected.scores.keys():
        raise ExpectedError(f"{FILE}: was recorded over other questions or figures: {_RECORD}")
    kinds = {gold.id: gold.kind for gold in run.questions}
    found = []
    for check in CHECKS:
        before, after = expected.scores[check.name], now.scores[check.name].figure
        if after > before.high if check.lower_is_better else after < before.low:
            asked = [one for one, kind in kinds.items() if not check.kinds or kind in check.kinds]
            found.append(Drop(check, before, after, tuple(_worse(check, asked, expected, now))))
    return found


def load(library: str, path: Path = FILE) -> Expected:
    """The expected scores of a library. Raises `ExpectedError`."""
    try:
        one = json.loads(path.read_text(encoding="utf-8"))[library]
        return Expected(one["settings"], {name: Score(*score) for name, score in one["scores"].items()}, one["questions"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ExpectedError(f"{path}: holds nothing expected of the {library} ({type(error).__name__}: {error}): {_RECORD}") from error


def record(library: str, run: Run, path: Path = FILE) -> None:
    """Writes the scores of a run as those expected of a library; what is expected of others stays."""
    document = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    found = measured(run)
    document[library] = {
        "settings": {name: found.settings[name] for name in ("held_out", "papers")},
        "scores": {name: [_short(figure) for figure in (one.figure, one.low, one.high)] for name, one in found.scores.items()},
        "questions": {one: {name: _short(value) for name, value in values.items()} for one, values in found.questions.items()},
    }
    path.write_text(_as_text(document), encoding="utf-8")


def _worse(check: Check, asked: Sequence[str], before: Expected, after: Expected) -> Iterator[str]:
    for one in asked:
        old, new = before.questions[one].get(check.metric), after.questions[one].get(check.metric)
        if old is not None and new is not None and (new > old + _SAME if check.lower_is_better else new < old - _SAME):
            yield f"{one} ({old:.2f} -> {new:.2f})"


def _short(value: float) -> float | int:
    """A figure to four decimals, whole where it is."""
    return int(value) if value == int(value) else round(value, 4)


def _as_text(document: Any) -> str:
    """JSON with a line for each question, so that changes can be read."""
    parts = []
    for library, one in document.items():
        lines = {
            part: ",\n".join(f"   {json.dumps(name)}: {json.dumps(value)}" for name, value in one[part].items())
            for part in ("settings", "scores", "questions")
        }
        parts.append(f" {json.dumps(library)}: {{\n" + ",\n".join(f'  "{part}": {{\n{text}\n  }}' for part, text in lines.items()) + "\n }")
    return "{\n" + ",\n".join(parts) + "\n}\n"
