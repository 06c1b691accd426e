"""Asks a question set of an assistant: out comes a `Run`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from assistant import Answer, Assistant
from assistant.llms import EXTRACTIVE
from eval.answer_text import Cited
from eval.metrics import Result
from eval.questions import GoldQuestion
from eval.results import Ask, Run

Tick = Callable[[], None]

_MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Manner:
    """How a question set is asked."""

    tick: Tick = lambda: None
    """Called after each question."""
    before: Callable[[GoldQuestion], None] = lambda gold: None
    """Called with each question before its first turn."""
    through: Callable[[Ask], Ask] = lambda ask: ask
    """What may know results already, and keeps new ones."""
    jobs: int = 1
    """How many questions are asked at once."""


def run(assistant: Assistant, questions: Sequence[GoldQuestion], settings: dict[str, Any], manner: Manner = Manner()) -> Run:
    """Asks every question, its earlier turns first. A question that fails is told as such.

    The earlier turns are answered without an LLM, so that every LLM is asked the same.
    """
    earlier = assistant if assistant.mode == EXTRACTIVE else assistant.varied(llm=EXTRACTIVE)
    earlier.search("warm up")  # loads the model, so that no latency holds it

    def asked(gold: GoldQuestion) -> Result:
        manner.before(gold)
        return ask(assistant, gold, earlier)

    through = manner.through(asked)
    results: list[Result] = []
    with _mapping(manner.jobs) as mapped:
        for result in mapped(through, questions):
            results.append(result)
            manner.tick()
    return Run(settings, tuple(questions), tuple(results), peak_memory_mb())


def ask(assistant: Assistant, gold: GoldQuestion, earlier: Assistant | None = None) -> Result:
    """One question's outcome, its earlier turns answered by `earlier`; the latency is that of the last turn."""
    started = time.perf_counter()
    try:
        history: list[tuple[str, Answer]] = []
        for turn in gold.history:
            history.append((turn, (earlier or assistant).answer(turn, history)))
        started = time.perf_counter()
        answer = assistant.answer(gold.question, history)
        latency = _ms(started)
        return _result(answer, latency, _looked_up(assistant, answer))
    except Exception as error:  # noqa: BLE001 - told in the document; the other questions still count
        return Result((), "", (), False, _ms(started), f"{type(error).__name__}: {error}")


def peak_memory_mb() -> float | None:
    """The most that this process has held so far; None where the platform does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return held * (1 if sys.platform == "darwin" else 1024) / _MEGABYTE


@contextmanager
def _mapping(jobs: int) -> Iterator[Callable[[Ask, Sequence[GoldQuestion]], Iterable[Result]]]:
    """`map`, in this thread or in several."""
    if jobs == 1:
        yield map
        return
    with ThreadPoolExecutor(jobs) as pool:
        yield pool.map


def _result(answer: Answer, latency: float, citations: tuple[Cited, ...]) -> Result:
    cited = sorted({citation.marker: citation.title for citation in answer.citations}.items())
    usage = answer.usage
    return Result(
        retrieved_titles=tuple(paper.title for paper in answer.retrieved),
        answer=answer.text,
        cited_titles=tuple(dict.fromkeys(title for _, title in cited)),
        answered=answer.answered,
        latency_ms=latency,
        confidence=answer.confidence,
        citations=citations,
        mode=answer.mode,
        reason=answer.reason,
        warnings=answer.warnings,
        first_text_ms=answer.timings_ms.get("first_text"),
        prompt_tokens=usage.prompt_tokens if usage else None,
        completion_tokens=usage.completion_tokens if usage else None,
        cost=usage.cost if usage else None,
    )


def _looked_up(assistant: Assistant, answer: Answer) -> tuple[Cited, ...]:
    """The citations, each with whether its quote is where it says."""
    ids = list(dict.fromkeys(citation.paper_id for citation in answer.citations))
    abstracts = {paper.paper_id: paper.abstract for paper in assistant.library.papers(ids)}
    return tuple(
        Cited(one.marker, one.title, one.quote, one.supported, abstracts.get(one.paper_id, "")[one.start : one.end] == one.quote)
        for one in answer.citations
    )


def _ms(started: float) -> float:
    return (time.perf_counter() - started) * 1000.0
