"""From a question to an answer, stage by stage: classify, retrieve and rerank, select evidence, decide, generate and verify.

The one place that knows all the stages, in `_Run.events`; each is given what the one before found, as a record of its own. `Assistant`
is what users hold, and where a stage can be replaced.
"""

from __future__ import annotations

import collections.abc
import os
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, TypeVar

from assistant.answer import NO_ANSWER, Answer, Done, Event, Reset, Retrieved, RetrievedPaper, Text, Usage
from assistant.errors import (
    EmptyLibraryError,
    LLMFailedError,
    MissingExtraError,
    MissingKeyError,
    QuestionError,
    SettingsError,
    UnknownModelError,
)
from assistant.evidence.comparison import Table, columns_of, holds_side, sides_of, table_of
from assistant.evidence.confidence import Verdict, is_in_domain, judge, written_confidence
from assistant.evidence.readers import Readers, shipped
from assistant.evidence.selection import Study, matched, study
from assistant.evidence.sources import Source, grouped, near_the_first
from assistant.generation.base import Draft, Request
from assistant.generation.extractive import compose, papers_wanted
from assistant.generation.generative import Judge, Writer, generate
from assistant.llms import EXTRACTIVE, LLMOptions, RetryPolicy, load_llm
from assistant.query.conversation import Context, Turn, chooses_among, context_of, leans_back, points_back, questions, replies
from assistant.query.filters import Filters
from assistant.query.naming import introduces, is_about, is_particular, lacking, with_known_names
from assistant.query.question import Question, holds_name, names_in, read_question, summarized, understood
from assistant.records.instructions import FIELDS, RECORD_WORDS, asks_for_others, carry_out, lacks_year, papers_at_hand, records_at_hand
from assistant.records.lists import answer_records, record_of, tells_record, theme_of, wanted_of
from assistant.records.overview import NEWEST_AT_MOST, contents, newest
from assistant.records.talk import talk
from assistant.retrieval.fusion import PaperHit, Weights
from assistant.retrieval.maxsim import by_maxsim
from assistant.retrieval.prf import by_prf
from assistant.retrieval.reranking import Reranker, load_reranker, rerank
from assistant.retrieval.retriever import RetrievalResult, retrieve
from assistant.settings import LLM_VARIABLE, Settings, chroma_server, load_settings, model_choice
from assistant.verification import Verifier
from assistant.verification.dialogue_acts import acts_by
from index import Hints, IndexReport, Library, Paper, chosen_home, link, open_library
from index.embedding import Embedder
from index.home import print_nothing
from index.library import Progress, no_progress

if TYPE_CHECKING:
    from llama_index.core.llms import LLM

_T = TypeVar("_T")
Generation = collections.abc.Generator[Event, None, _T]
"""The events of a text that is streamed, and at last what came of it."""

_RETRIEVED = 10
_MATCHED = 2
"""Papers that are matched: those that an answer may quote where one paper is to answer."""
_NAMED_WHEN_DECLINED = 3
_LOOKED_AT = 20
"""Papers found among which those without an abstract are set aside."""
_DOUBTED = 0.1
"""What is left of the confidence where an LLM read the papers and found no answer in them."""
_DENIED = 0.5
"""Probability from which a paper is said to deny what a question takes for granted."""
_WORDS_NAMED = 3
"""Words of the question that a decline says are missing."""
_NAMED = 0.5
"""Share of the term weight of what a summary is asked of, from which a title that holds it is the one meant."""
_UNSURE = 0.3
"""Confidence below which an answer from one paper names the next nearest, or quotes it too."""
_SAYS_ENOUGH = 3
"""Words of a question, common ones aside, with which it may stand alone where the turn before gives no answer."""
_SURE_ALONE = 0.5
"""Confidence of what a question is answered alone, from which that is taken before an answer together with the turn before. Of 70
follow-ups of the training questions it takes three: two that are right alone, and one that nothing answers."""
_CLOSE = 0.05
"""Lead, in fused score, within which the second paper is quoted too where the first is unsure."""


