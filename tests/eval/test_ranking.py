"""Ranks are scored as trec_eval scores them, on random runs."""

from __future__ import annotations

import random

import pytest
import pytrec_eval

from eval.metrics import METRICS, Result
from eval.questions import GoldQuestion

OURS = {"recall@5": "recall_5", "recall@10": "recall_10", "mrr@10": "recip_rank", "ndcg@10": "ndcg_cut_10", "hit@1": "success_1"}
MEASURES = {"recall.5,10", "recip_rank", "ndcg_cut.10", "success.1"}


@pytest.mark.parametrize("seed", range(5))
def test_ranks_are_scored_as_by_trec_eval(seed: int) -> None:
    draw = random.Random(seed)
    for number in range(100):
        papers = [f"paper {place}" for place in range(draw.randint(1, 40))]
        gold = draw.sample(papers, draw.randint(1, min(15, len(papers))))
        found = draw.sample(papers, draw.randint(1, len(papers)))[:10]  # a run holds ten
        question = GoldQuestion(str(number), "?", "multi", tuple(gold), ())
        qrels = {"q": dict.fromkeys(gold, 1)}
        theirs = pytrec_eval.RelevanceEvaluator(qrels, MEASURES).evaluate({"q": {title: -rank for rank, title in enumerate(found)}})["q"]
        given = Result(tuple(found), "", (), True, 1.0)
        assert {name: METRICS[name](question, given) for name in OURS} == pytest.approx({name: theirs[it] for name, it in OURS.items()})
