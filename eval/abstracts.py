"""Whether a library holds the training papers in the text that their evidence was marked in.

Goes in: the library's papers. Comes out: which training papers are the same, another text, or
missing. The abstracts are not part of this repository; the SHA-256 of each is.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from eval.questions import QuestionSetError, lines
from index import Paper

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