class Assistant:
    """Answers questions from the papers of one home. One `Assistant` serves many threads."""

    def __init__(
        self,
        home: str | os.PathLike[str] | None = None,
        llm: str | LLM | None = None,
        *,
        readers: Readers | None = None,
        retriever: Retriever = retrieve,
        reranker: str | object | None = None,
        generator: Generator = compose,
        verifier: Verifier | None = None,
        weights: Weights = Weights(),
        embedder: Embedder | None = None,
        settings: Settings | None = None,
        library: Library | None = None,
        progress: Progress = no_progress,
        announce: Callable[[str], None] = print_nothing,
    ) -> None:
        """Opens a home, and finishes whatever indexing was left undone there.

        `home`: a folder; by default `ASSISTANT_HOME`, else the user's data folder, into which
        the starter library goes at first use. `llm`: a name such as
        `openai-like:qwen3@http://127.0.0.1:8000/v1`, any LlamaIndex `LLM`, or None for what the
        settings say. `readers`: what reads the papers found; by default the models that are shipped, and
        none where the library is embedded by another model, or where their weights are missing or damaged,
        which `announce` is told. `reranker`: a sentence-transformers cross-encoder (folder or hub name) or a LlamaIndex
        postprocessor that reorders the first papers. `retriever`, `generator`, `verifier`: what stands in for the search, for the
        answer by quoting, and for the check of an LLM's sentences (docs/python.md). `weights`: how much each way of searching
        counts. `progress` and `announce` are told of long indexing.
        An LLM that cannot be used here (no key, no package, no such model) is no error: answers then quote, with a warning.
        Raises `index.IndexingError`, `SettingsError`, `UnknownLLMError` for what names no LLM, or `RerankerError`.
        """
        self.settings = settings or load_settings(chosen_home(home)[0])
        by_user = llm is not None or settings is not None or bool(os.environ.get(LLM_VARIABLE))
        self.writer, self.unusable = _writer(self.settings.llm if llm is None else llm, self.settings, by_user=by_user)
        self.mode: str = self.writer.name if self.writer else EXTRACTIVE
        self.reranker: Reranker | None = load_reranker(self.settings.reranker if reranker is None else reranker)
        self.retriever = retriever
        self.generator = generator
        self.verifier = verifier
        self.weights = weights
        self.library = library or open_library(
            home, embedder or model_choice(self.settings), progress, announce, chroma_server(self.settings)
        )
        self.readers = readers or self._shipped_readers(announce)

    def answer(self, question: str, history: Sequence[Turn] = (), filters: Filters | None = None) -> Answer:
        """The answer to a question, after the turns of `history`.

        Raises `QuestionError` for an empty or overlong question, `EmptyLibraryError` where there
        are no papers, `index.IndexingError` where the home fails. An LLM's failure is no error:
        the answer is then extractive, with a warning.
        """
        for event in self.stream(question, history, filters):
            if isinstance(event, Done):
                return event.answer
        raise AssertionError("a stream always ends with Done")

    def stream(
        self, question: str, history: Sequence[Turn] = (), filters: Filters | None = None, stop: threading.Event | None = None
    ) -> Iterator[Event]:
        """The events of an answer's making: `Retrieved`, `Text` and `Reset`, at last `Done`.

        Text is provisional until `Done`, whose answer supersedes it. Closing the iterator ends an LLM's
        request; so does setting `stop`, from any thread and at any moment. Raises as `answer` does, and
        `StoppedError` where it was stopped so.
        """
        asked = read_question(question, self.library.embedder)
        return _Run(self, asked, history, filters or Filters(), stop or threading.Event()).events()

    def search(self, query: str, k: int = 10, filters: Filters | None = None) -> list[RetrievedPaper]:
        """The `k` papers nearest to a query, best first, with scores and no answer. Raises as `answer` does.

        `k` is at least 1; beyond some hundred, fewer papers may be found than there are.
        """
        if k < 1:
            raise QuestionError(f"{k} papers cannot be searched for: ask for 1 or more")
        question = read_question(query)
        self.open()
        found = self.find(question, Context(), filters or Filters())
        return self.as_retrieved(self.widened(found, filters or Filters()), k)

    def index(
        self,
        paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
        progress: Progress = no_progress,
        hints: Hints = Hints(),
    ) -> IndexReport:
        """Adds papers: files of any format, folders, globs, and services (`arxiv:QUERY`, `zotero:`), which are fetched.

        `progress(done, total)` is called with the number of papers embedded so far, and of all to embed. `hints`: how
        the sources are to be read. The report counts what is new, and tells what could not be read: that is no error.
        Answers know the papers at once. Raises `index.IndexingError` where the home fails or another process is writing to it.
        """
        several = [paths] if isinstance(paths, str | os.PathLike) else paths
        return self.library.add([os.fspath(path) for path in several], progress, hints)

    def varied(self, llm: str | LLM | None = None, weights: Weights | None = None, temperature: float = 0.0) -> Assistant:
        """The same library and readers with another LLM (that of a name at this `temperature`, 0 to 2), or other weights of the search;
        close only one of them.

        Raises `UnknownLLMError` for what names no LLM.
        """
        other = copy(self)
        if llm is not None:
            other.writer, other.unusable = _writer(llm, self.settings, temperature)
            other.mode = other.writer.name if other.writer else EXTRACTIVE
        if weights is not None:
            other.weights = weights
        return other

    def close(self) -> None:
        """Lets go of the home's files."""
        self.library.close()

    def _shipped_readers(self, announce: Callable[[str], None]) -> Readers:
        if not self.settings.papers_read:
            return Readers()
        found = shipped(self.library.embedder)
        if found.fault:
            announce(f"{found.fault}. Until then, papers are searched and quoted, but not read")
        return found

    def open(self) -> None:
        """Sees what other processes wrote. Raises `EmptyLibraryError`."""
        self.library.reopen_if_moved()
        if not self.library.catalogue.count():
            raise EmptyLibraryError(
                f"{self.library.home} has no papers yet: add some with `assistant index FILE`, or the starter library with "
                "`assistant index --starter`"
            )

    def find(
        self, question: Question, context: Context, filters: Filters, picked: set[str] | None = None, joined: bool | None = None
    ) -> RetrievalResult:
        """`joined`: whether the question is read with the turn before; by default as it seems meant."""
        allowed = picked if picked is not None else self.allowed(filters)
        found = self.retriever(self.library, question.text, context, allowed, self.weights, joined)
        if self.reranker is None:
            return by_maxsim(self.library, found, self.weights) if self.weights.maxsim else found
        seen = self.library.papers([hit.paper_id for hit in found.hits[: self.settings.papers_reranked]])
        return replace(found, hits=tuple(rerank(self.reranker, found.query, found.hits, seen)))

    def widened(self, found: RetrievalResult, filters: Filters, picked: set[str] | None = None) -> RetrievalResult:
        """Ranked for a theme, where the question is for one, no reranker is in charge and no paper is picked."""
        if picked or self.reranker is not None or not understood(found.question, self.library.embedder).wants_several:
            return found
        return by_prf(self.library, found, self.allowed(filters), self.weights)

    def allowed(self, filters: Filters) -> set[str] | None:
        return self.library.allowed(filters) if filters != Filters() else None

    def as_retrieved(self, found: RetrievalResult, k: int) -> list[RetrievedPaper]:
        scores = {hit.paper_id: hit.score for hit in found.hits[:k]}
        return [_retrieved(paper, scores[paper.paper_id]) for paper in self.library.papers(list(scores))]


