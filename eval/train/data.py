"""Training questions: what is asked of one paper, and where in its abstract the answer stands.

Their abstracts are not part of this repository; the SHA-256 of each is. Evidence is given as character spans of the
source's own text, so it holds only where a library has that text: others are left out, and told
(`known_abstracts`). Besides: questions that no paper answers, that several answer, and follow-ups.
The `..._fields` files hold the same about four other fields; each question tells its field.
How they came about stands in `eval/train/DATA.md`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.questions import QuestionSetError, as_text, as_texts, lines, read
from index import Paper
from index.repair import repair

_FOLDER = Path(__file__).parent
FILE = _FOLDER / "training.jsonl"
MORE = _FOLDER / "training_more.jsonl"
HARD = _FOLDER / "training_hard.jsonl"
SEVERAL = _FOLDER / "several.jsonl"
FOLLOWUPS = _FOLDER / "followups.jsonl"
ABSENT = _FOLDER / "absent.txt"
OFFTOPIC = _FOLDER / "offtopic.txt"
FIELDS = _FOLDER / "training_fields.jsonl"
SEVERAL_FIELDS = _FOLDER / "several_fields.jsonl"
ABSENT_FIELDS = _FOLDER / "absent_fields.jsonl"
OWN_FIELD = "machine-learning"
"""The field of what names none."""
UNSTATED = "unstated"
"""The kind of questions about a paper that its abstract does not answer."""
PREMISE = "premise"
"""The kind of questions that presume what the evidence contradicts."""

Spans = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class TrainingQuestion:
    """A question with its evidence."""

    id: str
    question: str
    kind: str
    title: str
    evidence: Spans
    """Spans of the paper's `raw_abstract`; empty for `unstated`."""
    answer: str = ""
    """The few words of the repaired abstract that answer, or contradict; empty where none were marked."""
    field: str = OWN_FIELD
    """The field whose library holds the paper, so that what is fitted can be left out by field."""


@dataclass(frozen=True)
class FollowUp:
    """A last turn that is understood only with the turns before it."""

    id: str
    history: tuple[str, ...]
    """The earlier turns, in order."""
    question: str
    title: str | None
    """The paper that the turns are about; None where none is meant."""
    evidence: Spans
    """As of a `TrainingQuestion`; empty where no paper answers."""
    answer: str
    """As of a `TrainingQuestion`."""


@dataclass(frozen=True)
class SeveralQuestion:
    """A question that several papers answer together."""

    id: str
    kind: str
    """`multi`, `overview` or `compare`."""
    question: str
    gold_titles: tuple[str, ...]
    field: str = OWN_FIELD
    """As of a `TrainingQuestion`."""


@dataclass(frozen=True)
class AbsentQuestion:
    """A question of a field that no paper of that field's library answers."""

    field: str
    question: str


def load(path: Path = FILE) -> list[TrainingQuestion]:
    """The questions of a JSON-lines file. Raises `QuestionSetError` naming the line, as all here do."""
    return read(path, _question, "id, question, kind, title, evidence")


def load_more(path: Path = MORE) -> list[TrainingQuestion]:
    """The second set, in which `premise` questions are; it repeats none of the first."""
    return load(path)


def load_hard(path: Path = HARD) -> list[TrainingQuestion]:
    """The third set: paraphrases that avoid the abstract's words, and near misses. Trained on only: half of its paraphrases find
    another paper first, so that they would teach what is fitted that right papers look wrong (docs/LOG.md)."""
    return load(path)


def load_fields(path: Path = FIELDS) -> list[TrainingQuestion]:
    """The set about papers of other fields: chemistry, human-computer interaction, literature and learning, biomedicine."""
    return read(path, _question, "id, question, kind, title, evidence")


def load_followups(path: Path = FOLLOWUPS) -> list[FollowUp]:
    """Last turns with the turns before them."""
    return read(path, _follow_up, "id, history, question, title, evidence, answer")


def load_several(path: Path = SEVERAL) -> list[SeveralQuestion]:
    """Questions that several papers answer."""
    return read(path, _several, "id, kind, question, gold_titles")


def load_several_fields(path: Path = SEVERAL_FIELDS) -> list[SeveralQuestion]:
    """Questions that several papers of another field answer."""
    return load_several(path)


def load_absent_fields(path: Path = ABSENT_FIELDS) -> list[AbsentQuestion]:
    """Questions of other fields that no paper of that field's library answers."""
    return read(path, _absent, "field, question")


def load_absent(path: Path = ABSENT) -> list[str]:
    """Questions near to the papers' subjects that none of them answers."""
    return _plain(path)


def load_offtopic(path: Path = OFFTOPIC) -> list[str]:
    """Everyday questions."""
    return _plain(path)


