"""nDCG and recall: worked by hand, equal to trec_eval's, and falling with a worse ranking."""

from __future__ import annotations

import math
import random

import pytest
import pytrec_eval

from eval.ir.measures import ndcg, recall


def test_ndcg_by_hand() -> None:
    grades = {"a": 3, "b": 1, "c": 0}
    got = 1 / math.log2(2) + 3 / math.log2(4)
    best = 3 / math.log2(2) + 1 / math.log2(3)
    assert ndcg(grades, ["b", "c", "a"], 10) == pytest.approx(got / best)
    assert ndcg(grades, ["a", "b"], 10) == 1.0
    assert ndcg(grades, ["b", "a"], 1) == pytest.approx(1 / 3)
    assert ndcg({"c": 0}, ["c"], 10) == 0.0


def test_recall_by_hand() -> None:
    grades = {"a": 3, "b": 1, "c": 0, "d": 1}
    assert recall(grades, ["c", "a", "x", "b"], 100) == pytest.approx(2 / 3)
    assert recall(grades, ["c", "a", "x", "b"], 2) == pytest.approx(1 / 3)
    assert recall({"c": 0}, ["c"], 100) == 0.0


def test_both_equal_trec_evals_on_random_runs() -> None:
    drawn = random.Random(7)
    docs = [f"d{number}" for number in range(300)]
    qrels = {f"q{n}": {doc: drawn.choice([-1, 0, 0, 1, 1, 2, 3]) for doc in drawn.sample(docs, drawn.randint(1, 60))} for n in range(200)}
    rankings = {query: drawn.sample(docs, drawn.randint(1, 200)) for query in qrels}
    run = {query: {doc: 1.0 / rank for rank, doc in enumerate(ranking, 1)} for query, ranking in rankings.items()}
    theirs = pytrec_eval.RelevanceEvaluator(qrels, {"ndcg_cut.10", "recall.100"}).evaluate(run)
    assert len(theirs) == 200
    for query, ranking in rankings.items():
        assert ndcg(qrels[query], ranking, 10) == pytest.approx(theirs[query]["ndcg_cut_10"], abs=1e-6)
        assert recall(qrels[query], ranking, 100) == pytest.approx(theirs[query]["recall_100"], abs=1e-6)


def test_a_ranking_turned_round_scores_lower() -> None:
    grades = {"a": 2, "b": 1}
    ranking = ["a", "b", *(f"x{number}" for number in range(120))]
    assert ndcg(grades, ranking[::-1], 10) == 0.0 < ndcg(grades, ranking, 10)
    assert recall(grades, ranking[::-1], 100) == 0.0 < recall(grades, ranking, 100)