class Retriever(Protocol):
    """Finds papers for a question. Safe to call from several threads."""

    def __call__(
        self, library: Library, question: str, context: Context, allowed: set[str] | None, weights: Weights, joined: bool | None
    ) -> RetrievalResult:
        """The papers nearest to a question, of those `allowed` (None: all), best first. `joined`: whether it must be read with the
        turn before; None: as it seems meant."""
        ...


class Generator(Protocol):
    """Makes an answer of evidence, without an LLM. Safe to call from several threads."""

    def __call__(self, request: Request, either: bool) -> Draft:
        """The draft; every citation is a sentence of a source. `either`: whether the second paper may be meant as well as the first."""
        ...


@dataclass(frozen=True)
class Settled:
    """A finished answer or decline, and how sure it is."""

    draft: Draft
    mode: str
    confidence: float
    papers: tuple[RetrievedPaper, ...] = ()
    """The papers found, best first."""


@dataclass(frozen=True)
class Classified:
    """A question about papers, ready to be searched for."""

    question: Question
    """As it is read: a name may be mended, or the question before be asked of one paper."""
    context: Context
    picked: set[str] | None
    """Id of the one paper that the user picked, where one was."""


@dataclass(frozen=True)
class Ranked:
    """The papers found, ranked."""

    question: Question
    """As retrieval read it."""
    result: RetrievalResult
    papers: tuple[RetrievedPaper, ...]
    in_domain: bool
    sides: tuple[tuple[str, str | None], ...] = ()
    """Of a comparison: each side as the question calls it, and the id of its paper; None where the library has none by that name."""


@dataclass(frozen=True)
class Selected:
    """The papers that may be quoted, looked into."""

    question: Question
    result: RetrievalResult
    papers: tuple[RetrievedPaper, ...]
    studies: tuple[Study, ...]
    """Best first; at least one."""
    sides: tuple[tuple[str, str | None], ...] = ()
    """As of `Ranked`."""


