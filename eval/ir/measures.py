"""nDCG and recall with graded judgements, as trec_eval computes them. Pure functions.

Järvelin and Kekäläinen, Cumulated Gain-based Evaluation of IR Techniques (2002): a document's gain
is its grade, discounted by the logarithm of its rank, over the best order of all that was judged.
A document that was not judged, or graded below 0, gains nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence


def ndcg(grades: Mapping[str, int], ranking: Sequence[str], k: int) -> float:
    """The discounted gain of the first `k`, over the best possible; 0 where nothing is relevant."""
    best = _gain(sorted(grades.values(), reverse=True)[:k])
    return _gain(grades.get(doc_id, 0) for doc_id in ranking[:k]) / best if best else 0.0


def recall(grades: Mapping[str, int], ranking: Sequence[str], k: int) -> float:
    """The share of the relevant documents (graded above 0) within the first `k`; 0 where nothing is relevant."""
    relevant = {doc_id for doc_id, grade in grades.items() if grade > 0}
    return len(relevant.intersection(ranking[:k])) / len(relevant) if relevant else 0.0


def _gain(grades: Iterable[int]) -> float:
    return sum(max(grade, 0) / math.log2(rank + 1) for rank, grade in enumerate(grades, 1))
