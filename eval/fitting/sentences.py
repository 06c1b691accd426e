"""Fits which sentences answer (`assistant/evidence.py`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from assistant import evidence
from eval.fitting.logistic import Logistic, Sample, cross_validated, fit


def fit_sentences(samples: Sequence[Sample]) -> str:
    """The models without reader, with it, and with reader and matcher."""
    plain, read = len(evidence.SIGNALS), len(evidence.SIGNALS) + len(evidence.READ_SIGNALS)
    names = (*evidence.SIGNALS, *evidence.READ_SIGNALS, *evidence.MATCH_SIGNALS)
    return "\n\n".join(
        _fitted(name, names[:signals], [replace(one, rows=one.rows[:, :signals]) for one in samples])
        for name, signals in (("", plain), ("READ_", read), ("MATCH_", len(names)))
    )


def _fitted(name: str, signals: Sequence[str], samples: Sequence[Sample]) -> str:
    model = fit(samples)
    return "\n".join(
        [
            f"{name}WEIGHTS of sentences: {len(samples)} questions, {sum(len(one.rows) for one in samples)} sentences",
            model.in_words(signals),
            f"the best sentence is evidence: fitted {np.mean(_first(model, samples)):.3f}, "
            f"cross-validated {np.mean(cross_validated(samples, _first)):.3f}; "
            f"one of three: {np.mean(cross_validated(samples, _three)):.3f}",
        ]
    )


def _first(model: Logistic, kept: Sequence[Sample]) -> list[float]:
    return [float(one.labels[int(np.argmax(model.odds(one.rows)))]) for one in kept]


def _three(model: Logistic, kept: Sequence[Sample]) -> list[float]:
    return [float(one.labels[np.argsort(-model.odds(one.rows))[:3]].any()) for one in kept]
