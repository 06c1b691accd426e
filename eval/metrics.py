"""The metrics, by the field's definitions. Pure functions of gold and results.

Each takes one question's gold and result and gives a number, or None where it does not apply
to such a question. A mean over questions, with a bootstrap interval, is what is reported.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from eval import answer_text
from eval.answer_text import Cited, statements
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
    citations: tuple[Cited, ...] = ()
    mode: str = ""
    """What wrote the answer: `extractive` or the LLM's name; empty where it failed."""
    reason: str | None = None
    """Why it was declined, in words."""
    warnings: tuple[str, ...] = ()
    first_text_ms: float | None = None
    """Until the first text came."""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    """Of an LLM that tells them."""
    cost: float | None = None
    """Money, where a price is configured."""


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
    return answer_text.share(result.answer, gold.facts)


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


def sentence_citation_precision(gold: GoldQuestion, result: Result) -> float | None:
    """Share of the markers whose citation supports their sentence, where an answer was given."""
    return answer_text.precision(result.answer, result.citations) if result.answered else None


def sentence_citation_recall(gold: GoldQuestion, result: Result) -> float | None:
    """Share of the sentences that their citations support, where an answer was given."""
    return answer_text.recall(result.answer, result.citations) if result.answered else None


def fact_precision(gold: GoldQuestion, result: Result) -> float | None:
    """Share of the answer's sentences that hold a fact asked for, where an answer was given; 0 where it cites no gold."""
    if not gold.facts or not gold.gold_titles or not result.answered:
        return None
    said = statements(result.answer)
    if not said or not set(gold.gold_titles) & set(result.cited_titles):
        return 0.0
    return sum(any(answer_text.contains(one.text, spellings) for spellings in gold.facts) for one in said) / len(said)


def refusal_rate(gold: GoldQuestion, result: Result) -> float | None:
    """Whether it was declined."""
    return float(not result.answered)


def false_refusal(gold: GoldQuestion, result: Result) -> float | None:
    """Whether it was declined though a paper answers it; a false premise may be declined."""
    return float(not result.answered) if gold.gold_titles and gold.kind != FALSE_PREMISE else None


def coverage(gold: GoldQuestion, result: Result) -> float | None:
    """Whether it got an answer, right or wrong."""
    return float(result.answered)


def answer_words(gold: GoldQuestion, result: Result) -> float | None:
    """Words of an answer that was given, markers left out."""
    return float(sum(len(one.text.split()) for one in statements(result.answer))) if result.answered else None


def prompt_tokens(gold: GoldQuestion, result: Result) -> float | None:
    """Tokens that an LLM was given, where it tells them."""
    return None if result.prompt_tokens is None else float(result.prompt_tokens)


def completion_tokens(gold: GoldQuestion, result: Result) -> float | None:
    """Tokens that an LLM gave, where it tells them."""
    return None if result.completion_tokens is None else float(result.completion_tokens)


def cost(gold: GoldQuestion, result: Result) -> float | None:
    """Money that a question cost, where a price is configured."""
    return result.cost


def harm(gold: GoldQuestion, result: Result) -> float | None:
    """Answered, and wrong: leads with a paper that is not gold, should have been declined, or
    endorses a false premise."""
    if not result.answered:
        return 0.0
    if not gold.gold_titles or not result.cited_titles or result.cited_titles[0] not in gold.gold_titles:
        return 1.0
    if gold.kind == FALSE_PREMISE and gold.facts:
        return float(answer_text.share(result.answer, gold.facts) == 0.0)
    return 0.0


METRICS: dict[str, Metric] = {
    "harm": harm,
    "coverage": coverage,
    "hit@1": hit_at_1,
    "recall@5": recall_at_5,
    "recall@10": recall_at_10,
    "mrr@10": mrr_at_10,
    "ndcg@10": ndcg_at_10,
    "fact_recall": fact_recall,
    "fact_precision": fact_precision,
    "citation_precision": citation_precision,
    "citation_recall": citation_recall,
    "sentence_citation_precision": sentence_citation_precision,
    "sentence_citation_recall": sentence_citation_recall,
    "refusal_rate": refusal_rate,
    "false_refusal": false_refusal,
    "answer_words": answer_words,
    "prompt_tokens": prompt_tokens,
    "completion_tokens": completion_tokens,
    "cost": cost,
}
LOWER_IS_BETTER = {"harm", "false_refusal", "answer_words", "prompt_tokens", "completion_tokens", "cost"}
NEITHER_IS_BETTER = {"coverage", "refusal_rate"}
"""What depends on the question: to decline is right for some kinds."""
TIMES: dict[str, Callable[[Result], float | None]] = {
    "latency_ms": lambda result: result.latency_ms,
    "first_text_ms": lambda result: result.first_text_ms,
}
"""What is told as median and 95th percentile, over the questions that did not fail."""


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
    for name, of in TIMES.items():
        times = [value for result in results if result.error is None and (value := of(result)) is not None]
        for quantile in (50, 95):
            metrics[f"{name}_p{quantile}"] = float(np.percentile(times, quantile)) if times else None
            intervals[f"{name}_p{quantile}"] = bootstrap(times, lambda sample, q=quantile: np.percentile(sample, q, axis=1))
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
