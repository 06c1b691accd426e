"""Asks a question set of an assistant, and puts the outcome into one document."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from assistant import Answer, Assistant
from eval.calibration import Calibration, calibrate
from eval.metrics import Result, Summary, summarise
from eval.questions import SINGLE_PAPER, GoldQuestion

Tick = Callable[[], None]


@dataclass(frozen=True)
class Run:
    """A question set asked once."""

    settings: dict[str, Any]
    questions: tuple[GoldQuestion, ...]
    results: tuple[Result, ...]

    def overall(self) -> Summary:
        """Over all questions."""
        return summarise(self.questions, self.results)

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

    def document(self) -> dict[str, Any]:
        """The `--json` form."""
        overall = self.overall()
        by_kind = {kind: self.of_kinds([kind]) for kind in self.kinds()}
        return {
            "settings": self.settings,
            "metrics": overall.metrics,
            "by_kind": {kind: summary.metrics for kind, summary in by_kind.items()},
            "intervals": {"metrics": _bounds(overall), "by_kind": {kind: _bounds(summary) for kind, summary in by_kind.items()}},
            "calibration": _figures(self.calibration()),
            "questions": [_row(gold, result) for gold, result in zip(self.questions, self.results, strict=True)],
        }


def run(
    assistant: Assistant,
    questions: Sequence[GoldQuestion],
    settings: dict[str, Any],
    tick: Tick = lambda: None,
    before: Callable[[GoldQuestion], None] = lambda gold: None,
) -> Run:
    """Asks every question, its earlier turns first. A question that fails is told as such.

    `tick` is called after each question, `before` with each before its first turn.
    """
    assistant.search("warm up")  # loads the model, so that no latency holds it
    results = []
    for gold in questions:
        before(gold)
        results.append(ask(assistant, gold))
        tick()
    return Run(settings, tuple(questions), tuple(results))


def ask(assistant: Assistant, gold: GoldQuestion) -> Result:
    """One question's outcome; the latency is that of the last turn."""
    started = time.perf_counter()
    try:
        history: list[tuple[str, Answer]] = []
        for turn in gold.history:
            history.append((turn, assistant.answer(turn, history)))
        started = time.perf_counter()
        answer = assistant.answer(gold.question, history)
    except Exception as error:  # noqa: BLE001 - told in the document; the other questions still count
        return Result((), "", (), False, _ms(started), f"{type(error).__name__}: {error}")
    cited = sorted({citation.marker: citation.title for citation in answer.citations}.items())
    return Result(
        retrieved_titles=tuple(paper.title for paper in answer.retrieved),
        answer=answer.text,
        cited_titles=tuple(dict.fromkeys(title for _, title in cited)),
        answered=answer.answered,
        latency_ms=_ms(started),
        confidence=answer.confidence,
    )


def _bounds(summary: Summary) -> dict[str, list[float] | None]:
    return {name: None if pair is None else list(pair) for name, pair in summary.intervals.items()}


def _figures(found: Calibration) -> dict[str, Any]:
    return {**asdict(found), "reliability": [asdict(one) for one in found.reliability]}


def _row(gold: GoldQuestion, result: Result) -> dict[str, Any]:
    row: dict[str, Any] = {"id": gold.id, "kind": gold.kind, "question": gold.question, **asdict(result)}
    row["retrieved_titles"], row["cited_titles"] = list(result.retrieved_titles), list(result.cited_titles)
    if result.error is None:
        del row["error"]
    return row


def _ms(started: float) -> float:
    return (time.perf_counter() - started) * 1000.0
