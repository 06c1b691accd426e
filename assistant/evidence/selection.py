"""Chooses the sentences of an abstract that answer a question.

Goes in: a question with its terms and vector, and a paper's sentences with theirs. Comes out:
evidence, each sentence with the odds that it answers, by a logistic model over a few plain
signals and, where the reader read the paper, what it says of the sentence. The weights are fitted
on training questions over other papers (`python -m eval fit --only sentences`). Knows nothing of which paper is right.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from assistant import fitted
from assistant.evidence.matcher import Match, PaperMatcher
from assistant.evidence.reader import Reading, Text, searched
from assistant.evidence.readers import Readers
from assistant.query.question import Question
from assistant.retrieval.fusion import PaperHit
from assistant.retrieval.retriever import RetrievalResult
from index import Library, Paper
from index.catalogue import Spans
from index.embedding import Vectors
from index.lexical import LexicalIndex, Terms

SIGNALS = ("nearness", "terms", "figure", "cause", "introduces", "own", "first", "short")
"""What is looked at: cosine, less that of the abstract's nearest sentence; the share of the question's
terms beyond the title's own; a figure where one is asked for; words of cause where it asks why; words
that introduce a work where it asks what there is; the authors' own work; the abstract's first sentence;
a fragment."""

_OWN = re.compile(r"\b(?:we|our|ours|us|this (?:paper|work|study|article|survey)|the authors|in this|here,)\b", re.IGNORECASE)
_CAUSE = re.compile(
    r"\b(?:because|due to|since|caus\w+|leads? to|owing to|results? (?:in|from)|resulting (?:in|from)|attribut\w+|stem\w* from|arises?|"
    r"reasons?|factors?|therefore|thus|which (?:makes|leads))\b",
    re.IGNORECASE,
)
_INTRODUCES = re.compile(
    r"\b(?:we|this (?:paper|work|article|study|report|survey)|the authors|the paper) (?:\w+ ){0,2}?"
    r"(?:propos|introduc|present|develop|describ|design|releas|build|stud|investigat|examin|analy[sz]e|address|explore|show|curate|"
    r"provide|offer)\w*|\b(?:called|namely|termed|dubbed|named)\b",
    re.IGNORECASE,
)
_POINTS_BACK = re.compile(r"(?:this|these|those|such|it|its|they|their|both|here|the (?:former|latter))\b", re.IGNORECASE)
_LEANS = re.compile(
    r"(?:(?:together|thus|hence|then|however|moreover|furthermore|also|instead|overall|further|"
    r"in (?:addition|all|turn|particular|contrast)|as a result|at the same time|to this end|by contrast|on the other hand),? )"
    r"|(?:it|its|they|their|this|these|both|such)\b|(?:[\w-]+ ){1,3}(?:it|they|these|this)\b",
    re.IGNORECASE,
)
"""Leans on the sentence before: by its first word, or by a pronoun among its first four."""
_CONNECTIVE = re.compile(
    r"(?:(?:however|moreover|furthermore|additionally|therefore|thus|hence|consequently|nevertheless|nonetheless|meanwhile|finally|lastly|"
    r"first(?:ly)?|second(?:ly)?|third(?:ly)?|specifically|notably|importantly|crucially|remarkably|surprisingly|interestingly|overall|"
    r"instead|then|also|besides|similarly|likewise|conversely|accordingly|indeed|still|yet|further|alternatively|rather|here|together|"
    r"as a (?:result|consequence)|for (?:instance|example)|(?:in|by) contrast|in (?:addition|particular|fact|turn|short|summary|"
    r"conclusion|doing so|this (?:paper|work|study|article|report|way))|on the (?:other hand|contrary)|to (?:this|that) end|to do so|"
    r"to address (?:this|these)(?: [\w-]+){0,2}|at the same time|that is|that said|even so|of note|more(?: specifically| precisely)),"
    r"|(?:but|and|so|yet|nor|thus|hence|therefore)\b,?) ",
    re.IGNORECASE,
)
"""What leads over from the sentence before, and says nothing of its own."""
_DIGIT = re.compile(r"\d")
_SHORT_WORDS = 9
_FAR_BEHIND = 80.0
"""By how much lower odds than the best sentence's one is left out: a fifth fewer words, one fact in a hundred fewer."""


READ_SIGNALS = ("reader", "behind")
"""Where the reader read the paper, besides: its logit for the sentence, and that less the best one's."""

