"""Makes the pack that reader and encoder are trained on, from a library and the training questions.

Goes in: a library that holds training papers, and the titles of those to ask about. Comes out: all
its papers as token ids, and the questions about these titles and about no paper, spelled as the
search reads them; where our summaries are given, those as second versions. Knows nothing of training.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from eval import training
from eval.reading.examples import ANSWERS, CONTRADICTS, SILENT, Example, Pack, TokenisedPaper
from index import Library, Paper
from index.chunking import PaperTexts, cut

SPECIFIC = frozenset({"detail", "named", "why", "how", training.PREMISE})
"""Kinds of questions of which a paper says nothing once their evidence is cut out."""

_LEAST_ANSWER = 2
"""Characters of an answer that is looked for in a summary."""

TokenIds = Callable[[Sequence[str]], list[list[int]]]
"""Gives the token ids of texts, without special ones."""


@dataclass(frozen=True)
class _Asked:
    """A question before it is tokenised."""

    id: str
    question: str
    paper: int | None = None
    stance: int = SILENT
    evidence: tuple[int, ...] = ()
    specific: bool = False
    before: str = ""
    answer: str = ""


@dataclass(frozen=True)
class _Known:
    """A paper that may be asked about."""

    number: int
    paper: Paper
    sentences: training.Spans


def build(library: Library, token_ids: TokenIds, titles: Collection[str], summaries: Library | None = None) -> Pack:
    """The pack. Questions whose evidence is not found in the library's text are left out.

    `summaries`: a library of other texts of the same papers, which become second versions of them.
    """
    library.reopen_if_moved()
    papers = library.papers()
    texts = cut(papers, library.embedder)
    known = {
        paper.title: _Known(number, paper, text.spans)
        for number, (paper, text) in enumerate(zip(papers, texts, strict=True))
        if paper.title in titles
    }
    asked = [*_about_papers(known), *_followed(known), *_about_none()]
    spelled = [library.lexical.respell(one.question)[0] for one in asked]
    before = [one.before for one in asked]
    examples = [
        Example(one.id, question, earlier, one.paper, one.stance, list(one.evidence), one.specific)
        for one, question, earlier in zip(asked, token_ids(spelled), token_ids(before), strict=True)
    ]
    tokenised = [_tokenised(paper, text, token_ids) for paper, text in zip(papers, texts, strict=True)]
    pack = Pack(tokenised, examples, _coverage(library, papers, before, spelled))
    return pack if summaries is None else _with_summaries(pack, papers, _Asking(asked, before, spelled), summaries, token_ids)


@dataclass(frozen=True)
class _Asking:
    """What is asked, and as the search reads it."""

    asked: Sequence[_Asked]
    before: Sequence[str]
    spelled: Sequence[str]


def _with_summaries(pack: Pack, papers: Sequence[Paper], asking: _Asking, summaries: Library, token_ids: TokenIds) -> Pack:
    """The pack with second versions of its papers, and the questions that these answer or leave open as well.

    What an abstract does not state, its summary does not state either. What it answers, the summary
    answers where the words of the answer stand in it.
    """
    summaries.reopen_if_moved()
    by_title = {paper.title: paper for paper in summaries.papers()}
    version_of = [
        number for number, paper in enumerate(papers) if paper.title in by_title and by_title[paper.title].abstract != paper.abstract
    ]
    versions = [by_title[papers[number].title] for number in version_of]
    if not versions:
        return pack
    texts = cut(versions, summaries.embedder)
    place = {number: len(papers) + row for row, number in enumerate(version_of)}
    rows, examples = [], []
    for row, (example, one) in enumerate(zip(pack.examples, asking.asked, strict=True)):
        if example.paper not in place or example.before:
            continue
        at = place[example.paper]
        evidence = _sentences_with(one.answer, versions[at - len(papers)].abstract, texts[at - len(papers)].spans, one.question)
        if example.stance == SILENT or (example.stance == ANSWERS and evidence):
            kept = evidence if example.stance == ANSWERS else []
            examples.append(replace(example, id=f"{example.id} summary", paper=at, evidence=kept))
            rows.append(row)
    coverage = np.concatenate([pack.coverage, _coverage(summaries, versions, asking.before, asking.spelled)], axis=1)
    return Pack(
        [*pack.papers, *(_tokenised(paper, text, token_ids) for paper, text in zip(versions, texts, strict=True))],
        [*pack.examples, *examples],
        np.concatenate([coverage, coverage[rows]]),
        version_of,
    )


def _sentences_with(answer: str, abstract: str, spans: training.Spans, question: str) -> list[int]:
    """The sentences in which an answer stands; of several, those that share most words with the question."""
    wanted = _plain(answer)
    if len(wanted) < _LEAST_ANSWER:
        return []
    said = [_plain(abstract[start:end]) for start, end in spans]
    found = [number for number, text in enumerate(said) if re.search(rf"(?<![a-z0-9]){re.escape(wanted)}(?![a-z0-9])", text)]
    shared = {number: len(set(_plain(question).split()) & set(said[number].split())) for number in found}
    return [number for number in found if shared[number] == max(shared.values())]


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9.%]+", " ", text.lower()).strip()


def _about_papers(known: Mapping[str, _Known]) -> Iterator[_Asked]:
    for one in (*training.load(), *training.load_more(), *training.load_hard(), *training.load_fields()):
        held = known.get(one.title)
        if held is None:
            continue
        if one.kind == training.UNSTATED:
            yield _Asked(one.id, one.question, held.number)
        elif evidence := _evidence(one, held):
            stance = CONTRADICTS if one.kind == training.PREMISE else ANSWERS
            yield _Asked(one.id, one.question, held.number, stance, evidence, one.kind in SPECIFIC, answer=one.answer)


def _followed(known: Mapping[str, _Known]) -> Iterator[_Asked]:
    for one in training.load_followups():
        before = " ".join(one.history)
        if one.title is None:
            yield _Asked(one.id, one.question, before=before)
        elif (held := known.get(one.title)) and not one.evidence:
            yield _Asked(one.id, one.question, held.number, before=before)
        elif held and (evidence := _evidence(one, held)):
            yield _Asked(one.id, one.question, held.number, ANSWERS, evidence, before=before, answer=one.answer)


def _about_none() -> Iterator[_Asked]:
    of_fields = [one.question for one in training.load_absent_fields()]
    for name, questions in (("absent", training.load_absent()), ("absent-field", of_fields), ("offtopic", training.load_offtopic())):
        for number, question in enumerate(questions, 1):
            yield _Asked(f"{name}-{number}", question)


def _evidence(one: training.TrainingQuestion | training.FollowUp, held: _Known) -> tuple[int, ...]:
    """Which sentences are evidence; none where the library's text is another."""
    labels = training.labels(one, held.paper, held.sentences) or []
    return tuple(number for number, label in enumerate(labels) if label)


def _tokenised(paper: Paper, text: PaperTexts, token_ids: TokenIds) -> TokenisedPaper:
    title, *sentences = token_ids([paper.display_title, *text.sentences])
    return TokenisedPaper(title, sentences, token_ids(text.chunks))


def _coverage(library: Library, papers: Sequence[Paper], before: Sequence[str], spelled: Sequence[str]) -> NDArray[np.float16]:
    """The share of each question's term weight that a paper holds, shape (questions, papers)."""
    paper_ids = [paper.paper_id for paper in papers]
    found = np.zeros((len(spelled), len(papers)), dtype=np.float16)
    for row, (earlier, question) in enumerate(zip(before, spelled, strict=True)):
        reading, _ = library.lexical.respell(f"{earlier} {question}".strip())
        shares = library.lexical.coverage(library.lexical.terms(reading), paper_ids)
        found[row] = [shares[paper_id] for paper_id in paper_ids]
    return found