class _Run:
    """One question on its way to an answer. It keeps the books (timings, warnings, usage); what a stage finds, the next is given."""

    def __init__(self, assistant: Assistant, question: Question, history: Sequence[Turn], filters: Filters, stop: threading.Event) -> None:
        self._assistant = assistant
        self._stop = stop
        self._asked = question.text
        self._question = question
        self._history = history
        self._filters = filters
        self._started = time.perf_counter()
        self._timings: dict[str, float] = {"retrieve": 0.0, "read": 0.0, "generate": 0.0, "first_text": 0.0, "total": 0.0}
        self._warnings: list[str] = []
        self._usage: Usage | None = None
        self._failure = assistant.unusable
        """What went wrong with the LLM, if it did."""

    def events(self) -> Iterator[Event]:
        """The stages in order. One that settles the answer ends it."""
        self._assistant.open()
        classified = self._classify()
        if isinstance(classified, Settled):
            yield from self._settle(classified, first=True)
            return
        ranked = self._retrieve(classified)
        yield Retrieved(ranked.papers)
        selected = self._declined_before_reading(classified, ranked) or self._select_evidence(ranked)
        if isinstance(selected, Settled):
            yield from self._settle(selected)
            return
        selected, verdict = self._read_alone(classified, selected, self._decide(classified, selected))
        written = yield from self._generate_and_verify(selected, verdict)
        if written is None:
            yield from self._settle(self._quote(classified, selected, verdict))
        elif written.draft.answered:
            yield Done(self._answer(written))
        else:
            yield from self._settle(written)

    def _classify(self) -> Classified | Settled:
        """What is asked, and of what; settled where no abstract needs to be read for it."""
        library = self._assistant.library
        if self._filters == Filters() and (told := talk(self._question, library, first=not self._history)):
            return Settled(told, EXTRACTIVE, 1.0)
        context = self._context()
        if (found := self._from_records(context)) is not None:
            return found
        question, picked = self._pick()
        if chooses_among(question.text) and len(context.cited) > 1 and self._filters == Filters():
            self._filters = Filters(papers=context.cited)
        return Classified(self._with_mended_names(question), context, picked)

    def _retrieve(self, asked: Classified) -> Ranked:
        """The papers found and ranked, alone or with the turn before, for a theme by prf too."""
        assistant = self._assistant
        with _Timer(self._timings, "retrieve"):
            context = Context() if asked.picked else asked.context
            result = assistant.find(asked.question, context, self._filters, asked.picked)
            in_domain = (
                is_in_domain(result) or _stays_with_its_paper(result, asked.context) or self._names_the_first(asked.question, result)
            )
            if not in_domain and not asked.picked and not result.before and leans_back(result.question):
                joined = assistant.find(asked.question, asked.context, self._filters, joined=True)
                if joined.before and is_in_domain(joined):
                    result, in_domain = joined, True
            question = understood(result.question, assistant.library.embedder)
            if in_domain:
                result = assistant.widened(result, self._filters, asked.picked)
            sides: tuple[tuple[str, str | None], ...] = ()
            if question.wants_comparison and in_domain and not asked.picked:
                result, sides = self._with_sides(question, result)
            papers = tuple(sorted(assistant.as_retrieved(result, _RETRIEVED), key=lambda paper: -paper.score))
        told = [f"read “{typed}” as “{read}”" for typed, read in result.respelled]
        self._warnings += [one for one in told if one not in self._warnings]  # a question may be searched for twice
        return Ranked(question, result, papers, in_domain, sides)

    def _with_sides(self, question: Question, result: RetrievalResult) -> tuple[RetrievalResult, tuple[tuple[str, str | None], ...]]:
        """Each side of a comparison sought for itself, and their papers before all others; as found where the sides are not plain. One side
        is told of a first paper that compares them itself: it alone answers."""
        library = self._assistant.library
        if not (sides := sides_of(question.text)) or not (first := library.papers([hit.paper_id for hit in result.hits[:1]])):
            return result, ()
        named = all(names_in(f"a {side}") for side in sides)
        if not named and all(holds_side(f"{first[0].display_title} {first[0].abstract}", side, library) for side in sides):
            return result, ((" / ".join(sides), first[0].paper_id),)
        columns = " ".join(columns_of(question.text, sides, library))
        taken: dict[str, PaperHit] = {}
        told: list[tuple[str, str | None]] = []
        for side in sides:
            found = self._assistant.find(understood(f"{side} {columns}".strip(), library.embedder), Context(), self._filters)
            hit = self._of_side(side, found, taken, named)
            if not named and (hit is None or hit.paper_id not in {one.paper_id for one in result.hits[:_RETRIEVED]}):
                return result, ()  # a phrase alone may lead far from the question
            told.append((side, hit.paper_id if hit else None))
            if hit is not None:
                taken[hit.paper_id] = next((one for one in result.hits if one.paper_id == hit.paper_id), hit)
        if not taken:
            return result, ()
        hits = (*taken.values(), *(hit for hit in result.hits if hit.paper_id not in taken))
        return replace(result, hits=hits), tuple(told)

    def _of_side(self, side: str, found: RetrievalResult, taken: Collection[str], named: bool) -> PaperHit | None:
        """The paper of a side: the nearest whose title has its name, else whose abstract; of what is no name, the nearest."""
        library = self._assistant.library
        hits = [hit for hit in found.hits[:_LOOKED_AT] if hit.paper_id not in taken]
        papers = {paper.paper_id: paper for paper in library.papers([hit.paper_id for hit in hits]) if paper.abstract}
        able = [hit for hit in hits if hit.paper_id in papers]
        in_title = [hit for hit in able if holds_side(papers[hit.paper_id].display_title, side, library)]
        held = in_title or [hit for hit in able if holds_side(papers[hit.paper_id].abstract, side, library)]
        return next(iter(held or (() if named else able)), None)

    def _declined_before_reading(self, asked: Classified, ranked: Ranked) -> Settled | None:
        """Declined for a name that the library lacks, or as a question of another field."""
        if missing := self._missing_names(ranked.question):
            return self._declined(f"it has nothing by the name {_listed(missing)}", ranked.papers)
        if not ranked.in_domain and not asked.picked:
            return self._declined(self._why_far(ranked.result), ranked.papers)
        return None

    def _select_evidence(self, ranked: Ranked) -> Selected | Settled:
        """The first papers with an abstract, looked into: matched, read, their sentences weighed."""
        result = self._without_bare(ranked)
        if isinstance(result, Paper):
            return self._declined(f"of “{result.display_title}” only the title is here, no abstract", ranked.papers)
        assistant, question = self._assistant, ranked.question
        with _Timer(self._timings, "read"):
            matcher = assistant.readers.matcher
            if matcher is not None and assistant.settings.papers_read:
                result = matched(assistant.library, matcher, result, _MATCHED)
            wanted = max(papers_wanted(question), sum(paper_id is not None for _, paper_id in ranked.sides))
            reads = min(wanted, assistant.settings.papers_read)
            if assistant.writer is not None:
                wanted = max(wanted, assistant.settings.papers_in_prompt)
            studies = study(assistant.library, assistant.readers, result, question, result.hits[: max(wanted, 2)], reads)
        if not studies:
            return self._declined("the papers found are still being indexed", ranked.papers)
        return Selected(question, result, ranked.papers, tuple(studies), ranked.sides)

    def _decide(self, asked: Classified, selected: Selected) -> Verdict:
        """Whether the papers answer, and how sure that is."""
        question, first = selected.question, selected.studies[0]
        verdict = judge(
            selected.result, selected.studies, question, papers_wanted(question), self._is_named(question, first, asked.context)
        )
        return replace(verdict, answerable=False, confidence=0.0) if _names_another(selected, self._assistant.library) else verdict

    def _read_alone(self, asked: Classified, selected: Selected, verdict: Verdict) -> tuple[Selected, Verdict]:
        """Read without the turn before, where the question can stand alone and is answered so: no turn before makes a decline, and
        none answers what leans on nothing in it and is more likely than not answered rightly alone."""
        text = asked.question.text
        able = self._can_stand_alone(text) or (_names_another(selected, self._assistant.library) and not leans_back(text))
        if not selected.result.before or not able or (verdict.answerable and leans_back(text)):
            return selected, verdict
        anew = replace(asked, context=Context())
        ranked = self._retrieve(anew)
        alone = self._select_evidence(ranked) if ranked.in_domain else None
        if not isinstance(alone, Selected):
            return selected, verdict
        own = self._decide(anew, alone)
        stays = not own.answerable or (verdict.answerable and own.confidence < _SURE_ALONE)
        return (selected, verdict) if stays else (alone, own)

    def _generate_and_verify(self, selected: Selected, verdict: Verdict) -> Generation[Settled | None]:
        """Streams an LLM's answer, checked sentence by sentence; None where there is no LLM, or it failed."""
        if self._assistant.writer is None:
            return None
        draft = yield from self._generated(self._assistant.writer, self._request(selected))
        if draft is None:
            return None
        if not draft.answered:
            declined = self._declined(draft.reason or "", selected.papers)
            return replace(declined, mode=self._assistant.mode, confidence=_DOUBTED * verdict.confidence)
        confidence = written_confidence(verdict.confidence, [citation.supported for citation in draft.citations])
        return Settled(draft, self._assistant.mode, confidence, selected.papers)

    def _quote(self, asked: Classified, selected: Selected, verdict: Verdict) -> Settled:
        """The answer by quoting, or the decline where the papers do not state it."""
        if not verdict.answerable and not asked.picked and not asked.context.pointed_at(selected.result.question):
            if self._failure:
                self._warnings.append(f"{self._failure}. The papers were judged without it")
            declined = self._declined(self._why_unstated(selected), selected.papers)
            return replace(declined, confidence=verdict.confidence)
        either = verdict.confidence < _UNSURE and _is_close(selected)
        if self._failure:
            self._warnings.append(f"{self._failure}. This answer quotes the papers instead")
        with _Timer(self._timings, "generate"):
            draft = self._assistant.generator(self._request(selected), either)
        self._warn(draft, selected, verdict.confidence)
        return Settled(draft, EXTRACTIVE, verdict.confidence, selected.papers)

    def _from_records(self, context: Context) -> Settled | None:
        """What is answered without reading an abstract: an instruction on the last answer, or a question about the papers as records;
        None where neither is asked."""
        question, library = self._question, self._assistant.library
        last = self._history[-1][1] if self._history and not isinstance(self._history[-1], str) else None
        leans = question.intent.group == "instruction" and question.intent.name != "pick"
        all_of_them = question.wants_summary and not summarized(question) and len(context.cited) > 1
        if last is not None and (leans or all_of_them or asks_for_others(question.text) or self._asks_a_record(question)):
            rewrites = question.intent.name in ("shorter", "longer", "simpler", "summary")
            if not (rewrites and self._assistant.writer) and (draft := carry_out(question, context, last, library)):
                return self._shown(draft, ())
        if question.intent.name == "pick" and context.cited and (year := lacks_year(question.text, context, library)):
            return self._declined(f"none of the papers of the last answer is known to be of {year}", ())
        if question.intent.group != "records":
            return None
        if context.cited and points_back(question.text):
            at_hand = records_at_hand(question, context, library)
            return None if at_hand is None else self._shown(at_hand, ())
        draft, papers = self._of_records()
        return None if draft is None else self._shown(draft, papers)

    def _asks_a_record(self, question: Question) -> bool:
        """Whether a record is asked for and no paper named, so that it is the one at hand."""
        theme = {word.lower() for word in theme_of(question.text, self._assistant.library).split()}
        words = set(self._assistant.library.lexical.terms(question.text).words)
        return (question.intent.name == "record" and theme <= RECORD_WORDS) or (bool(words) and words <= FIELDS)

    def _of_records(self) -> tuple[Draft | None, tuple[RetrievedPaper, ...]]:
        """A count, a list, or one paper's record, with the papers found for it; None where it is not told which."""
        question, assistant = self._question, self._assistant
        library, name = assistant.library, question.intent.name
        wanted = wanted_of(question.text, library, newest=name == "newest")
        if wanted.everything and self._filters == Filters():
            if name == "newest":
                return newest(library, min(NEWEST_AT_MOST, wanted.number or NEWEST_AT_MOST)), ()
            return None if name == "record" else contents(library), ()
        found: RetrievalResult | None = None
        papers: tuple[RetrievedPaper, ...] = ()
        if wanted.theme:
            with _Timer(self._timings, "retrieve"):
                theme = understood(wanted.theme, library.embedder)
                found = assistant.find(theme, Context(), self._filters)
                wanted = replace(wanted, theme=found.question)
            self._warnings += [f"read “{typed}” as “{read}”" for typed, read in found.respelled]
            papers = tuple(assistant.as_retrieved(found, _RETRIEVED))
            if name == "record":
                first = library.papers([hit.paper_id for hit in found.hits[:1]])
                if first and self._titles(wanted.theme, first[0]) and (tells_record(first[0]) or not question.intent.unsure):
                    return record_of(first), papers
        if name == "record" and wanted.filters == Filters():
            return None, papers
        return answer_records(question, wanted, found, library, assistant.allowed(self._filters)), papers

    def _shown(self, draft: Draft, papers: Sequence[RetrievedPaper]) -> Settled:
        """The draft; the papers that it cites lead those that were found."""
        ids = list(dict.fromkeys(citation.paper_id for citation in draft.citations))
        cited = tuple(_retrieved(paper, 1.0) for paper in self._assistant.library.papers(ids))
        shown = (*cited, *(paper for paper in papers if paper.paper_id not in ids))[: max(_RETRIEVED, len(cited))]
        return Settled(draft, EXTRACTIVE, 1.0 if draft.answered else 0.0, shown)

    def _pick(self) -> tuple[Question, set[str] | None]:
        """The question; where an instruction picks one paper at hand (`the 2023 one`), the question before and that paper."""
        if self._question.intent.name != "pick" or not self._history:
            return self._question, None
        context = context_of(self._history)
        papers = papers_at_hand(self._question.text, context, self._assistant.library, picking=True)
        if not papers or not context.previous:
            return self._question, None
        return understood(context.previous, self._assistant.library.embedder), {papers[0].paper_id}

    def _with_mended_names(self, question: Question) -> Question:
        """With a misspelt name read as the library's own."""
        text, read = with_known_names(question.text, self._assistant.library)
        self._warnings += [f"read “{typed}” as “{name}”" for typed, name in read]
        return understood(text, self._assistant.library.embedder) if read else question

    def _missing_names(self, question: Question) -> list[str]:
        """The names asked about that the library lacks; of a question that spans papers only where it is about nothing else."""
        library = self._assistant.library
        missing = lacking(question, library)
        if missing and papers_wanted(question) > 1 and not is_about(question, missing, library):
            self._warnings.append(f"the library has nothing by the name {_listed(missing)}")
            return []
        return missing

    def _context(self) -> Context:
        """What the history lends the question; nothing where it says enough by itself after a turn that found no answer."""
        context, text = context_of(self._history), self._question.text
        return Context() if context.declined and self._can_stand_alone(text) else context

    def _can_stand_alone(self, text: str) -> bool:
        """Whether a question says enough by itself, and has no word for something in the turn before."""
        return not points_back(text) and len(self._assistant.library.lexical.terms(text).words) >= _SAYS_ENOUGH

    def _names_the_first(self, question: Question, result: RetrievalResult) -> bool:
        """Whether a question is about a name and nothing else, and the title of the paper found first has it."""
        library = self._assistant.library
        names = [name for name in names_in(question.text) if is_about(question, [name], library)]
        first = library.papers([hit.paper_id for hit in result.hits[:1]]) if names else []
        return any(holds_name(paper.display_title, name) for paper in first for name in names)

    def _is_named(self, question: Question, first: Study, context: Context) -> bool:
        """Whether a summary of this paper is asked for: by its title, by the name it introduces, or as the paper of the turn before."""
        if not question.wants_summary:
            names = names_in(question.text) if question.intent.name == "definition" else []
            library = self._assistant.library
            return any(introduces(first.paper.display_title, name) and is_about(question, [name], library) for name in names)
        subject = summarized(question)
        if not subject:
            return first.paper.paper_id in context.cited
        return self._titles(subject, first.paper)

    def _titles(self, subject: str, paper: Paper) -> bool:
        """Whether a paper's title holds most of what a subject says."""
        lexical = self._assistant.library.lexical
        weights, held = lexical.terms(subject).weights, lexical.terms_in(paper.display_title)
        return sum(weight for term, weight in weights.items() if term in held) >= _NAMED * sum(weights.values())

    def _warn(self, draft: Draft, selected: Selected, confidence: float) -> None:
        """Says where an answer that is meant to quote one paper may mislead."""
        first, papers = selected.studies[0], selected.papers
        if papers_wanted(selected.question) != 1:
            return
        if first.reading is not None and first.reading.contradicts > _DENIED:
            self._warnings.append("the paper may deny what the question takes for granted: compare the quoted sentences")
        if len({citation.paper_id for citation in draft.citations}) > 1:
            self._warnings.append("two papers come about equally near: either may answer")
        elif (confidence < _UNSURE or selected.question.intent.unsure) and len(papers) > 1:
            self._warnings.append(f"unsure: “{papers[1].display_title}” comes next")

    def _generated(self, writer: Writer, request: Request) -> Generation[Draft | None]:
        """Streams the LLM's answer; returns its draft, or None where the LLM failed."""
        given = replace(request, sources=near_the_first(request.sources[: self._assistant.settings.papers_in_prompt]))
        finished: Draft | None = None
        shown = False
        library = self._assistant.library
        with _Timer(self._timings, "generate"):
            try:
                for piece in generate(
                    writer, given, Judge(library.lexical.terms_in, acts_by(library.embedder), self._assistant.verifier), self._stop
                ):
                    if isinstance(piece, Draft):
                        finished = piece
                        self._used(piece.usage)
                    elif isinstance(piece, Reset):
                        shown = False
                        yield piece
                    else:
                        shown = True
                        self._note_first_text()
                        yield Text(piece)
            except LLMFailedError as error:
                self._used(error.usage)
                self._failure = str(error)
                if shown:
                    yield Reset(self._failure, unfinished=True)
        if shown and finished is not None and not finished.answered:
            yield Reset(finished.reason or "")
        return finished

    def _used(self, usage: Usage | None) -> None:
        """Notes what an LLM used, and what that cost."""
        settings = self._assistant.settings
        self._usage = (usage or Usage()).priced(settings.llm_price_in, settings.llm_price_out)

    def _settle(self, settled: Settled, first: bool = False) -> Iterator[Event]:
        """The events of an answer that was not streamed. `first`: whether no papers were told yet."""
        if first:
            yield Retrieved(settled.papers)
        for number, line in enumerate(settled.draft.text.splitlines(keepends=True)):
            if number == 0:
                self._note_first_text()
            yield Text(line)
        yield Done(self._answer(settled))

    def _without_bare(self, ranked: Ranked) -> RetrievalResult | Paper:
        """Without the papers that are known by their titles alone; or the one of these that leads, so that no other may answer for it."""
        hits = ranked.result.hits
        first = self._assistant.library.papers([hit.paper_id for hit in hits[:_LOOKED_AT]])
        bare = {paper.paper_id: paper for paper in first if not paper.abstract}
        rest = tuple(hit for hit in hits if hit.paper_id not in bare)
        leads = bool(bare) and hits[0].paper_id in bare and (not rest or hits[0].score - rest[0].score >= _CLOSE)
        if leads and (papers_wanted(ranked.question) == 1 or not rest):
            return bare[hits[0].paper_id]
        return replace(ranked.result, hits=rest)

    def _request(self, selected: Selected) -> Request:
        sources = tuple(Source(one.paper, one.sentences, one.hit.score) for one in selected.studies if one.sentences)
        earlier = tuple(questions(self._history))
        request = Request(selected.question, selected.result.terms, sources, earlier, tuple(replies(self._history)))
        if self._assistant.writer is not None and not self._failure:
            return request
        if len(selected.sides) == 1:
            return replace(request, sources=sources[:1])
        if selected.question.wants_comparison and len(sources) > 1:
            return replace(request, table=self._table(selected, sources))
        if selected.question.wants_overview:
            shown = sources[: papers_wanted(selected.question)]
            return replace(request, groups=grouped(shown, selected.question.text, self._assistant.library))
        return request

    def _table(self, selected: Selected, sources: Sequence[Source]) -> Table:
        """What each side's paper says of what a comparison asks."""
        library, text = self._assistant.library, selected.question.text
        of = {source.paper.paper_id: source for source in sources}
        rows = [(side, of.get(paper_id) if paper_id else None) for side, paper_id in selected.sides if not paper_id or paper_id in of]
        if len(rows) < 2 or all(source is None for _, source in rows):
            rows = [("", source) for source in sources[:2]]
        sides = [side for side, _ in selected.sides] or sides_of(text)
        columns = columns_of(text, sides, library) if sides else ()  # what is left of a question is asked of each only beside plain sides
        return table_of(columns, rows, lambda asked, source: self._look(selected, asked, source), library)

    def _look(self, selected: Selected, asked: str, source: Source) -> tuple[Source, float]:
        """A paper looked into for another question: its sentences' odds to answer that, and the probability that it does."""
        assistant, library = self._assistant, self._assistant.library
        terms, vector = library.lexical.terms(asked), library.embedder.embed_queries([asked])[0]
        found = replace(selected.result, question=asked, query=asked, vector=vector, terms=terms, own=terms, before="")
        hit = next(one.hit for one in selected.studies if one.paper.paper_id == source.paper.paper_id)
        reads = 1 if assistant.settings.papers_read else 0
        studies = study(library, assistant.readers, found, understood(asked, library.embedder), [replace(hit, match=None)], reads)
        if not studies:
            return source, 0.0
        reading = studies[0].reading
        return replace(source, sentences=studies[0].sentences), reading.answers if reading else 0.0

    def _why_far(self, result: RetrievalResult) -> str:
        if not result.hits:
            wanted = self._filters.in_words()
            return f"no paper passes the filter ({wanted})" if wanted else "no paper was found"
        unknown = self._words(result, result.own.unknown)
        if unknown:
            return f"no paper comes near the question; the library never mentions {_listed(unknown)}"
        return "no paper comes near the question"

    def _why_unstated(self, selected: Selected) -> str:
        """What of the question the nearest paper does not say."""
        first, result = selected.studies[0], selected.result
        held = self._assistant.library.lexical.terms_in(f"{first.paper.display_title} {first.paper.abstract}")
        lacking = self._words(result, frozenset(term for term in result.own.weights if term not in held))
        title = f"the nearest abstract, “{first.paper.display_title}”,"
        return f"{title} does not say; it never mentions {_listed(lacking)}" if lacking else f"{title} is on the subject but does not say"

    def _words(self, result: RetrievalResult, terms: frozenset[str]) -> list[str]:
        """The question's words of these terms, the weightiest first."""
        terms_in, weights = self._assistant.library.lexical.terms_in, result.own.weights
        found = [word for word in result.own.words if len(word) > 1 and terms_in(word) & terms]
        return sorted(found, key=lambda word: -max(weights.get(term, 0.0) for term in terms_in(word)))[:_WORDS_NAMED]

    def _declined(self, reason: str, papers: tuple[RetrievedPaper, ...]) -> Settled:
        lines = [f"{NO_ANSWER}: {reason}."]
        nearest = papers[:_NAMED_WHEN_DECLINED]
        if nearest:
            lines.append("The nearest papers, which do not answer it:")
            lines += [f"- {paper.display_title}" for paper in nearest]
        return Settled(Draft("\n".join(lines), (), answered=False, reason=reason), EXTRACTIVE, 0.0, papers)

    def _answer(self, settled: Settled) -> Answer:
        self._timings["total"] = _ms(self._started)
        draft = settled.draft
        return Answer(
            question=self._asked,
            text=draft.text,
            answered=draft.answered,
            mode=settled.mode,
            confidence=round(settled.confidence, 4),
            reason=draft.reason,
            citations=draft.citations,
            retrieved=settled.papers,
            warnings=(*self._warnings, *draft.warnings),
            timings_ms={stage: round(ms, 2) for stage, ms in self._timings.items()},
            usage=self._usage,
        )

    def _note_first_text(self) -> None:
        if not self._timings["first_text"]:
            self._timings["first_text"] = _ms(self._started)


