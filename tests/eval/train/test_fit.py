"""The models that are fitted, on numbers made up so that the right weights are known."""

from __future__ import annotations

import numpy as np
import pytest

from assistant import fitted
from assistant.evidence import confidence
from assistant.fitted import INTERCEPT
from eval.train.fit.gather import Case
from eval.train.fit.logistic import Sample, cross_validated, fit, fit_rows, folds
from eval.train.fit.verdict import fit_verdict


def samples(count: int = 200) -> list[Sample]:
    """Of a label that the first of two signals tells, and the second does not."""
    rows = np.random.default_rng(0).normal(size=(count, 3, 2)) * [2.0, 50.0] + [1.0, -400.0]
    return [Sample(f"paper {place // 4}", each, each[:, 0] > 1.0) for place, each in enumerate(rows)]


def test_the_signal_that_tells_gets_the_weight_whatever_the_scales() -> None:
    model = fit(samples())
    assert model.weights[0] > 3.0 and abs(model.weights[1]) < 0.05
    assert model.odds(np.array([[5.0, -400.0], [-3.0, -400.0]])) == pytest.approx([1.0, -1.0], abs=1e3)
    assert model.odds(np.array([[5.0, -400.0]]))[0] > 0 > model.odds(np.array([[-3.0, -400.0]]))[0]


def test_the_weights_told_are_those_of_the_plain_signals() -> None:
    model = fit_rows(np.array([[0.0], [1.0], [2.0], [3.0]]), [False, False, True, True])
    assert model.odds(np.array([[1.5]]))[0] == pytest.approx(0.0, abs=1e-3)
    assert model.named(["height"]) == {
        "height": pytest.approx(model.weights[0], rel=1e-3),
        INTERCEPT: pytest.approx(model.intercept, rel=1e-3),
    }


def test_held_weights_are_smaller() -> None:
    rows, labels = np.array([[0.0], [1.0], [2.0], [3.0]]), [False, False, True, True]
    assert fit_rows(rows, labels, ease=0.01).weights[0] < fit_rows(rows, labels, ease=10.0).weights[0] / 3


def test_balanced_labels_count_the_same() -> None:
    rare = [Sample(str(place), np.array([[0.0]]), np.array([place == 0])) for place in range(10)]
    assert fit(rare, balanced=True).odds(np.array([[0.0]]))[0] == pytest.approx(0.0, abs=1e-6)
    assert fit(rare).odds(np.array([[0.0]]))[0] == pytest.approx(np.log(1 / 9), abs=1e-3)


def test_a_papers_questions_are_never_on_both_sides() -> None:
    all_samples = samples()
    for train, test in folds(all_samples):
        assert not {one.title for one in train} & {one.title for one in test}
    assert sum(len(test) for _, test in folds(all_samples)) == len(all_samples)


def test_cross_validation_is_no_better_than_chance_where_nothing_tells() -> None:
    rows = np.random.default_rng(0).normal(size=(300, 1, 5))
    blind = [Sample(str(place), each, np.array([place % 2 == 0])) for place, each in enumerate(rows)]
    right = cross_validated(blind, lambda model, kept: [float((model.odds(one.rows)[0] > 0) == one.labels[0]) for one in kept])
    assert len(right) == 300 and abs(np.mean(right) - 0.5) < 0.12


def cases() -> list[Case]:
    """Questions whose kind every signal tells, with noise; of the answerable a tenth find another paper first."""
    dice = np.random.default_rng(0)
    kinds = {"answerable": (1.0, 1.0), "left out": (-1.0, 0.5), "absent": (-1.0, 0.0), "off-topic": (-2.0, 0.0), "unstated": (1.0, -1.0)}
    made = []
    for place in range(600):
        kind, (covered, stated) = list(kinds.items())[place % 5]
        numbers = [
            value + dice.normal(size=len(names)) * 1.5
            for value, names in (
                (covered, confidence.IN_DOMAIN_SIGNALS),
                (covered, confidence.TOPIC_MATCH_SIGNALS),
                (stated, confidence.ANSWERABILITY_SIGNALS),
                (covered, confidence.CONFIDENCE_UNREAD_SIGNALS),
            )
        ]
        made.append(Case(f"paper {place // 10}", kind, kind == "answerable" and place % 50 != 0, *numbers))
    return made


def test_a_verdict_that_can_be_learnt_is_learnt() -> None:
    made = cases()
    section = fit_verdict(made)
    told = next(line for line in section.figures if line.startswith("declined"))
    declined = dict(part.rsplit(" ", 1) for part in told.split("cross-validated: ")[1].split(", "))
    assert float(declined["answerable"]) < 0.1
    assert all(float(declined[kind]) > 0.6 for kind in ("left out", "absent", "off-topic", "unstated"))
    assert section.fitted_on is not None and section.fitted_on["answerable cases"] == 120


def test_what_is_fitted_is_what_the_product_reads() -> None:
    """Names of models, thresholds and signals: a section fitted anew stands where the shipped one does."""
    section, shipped = fit_verdict(cases()), fitted.load()["verdict"]
    assert {name: set(model) for name, model in section.weights.items()} == {name: set(model) for name, model in shipped.weights.items()}
    assert set(section.thresholds) == set(shipped.thresholds)
