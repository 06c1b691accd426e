"""A warm search beside the bare encoding of its question, and a warm answer beside the bare reading of the papers it looks into.

Question by question in turn, in one process, after one of each that is not counted. The bare encoding is
sentence-transformers'. The bare reading is of each paper that is matched the encoding by the same, and of each that is
read the reader's network in torch over the same tokens, as it was trained, all such papers of a question in one batch or
one after the other, whichever is the faster. A paper that an earlier question matched is not encoded again by us.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from assistant import Assistant
from assistant.evidence import reader_weights
from assistant.evidence.matcher import Match, PaperMatcher, Rarity
from assistant.evidence.pairs import Pair
from assistant.evidence.reader import PaperReader, Reading, Text
from eval.bench import bare
from eval.bench.figures import Lap, Part, Plan, Ratio, Row, in_turn, lap, quantile, ratio, row
from index.embedding import MiniLM
from index.embedding.minilm import installed
from index.embedding.tokens import SEP

_SEARCH_WANTED = 1.5
_ANSWER_WANTED = 1.2
_TRIED = 8
"""Readings that the two ways of reading are tried on."""


def measure_search(plan: Plan) -> Part:
    """`Assistant.search` for every question."""
    encode = bare.encoding()
    with closing(Assistant(plan.home, "extractive")) as assistant:
        in_turn([lambda: encode(plan.questions[0]), lambda: assistant.search(plan.questions[0])])
        laps = []
        for question in plan.questions:
            laps.append(in_turn([lambda q=question: encode(q), lambda q=question: assistant.search(q)]))  # type: ignore[misc]
        papers = assistant.library.catalogue.count()
    encoded, ours = zip(*laps, strict=True)
    return Part(
        "search",
        "A warm search",
        {"questions": len(plan.questions), "papers": papers},
        rows=(row("bare encode of the question", encoded), row("search", ours), _late("search, of 20 the slowest but one", ours)),
        ratios=(ratio("search / bare encode", ours, encoded, _SEARCH_WANTED),),
    )


def measure_answer(plan: Plan) -> Part:
    """`Assistant.answer` for every question, extractive."""
    encode = bare.encoding()
    with closing(Assistant(plan.home, "extractive")) as assistant:
        if assistant.readers.reader is None or not isinstance(assistant.library.embedder, MiniLM):
            return Part("answer", "A warm answer", {}, notes=("Not measured: no paper is read here; `assistant status` says why.",))
        read = _BareReading(assistant.library.embedder)
        noted = _Noting(assistant.readers.reader, assistant.readers.matcher)
        papers = assistant.library.catalogue.count()
        assistant.answer(plan.questions[0])
        read.choose(_noted(assistant, noted, plan.questions))
        laps: list[tuple[Lap, Lap, Lap]] = []
        all_answers = []
        for question in plan.questions:
            answer = lap(lambda q=question: assistant.answer(q))  # type: ignore[misc]
            all_answers.append(answer)
            with noted.into(assistant):
                assistant.answer(question)  # again, to note what is read
            if noted.pairs_read:
                network, matched = read.of(noted.pairs_read), list(noted.matched)
                bare_reading = lap(lambda n=network, m=matched: (n(), [encode(text) for text in m]))  # type: ignore[misc]
                laps.append((answer, bare_reading, lap(lambda q=question: encode(q))))  # type: ignore[misc]
    ratios: tuple[Ratio, ...] = ()
    rows: tuple[Row, ...] = (row("answer", all_answers), _late("answer, of 20 the slowest but one", all_answers))
    if laps:
        ours, reading, encoded = zip(*laps, strict=True)
        rows += (row("answer that reads papers", ours), row("bare reading of the same papers, and bare encoding of those matched", reading))
        ratios = (ratio("answer / bare reading", ours, reading, _ANSWER_WANTED), ratio("answer / bare encode", ours, encoded))
    return Part(
        "answer",
        "A warm answer",
        {
            "questions": len(all_answers),
            "that_read": len(laps),
            "papers": papers,
            "papers_read": assistant.settings.papers_read,
            "bare_reading": "in one batch" if read.at_once else "one after the other",
        },
        rows=rows,
        ratios=ratios,
    )


Asked = Sequence[tuple[str, str, Text]]
"""What a question has the reader read: the question, the turns before, a paper."""


def _noted(assistant: Assistant, noted: _Noting, questions: Sequence[str]) -> list[Asked]:
    """What the first questions that read anything have read."""
    found: list[Asked] = []
    for question in questions:
        if len(found) == _TRIED:
            break
        with noted.into(assistant):
            assistant.answer(question)
        if noted.pairs_read:
            found.append(list(noted.pairs_read))
    return found


class _BareReading:
    """The reader's network in torch."""

    at_once = True
    """Whether all papers of a question are read in one batch."""

    def __init__(self, embedder: MiniLM) -> None:
        self._embedder = embedder
        from eval.train.encoder import base_model, with_weights
        from eval.train.reader_network import ReaderNetwork

        self._network = with_weights(ReaderNetwork(base_model(installed())), reader_weights.FILE)

    def choose(self, tried: Sequence[Asked]) -> None:
        """Takes the faster of the two ways, by the processor's time on these."""
        took = {}
        for self.at_once in (True, False):
            calls = [self.of(asked) for asked in tried]
            in_turn(calls[:1])
            took[self.at_once] = sum(one.cpu for one in in_turn(calls))
        self.at_once = took[True] <= took[False]

    def of(self, asked: Asked) -> Callable[[], object]:
        """A call that reads these pairs, tokens made beforehand."""
        import torch

        from eval.train.reader_network import collate

        pairs = [self._pair(*one) for one in asked]
        batches = [pairs] if self.at_once else [[pair] for pair in pairs]

        def read() -> object:
            with torch.inference_mode():
                return [self._network(collate(batch)) for batch in batches]

        return read

    def _pair(self, question: str, before: str, text: Text) -> Pair:
        earlier, own, title, *sentences = self._embedder.token_ids([before, question, text.title, *text.sentences])
        return Pair([*earlier, SEP, *own] if before else own, title, sentences, text.search, text.cosines)


