"""Asks the training questions, and keeps what the models to be fitted see of each.

Goes in: a library and readers. Comes out: samples and cases. Asks as the product does: searched, ranked, the first
papers matched, the first one read. Knows nothing of fitting.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from assistant.evidence import confidence, selection
from assistant.evidence.matcher import PaperMatcher
from assistant.evidence.readers import Readers
from assistant.evidence.selection import Study, matched, study
from assistant.query.conversation import Context
from assistant.query.question import read_question, understood
from assistant.retrieval.fusion import PaperHit
from assistant.retrieval.maxsim import by_maxsim
from assistant.retrieval.retriever import RetrievalResult, retrieve
from eval.held_out import held_out
from eval.train import data
from eval.train.fit.logistic import Rows, Sample
from index import Library, Paper

LOOKED_AT = 4
"""Papers that are matched, at most, as by default in the product."""


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
    """Each of shape (signals,), as `assistant.evidence.confidence` names them."""


@dataclass
class Gathered:
    """All that is fitted on."""

    asked: int = 0
    sentences: list[Sample] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)


def gather(library: Library, readers: Readers, tick: Callable[[], None], every: int) -> Gathered:
    """Asks each `every`-th training question over papers that no part has been trained on. `readers` must hold both."""
    papers = {paper.title: paper for paper in library.papers()}
    kept = held_out()
    asked = [one for one in [*data.load(), *data.load_more()] if one.title in papers and one.title in kept][::every]
    gathered = Gathered(len(asked))
    asking = Asking(library, readers)
    for one in asked:
        tick()
        gold = papers[one.title]
        ranked = asking.searched(one.question)
        first = asking.first(ranked)
        if sample := _sentences(asking, one, gold, ranked, first):
            gathered.sentences.append(sample)
        kind = "answerable" if one.kind not in {"unstated", "premise"} else one.kind
        gathered.cases.append(_case(kind, gold, ranked, first))
        if kind == "answerable":
            without = asking.matched(replace(ranked, hits=tuple(hit for hit in ranked.hits if hit.paper_id != gold.paper_id)))
            gathered.cases.append(_case("left out", gold, without, asking.first(without)))
    for turn in [one for one in data.load_followups() if one.title in papers and one.title in kept][::every]:
        tick()
        gold = papers[turn.title or ""]
        ranked = asking.searched(turn.question, Context(" ".join(turn.history), (gold.paper_id,)))
        gathered.cases.append(_case("answerable" if turn.evidence else "unstated", gold, ranked, asking.first(ranked)))
    for kind, texts in (("absent", data.load_absent()), ("off-topic", data.load_offtopic())):
        for text in texts[::every]:
            tick()
            ranked = asking.searched(text)
            gathered.cases.append(_case(kind, None, ranked, asking.first(ranked)))
    return gathered


class Asking:
    """Asks as the product does, stage by stage."""

    def __init__(self, library: Library, readers: Readers) -> None:
        self.library = library
        self._readers = readers
        assert readers.matcher is not None and readers.reader is not None
        self._matcher: PaperMatcher = readers.matcher

    def searched(self, question: str, context: Context = Context()) -> RetrievalResult:
        """The papers found and ranked, the first of them matched."""
        return self.matched(by_maxsim(self.library, retrieve(self.library, read_question(question).text, context)))

    def matched(self, found: RetrievalResult) -> RetrievalResult:
        """The first papers matched."""
        return matched(self.library, self._matcher, found, LOOKED_AT)

    def first(self, found: RetrievalResult) -> Study:
        """The first paper, read."""
        return self.read(found, found.hits[0])

    def read(self, found: RetrievalResult, hit: PaperHit) -> Study:
        """A paper found, read."""
        return study(self.library, self._readers, found, understood(found.question, self.library.embedder), [hit], 1)[0]


def _sentences(asking: Asking, one: data.TrainingQuestion, gold: Paper, found: RetrievalResult, first: Study) -> Sample | None:
    """The gold paper's sentences, where it was matched."""
    hit = next((hit for hit in found.hits if hit.paper_id == gold.paper_id), None)
    if hit is None or hit.match is None:
        return None
    spans, vectors = asking.library.sentences([gold.paper_id])[gold.paper_id]
    labels = data.labels(one, gold, spans)
    own = first if first.paper.paper_id == gold.paper_id else asking.read(found, hit)
    if labels is None or not any(labels) or own.reading is None or own.match is None:
        return None
    texts = [gold.abstract[start:end] for start, end in spans]
    question = understood(found.question, asking.library.embedder)
    rows = selection.signals(asking.library.lexical, question, found.terms, found.vector, gold.display_title, texts, vectors)
    return Sample(gold.title, np.hstack([rows, selection.read_signals(own.reading), selection.match_signals(own.match)]), np.array(labels))


def _case(kind: str, gold: Paper | None, found: RetrievalResult, first: Study) -> Case:
    assert first.match is not None
    return Case(
        title=gold.title if gold else found.question,
        kind=kind,
        right=kind == "answerable" and gold is not None and first.paper.paper_id == gold.paper_id,
        near=np.array(confidence.in_domain_signals(found.hits, found.terms.unknown_share)),
        covered=np.array(confidence.topic_match_signals(found, first.match)),
        stated=np.array(confidence.answerability_signals(first, understood(found.question), bool(found.before))),
        sure=np.array(confidence.confidence_signals(found.hits)),
    )