def labels(question: TrainingQuestion | FollowUp, paper: Paper, sentences: Spans) -> list[bool] | None:
    """For each sentence of `paper.abstract`, whether it is evidence; None where the text is not the one meant."""
    spans = [_place_of(paper, start, end) for start, end in question.evidence]
    if not spans or any(span is None for span in spans):
        return None
    return [any(span and _overlaps(sentence, span) for span in spans) for sentence in sentences]


def _question(record: Any) -> TrainingQuestion:
    id, question, kind, title = (as_text(record[name]) for name in ("id", "question", "kind", "title"))
    return TrainingQuestion(id, question, kind, title, _spans(record["evidence"]), as_text(record.get("answer", "")), _field(record))


def _follow_up(record: Any) -> FollowUp:
    title, evidence = record["title"], _spans(record["evidence"])
    if title is None and evidence:
        raise ValueError("evidence needs a title")
    if not (history := as_texts(record["history"])):
        raise ValueError("no earlier turn")
    id, question, answer = (as_text(record[name]) for name in ("id", "question", "answer"))
    return FollowUp(id, history, question, None if title is None else as_text(title), evidence, answer)


def _several(record: Any) -> SeveralQuestion:
    id, kind, question = (as_text(record[name]) for name in ("id", "kind", "question"))
    if len(set(titles := as_texts(record["gold_titles"]))) < 2:
        raise ValueError("fewer than two gold titles")
    return SeveralQuestion(id, kind, question, titles, _field(record))


def _absent(record: Any) -> AbsentQuestion:
    return AbsentQuestion(as_text(record["field"]), as_text(record["question"]))


def _field(record: Any) -> str:
    return as_text(record.get("field", OWN_FIELD))


def _spans(values: Any) -> Spans:
    spans = tuple((int(start), int(end)) for start, end in values)
    if any(not 0 <= start < end for start, end in spans):
        raise ValueError(f"{values!r} are not spans")
    return spans


def _plain(path: Path) -> list[str]:
    """Questions, one a line, each once; lines that begin with # are remarks."""
    found: dict[str, int] = {}
    for number, line in lines(path):
        if line.startswith("#"):
            continue
        if (before := found.setdefault(line.strip(), number)) != number:
            raise QuestionSetError(f"{path}, line {number}: the question of line {before} again")
    return list(found)


def _place_of(paper: Paper, start: int, end: int) -> tuple[int, int] | None:
    """Where a span of the raw abstract stands in the repaired one."""
    quote = repair(paper.raw_abstract[start:end])
    at = paper.abstract.find(quote) if quote else -1
    return (at, at + len(quote)) if at >= 0 else None


def _overlaps(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether the common part is more than half of the shorter."""
    common = min(one[1], other[1]) - max(one[0], other[0])
    return common > 0.5 * min(one[1] - one[0], other[1] - other[0])


HASHES = Path(__file__).parent / "abstracts.sha256"

_LINE = re.compile(r"([0-9a-f]{64})  (\S.*)")


@dataclass(frozen=True)
class KnownAbstracts:
    """Which training papers a library holds in the text that their evidence was marked in, by title."""

    same: tuple[str, ...]
    other: tuple[str, ...]
    """Held with another abstract."""
    missing: tuple[str, ...]

    @property
    def warning(self) -> str:
        """What is lacking and what to do, for people; empty where nothing is."""
        told = [_some(self.missing, "not in the library"), _some(self.other, "there with another abstract than evidence was marked in")]
        if not any(told):
            return ""
        count = len(self.same) + len(self.other) + len(self.missing)
        return (
            f"of {count} training papers {' and '.join(filter(None, told))}: name listings with the authors' abstracts of these (--source)"
        )


def known_abstracts(papers: Iterable[Paper], path: Path = HASHES) -> KnownAbstracts:
    """Compares a library's papers with the training papers' hashes."""
    held = {paper.title: hashlib.sha256(paper.raw_abstract.encode()).hexdigest() for paper in papers}
    hashes = load_hashes(path)
    return KnownAbstracts(
        same=tuple(title for title in hashes if held.get(title) == hashes[title]),
        other=tuple(title for title in hashes if title in held and held[title] != hashes[title]),
        missing=tuple(title for title in hashes if title not in held),
    )


def load_hashes(path: Path = HASHES) -> dict[str, str]:
    """The SHA-256 of each training paper's `raw_abstract`, by title."""
    found: dict[str, str] = {}
    for number, line in lines(path):
        match = _LINE.fullmatch(line)
        if match is None or match[2] in found:
            raise QuestionSetError(f"{path}, line {number}: not a SHA-256, two spaces and a title that is new")
        found[match[2]] = match[1]
    return found


def _some(titles: tuple[str, ...], what: str) -> str:
    return f"{len(titles)} are {what} (first: {titles[0]})" if titles else ""
