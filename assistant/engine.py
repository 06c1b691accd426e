"""From a question to an answer: retrieval, evidence, the verdict, the answerer, in that order.

The one place that knows all the stages. `Assistant` is what users hold.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from assistant.answer import Answer, Done, Event, Reset, Retrieved, RetrievedPaper, Text, Usage
from assistant.answering import Draft, Request, Source
from assistant.answering.extractive import compose, papers_wanted
from assistant.answering.generative import Writer, generate
from assistant.confidence import judge
from assistant.conversation import Context, Turn, context_of, leans_back, questions
from assistant.errors import EmptyLibraryError, LLMFailedError, QuestionError
from assistant.evidence import read_papers
from assistant.filters import Filters
from assistant.llms import EXTRACTIVE, LLMOptions, Patience, load_llm
from assistant.question import Question, read_question, understood
from assistant.retrieval import Found, retrieve
from assistant.settings import Settings, load_settings
from index import Library, Paper, chosen_home, open_library
from index.embedding import Embedder
from index.home import print_nothing
from index.library import Progress, no_progress

if TYPE_CHECKING:
    from llama_index.core.llms import LLM

_RETRIEVED = 10
_NAMED_WHEN_DECLINED = 3
_DOUBTED = 0.1
"""What is left of the confidence where an LLM read the papers and found no answer in them."""
_UNSURE = 0.3
"""Confidence below which an answer from one paper names the next nearest."""


class Assistant:
    """Answers questions from the papers of one home. One `Assistant` serves many threads."""

    def __init__(
        self,
        home: str | os.PathLike[str] | None = None,
        llm: str | LLM | None = None,
        *,
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
        settings say. `progress` and `announce` are told of long indexing. Raises
        `index.IndexingError`, `SettingsError`, `UnknownLLMError` or `MissingExtraError`.
        """
        self.settings = settings or load_settings(chosen_home(home)[0])
        self._writer = _writer(self.settings.llm if llm is None else llm, self.settings)
        self.mode: str = self._writer.name if self._writer else EXTRACTIVE
        self.library = library or open_library(home, embedder, progress, announce)

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

    def stream(self, question: str, history: Sequence[Turn] = (), filters: Filters | None = None) -> Iterator[Event]:
        """The events of an answer's making: `Retrieved`, `Text` and `Reset`, at last `Done`.

        Text is provisional until `Done`, whose answer supersedes it. Raises as `answer` does.
        """
        asked = read_question(question)
        return _Run(self, asked, history, filters or Filters()).events()

    def search(self, query: str, k: int = 10, filters: Filters | None = None) -> list[RetrievedPaper]:
        """The `k` papers nearest to a query, best first, with scores and no answer. Raises as `answer` does.

        `k` is at least 1; beyond some hundred, fewer papers may be found than there are.
        """
        if k < 1:
            raise QuestionError(f"{k} papers cannot be searched for: ask for 1 or more")
        found = self._find(read_question(query), Context(), filters or Filters())
        return self._retrieved(found, k)

    def close(self) -> None:
        """Lets go of the home's files."""
        self.library.close()

    def _find(self, question: Question, context: Context, filters: Filters) -> Found:
        self.library.reopen_if_moved()
        if not self.library.catalogue.count():
            raise EmptyLibraryError(
                f"{self.library.home} has no papers yet: add some with `assistant index FILE`, or the starter library with "
                "`assistant index --starter`"
            )
        allowed = self.library.allowed(filters) if filters != Filters() else None
        return retrieve(self.library, question.text, context, allowed)

    def _retrieved(self, found: Found, k: int) -> list[RetrievedPaper]:
        scores = {hit.paper_id: hit.score for hit in found.hits[:k]}
        return [_retrieved(paper, scores[paper.paper_id]) for paper in self.library.papers(list(scores))]


