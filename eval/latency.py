"""Measures a warm answer against the bare model: `python -m eval latency`.

Both are timed in one process, in turn, question by question, so that a noisy machine weighs on
both alike; what is told is the ratio of the medians.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from assistant import Assistant


@dataclass(frozen=True)
class Latency:
    """Medians over the questions, in milliseconds."""

    questions: int
    encode_ms: float
    """`SentenceTransformer.encode([question])`."""
    answer_ms: float

    @property
    def ratio(self) -> float:
        """How many bare encodes an answer takes."""
        return self.answer_ms / self.encode_ms


def measure(assistant: Assistant, encode: Callable[[list[str]], object], questions: Sequence[str]) -> Latency:
    """`encode`: the bare model's. Both are called once before the clock runs."""
    encode([questions[0]])
    assistant.answer(questions[0])
    pairs = [(_ms(encode, [question]), _ms(assistant.answer, question)) for question in questions]
    return Latency(len(pairs), statistics.median(bare for bare, _ in pairs), statistics.median(whole for _, whole in pairs))


def _ms(call: Callable[[Any], object], argument: object) -> float:
    started = time.perf_counter()
    call(argument)
    return (time.perf_counter() - started) * 1000.0
