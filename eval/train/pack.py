"""What reader, encoder and matcher are trained on, as token ids: papers, and questions with where their answer stands.

Goes in: a library that holds training papers, and the titles of those to ask about. Comes out: a pack that needs neither library
nor text index any more, so that it can be taken to a machine with a GPU: all papers, and the questions about these titles and about
no paper, spelled as the search reads them; where our summaries are given, those as second versions. Knows nothing of training.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eval.errors import EvalError
from eval.train import data
from index import Library, Paper
from index.chunking import PaperTexts, cut

ANSWERS, CONTRADICTS, SILENT = range(3)
"""Places in `eval.train.reader_network.STANCES`."""


class TrainingError(EvalError):
    """Nothing can be trained; the message says why and what to do."""


@dataclass(frozen=True)
class TokenisedPaper:
    """A paper as token ids, without special tokens."""

    title: list[int]
    sentences: list[list[int]]
    chunks: list[list[int]]
    """As they are embedded, the title with each."""


@dataclass(frozen=True)
class Example:
    """A question and what its paper does with it."""

    id: str
    question: list[int]
    before: list[int]
    """The turns before it, where it is a follow-up."""
    paper: int | None
    """Which paper it is about; None where no paper of the library answers."""
    stance: int
    """`ANSWERS`, `CONTRADICTS` or `SILENT`."""
    evidence: list[int]
    """Which sentences answer, or contradict."""
    specific: bool
    """Whether the paper says nothing of it once the evidence is cut out."""

    @property
    def joined(self) -> list[int]:
        """The question with the turns before it, as the search reads it."""
        return [*self.before, *self.question]


@dataclass(frozen=True)
class Pack:
    """All that a training run needs."""

    papers: list[TokenisedPaper]
    examples: list[Example]
    coverage: NDArray[np.float16]
    """Shape (examples, papers): the share of each question's term weight that a paper holds."""
    version_of: list[int] = field(default_factory=list)
    """The last papers are second versions of others, our summaries of them: of which, in order."""

    def save(self, file: Path) -> None:
        """Writes it."""
        parts = {"papers": [asdict(one) for one in self.papers], "examples": [asdict(one) for one in self.examples]}
        held = json.dumps(parts | {"version_of": self.version_of})
        np.savez_compressed(file, held=np.frombuffer(held.encode(), dtype=np.uint8), coverage=self.coverage)

    @staticmethod
    def load(file: Path) -> Pack:
        """What `save` wrote."""
        with np.load(file) as arrays:
            held = json.loads(arrays["held"].tobytes())
            coverage = arrays["coverage"]
        papers, examples = [TokenisedPaper(**one) for one in held["papers"]], [Example(**one) for one in held["examples"]]
        return Pack(papers, examples, coverage, held["version_of"])

    @property
    def first_versions(self) -> int:
        """How many of the papers are no second version."""
        return len(self.papers) - len(self.version_of)

    def same(self, paper: int) -> int:
        """The paper itself, or that of which it is a second version."""
        return paper if paper < self.first_versions else self.version_of[paper - self.first_versions]

    def without_versions(self) -> Pack:
        """Only first versions, and the questions about them and about none."""
        count = self.first_versions
        kept = [number for number, one in enumerate(self.examples) if one.paper is None or one.paper < count]
        return Pack(self.papers[:count], [self.examples[number] for number in kept], self.coverage[kept, :count])

    def about(self, papers: Iterable[int | None]) -> Pack:
        """Only the questions about these papers; None stands for those about no paper."""
        wanted = set(papers)
        kept = [number for number, example in enumerate(self.examples) if example.paper in wanted]
        return replace(self, examples=[self.examples[number] for number in kept], coverage=self.coverage[kept])


SPECIFIC = frozenset({"detail", "named", "why", "how", data.PREMISE})
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
    sentences: data.Spans


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


def _sentences_with(answer: str, abstract: str, spans: data.Spans, question: str) -> list[int]:
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
    for one in (*data.load(), *data.load_more(), *data.load_hard(), *data.load_fields()):
        held = known.get(one.title)
        if held is None:
            continue
        if one.kind == data.UNSTATED:
            yield _Asked(one.id, one.question, held.number)
        elif evidence := _evidence(one, held):
            stance = CONTRADICTS if one.kind == data.PREMISE else ANSWERS
            yield _Asked(one.id, one.question, held.number, stance, evidence, one.kind in SPECIFIC, answer=one.answer)


def _followed(known: Mapping[str, _Known]) -> Iterator[_Asked]:
    for one in data.load_followups():
        before = " ".join(one.history)
        if one.title is None:
            yield _Asked(one.id, one.question, before=before)
        elif (held := known.get(one.title)) and not one.evidence:
            yield _Asked(one.id, one.question, held.number, before=before)
        elif held and (evidence := _evidence(one, held)):
            yield _Asked(one.id, one.question, held.number, ANSWERS, evidence, before=before, answer=one.answer)


def _about_none() -> Iterator[_Asked]:
    of_fields = [one.question for one in data.load_absent_fields()]
    for name, questions in (("absent", data.load_absent()), ("absent-field", of_fields), ("offtopic", data.load_offtopic())):
        for number, question in enumerate(questions, 1):
            yield _Asked(f"{name}-{number}", question)


def _evidence(one: data.TrainingQuestion | data.FollowUp, held: _Known) -> tuple[int, ...]:
    """Which sentences are evidence; none where the library's text is another."""
    labels = data.labels(one, held.paper, held.sentences) or []
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
