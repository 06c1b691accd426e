"""The metrics, by the field's definitions. Pure functions of gold and results.

Each takes one question's gold and result and gives a number, or None where it does not apply
to such a question. A mean over questions, with a bootstrap interval, is what is reported.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from eval import facts
from eval.questions import FALSE_PREMISE, GoldQuestion


@dataclass(frozen=True)
class Result:
    """What the assistant gave for one question."""

    retrieved_titles: tuple[str, ...]
    """Best first."""
    answer: str
    cited_titles: tuple[str, ...]
    """Unique, in order of marker."""
    answered: bool
    latency_ms: float
    error: str | None = None
    confidence: float = 0.0
    """0 to 1, the assistant's own; 0 where it failed."""


Metric = Callable[[GoldQuestion, Result], float | None]


def hit_at_1(gold: GoldQuestion, result: Result) -> float | None:
    """Whether the first paper is gold."""
    return _recall_of_any(gold, result, 1)


def recall_at_5(gold: GoldQuestion, result: Result) -> float | None:
    """Share of the gold within the first five."""
    return _recall(gold, result, 5)


def recall_at_10(gold: GoldQuestion, result: Result) -> float | None:
    """Share of the gold within the first ten."""
    return _recall(gold, result, 10)


def mrr_at_10(gold: GoldQuestion, result: Result) -> float | None:
    """One over the rank of the first gold paper; 0 beyond ten."""
    if not gold.gold_titles:
        return None
    for rank, title in enumerate(result.retrieved_titles[:10], 1):
        if title in gold.gold_titles:
            return 1.0 / rank
    return 0.0


def ndcg_at_10(gold: GoldQuestion, result: Result) -> float | None:
    """Discounted gain of the gold within ten, over the best possible (Järvelin and Kekäläinen 2002)."""
    if not gold.gold_titles:
        return None
    gain = sum(1.0 / math.log2(rank + 1) for rank, title in enumerate(result.retrieved_titles[:10], 1) if title in gold.gold_titles)
    ideal = sum(1.0 / math.log2(rank + 1) for rank in range(1, min(10, len(gold.gold_titles)) + 1))
    return gain / ideal


def fact_recall(gold: GoldQuestion, result: Result) -> float | None:
    """Share of the facts in an answer that was given and cites a gold paper; else 0."""
    if not gold.facts or not gold.gold_titles:
        return None
    if not result.answered or not set(gold.gold_titles) & set(result.cited_titles):
        return 0.0
    return facts.share(result.answer, gold.facts)


def citation_precision(gold: GoldQuestion, result: Result) -> float | None:
    """Share of the cited papers that are gold, where an answer was given."""
    if not gold.gold_titles or not result.answered or not result.cited_titles:
        return None
    return len(set(gold.gold_titles) & set(result.cited_titles)) / len(set(result.cited_titles))


def citation_recall(gold: GoldQuestion, result: Result) -> float | None:
    """Share of the gold papers that are cited; 0 where nothing was answered."""
    if not gold.gold_titles:
        return None
    return len(set(gold.gold_titles) & set(result.cited_titles)) / len(set(gold.gold_titles))


def refusal_rate(gold: GoldQuestion, result: Result) -> float | None:
    """Whether it was declined."""
    return float(not result.answered)


def harm(gold: GoldQuestion, result: Result) -> float | None:
    """Answered, and wrong: leads with a paper that is not gold, should have been declined, or
    endorses a false premise."""
    if not result.answered:
        return 0.0
    if not gold.gold_titles or not result.cited_titles or result.cited_titles[0] not in gold.gold_titles:
        return 1.0
    if gold.kind == FALSE_PREMISE and gold.facts:
        return float(facts.share(result.answer, gold.facts) == 0.0)
    return 0.0


METRICS: dict[str, Metric] = {
    "hit@1": hit_at_1,
    "recall@5": recall_at_5,
    "recall@10": recall_at_10,
    "mrr@10": mrr_at_10,
    "ndcg@10": ndcg_at_10,
    "fact_recall": fact_recall,
    "citation_precision": citation_precision,
    "citation_recall": citation_recall,
    "refusal_rate": refusal_rate,
    "harm": harm,
}


@dataclass(frozen=True)
class Summary:
    """Means over questions, and the 95% bounds of each."""

    metrics: dict[str, float | None]
    intervals: dict[str, tuple[float, float] | None]


def summarise(golds: Sequence[GoldQuestion], results: Sequence[Result]) -> Summary:
    """All metrics over these questions; None for one that applies to none of them."""
    metrics: dict[str, float | None] = {"n": float(len(golds))}
    intervals: dict[str, tuple[float, float] | None] = {"n": None}
    for name, metric in METRICS.items():
        values = [value for gold, result in zip(golds, results, strict=True) if (value := metric(gold, result)) is not None]
        metrics[name] = float(np.mean(values)) if values else None
        intervals[name] = bootstrap(values)
    latencies = [result.latency_ms for result in results if result.error is None]
    for name, quantile in (("latency_ms_p50", 50), ("latency_ms_p95", 95)):
        metrics[name] = float(np.percentile(latencies, quantile)) if latencies else None
        intervals[name] = bootstrap(latencies, lambda sample, q=quantile: np.percentile(sample, q, axis=1))
    return Summary(metrics, intervals)


def bootstrap(
    values: Sequence[float], statistic: Callable[..., np.ndarray] = lambda sample: sample.mean(axis=1), rounds: int = 1000
) -> tuple[float, float] | None:
    """The 95% bounds of a statistic by resampling (Efron 1979), always with the same seed."""
    if not values:
        return None
    data = np.asarray(values, dtype=np.float64)
    draws = np.random.default_rng(0).integers(0, len(data), size=(rounds, len(data)))
    low, high = np.percentile(statistic(data[draws]), [2.5, 97.5])
    return float(low), float(high)


def _recall(gold: GoldQuestion, result: Result, k: int) -> float | None:
    if not gold.gold_titles:
        return None
    return len(set(gold.gold_titles) & set(result.retrieved_titles[:k])) / len(set(gold.gold_titles))


def _recall_of_any(gold: GoldQuestion, result: Result, k: int) -> float | None:
    if not gold.gold_titles:
        return None
    return float(bool(set(gold.gold_titles) & set(result.retrieved_titles[:k])))
