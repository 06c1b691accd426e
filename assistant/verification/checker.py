"""Whether papers support a sentence: rules and a small network weighed together.

Goes in: a sentence and the papers it is to rest on. Comes out: a verdict, and for each paper whether it bears the
sentence out; what several are cited for they must hold together. Contradicted is a sentence that is not supported but
says nearly what a paper says, with another figure, direction, bound or a negation. A logistic model over the signals
of `rules.py` and of the network, its weights fitted on papers that neither saw in training
(`python -m eval fit --only support`), its intercepts such that a certain share of sentences is doubted
wrongly. Without the network's weights the rules decide alone, and say so. The network reads the
sentence with the whole paper, and with its nearest sentences alone, in which it
sees better which word is wrong. What it cannot see: that a sentence leaves out a condition, what
follows only from several sentences together, and many exchanges of words that the paper uses alike.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from typing import NamedTuple, Protocol

from assistant import fitted
from assistant.errors import ReaderError
from assistant.verification import weights
from assistant.verification.figures import missing, read_figures
from assistant.verification.model import Seen, SupportModel
from assistant.verification.rules import NEAR, RULE_SIGNALS, nearest, signals

SEEN_SIGNALS = ("support", "support near", "worst near", "second near")
"""What the network adds for one paper: its logit of support by the whole paper; by its nearest sentences; in
these, those of the two words most likely wrong."""

SHARED_SIGNALS = ("support near", "worst near", "second near")
"""And for several papers together, by the sentences of any of them."""

_LEAST_PART = 0.3
"""Of a sentence's words, what each of several papers that are cited together must hold."""
_FIGURES = RULE_SIGNALS.index("figures")
_HELD = RULE_SIGNALS.index("held")
"""Place of the share of words that the paper lacks, among the rules' signals."""
_LACKED = RULE_SIGNALS.index("two best")
_CONTRARY = tuple(RULE_SIGNALS.index(name) for name in ("clash", "negated", "bound"))
LACKED_CITED, LACKED_FOUND = 0.5, 0.25
"""Of a sentence's words, what the two nearest sentences of a paper lack at most where it contradicts: of a paper that is
cited, and of one that was only found."""
_MOST_LACKING = 0.8
"""Of a sentence's words, what papers that support it lack at most: no sentence that weights were fitted on lacked more."""
_NEARLY_LACKING = 0.5
SUPPORTED_FROM = 0.5
"""Chance from which a sentence of one's own draft is supported: the point that the weights are fitted for."""
SUPPORTED_FROM_IN_ANSWERS = 0.1
"""The same for an LLM's answer, whose sentences merge and infer more than those that the weights are fitted on, and are
nearly all right. Chosen by hand, so that of `eval/support/answers.jsonl` about 3% of the right ones are doubted."""
_KEPT = 4000
"""Verdicts kept at hand."""
_FARTHEST = 30.0


class Text(NamedTuple):
    """A paper as it is checked against."""

    title: str
    sentences: tuple[str, ...]

    @property
    def whole(self) -> str:
        """As the network reads it."""
        return f"{self.title}. {' '.join(self.sentences)}"

    def near(self, sentence: str, count: int = NEAR) -> str:
        """The same, but of its sentences only those nearest to this one."""
        return f"{self.title}. {' '.join(self.sentences[place] for place in nearest(sentence, self.sentences, count))}"


def joined(papers: Sequence[Text]) -> Text:
    """Papers as one."""
    return Text(" / ".join(one.title for one in papers), sum((one.sentences for one in papers), ()))


class Verdict(StrEnum):
    """What was found of a sentence."""

    SUPPORTED = "supported"
    CONTRADICTED = "contradicted"
    NOT_FOUND = "not found"


@dataclass(frozen=True)
class Support:
    """What was found of a sentence and its papers."""

    chance: float
    """0 to 1."""
    holds: tuple[bool, ...]
    """For each paper."""


class Verifier(Protocol):
    """Says whether papers bear out what is said of them. Safe to call from several threads."""

    fault: str
    """Why it checks less well than it could; empty where it does not."""

    def check(self, sentence: str, papers: Sequence[Text], least: float) -> Support:
        """Whether the papers that a sentence cites support it, together and each, by a chance of `least` or more."""
        ...

    def best(self, sentence: str, papers: Sequence[Text], least: float) -> int | None:
        """The place of the paper that supports a sentence most surely; None where none does."""
        ...

    def contradicting(self, sentence: str, papers: Sequence[Text], lacked: float) -> int | None:
        """The place of a paper that says nearly this, but otherwise; None where none does. `lacked`: see `LACKED_CITED`."""
        ...

    def is_near(self, sentence: str, papers: Sequence[Text]) -> bool:
        """Whether a paper says something like the sentence, though it may not support it."""
        ...


