"""Metrics against numbers worked by hand, and against assistants broken on purpose."""

from __future__ import annotations

import math

import pytest

from eval.metrics import METRICS, Result, bootstrap, summarise
from eval.questions import GoldQuestion

TWO = GoldQuestion("q1", "?", "multi", ("A", "B"), (("6x",), ("PIE",)))
ONE = GoldQuestion("q2", "?", "named", ("A",), (("6x",),))
NONE = GoldQuestion("q3", "?", "absent", (), ())
FALSE = GoldQuestion("q4", "?", "false_premise", ("A",), (("one-shot",),))


def result(retrieved: str = "", answer: str = "", cited: str = "", answered: bool = True) -> Result:
    return Result(tuple(retrieved), answer, tuple(cited), answered, 5.0)


def values(gold: GoldQuestion, given: Result) -> dict[str, float | None]:
    return {name: metric(gold, given) for name, metric in METRICS.items()}


def test_ranks_are_scored_by_hand() -> None:
    found = values(TWO, result("XAYZWB"))
    assert found["hit@1"] == 0.0
    assert found["recall@5"] == 0.5
    assert found["recall@10"] == 1.0
    assert found["mrr@10"] == 0.5
    gain = 1 / math.log2(3) + 1 / math.log2(7)
    assert found["ndcg@10"] == pytest.approx(gain / (1 + 1 / math.log2(3)))


def test_answers_and_citations_are_scored_by_hand() -> None:
    found = values(TWO, result("A", "6 times", "AX"))
    assert (found["fact_recall"], found["citation_precision"], found["citation_recall"]) == (0.5, 0.5, 0.5)
    assert found["harm"] == 0.0 and found["refusal_rate"] == 0.0


def test_facts_count_only_in_an_answer_that_cites_gold() -> None:
    assert values(ONE, result("A", "6x", "X"))["fact_recall"] == 0.0
    assert values(ONE, result("A", "6x", "A", answered=False))["fact_recall"] == 0.0


@pytest.mark.parametrize(
    ("gold", "given", "harm"),
    [
        (ONE, result("A", "6x", "A"), 0.0),
        (ONE, result("A", "6x", "XA"), 1.0),
        (ONE, result("A", "", ""), 1.0),
        (ONE, result("A", answered=False), 0.0),
        (NONE, result("A", "6x", "A"), 1.0),
        (NONE, result("A", answered=False), 0.0),
        (FALSE, result("A", "It is one-shot.", "A"), 0.0),
        (FALSE, result("A", "It takes 3 epochs.", "A"), 1.0),
        (FALSE, result("A", answered=False), 0.0),
    ],
)
def test_harm_is_an_answer_that_is_wrong(gold: GoldQuestion, given: Result, harm: float) -> None:
    assert METRICS["harm"](gold, given) == harm


def test_metrics_do_not_apply_where_there_is_nothing_to_score() -> None:
    found = values(NONE, result("A", answered=False))
    assert {name for name, value in found.items() if value is not None} == {"refusal_rate", "coverage", "harm"}


def test_one_that_always_refuses_does_no_harm_and_recalls_nothing() -> None:
    summary = summarise([ONE, TWO, NONE], [result("AB", answered=False)] * 3).metrics
    assert (summary["harm"], summary["refusal_rate"], summary["fact_recall"], summary["citation_recall"]) == (0.0, 1.0, 0.0, 0.0)


def test_one_that_never_refuses_and_cites_at_random_does_harm() -> None:
    summary = summarise([ONE, TWO, NONE], [result("XY", "6x PIE", "X")] * 3).metrics
    assert (summary["harm"], summary["citation_precision"], summary["hit@1"]) == (1.0, 0.0, 0.0)


def test_a_retriever_turned_upside_down_scores_less() -> None:
    right, wrong = result("ABXY"), result("YXBA")
    for name in ("hit@1", "mrr@10", "ndcg@10"):
        good, bad = METRICS[name](TWO, right), METRICS[name](TWO, wrong)
        assert good is not None and bad is not None and good > bad


def test_intervals_hold_the_mean_and_repeat() -> None:
    sample = [0.0, 1.0, 1.0, 1.0] * 10
    low, high = bootstrap(sample) or (0, 0)
    assert low < 0.75 < high and bootstrap(sample) == (low, high)
    assert bootstrap([]) is None and bootstrap([1.0, 1.0]) == (1.0, 1.0)


def test_latency_quantiles_leave_failures_out() -> None:
    failed = Result((), "", (), False, 9999.0, "boom")
    assert summarise([ONE, ONE], [result("A"), failed]).metrics["latency_ms_p95"] == 5.0
