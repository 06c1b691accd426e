"""Fits the weights of evidence and confidence on training questions: `python -m eval fit`.

Goes in: a library that holds the training papers, embedded by the encoder that has seen none of the
papers used here (`eval/held_out/`), as it will have seen none of a user's. Comes out: weights to be
written into `assistant/evidence.py` and `assistant/confidence.py`, each with its figure on the
questions it was fitted on and cross-validated by paper. The papers are those that the fixed question
set asks about: encoder and reader were trained on the others. The fixed questions stay unseen.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant import confidence, evidence
from assistant.evidence import Study, study
from assistant.question import read_question
from assistant.reading import Readers
from assistant.retrieval import Found, retrieve
from eval import training
from eval.unseen import held_out
from index import Library, Paper

_FOLDS = 5
_MOST_FAR = 0.01
"""Share of the answerable training questions that the decision on nearness may decline."""
_MOST_DECLINED = 0.02
"""Share of the training questions whose paper came first that the decision on what is stated may decline."""
_READ = 4
_WEIGHTS = {"answerable": 1.0, "left out": 0.7, "unstated": 1.0, "premise": 0.3, "absent": 1.0, "off-topic": 1.0}
"""What a question of each kind counts; `left out`: answerable, its paper taken away."""
_ONE_IN = {"left out": 6, "unstated": 2, "absent": 2}
"""How sure an answer is, is learnt from those given, of which so many of these kinds are taken: people mostly ask what there is."""
_COVERED = ("answerable", "left out", "absent", "off-topic")
_STATED = ("answerable", "left out", "unstated", "premise")

Rows = NDArray[np.float64]


@dataclass(frozen=True)
class Sample:
    """Rows of one training question, kept together with its paper."""

    title: str
    rows: Rows
    """Shape (rows, signals)."""
    labels: NDArray[np.bool_]
    """Shape (rows,)."""


@dataclass(frozen=True)
class Case:
    """What the decision to decline sees of one question."""

    title: str
    """Of the paper that it is about, or the question where it is about none."""
    kind: str
    right: bool
    """Whether the first paper answers it."""
    near: Rows
    covered: Rows
    stated: Rows
    sure: Rows
    """Each of shape (signals,), as `assistant.confidence` names them."""


def fit_all(library: Library, readers: Readers, tick: Callable[[], None] = lambda: None, every: int = 1) -> str:
    """The fitted weights and figures, as text. `readers` must hold both. `every`: take only each n-th question."""
    library.reopen_if_moved()
    papers = {paper.title: paper for paper in library.papers()}
    kept = held_out()
    asked = [one for one in [*training.load(), *training.load_more()] if one.title in papers and one.title in kept][::every]
    sentences: list[Sample] = []
    cases: list[Case] = []
    for one in asked:
        tick()
        gold = papers[one.title]
        found = retrieve(library, read_question(one.question).text)
        studies = study(library, readers, found, read_question(found.question), found.hits[: _READ + 1], _READ + 1, matched=2)
        if sample := _sentences(library, one, gold, found, studies):
            sentences.append(sample)
        kind = one.kind if one.kind in _WEIGHTS else "answerable"
        cases.append(_case(kind, gold, found, studies))
        if kind == "answerable":
            without = replace(found, hits=tuple(hit for hit in found.hits if hit.paper_id != gold.paper_id))
            cases.append(_case("left out", gold, without, [each for each in studies if each.paper.paper_id != gold.paper_id]))
    for kind, texts in (("absent", training.load_absent()), ("off-topic", training.load_offtopic())):
        for text in texts[::every]:
            tick()
            found = retrieve(library, text)
            cases.append(_case(kind, None, found, study(library, readers, found, read_question(text), found.hits[:_READ], _READ)))
    plain, read = len(evidence.SIGNALS), len(evidence.SIGNALS) + len(evidence.READ_SIGNALS)
    names = (*evidence.SIGNALS, *evidence.READ_SIGNALS, *evidence.MATCH_SIGNALS)
    return "\n\n".join(
        [
            f"{len(asked)} training questions over {len({one.title for one in asked})} papers that no part has been trained on",
            _fit_evidence("evidence", names[:plain], [replace(one, rows=one.rows[:, :plain]) for one in sentences]),
            _fit_evidence("evidence, read", names[:read], [replace(one, rows=one.rows[:, :read]) for one in sentences]),
            _fit_evidence("evidence, read and matched", names, sentences),
            _fit_nearness([one for one in cases if one.kind == "answerable"], [one for one in cases if one.kind == "off-topic"]),
            _fit_verdict(cases),
            _fit_sureness(
                [Sample(one.title, one.sure[None], np.array([one.right])) for one in cases if one.kind in {"answerable", "left out"}]
            ),
        ]
    )


def _sentences(library: Library, one: training.TrainingQuestion, paper: Paper, found: Found, studies: Sequence[Study]) -> Sample | None:
    """The gold paper's sentences, where it was read and matched."""
    spans, vectors = library.sentences([paper.paper_id])[paper.paper_id]
    labels = training.labels(one, paper, spans)
    own = next((each for each in studies if each.paper.paper_id == paper.paper_id), None)
    if labels is None or not any(labels) or own is None or own.reading is None or own.match is None:
        return None
    texts = [paper.abstract[start:end] for start, end in spans]
    rows = evidence.signals(library.lexical, read_question(one.question), found.terms, found.vector, paper.display_title, texts, vectors)
    return Sample(paper.title, np.hstack([rows, evidence.read_signals(own.reading), evidence.match_signals(own.match)]), np.array(labels))