class Checker:
    """Checks sentences against papers. Safe to use from several threads."""

    def __init__(self, model: SupportModel | None, fault: str = "") -> None:
        """`fault`: why there is no model where one is shipped."""
        self._model = model
        self.fault = fault
        self._warmed = threading.Event()
        self._seen = lru_cache(_KEPT)(self._looked)

    def warm(self) -> None:
        """Loads the network in the background, so that it is there by the time an LLM has written."""
        if self._model is not None and not self._warmed.is_set():
            self._warmed.set()
            # No daemon: native code that the end of the process cuts off aborts it.
            threading.Thread(target=self._load, name="check").start()

    def _load(self) -> None:
        with suppress(ReaderError):  # told to whoever checks a sentence
            self._seen("Warm.", "Warm up.")

    def check(self, sentence: str, papers: Sequence[Text], least: float = SUPPORTED_FROM) -> Support:
        """Whether the papers support the sentence, by a chance of `least` or more; nothing does where there are none."""
        if not papers or not any(char.isalnum() for char in sentence):
            return Support(0.0, (False,) * len(papers))
        chance = self._chance(sentence, papers)
        parts = [chance >= least and (len(papers) == 1 or signals(sentence, *paper)[_HELD] <= 1.0 - _LEAST_PART) for paper in papers]
        return Support(chance, tuple(parts))

    def contradicting(self, sentence: str, papers: Sequence[Text], lacked: float = LACKED_CITED) -> int | None:
        """The place of the first paper that says nearly this, but otherwise; None where none does. For what is not supported."""
        return next((place for place, paper in enumerate(papers) if _contradicts(sentence, paper, lacked)), None)

    def is_near(self, sentence: str, papers: Sequence[Text]) -> bool:
        """Whether a paper holds most of the sentence's words and all of its figures, whatever else speaks against it."""
        rows = [signals(sentence, *paper) for paper in papers]
        return any(row[_HELD] <= _NEARLY_LACKING and row[_FIGURES] == 0.0 for row in rows)

    def best(self, sentence: str, papers: Sequence[Text], least: float = SUPPORTED_FROM) -> int | None:
        """The place of the paper that supports a sentence most surely; None where none does.

        Only the two that hold most of its words are asked.
        """
        near = sorted(range(len(papers)), key=lambda place: (signals(sentence, *papers[place])[_HELD], place))[:2]
        chances = [(self.check(sentence, [papers[place]]).chance, -place) for place in near]
        chance, place = max(chances, default=(0.0, 0))
        return -place if chance >= least else None

    def _chance(self, sentence: str, papers: Sequence[Text]) -> float:
        paper = papers[0] if len(papers) == 1 else joined(papers)
        row = signals(sentence, *paper)
        if ruled_out(row):
            return 0.0
        if self._model is None:
            return _chance_by("rules", RULE_SIGNALS, row)
        near = self._seen(sentence, paper.near(sentence, max(NEAR, len(papers))))
        if len(papers) == 1:
            return _chance_by("one_paper", (*RULE_SIGNALS, *SEEN_SIGNALS), [*row, *seen_signals(self._seen(sentence, paper.whole), near)])
        return _chance_by("several_papers", (*RULE_SIGNALS, *SHARED_SIGNALS), [*row, *shared_signals(near)])

    def _looked(self, sentence: str, paper: str) -> Seen:
        assert self._model is not None
        return self._model.look([(sentence, paper)])[0]


def _chance_by(model: str, names: tuple[str, ...], row: Sequence[float]) -> float:
    """That a sentence is supported, by one of the three models."""
    return fitted.logistic("support", model, names).probability(row)


@cache
def shipped() -> Checker:
    """With the network that the package carries, as far as its weights are whole."""
    try:
        return Checker(SupportModel(weights.FILE, weights.SHA256))
    except ReaderError as error:
        return Checker(None, str(error))


def _contradicts(said: str, paper: Text, lacked: float) -> bool:
    row = signals(said, *paper)
    if row[_LACKED] > lacked:
        return False
    return any(row[place] > 0.0 for place in _CONTRARY) or _other_figure(said, paper)


def _other_figure(said: str, paper: Text) -> bool:
    """Whether a figure is nowhere in the paper, whose nearest sentences have another of its unit."""
    held = [figure for sentence in (paper.title, *paper.sentences) for figure in read_figures(sentence)]
    near = [figure for place in nearest(said, paper.sentences, NEAR) for figure in read_figures(paper.sentences[place])]
    return any(other.unit == figure.unit for figure in missing(read_figures(said), held) for other in near)


def ruled_out(row: Sequence[float]) -> bool:
    """Whether rules alone decide: a figure is nowhere in the papers, or hardly a word is."""
    return row[_FIGURES] > 0.0 or row[_HELD] > _MOST_LACKING


def seen_signals(whole: Seen, near: Seen) -> list[float]:
    """What `SEEN_SIGNALS` names."""
    return [whole.support, *shared_signals(near)]


def shared_signals(near: Seen) -> list[float]:
    """What `SHARED_SIGNALS` names."""
    worst, second = sorted([*near.wrong, -_FARTHEST, -_FARTHEST], reverse=True)[:2]
    return [near.support, worst, second]
