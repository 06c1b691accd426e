"""What the reader is trained on, as token ids: papers, and questions with where their answer stands.

Goes in: a library that holds the training papers, and training questions. Comes out: a pack that
needs neither library nor text index any more, so that it can be taken to a machine with a GPU.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class TokenisedPaper:
    """A paper without its special tokens."""

    title: list[int]
    sentences: list[list[int]]


@dataclass(frozen=True)
class Example:
    """A question and what its paper does with it."""

    id: str
    question: list[int]
    before: list[int]
    """The turn before it, where it is a follow-up."""
    paper: int | None
    """Which paper it is about; None where no paper of the library answers."""
    stance: int
    """Place in `STANCES`."""
    evidence: list[int]
    """Which sentences answer, or contradict."""
    emptiable: bool
    """Whether the paper says nothing of it once the evidence is cut out."""
    candidates: list[int]
    """The papers that the search finds for it, best first, its own among them or not."""


@dataclass(frozen=True)
class Pack:
    """All that a training run needs."""

    papers: list[TokenisedPaper]
    examples: list[Example]

    def save(self, file: Path) -> None:
        """Writes it as JSON."""
        file.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @staticmethod
    def load(file: Path) -> Pack:
        """What `save` wrote."""
        held = json.loads(file.read_text(encoding="utf-8"))
        return Pack([TokenisedPaper(**paper) for paper in held["papers"]], [Example(**example) for example in held["examples"]])

    def of(self, papers: Sequence[int]) -> Pack:
        """Only the questions about these papers, and those about none."""
        kept = {None, *papers}
        return Pack(self.papers, [example for example in self.examples if example.paper in kept])
