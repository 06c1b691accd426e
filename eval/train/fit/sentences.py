"""Fits which sentences answer (`assistant/evidence/selection.py`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from assistant.evidence import selection
from assistant.fitted import Section
from eval.train.fit.logistic import Logistic, Sample, cross_validated, fit


def fit_sentences(samples: Sequence[Sample]) -> Section:
    """The models without reader, with it, and with reader and matcher."""
    plain, read = len(selection.SIGNALS), len(selection.SIGNALS) + len(selection.READ_SIGNALS)
    names = (*selection.SIGNALS, *selection.READ_SIGNALS, *selection.MATCH_SIGNALS)
    weights, figures = {}, []
    for name, signals in (("sentence", plain), ("sentence_read", read), ("sentence_matched", len(names))):
        seen = [replace(one, rows=one.rows[:, :signals]) for one in samples]
        model = fit(seen)
        weights[name] = model.named(names[:signals])
        figures.append(
            f"{name}, the best sentence is evidence: fitted {np.mean(_first(model, seen)):.3f}, "
            f"cross-validated {np.mean(cross_validated(seen, _first)):.3f}; one of three: {np.mean(cross_validated(seen, _three)):.3f}"
        )
    examples = {"questions asked": len(samples), "sentences": sum(len(one.rows) for one in samples)}
    return Section(weights, {}, examples, tuple(figures))


def _first(model: Logistic, kept: Sequence[Sample]) -> list[float]:
    return [float(one.labels[int(np.argmax(model.odds(one.rows)))]) for one in kept]


def _three(model: Logistic, kept: Sequence[Sample]) -> list[float]:
    return [float(one.labels[np.argsort(-model.odds(one.rows))[:3]].any()) for one in kept]
