"""What the check is trained on, as token ids: sentences, papers, whether one supports the other, and which words are wrong.

Goes in: two texts of each paper, its authors' abstract and our summary. Comes out: a pack of groups,
one for each sentence, of pairs that are supported, edited against the paper, or of another paper.
The sentences and papers of a pack are numbers into one list of texts. Needs numpy alone to load.
"""

from __future__ import annotations

import difflib
import random
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assistant.verification.checker import Text
from assistant.verification.wording import key, words
from eval.held_out import held_out
from eval.support.claims import STARTER, Held, Written, load_written, papers_of, unit
from eval.support.edits import KINDS, Edit, edits, rewordings
from index.embedding import MiniLM

SUPPORTED, EDITED, OTHER = 0, 1, 2
"""What a pair is."""

Numbers = NDArray[np.int32]


@dataclass(frozen=True)
class ClaimsPack:
    """All pairs of some papers."""

    ids: Numbers
    """Shape (tokens of all texts,)."""
    keys: Numbers
    """Shape (tokens of all texts,): a number for each word's key."""
    text: Numbers
    """Shape (texts + 1,): where each begins."""
    sentence: Numbers
    """Shape (pairs,): which text."""
    paper: Numbers
    """Shape (pairs,): which text."""
    near: Numbers
    """Shape (pairs,): which text, of the paper's title and the sentences nearest to this one alone."""
    what: Numbers
    """Shape (pairs,)."""
    kind: Numbers
    """Shape (pairs,): of edit, in the order of `eval.support.edits.KINDS`; -1 for none."""
    wrong: Numbers
    """Shape (wrong tokens of all pairs,): places in the sentence."""
    wrongs: Numbers
    """Shape (pairs + 1,): where each one's begin."""
    group: Numbers
    """Shape (groups + 1,): where the pairs of each group begin."""
    times: Numbers
    """Shape (groups,): how often it is taken in an epoch."""
    trial: Numbers
    """Shape (groups,): 1 for those of the papers kept to compare recipes on."""

    def save(self, path: Path) -> None:
        """Writes it, compressed."""
        np.savez_compressed(path, **{field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def load(cls, path: Path) -> ClaimsPack:
        """Reads what `save` wrote."""
        with np.load(path) as held:
            return cls(**{field.name: held[field.name] for field in fields(cls)})


_EDITS = {"abstract": 18, "own": 8, "quoted": 10, "written": 6}
_REWORDINGS = 3
_TURNED = 4
"""Edits of an abstract's sentence that are made in the abstract as well."""
_OTHERS = 6
_TRIAL_SHARE = 0.15
_WRITTEN_TIMES = 2
"""How often a written claim is taken in an epoch, the others once: there are few, and they are most like what an LLM writes."""

TokenIds = Callable[[Sequence[str]], list[list[int]]]


@dataclass(frozen=True)
class Twice:
    """A paper in two texts."""

    title: str
    abstract: Text
    summary: Text
    written: tuple[Written, ...] = ()
    """Claims about it."""


def build(papers: Sequence[Twice], trial: set[str], token_ids: TokenIds, dice: random.Random) -> ClaimsPack:
    """`trial`: titles of the papers kept to compare recipes on."""
    maker = _Maker(token_ids)
    near = _near([paper.summary.whole for paper in papers])
    for number, paper in enumerate(papers):
        others = [papers[each] for each in [*near[number][: _OTHERS - 2], *dice.sample(range(len(papers)), 2)] if each != number]
        _groups(maker, paper, others, paper.title in trial, dice)
    return maker.pack()


def check_pack(sources: Sequence[str], seed: int = 0) -> ClaimsPack:
    """Of the papers of these listings, without those of the fixed question set. Raises `SourceError` where one cannot be read."""
    left_out = held_out()
    papers = twice(papers_of(sources), papers_of([str(STARTER)]), left_out, load_written())
    trial = {paper.title for paper in papers if unit(paper.title) < _TRIAL_SHARE}
    return build(papers, trial, MiniLM(adapter=None).token_ids, random.Random(seed))


def twice(library: Mapping[str, Held], summaries: Mapping[str, Held], left_out: set[str], written: Sequence[Written]) -> list[Twice]:
    """The papers that both have, but for those left out."""
    here = [title for title in library if title in summaries and title not in left_out]
    return [Twice(title, library[title].for_check, summaries[title].for_check, tuple(_about(written, title))) for title in here]


def _about(written: Sequence[Written], title: str) -> Iterator[Written]:
    return (one for one in written if one.title == title)


def _groups(maker: _Maker, paper: Twice, others: Sequence[Twice], trial: bool, dice: random.Random) -> None:
    for sentence in paper.summary.sentences:
        for held, name in ((paper.abstract, "abstract"), (paper.summary, "own")):
            maker.open(trial)
            maker.supported(sentence, held)
            for reworded in rewordings(sentence, dice)[:_REWORDINGS]:
                maker.supported(reworded, held)
            for edit in _spread(edits(sentence, held.whole, dice), _EDITS[name]):
                maker.edited(edit.text, sentence, held, edit.kind)
            for other in others:
                maker.of_other(sentence, other.abstract if name == "abstract" else other.summary)
    for sentence in paper.abstract.sentences:
        _quoted(maker, sentence, paper.abstract, others, trial, dice)
    for one in paper.written:
        maker.open(trial, _WRITTEN_TIMES)
        maker.supported(one.claim, paper.abstract)
        for edit in [*one.edits, *_spread(edits(one.claim, paper.abstract.whole, dice), _EDITS["written"])]:
            maker.edited(edit.text, one.claim, paper.abstract, edit.kind)
        for other in others:
            maker.of_other(one.claim, other.abstract)


def _quoted(maker: _Maker, sentence: str, abstract: Text, others: Sequence[Twice], trial: bool, dice: random.Random) -> None:
    maker.open(trial)
    maker.supported(sentence, abstract)
    for reworded in rewordings(sentence, dice)[:_REWORDINGS]:
        maker.supported(reworded, abstract)
    for number, edit in enumerate(_spread(edits(sentence, abstract.whole, dice), _EDITS["quoted"])):
        maker.edited(edit.text, sentence, abstract, edit.kind)
        if number < _TURNED:
            turned = Text(abstract.title, tuple(edit.text if each == sentence else each for each in abstract.sentences))
            maker.supported(edit.text, turned)
            maker.edited(sentence, edit.text, turned, edit.kind)
    for other in others[:2]:
        maker.of_other(sentence, other.abstract)


def _spread(made: Sequence[Edit], most: int) -> list[Edit]:
    """The first of each kind, then the second of each, and so on."""
    seen: Counter[str] = Counter()
    ranked = []
    for edit in made:
        ranked.append((seen[edit.kind], edit))
        seen[edit.kind] += 1
    return [edit for _, edit in sorted(ranked, key=lambda one: one[0])][:most]


class _Maker:
    """Gathers texts and pairs as numbers."""

    def __init__(self, token_ids: TokenIds) -> None:
        self._token_ids = token_ids
        self._texts: dict[str, int] = {}
        self._pieces: dict[str, list[int]] = {}
        self._keys: dict[str, int] = {}
        self._ids, self._of_keys, self._starts = array("i"), array("i"), array("i", [0])
        self._pairs: list[tuple[int, int, int, int, int]] = []
        self._wrong, self._wrongs = array("i"), array("i", [0])
        self._group, self._times, self._trial = array("i", [0]), array("i"), array("i")

    def open(self, trial: bool, times: int = 1) -> None:
        """Begins a group."""
        if self._trial:
            self._group.append(len(self._pairs))
        self._times.append(times)
        self._trial.append(int(trial))

    def supported(self, sentence: str, paper: Text) -> None:
        self._add(sentence, paper, SUPPORTED, -1, [])

    def of_other(self, sentence: str, paper: Text) -> None:
        self._add(sentence, paper, OTHER, -1, [])

    def edited(self, sentence: str, was: str, paper: Text, kind: str) -> None:
        self._add(sentence, paper, EDITED, KINDS.index(kind), wrong_places(self._tokens(sentence)[0], self._tokens(was)[0]))

    def pack(self) -> ClaimsPack:
        self._group.append(len(self._pairs))
        sentence, paper, near, what, kind = np.array(self._pairs, dtype=np.int32).T
        return ClaimsPack(
            ids=_array(self._ids),
            keys=_array(self._of_keys),
            text=_array(self._starts),
            sentence=sentence,
            paper=paper,
            near=near,
            what=what,
            kind=kind,
            wrong=_array(self._wrong),
            wrongs=_array(self._wrongs),
            group=_array(self._group),
            times=_array(self._times),
            trial=_array(self._trial),
        )

    def _add(self, sentence: str, paper: Text, what: int, kind: int, wrong: list[int]) -> None:
        whole, near = self._number(paper.whole), self._number(paper.near(sentence))
        self._pairs.append((self._number(sentence), whole, near, what, kind))
        self._wrong.extend(wrong)
        self._wrongs.append(len(self._wrong))

    def _number(self, text: str) -> int:
        if text not in self._texts:
            self._texts[text] = len(self._texts)
            ids, keys = self._tokens(text)
            self._ids.extend(ids)
            self._of_keys.extend(keys)
            self._starts.append(len(self._ids))
        return self._texts[text]

    def _tokens(self, text: str) -> tuple[list[int], list[int]]:
        said = words(text)
        if missing := [word for word in dict.fromkeys(said) if word not in self._pieces]:
            self._pieces |= dict(zip(missing, self._token_ids(missing), strict=True))
        ids = [piece for word in said for piece in self._pieces[word]]
        keys = [self._keys.setdefault(key(word), len(self._keys)) for word in said for _ in self._pieces[word]]
        return ids, keys


def wrong_places(ids: Sequence[int], was: Sequence[int]) -> list[int]:
    """Places of the tokens that an edit put in; where it only took out, of those on both sides of the gap."""
    found: set[int] = set()
    for operation, _, _, start, end in difflib.SequenceMatcher(None, was, ids, autojunk=False).get_opcodes():
        if operation in ("replace", "insert"):
            found.update(range(start, end))
        elif operation == "delete":
            found.update(place for place in (start - 1, start) if 0 <= place < len(ids))
    return sorted(found)


def _near(texts: Sequence[str]) -> list[list[int]]:
    """For each text the others, those first that share most rare words."""
    held = [{key(word) for word in words(text)} for text in texts]
    counts = Counter(each for one in held for each in one)
    vocabulary = {each: number for number, each in enumerate(counts)}
    rows = np.zeros((len(texts), len(vocabulary)), dtype=np.float32)
    for row, one in enumerate(held):
        for each in one:
            rows[row, vocabulary[each]] = np.log(len(texts) / counts[each])
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    likeness = rows @ rows.T
    np.fill_diagonal(likeness, -1.0)
    found: list[list[int]] = np.argsort(-likeness, axis=1).tolist()
    return found


def _array(numbers: array[int]) -> Numbers:
    return np.array(numbers, dtype=np.int32)