MATCH_SIGNALS = ("matcher", "matcher behind", "met")
"""Where the matcher looked at it too: its logit, that less the best one's, and how far the sentence meets
the question's words that the title does not hold."""

NOT_READ = -12.0
"""The logit of a sentence that was cut off."""


@dataclass(frozen=True)
class Evidence:
    """A sentence of one abstract that bears on a question."""

    paper: Paper
    position: int
    """Which sentence, from 0."""
    start: int
    end: int
    """Place in `paper.abstract`."""
    score: float
    """0 to 1: how likely it answers, if the paper does."""

    @property
    def text(self) -> str:
        """The sentence."""
        return self.paper.abstract[self.start : self.end]

    @property
    def words(self) -> int:
        """The number of words."""
        return len(self.text.split())

    @property
    def odds(self) -> float:
        """The score as odds."""
        return self.score / max(1e-9, 1.0 - self.score)

    @property
    def connective(self) -> int:
        """The number of characters at its beginning that only lead over from the sentence before."""
        found = _CONNECTIVE.match(self.text)
        return found.end() if found else 0

    @property
    def points_back(self) -> bool:
        """Whether it begins, a connective aside, with a word that stands for something in the sentence before."""
        return bool(_POINTS_BACK.match(self.text, self.connective))

    @property
    def stands_alone(self) -> bool:
        """Whether it is understood without the sentence before, as far as its beginning tells."""
        return not self.points_back and not _LEANS.match(self.text)


@dataclass(frozen=True)
class Study:
    """A paper looked into for a question."""

    paper: Paper
    hit: PaperHit
    sentences: tuple[Evidence, ...]
    """All its sentences with their odds to answer, in the abstract's order."""
    reading: Reading | None
    """What the reader says, where it read the paper."""

    @property
    def match(self) -> Match | None:
        """What the matcher says, where it looked at the paper."""
        return self.hit.match


def study(
    library: Library, readers: Readers, found: RetrievalResult, question: Question, hits: Sequence[PaperHit], reads: int
) -> list[Study]:
    """Looks into these papers, best first, and reads the first `reads`, where there is a reader.

    A paper that another process is replacing at this moment is left out.
    """
    parts = library.sentences([hit.paper_id for hit in hits])
    papers = {paper.paper_id: paper for paper in library.papers(list(parts))}
    kept = [hit for hit in hits if hit.paper_id in parts and hit.paper_id in papers]
    opened = [_Opened(papers[hit.paper_id], hit, *parts[hit.paper_id], parts[hit.paper_id][1] @ found.vector) for hit in kept]
    readings: list[Reading | None] = [None] * len(opened)
    if readers.reader is not None and reads:
        readings[:reads] = readers.reader.read(found.question, found.before, [one.text for one in opened[:reads]])
    return [_studied(library, question, found, one, reading) for one, reading in zip(opened, readings, strict=True)]


@dataclass(frozen=True)
class _Opened:
    """A paper with its sentences, before it is judged."""

    paper: Paper
    hit: PaperHit
    spans: Spans
    vectors: Vectors
    """Of the sentences, row by row."""
    cosines: Vectors
    """Of the sentences with the question."""

    @cached_property
    def sentences(self) -> list[str]:
        return [self.paper.abstract[start:end] for start, end in self.spans]

    @cached_property
    def text(self) -> Text:
        """As the reader takes it."""
        hit = self.hit
        search = searched(hit.chunk, hit.sentence, hit.coverage)
        return Text(self.paper.display_title, tuple(self.sentences), search, tuple(self.cosines.tolist()))


def _studied(library: Library, question: Question, found: RetrievalResult, one: _Opened, reading: Reading | None) -> Study:
    rows = signals(library.lexical, question, found.terms, found.vector, one.paper.display_title, one.sentences, one.vectors)
    name = "sentence"
    names: tuple[str, ...] = SIGNALS
    if reading is not None:
        name, names, rows = "sentence_read", (*names, *READ_SIGNALS), np.hstack([rows, read_signals(reading)])
        if one.hit.match is not None:
            name, names, rows = "sentence_matched", (*names, *MATCH_SIGNALS), np.hstack([rows, match_signals(one.hit.match)])
    chances = fitted.logistic("sentences", name, names).probabilities(rows)
    evidence = tuple(
        Evidence(one.paper, place, *span, float(chance)) for place, (span, chance) in enumerate(zip(one.spans, chances, strict=True))
    )
    return Study(one.paper, one.hit, evidence, reading)


