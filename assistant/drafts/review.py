"""Every sentence of a draft against the papers it cites, or against the library where it cites none.

Goes in: a draft and an open assistant. Comes out: for each sentence whether papers support it, contradict it, or neither
was found; with the paper and its nearest sentence. `assistant.verification` judges; no LLM is asked. Where a sentence
cites nothing, it must come nearer to a paper before that is said to contradict it. What it cannot see: a contrary said in other
words, and that a sentence is about one's own work.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from assistant.drafts.reading import Draft, Sentence
from assistant.pipeline import Assistant
from assistant.verification.checker import LACKED_CITED, LACKED_FOUND, SUPPORTED_FROM, Checker, Text, Verdict, shipped
from assistant.verification.rules import nearest
from index import Entry, Paper
from index.lookup import entry_named, keys_of_file, keys_of_library, papers_like, papers_named
from index.sentences import sentence_spans

_SEARCHED = 6
"""Papers that a sentence without a citation is held against."""
_LONGEST_QUERY = 400
_SEGMENT = re.compile(r"[.?!:]\s+|[“”\"]|\s{0,3}[,;]\s+|''|``")
_FEWEST_WORDS = 3


@dataclass(frozen=True)
class Finding:
    """A sentence of a draft with what was found."""

    line: int
    sentence: str
    verdict: Verdict
    title: str | None
    """The paper's that supports or contradicts it; else of the first paper cited."""
    quote: str | None
    """That paper's nearest sentence; None where neither was found."""
    cites: tuple[str, ...]
    """What it cites, as the draft writes it."""
    unknown: tuple[str, ...]
    """Of these, what no paper of the library was found for."""


class References:
    """What a draft's citations mean."""

    def __init__(self, assistant: Assistant, draft: Draft, files: Iterable[Path]) -> None:
        """`files`: BibTeX files. Raises `index.SourceError` where one cannot be read."""
        self._catalogue = assistant.library.catalogue
        self._draft = draft
        self._entries: dict[str, Entry] = {}
        for file in files:
            self._entries.update(keys_of_file(file))
        self._keys: dict[str, Paper] | None = None

    def paper(self, key: str) -> Paper | None:
        """The paper of the library that a key means."""
        if (entry := self._entries.get(key)) is not None:
            return next(iter(papers_like(self._catalogue, entry)), None)
        if (reference := self._draft.references.get(key)) is not None:
            return self._described(reference)
        if not key.isdecimal() and (found := papers_named(self._catalogue, key)):
            return found[0]
        if self._keys is None:
            self._keys = keys_of_library(self._catalogue)
        return self._keys.get(key)

    def _described(self, reference: str) -> Paper | None:
        """The paper that a line of a list of references tells of: by its identifiers, else by a part that is its title."""
        if found := papers_like(self._catalogue, entry_named(reference)):
            return found[0]
        ends = [0, *(mark.end() for mark in _SEGMENT.finditer(reference))]
        starts_at = dict(zip(ends, [*(mark.start() for mark in _SEGMENT.finditer(reference)), len(reference)], strict=True))
        stops = list(starts_at.values())
        for number, start in enumerate(ends):
            for stop in stops[number : number + _MOST_JOINED]:
                part = reference[start:stop]
                if len(part.split()) >= _FEWEST_WORDS and (found := papers_like(self._catalogue, Entry(part, "", 0))):
                    return found[0]
        return None


_MOST_JOINED = 4
"""Parts between stops and commas that a title may have."""


def bibliographies(draft: Draft, folder: Path) -> list[Path]:
    """The BibTeX files that a draft names, in its folder."""
    names = [name if name.endswith(".bib") else f"{name}.bib" for name in draft.bibliographies]
    return [folder / name for name in names]


def review(assistant: Assistant, draft: Draft, references: References, checker: Checker | None = None) -> Iterator[Finding]:
    """A finding for each sentence, in order. Raises as `Assistant.search` does."""
    checker = checker or shipped()
    for sentence in draft.sentences:
        named = {key: references.paper(key) for key in sentence.cites}
        unknown = tuple(key for key, paper in named.items() if paper is None)
        cited = list({paper.paper_id: paper for paper in named.values() if paper is not None}.values())
        papers = cited or _found(assistant, sentence)
        verdict, paper = _judge(checker, sentence.text, [_text(paper) for paper in papers], bool(cited))
        nearest_paper = papers[paper] if paper is not None else None
        quote = _quote(sentence.text, _text(nearest_paper)) if nearest_paper is not None else None
        shown = nearest_paper or (cited[0] if cited else None)
        yield Finding(sentence.line, sentence.text, verdict, shown.display_title if shown else None, quote, sentence.cites, unknown)


def _found(assistant: Assistant, sentence: Sentence) -> list[Paper]:
    """The papers nearest to a sentence, those without an abstract aside."""
    found = assistant.search(sentence.text[:_LONGEST_QUERY], _SEARCHED)
    return [paper for paper in assistant.library.papers([each.paper_id for each in found]) if paper.abstract]


def _judge(checker: Checker, said: str, papers: list[Text], cited: bool) -> tuple[Verdict, int | None]:
    """The verdict, and the place of the paper that it rests on."""
    if cited and len(papers) > 1:
        together = checker.check(said, papers)
        if any(together.holds):
            return Verdict.SUPPORTED, together.holds.index(True)
    chances = [(checker.check(said, [paper]).chance, -place) for place, paper in enumerate(papers)]
    chance, place = max(chances, default=(0.0, 0))
    if chance >= SUPPORTED_FROM:
        return Verdict.SUPPORTED, -place
    contradicting = checker.contradicting(said, papers, LACKED_CITED if cited else LACKED_FOUND)
    return (Verdict.NOT_FOUND if contradicting is None else Verdict.CONTRADICTED), contradicting


def _quote(said: str, paper: Text) -> str | None:
    places = nearest(said, paper.sentences, 1)
    return paper.sentences[places[0]] if places else None


def _text(paper: Paper) -> Text:
    return Text(paper.display_title, tuple(paper.abstract[start:end] for start, end in sentence_spans(paper.abstract)))