def _stays_with_its_paper(result: RetrievalResult, context: Context) -> bool:
    """Whether a question read with the turn before finds the paper first that answered that: then it is of the field as that was,
    however few words it has of its own (`and that one?`)."""
    return bool(result.before and result.hits and result.hits[0].paper_id in context.cited)


def _names_another(selected: Selected, library: Library) -> bool:
    """Whether a question that is read with the turn before has a name that neither the first paper has, nor the title of another that
    it is compared with: then none speaks of it. Of the training follow-ups that their paper answers none has one, of the others a sixth."""
    first, *others = selected.studies[: papers_wanted(selected.question) if selected.question.wants_comparison else 1]
    texts = [f"{first.paper.display_title} {first.paper.abstract}", *(one.paper.display_title for one in others)]
    if not selected.result.before:
        return False
    asked = selected.question
    names = [name for name in names_in(asked.text) if is_particular(name) or is_about(asked, [name], library)]
    return any(not any(holds_name(text, name) for text in texts) for name in names)


def _is_close(selected: Selected) -> bool:
    hits = selected.result.hits
    return papers_wanted(selected.question) == 1 and len(hits) > 1 and hits[0].score - hits[1].score < _CLOSE


class _Timer:
    """Adds how long its block took, in milliseconds."""

    def __init__(self, timings: dict[str, float], stage: str) -> None:
        self._timings = timings
        self._stage = stage

    def __enter__(self) -> None:
        self._started = time.perf_counter()

    def __exit__(self, *raised: object) -> None:
        self._timings[self._stage] += _ms(self._started)


