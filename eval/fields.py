"""Other fields' libraries, each with questions, to be measured beside our own: `python -m eval --fields DIR`.

Goes in: a folder with a folder for each field, which holds its papers (`library.txt` or `papers.jsonl`) and, where there is one, a
question set (`questions.jsonl`). Comes out: fields. One without a question set is asked our training questions of that field about
the papers that the held-out models never saw, those that several papers answer and those that none does: whoever measures the
models that ship with these measures what they were trained on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from eval.errors import EvalError
from eval.held_out import held_out
from eval.questions import FALSE_PREMISE, SINGLE_PAPER, GoldQuestion, load
from eval.report.error_analysis import Section
from eval.report.screen import bounded
from eval.results import Run
from eval.train import data

_PAPERS = ("library.txt", "papers.jsonl")
_QUESTIONS = "questions.jsonl"
_KINDS = {"unstated": "missing_detail", "premise": FALSE_PREMISE, "terse": "keywords", "how": "detail", "why": "detail"}
"""Of training questions, where the fixed set has another word."""
OWN = "own"
"""The library that the command names."""

_FIGURES = (
    ("wrong answers", "harm", ()),
    ("declined, though a paper answers", "false_refusal", ()),
    ("right paper first", "hit@1", SINGLE_PAPER),
    ("within five", "recall@5", SINGLE_PAPER),
    ("facts", "fact_recall", SINGLE_PAPER),
    ("declined, no paper here", "refusal_rate", ("absent",)),
    ("declined, detail not stated", "refusal_rate", ("missing_detail",)),
)
"""What is told of each library: in words, the metric, of which kinds."""


@dataclass(frozen=True)
class Field:
    """A library of another field."""

    name: str
    papers: Path
    questions: tuple[GoldQuestion, ...]


def load_fields(folder: Path) -> list[Field]:
    """The fields of a folder, by name. Raises `EvalError` where it holds none, or one has no question."""
    if not folder.is_dir():
        raise EvalError(f"{folder}: there is no such folder: name one with a folder for each field (--fields)")
    found = [(each.name, papers) for each in sorted(folder.iterdir()) for name in _PAPERS if (papers := each / name).is_file()]
    if not found:
        raise EvalError(f"{folder}: holds no field: a folder for each, with {' or '.join(_PAPERS)} and {_QUESTIONS}")
    return [Field(name, papers, _questions(name, papers.parent / _QUESTIONS)) for name, papers in found]


def _questions(field: str, own: Path) -> tuple[GoldQuestion, ...]:
    if own.is_file():
        return tuple(load(own))
    unseen = held_out()
    asked = [_gold(one) for one in data.load_fields() if one.field == field and one.title in unseen]
    several = [
        GoldQuestion(one.id, one.question, one.kind, one.gold_titles, ()) for one in data.load_several_fields() if one.field == field
    ]
    absent = [one.question for one in data.load_absent_fields() if one.field == field]
    none = [GoldQuestion(f"absent-{number}", question, "absent", (), ()) for number, question in enumerate(absent, 1)]
    if not asked:
        raise EvalError(f"{own}: is not there, and there are no training questions of a field called {field}: write a question set")
    return (*asked, *(GoldQuestion(one.id, one.question, one.kind, one.gold_titles, ()) for one in several), *none)


def _gold(one: data.TrainingQuestion) -> GoldQuestion:
    if one.kind == data.UNSTATED:
        return GoldQuestion(one.id, one.question, _KINDS[one.kind], (), (), about_titles=(one.title,))
    return GoldQuestion(one.id, one.question, _KINDS.get(one.kind, one.kind), (one.title,), ((one.answer,),) if one.answer else ())


def side_by_side(runs: Sequence[Run]) -> Section:
    """The libraries, that with most wrong answers first. Each run's name is its library's."""
    ordered = sorted(runs, key=lambda run: -(run.overall().metrics["harm"] or 0.0))
    rows = [[run.name, str(len(run.questions)), *(_figure(run, metric, kinds) for _, metric, kinds in _FIGURES)] for run in ordered]
    most, least = (f"{run.name}, {bounded(run.overall(), 'harm')}" for run in (ordered[0], ordered[-1]))
    lines = [f"Most wrong answers: {most}; fewest: {least}."]
    for said, metric, kinds in _FIGURES[1:]:
        lines += _worst_in(said, metric, kinds, runs)
    return Section("Other fields beside our own", lines, ["library", "n", *(said for said, _, _ in _FIGURES)], rows)


def _worst_in(said: str, metric: str, kinds: tuple[str, ...], runs: Sequence[Run]) -> list[str]:
    """Which library is worst in a figure, where that is not our own."""
    values = [(value, run.name) for run in runs if (value := run.of_kinds(kinds or run.kinds()).metrics[metric]) is not None]
    if len(values) < 2:
        return []
    value, name = (max if metric == "false_refusal" else min)(values)
    return [] if name == OWN else [f"Worst in {said}: {name}, {value:.2f}."]


def _figure(run: Run, metric: str, kinds: tuple[str, ...]) -> str:
    return bounded(run.of_kinds(kinds or run.kinds()), metric)