def _case(kind: str, gold: Paper | None, found: Found, studies: Sequence[Study]) -> Case:
    first = studies[0]
    assert first.reading is not None and first.match is not None
    read = studies[: confidence.worth_reading(found.hits, _READ)]
    return Case(
        title=gold.title if gold else found.question,
        kind=kind,
        right=kind == "answerable" and gold is not None and first.paper.paper_id == gold.paper_id,
        near=np.array(confidence.near_signals(found.hits, found.terms.unknown_share)),
        covered=np.array(confidence.covered_signals(first, first.match)),
        stated=np.array(confidence.stated_signals(read, first.reading, first.match)),
        sure=np.array(confidence.sure_signals(found.hits)),
    )


def _fit_evidence(name: str, signals: Sequence[str], samples: Sequence[Sample]) -> str:
    def first_right(model: Any, kept: Sequence[Sample]) -> list[float]:
        return [float(one.labels[int(np.argmax(model.decision_function(one.rows)))]) for one in kept]

    def within_three(model: Any, kept: Sequence[Sample]) -> list[float]:
        return [float(one.labels[np.argsort(-model.decision_function(one.rows))[:3]].any()) for one in kept]

    model = _fit(samples)
    return "\n".join(
        [
            f"{name}: {len(samples)} questions, {sum(len(one.rows) for one in samples)} sentences",
            _weights(signals, model),
            f"the best sentence is evidence: fitted {np.mean(first_right(model, samples)):.3f}, "
            f"cross-validated {np.mean(_cross_validated(samples, first_right)):.3f}; "
            f"one of three: {np.mean(_cross_validated(samples, within_three)):.3f}",
        ]
    )


def _fit_verdict(cases: Sequence[Case]) -> str:
    """Both models of the verdict and the threshold of their sum; then how sure an answer is."""
    covered, stated = _fit_both(cases)
    crossed: list[tuple[Case, float]] = []
    for train, test in _folds(cases):
        crossed += zip(test, _sums(*_fit_both(train), test), strict=True)
    sums = {kind: np.array([total for one, total in crossed if one.kind == kind]) for kind in _WEIGHTS}
    least = float(np.quantile([total for one, total in crossed if one.right], _MOST_DECLINED))
    sure = [
        Sample(one.title, np.array([[total, *one.sure]]), np.array([one.right]))
        for place, (one, total) in enumerate(crossed)
        if total >= least and place % _ONE_IN.get(one.kind, 1) == 0 and one.kind in {"answerable", *_ONE_IN}
    ]
    model = _fit(sure)

    def brier(fitted: Any, kept: Sequence[Sample]) -> list[float]:
        return [float((fitted.predict_proba(one.rows)[0, 1] - one.labels[0]) ** 2) for one in kept]

    declined = ", ".join(f"{kind} {np.mean(totals < least):.3f}" for kind, totals in sums.items())
    return "\n".join(
        [
            "covered: " + _weights(confidence.COVERED_SIGNALS, covered),
            "stated: " + _weights(confidence.STATED_SIGNALS, stated),
            f"least {least:.3f}; declined, cross-validated: {declined}",
            "sure, read: " + _weights(confidence.SURE_READ_SIGNALS, model),
            f"Brier score, cross-validated {np.mean(_cross_validated(sure, brier)):.3f}, "
            f"of the mean alone {np.var([one.labels[0] for one in sure]):.3f}",
        ]
    )