def _writer(chosen: str | LLM, settings: Settings, temperature: float = 0.0, by_user: bool = True) -> tuple[Writer | None, str]:
    """What writes the answers: a named LLM, retried here; a given one, whose retries are its own; None for extractive.

    Also None, with the reason why, for an LLM that cannot be used here and now: answers then quote. Raises
    `UnknownLLMError` for what names none. `by_user`: whether the user himself named it.
    """
    policy = RetryPolicy(longest_seconds=5 * settings.llm_timeout, silence_seconds=settings.llm_timeout)
    if not isinstance(chosen, str):
        return Writer(chosen, chosen.metadata.model_name, replace(policy, retries=0)), ""
    options = LLMOptions(settings.llm_timeout, settings.llm_context)
    answer_tokens = min(options.answer_tokens, settings.llm_context // 2)
    options = replace(options, answer_tokens=answer_tokens, temperature=temperature, by_user=by_user)
    try:
        llm = load_llm(chosen, options)
    except (MissingKeyError, MissingExtraError, UnknownModelError, LLMFailedError, SettingsError) as error:
        return None, str(error)
    return (None if llm is None else Writer(llm, chosen, policy)), ""


def _ms(started: float) -> float:
    return (time.perf_counter() - started) * 1000.0


def _retrieved(paper: Paper, score: float) -> RetrievedPaper:
    return RetrievedPaper(paper.paper_id, paper.title, paper.display_title, round(score, 4), paper.date, link(paper))


def _listed(words: Sequence[str]) -> str:
    quoted = [f"“{word}”" for word in words]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"
