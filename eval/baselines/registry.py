"""What is measured side by side, in the order of the table; the first is what the others are compared with."""

from __future__ import annotations

from eval.baselines import llamaindex, ours
from eval.baselines.base import Make

BASELINES: tuple[Make, ...] = (
    ours.as_measured,
    ours.untuned,
    llamaindex.stock,
    llamaindex.dense,
    llamaindex.bm25,
    llamaindex.reciprocal,
    llamaindex.tuned,
)