class _Run:
    """One question on its way to an answer."""

    def __init__(self, assistant: Assistant, question: Question, history: Sequence[Turn], filters: Filters) -> None:
        self._assistant = assistant
        self._question = question
        self._history = history
        self._filters = filters
        self._started = time.perf_counter()
        self._timings: dict[str, float] = {"retrieve": 0.0, "read": 0.0, "generate": 0.0, "first_text": 0.0, "total": 0.0}
        self._warnings: list[str] = []
        self._usage: Usage | None = None

    def events(self) -> Iterator[Event]:
        """All events in order."""
        context = context_of(self._history)
        with _Timer(self._timings, "retrieve"):
            self._found = self._assistant._find(self._question, context, self._filters)
            self._reading = understood(self._found.question)
            self._papers = tuple(self._assistant._retrieved(self._found, _RETRIEVED))
        self._warnings += [f"read “{typed}” as “{read}”" for typed, read in self._found.respelled]
        yield Retrieved(self._papers)
        if context.declined and leans_back(self._found.question):
            yield from self._finish(self._declined("it leans on the question before, which found no answer"), EXTRACTIVE, 0.0)
            return
        verdict = judge(self._found.hits, self._found.terms.unknown_share, papers_wanted(self._reading))
        if not verdict.answerable:
            yield from self._finish(self._declined(self._why_declined()), EXTRACTIVE, verdict.confidence)
            return
        with _Timer(self._timings, "read"):
            request = self._request()
        if not request.sources:
            yield from self._finish(self._declined("the papers found are still being indexed"), EXTRACTIVE, verdict.confidence)
            return
        if self._assistant._writer is not None:
            finished = yield from self._generated(self._assistant._writer, request)
            if finished is not None and not finished.answered:
                yield from self._finish(self._declined(finished.reason or ""), self._assistant.mode, _DOUBTED * verdict.confidence)
                return
            if finished is not None:
                yield Done(self._answer(finished, self._assistant.mode, verdict.confidence))
                return
        with _Timer(self._timings, "generate"):
            draft = compose(request)
        if verdict.confidence < _UNSURE and len({citation.paper_id for citation in draft.citations}) == 1 and len(self._papers) > 1:
            self._warnings.append(f"unsure: “{self._papers[1].display_title}” comes about as near")
        yield from self._finish(draft, EXTRACTIVE, verdict.confidence)

    def _generated(self, writer: Writer, request: Request) -> Generator[Event, None, Draft | None]:
        """Streams the LLM's answer; returns its draft, or None where the LLM failed."""
        given = replace(request, sources=request.sources[: self._assistant.settings.sources])
        finished: Draft | None = None
        shown = False
        with _Timer(self._timings, "generate"):
            try:
                for piece in generate(writer, given, self._assistant.library.lexical.terms_in):
                    if isinstance(piece, Draft):
                        finished = piece
                        self._usage = piece.usage
                    elif isinstance(piece, Reset):
                        shown = False
                        yield piece
                    else:
                        shown = True
                        self._note_first_text()
                        yield Text(piece)
            except LLMFailedError as error:
                self._usage = error.usage
                self._warnings.append(f"{error}. This answer quotes the papers instead")
                if shown:
                    yield Reset(str(error))
        if shown and finished is not None and not finished.answered:
            yield Reset(finished.reason or "")
        return finished

    def _finish(self, draft: Draft, mode: str, confidence: float) -> Iterator[Event]:
        for number, line in enumerate(draft.text.splitlines(keepends=True)):
            if number == 0:
                self._note_first_text()
            yield Text(line)
        yield Done(self._answer(draft, mode, confidence))

    def _request(self) -> Request:
        library = self._assistant.library
        wanted = papers_wanted(self._reading)
        if self._assistant._writer is not None:
            wanted = max(wanted, self._assistant.settings.sources)
        papers = library.papers([hit.paper_id for hit in self._found.hits[:wanted]])
        sentences = read_papers(library, self._reading, self._found.terms, self._found.vector, papers)
        scores = {hit.paper_id: hit.score for hit in self._found.hits}
        sources = tuple(
            Source(paper, tuple(evidence), scores[paper.paper_id]) for paper, evidence in zip(papers, sentences, strict=True) if evidence
        )
        return Request(self._reading, self._found.terms, sources, tuple(questions(self._history)))

    def _why_declined(self) -> str:
        if not self._found.hits:
            wanted = self._filters.in_words()
            return f"no paper passes the filter ({wanted})" if wanted else "no paper was found"
        terms = self._found.terms
        unknown = [word for word in terms.words if self._assistant.library.lexical.terms_in(word) & terms.unknown]
        if unknown:
            return f"no paper comes near the question; the library never mentions {_listed(unknown[:4])}"
        return "no paper comes near the question"

    def _declined(self, reason: str) -> Draft:
        lines = [f"The library has no answer to this: {reason}."]
        nearest = self._papers[:_NAMED_WHEN_DECLINED]
        if nearest:
            lines.append("The nearest papers, which do not answer it:")
            lines += [f"- {paper.display_title}" for paper in nearest]
        return Draft("\n".join(lines), (), answered=False, reason=reason)

    def _answer(self, draft: Draft, mode: str, confidence: float) -> Answer:
        self._timings["total"] = _ms(self._started)
        return Answer(
            question=self._question.text,
            text=draft.text,
            answered=draft.answered,
            mode=mode,
            confidence=round(confidence, 4),
            reason=draft.reason,
            citations=draft.citations,
            retrieved=self._papers,
            warnings=(*self._warnings, *draft.warnings),
            timings_ms={stage: round(ms, 2) for stage, ms in self._timings.items()},
            usage=self._usage,
        )

    def _note_first_text(self) -> None:
        if not self._timings["first_text"]:
            self._timings["first_text"] = _ms(self._started)


class _Timer:
    """Adds how long its block took, in milliseconds."""

    def __init__(self, timings: dict[str, float], stage: str) -> None:
        self._timings = timings
        self._stage = stage

    def __enter__(self) -> None:
        self._started = time.perf_counter()

    def __exit__(self, *raised: object) -> None:
        self._timings[self._stage] += _ms(self._started)


def _writer(chosen: str | LLM, settings: Settings) -> Writer | None:
    """What writes the answers: a named LLM, retried here; a given one, whose retries are its own; None for extractive."""
    if not isinstance(chosen, str):
        return Writer(chosen, chosen.metadata.model_name, Patience(retries=0, longest_seconds=5 * settings.llm_timeout))
    llm = load_llm(chosen, LLMOptions(settings.llm_timeout, settings.llm_context))
    return None if llm is None else Writer(llm, chosen, Patience(longest_seconds=5 * settings.llm_timeout))


def _ms(started: float) -> float:
    return (time.perf_counter() - started) * 1000.0


def _retrieved(paper: Paper, score: float) -> RetrievedPaper:
    return RetrievedPaper(paper.paper_id, paper.title, paper.display_title, round(score, 4), paper.date, paper.url)


def _listed(words: Sequence[str]) -> str:
    quoted = [f"“{word}”" for word in words]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"
