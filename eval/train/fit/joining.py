"""Fits with which reading of a follow-up papers are found. For `assistant/retrieval/retriever.py`."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from assistant import Assistant
from assistant.evidence.readers import Readers
from assistant.fitted import Section
from assistant.query.conversation import Context, Turn, context_of
from assistant.query.question import read_question
from assistant.retrieval.retriever import JOIN_SIGNALS, join_signals, readings
from eval.held_out import held_out
from eval.train import data
from eval.train.fit.logistic import Logistic, Rows, fit_rows, folds
from index import Library

_NEW_TOPICS = 600
"""Questions asked after one about another paper, to tell a change of topic from a follow-up."""
_KINDS = ("terse", "named", "detail", "paraphrase", "how", "why")


@dataclass(frozen=True)
class Turned:
    """A last turn and what either reading of it gives."""

    title: str
    signals: Rows
    """Shape (len(JOIN_SIGNALS),)."""
    gold: bool
    """Whether a paper answers it."""
    joined: bool
    """Whether it is meant together with the turn before."""
    alone_right: bool
    joined_right: bool


def fit_joining(library: Library, readers: Readers, tick: Callable[[], None], every: int) -> Section:
    """Whether a last turn is read with the turn before: follow-ups, and questions asked after one about another paper."""
    turned = [*_follow_ups(library, readers, tick, every), *_new_topics(library, tick, every)]
    crossed = [(one, join) for train, test in folds(turned) for one, join in zip(test, _joins(train, test), strict=True)]
    answered = [(one, join) for one, join in crossed if one.gold]
    right = {
        kind: [one.joined_right if join else one.alone_right for one, join in answered if one.joined == kind] for kind in (True, False)
    }
    told = (
        f"right first, cross-validated: follow-ups {np.mean(right[True]):.3f}, changes of topic {np.mean(right[False]):.3f} "
        f"(read alone {np.mean([one.alone_right for one in turned if not one.joined]):.3f})"
    )
    counted = {"follow-ups": sum(one.joined for one in turned), "changes of topic": sum(not one.joined for one in turned)}
    return Section({"joined": _join_model(turned).named(JOIN_SIGNALS)}, {}, counted, (told,))


def _join_model(turned: Sequence[Turned]) -> Logistic:
    joined = np.array([one.joined for one in turned])
    counts = np.where(joined, (~joined).sum() / max(1, joined.sum()), 1.0)
    return fit_rows(np.vstack([one.signals for one in turned]), joined.tolist(), counts.tolist())


def _joins(train: Sequence[Turned], test: Sequence[Turned]) -> list[bool]:
    model = _join_model(train)
    return [float(model.odds(one.signals)) >= 0.0 for one in test]


def _follow_ups(library: Library, readers: Readers, tick: Callable[[], None], every: int) -> list[Turned]:
    """Those that no paper answers, too; one that is right only when read alone changes the topic. Earlier turns are really asked."""
    papers = {paper.title: paper.paper_id for paper in library.papers()}
    kept = held_out()
    assistant = Assistant(library.home, "extractive", library=library, readers=readers)
    turned = []
    for one in data.load_followups()[::every]:
        tick()
        if one.title is not None and (one.title not in papers or one.title not in kept):
            continue
        history: list[Turn] = []
        for question in one.history:
            history.append((question, assistant.answer(question, history)))
        gold = papers[one.title] if one.title and one.evidence else None
        each = _turned(library, one.title or one.question, one.question, context_of(history), gold, joined=True)
        turned.append(replace(each, joined=False) if each.alone_right and not each.joined_right else each)
    return turned


def _new_topics(library: Library, tick: Callable[[], None], every: int) -> list[Turned]:
    papers = {paper.title: paper.paper_id for paper in library.papers()}
    kept = held_out()
    asked = [one for one in (*data.load(), *data.load_more()) if one.kind in _KINDS and one.title in papers and one.title in kept]
    dice = random.Random(0)
    turned = []
    for one in dice.sample(asked, min(len(asked), _NEW_TOPICS))[::every]:
        tick()
        before = dice.choice([other for other in asked if other.title != one.title])
        context = Context(before.question, (papers[before.title],))
        turned.append(_turned(library, one.title, one.question, context, papers[one.title], joined=False))
    return turned


def _turned(library: Library, title: str, question: str, context: Context, gold: str | None, joined: bool) -> Turned:
    alone, both = readings(library, read_question(question).text, context)
    right = [bool(found.hits) and found.hits[0].paper_id == gold for found in (alone, both)]
    return Turned(title, np.array(join_signals(library, alone, both, context)), gold is not None, joined, *right)