@dataclass
class _Noting:
    """A reader and matcher that notes what it is asked to look into."""

    reader: PaperReader
    matcher: PaperMatcher | None
    pairs_read: list[tuple[str, str, Text]] = field(default_factory=list)
    matched: list[str] = field(default_factory=list)
    """Title and abstract of papers that were matched."""

    def match(self, question: str, before: str, title: str, sentences: tuple[str, ...], rarity: Rarity) -> Match:
        assert self.matcher is not None
        self.matched.append(" ".join([title, *sentences]))
        return self.matcher.match(question, before, title, sentences, rarity)

    def read(self, question: str, before: str, texts: Sequence[Text]) -> list[Reading]:
        self.pairs_read += [(question, before, text) for text in texts]
        return self.reader.read(question, before, texts)

    def into(self, assistant: Assistant) -> _Lent:
        """Puts it in the reader's place for a block."""
        self.pairs_read.clear()
        self.matched.clear()
        return _Lent(assistant, self)


class _Lent:
    """An assistant's readers, replaced within a block."""

    def __init__(self, assistant: Assistant, noting: _Noting) -> None:
        self._assistant = assistant
        self._own = assistant.readers
        self._noting = noting

    def __enter__(self) -> None:
        from dataclasses import replace

        matcher = None if self._own.matcher is None else self._noting
        self._assistant.readers = replace(self._own, reader=self._noting, matcher=matcher)

    def __exit__(self, *raised: object) -> None:
        self._assistant.readers = self._own


def _late(what: str, laps: Sequence[Lap]) -> Row:
    return Row(what, 1000 * quantile([one.wall for one in laps], 0.95), "ms", 1000 * quantile([one.cpu for one in laps], 0.95))