def read_signals(reading: Reading) -> NDArray[np.float64]:
    """Shape (sentences, 2): the reader's logit for each sentence, and by how much it is below the best one's."""
    logits = np.maximum(np.array(reading.evidence, dtype=np.float64), NOT_READ)
    return np.stack([logits, logits - logits.max()], axis=1)


def match_signals(match: Match) -> NDArray[np.float64]:
    """Shape (sentences, 3), as `MATCH_SIGNALS` names them."""
    logits = np.maximum(np.array(match.evidence, dtype=np.float64), NOT_READ)
    return np.stack([logits, logits - logits.max(), np.array(match.sentences)], axis=1)


def signals(
    lexical: LexicalIndex, question: Question, terms: Terms, vector: Vectors, title: str, sentences: Sequence[str], vectors: Vectors
) -> NDArray[np.float64]:
    """Shape (sentences, len(SIGNALS)). `vector`: the question's, shape (dimension,); `vectors`: the sentences', row by row.

    Where a summary is asked for, a sentence is near if it is near to the abstract as a whole.
    """
    if question.wants_summary:
        cosines, term_shares = vectors @ vectors.mean(axis=0), [0.0] * len(sentences)
    else:
        cosines, term_shares = vectors @ vector, _shares(lexical, terms, title, sentences)
    nearest = float(np.max(cosines, initial=-1.0))
    rows = [
        [
            float(cosine) - nearest,
            share,
            question.wants_figure and bool(_DIGIT.search(sentence)),
            question.wants_cause and bool(_CAUSE.search(sentence)),
            (question.wants_name or question.wants_summary or question.wants_several) and bool(_INTRODUCES.search(sentence)),
            bool(_OWN.search(sentence)),
            position == 0,
            len(sentence.split()) < _SHORT_WORDS,
        ]
        for position, (sentence, share, cosine) in enumerate(zip(sentences, term_shares, cosines, strict=True))
    ]
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(SIGNALS))


def _shares(lexical: LexicalIndex, terms: Terms, title: str, sentences: Sequence[str]) -> list[float]:
    """For each sentence the share of the terms' weight that it holds, the title's terms left out: they
    tell which paper is meant, not which of its sentences."""
    in_title = lexical.terms_in(title)
    asked = {term: weight for term, weight in terms.weights.items() if term not in in_title}
    total = terms.total or 1.0
    return [sum(weight for term, weight in asked.items() if term in held) / total for held in map(lexical.terms_in, sentences)]


def choose(evidence: Sequence[Evidence], words: int, sentences: int) -> list[Evidence]:
    """The best sentences within a budget of words: the best first, then the others as the abstract has them.

    A sentence that begins by pointing back (`This ...`) comes with the one before it, where there
    is room. The best is taken whatever its length; what is far less likely to answer is left out.
    """
    by_position = {one.position: one for one in evidence}
    least = max((one.odds for one in evidence), default=0.0) / _FAR_BEHIND
    chosen: list[Evidence] = []
    lead: list[Evidence] = []
    for one in sorted(evidence, key=lambda one: (-one.score, one.position)):
        before = by_position.get(one.position - 1) if one.points_back else None
        block = [each for each in (before, one) if each is not None and each not in chosen]
        fits = len(chosen) + len(block) <= sentences and sum(each.words for each in chosen + block) <= words
        if not chosen:
            lead = block if fits else [one]
            chosen += lead
        elif fits and one.odds >= least:
            chosen += block
    rest = [one for one in chosen if one not in lead]
    return lead + sorted(rest, key=lambda one: one.position)


def matched(library: Library, matcher: PaperMatcher, found: RetrievalResult, most: int) -> RetrievalResult:
    """The same papers, the first `most` of them matched. One that another process is replacing at this moment is not."""
    spans = {paper_id: places for paper_id, (places, _) in library.sentences([hit.paper_id for hit in found.hits[:most]]).items()}
    matches = {
        paper.paper_id: matcher.match(
            found.question,
            found.before,
            paper.display_title,
            tuple(paper.abstract[start:end] for start, end in spans[paper.paper_id]),
            library.lexical.rarity,
        )
        for paper in library.papers(list(spans))
    }
    return replace(found, hits=tuple(replace(hit, match=matches.get(hit.paper_id)) for hit in found.hits))