def _fit_both(cases: Sequence[Case]) -> tuple[Any, Any]:
    """The models of what is covered and of what is stated."""
    from sklearn.linear_model import LogisticRegression

    models = []
    for kinds, rows in ((_COVERED, "covered"), (_STATED, "stated")):
        kept = [one for one in cases if one.kind in kinds]
        matrix = np.vstack([getattr(one, rows) for one in kept])
        weights = [_WEIGHTS[one.kind] for one in kept]
        models.append(
            LogisticRegression(C=10.0, max_iter=10000).fit(matrix, [one.kind == "answerable" for one in kept], sample_weight=weights)
        )
    return models[0], models[1]


def _sums(covered: Any, stated: Any, cases: Sequence[Case]) -> list[float]:
    ours = covered.decision_function(np.vstack([one.covered for one in cases]))
    theirs = stated.decision_function(np.vstack([one.stated for one in cases]))
    return [confidence.verdict(*both) for both in zip(ours.tolist(), theirs.tolist(), strict=True)]


def _folds(cases: Sequence[Case]) -> list[tuple[list[Case], list[Case]]]:
    """Five times training and test; a paper's questions stay together."""
    titles = sorted({one.title for one in cases})
    random.Random(0).shuffle(titles)
    fold = {title: number % _FOLDS for number, title in enumerate(titles)}
    return [
        ([one for one in cases if fold[one.title] != number], [one for one in cases if fold[one.title] == number])
        for number in range(_FOLDS)
    ]


def _fit_nearness(answerable: Sequence[Case], off: Sequence[Case]) -> str:
    near = [Sample(one.title, one.near[None], np.array([True])) for one in answerable]
    far = [Sample(one.title, one.near[None], np.array([False])) for one in off]
    model = _fit([*near, *far], balanced=True)
    threshold = float(np.quantile(model.decision_function(np.vstack([one.rows for one in near])), _MOST_FAR))
    model.intercept_ -= threshold

    def declined(fitted: Any, held_out: Sequence[Sample]) -> list[float]:
        shift = threshold if fitted is not model else 0.0
        return [float(fitted.decision_function(one.rows)[0] < shift) for one in held_out if not one.labels[0]]

    return "\n".join(
        [
            f"nearness: {len(near)} answerable questions, {len(far)} of everyday life",
            _weights(confidence.NEAR_SIGNALS, model),
            f"everyday questions declined where {_MOST_FAR:.0%} of the answerable are: fitted {np.mean(declined(model, far)):.3f}, "
            f"cross-validated {np.mean(_cross_validated([*near, *far], declined, balanced=True)):.3f}",
        ]
    )


def _fit_sureness(samples: Sequence[Sample]) -> str:
    def brier(model: Any, held_out: Sequence[Sample]) -> list[float]:
        return [float((model.predict_proba(one.rows)[0, 1] - one.labels[0]) ** 2) for one in held_out]

    model = _fit(samples)
    return "\n".join(
        [
            f"sureness: {len(samples)} questions, each with and without its paper",
            _weights(confidence.SURE_SIGNALS, model),
            f"Brier score: fitted {np.mean(brier(model, samples)):.3f}, cross-validated {np.mean(_cross_validated(samples, brier)):.3f}, "
            f"of the mean alone {np.var([one.labels[0] for one in samples]):.3f}",
        ]
    )


def _fit(samples: Sequence[Sample], balanced: bool = False) -> Any:
    from sklearn.linear_model import LogisticRegression

    rows = np.vstack([one.rows for one in samples])
    labels = np.concatenate([one.labels for one in samples])
    return LogisticRegression(C=10.0, max_iter=5000, class_weight="balanced" if balanced else None).fit(rows, labels)


def _cross_validated(samples: Sequence[Sample], score: Callable[[Any, Sequence[Sample]], list[Any]], balanced: bool = False) -> list[Any]:
    """The scores of each fold under a model fitted on the others; a paper's questions stay together."""
    titles = sorted({one.title for one in samples})
    random.Random(0).shuffle(titles)
    fold = {title: number % _FOLDS for number, title in enumerate(titles)}
    scores: list[Any] = []
    for number in range(_FOLDS):
        model = _fit([one for one in samples if fold[one.title] != number], balanced)
        scores += score(model, [one for one in samples if fold[one.title] == number])
    return scores


def _weights(names: Sequence[str], model: Any) -> str:
    shown = ", ".join(f"{name} {weight:.2f}" for name, weight in zip(names, model.coef_[0], strict=True))
    return f"weights: {shown}; intercept {model.intercept_[0]:.2f}"
