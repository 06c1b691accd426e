"""What the check is judged on: sentences over papers that training did not see, supported or not.

Goes in: papers in the text of a library, and our summaries of the same. Comes out: trials, each a
sentence with a paper and whether that supports it. By rule: a summary's sentence is supported, and
its minimal edits are not; nor is it by another paper. By hand: `claims.jsonl`, in pairs,
and `answers.jsonl`, sentences as LLMs write them, some over two papers. (Those of
`written.jsonl`, about other papers, are trained on.) The papers
of the fixed question set, which no training saw, are two parts: one sets the weights of the
signals, the other is judged. Knows nothing of how the check works.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.verification.checker import Text
from eval.held_out import held_out
from eval.questions import as_text, read
from eval.support.edits import Edit, edits, rewordings
from index import starter
from index.repair import repair
from index.sentences import sentence_spans
from index.sources.gather import gather

FILE = Path(__file__).parent / "claims.jsonl"
ANSWERS = Path(__file__).parent / "answers.jsonl"
WRITTEN = Path(__file__).parents[1] / "train" / "written.jsonl"
STARTER = Path(starter.__file__).parent
"""The listings of our summaries."""
SUPPORTED, OTHER = "supported", "other paper"
BY_HAND = " (by hand)"
IN_ANSWERS = " (in answers)"
_FITTED_SHARE = 0.35
"""Of the unseen papers, those that weights are fitted on."""


@dataclass(frozen=True)
class Held:
    """A paper as a library has it."""

    title: str
    display_title: str
    sentences: tuple[str, ...]

    @property
    def text(self) -> str:
        """Title and abstract."""
        return self.for_check.whole

    @property
    def for_check(self) -> Text:
        """As the check takes it."""
        return Text(self.display_title, self.sentences)


@dataclass(frozen=True)
class Claim:
    """A sentence by hand."""

    pair: int
    """Shared by a supported sentence and its edits."""
    title: str
    text: str
    kind: str | None
    """Of edit; None for the supported one."""


@dataclass(frozen=True)
class Written:
    """A claim to train on, supported, with edits that are not."""

    title: str
    claim: str
    edits: tuple[Edit, ...]


@dataclass(frozen=True)
class Trial:
    """A sentence to check."""

    kind: str
    """Of edit, `SUPPORTED` or `OTHER`; with `BY_HAND` after it where it is."""
    sentence: str
    paper: Held
    also: tuple[Held, ...] = ()
    """Further papers that it cites."""

    @property
    def supported(self) -> bool:
        """Whether the paper bears it out."""
        return self.kind.startswith(SUPPORTED)


def load_claims(path: Path = FILE) -> list[Claim]:
    """The sentences by hand. Raises `QuestionSetError` naming the line."""
    return read(path, _claim, "pair, title, claim, kind")


def load_written(path: Path = WRITTEN) -> list[Written]:
    """The claims to train on. Raises `QuestionSetError` naming the line."""
    return read(path, _written, "title, claim, edits")


def papers_of(paths: Sequence[str]) -> dict[str, Held]:
    """The papers of listings by title. Raises `SourceError` where one cannot be read."""
    gathered = gather(paths)
    for failure in gathered.failed:
        raise failure
    found: dict[str, Held] = {}
    for _, parsed in gathered.read:
        for entry in parsed.entries:
            abstract = repair(entry.abstract)
            sentences = tuple(abstract[start:end] for start, end in sentence_spans(abstract))
            found.setdefault(entry.title, Held(entry.title, repair(entry.title), sentences))
    return found


def unseen(fitted: bool) -> list[str]:
    """Titles of the papers that training left out: those that weights are fitted on, or those that are judged."""
    by_hand = {claim.title for claim in load_claims()}
    return sorted(title for title in held_out() if (title not in by_hand and unit(title) < _FITTED_SHARE) == fitted)


def trials(library: Mapping[str, Held], summaries: Mapping[str, Held], titles: Sequence[str], a_kind: int, seed: int = 0) -> list[Trial]:
    """By rule, at most so many of each kind of edit, and four times as many supported, and of other papers each.

    Where the library holds the summary itself, its sentences are reworded, since copies are no trial.
    """
    dice = random.Random(seed)
    here = [title for title in titles if title in library and title in summaries]
    said = [(library[title], sentence) for title in here for sentence in summaries[title].sentences]
    dice.shuffle(said)
    supported = [Trial(SUPPORTED, _reworded(sentence, paper, dice), paper) for paper, sentence in said[: 4 * a_kind]]
    others = [
        Trial(OTHER, sentence, library[dice.choice([each for each in here if each != paper.title])])
        for paper, sentence in said[: 4 * a_kind]
    ]
    found: list[Trial] = []
    counts: Counter[str] = Counter()
    for paper, sentence in said:
        made: dict[str, Edit] = {}
        for edit in edits(sentence, paper.text, dice):
            made.setdefault(edit.kind, edit)
        for edit in made.values():
            if counts[edit.kind] < a_kind:
                counts[edit.kind] += 1
                found.append(Trial(edit.kind, edit.text, paper))
    return [*supported, *found, *others]


def trials_by_hand(library: Mapping[str, Held]) -> list[Trial]:
    """Those of `claims.jsonl` whose papers the library has."""
    return [
        Trial(f"{claim.kind or SUPPORTED}{BY_HAND}", claim.text, library[claim.title]) for claim in load_claims() if claim.title in library
    ]


def trials_in_answers(library: Mapping[str, Held]) -> list[Trial]:
    """The sentences of `answers.jsonl`, written as LLMs write answers, and their edits; those whose papers the library has all."""
    found = []
    for titles, claim, made in read(ANSWERS, _answer, "titles, claim, edits"):
        if all(title in library for title in titles):
            paper, *also = (library[title] for title in titles)
            found.append(Trial(f"{SUPPORTED}{IN_ANSWERS}", claim, paper, tuple(also)))
            found += [Trial(f"{edit.kind}{IN_ANSWERS}", edit.text, paper, tuple(also)) for edit in made]
    return found


def _answer(record: Any) -> tuple[tuple[str, ...], str, tuple[Edit, ...]]:
    written = _written({**record, "title": record["titles"][0]})
    return tuple(as_text(title) for title in record["titles"]), written.claim, written.edits


def _reworded(sentence: str, paper: Held, dice: random.Random) -> str:
    if sentence not in paper.sentences:
        return sentence
    made = rewordings(sentence, dice)
    return made[0] if made else sentence


def _claim(record: Any) -> Claim:
    kind = record["kind"]
    return Claim(int(record["pair"]), as_text(record["title"]), as_text(record["claim"]), None if kind is None else as_text(kind))


def _written(record: Any) -> Written:
    made = tuple(Edit(as_text(each["kind"]), as_text(each["text"])) for each in record["edits"])
    return Written(as_text(record["title"]), as_text(record["claim"]), made)


def unit(title: str) -> float:
    """0 to 1, the same for a title always."""
    return int(hashlib.sha256(title.encode()).hexdigest()[:8], 16) / 2**32
