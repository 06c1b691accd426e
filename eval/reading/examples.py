"""What reader and encoder are trained on, as token ids: papers, and questions with where their answer stands.

Goes in: a library that holds the training papers, and training questions. Comes out: a pack that
needs neither library nor text index any more, so that it can be taken to a machine with a GPU.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eval.errors import EvalError

ANSWERS, CONTRADICTS, SILENT = range(3)
"""Places in `assistant.evidence.reader_network.STANCES`."""


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
