"""What the check is trained on, as token ids: sentences, papers, whether one supports the other, and which words are wrong.

Goes in: two texts of each paper, its authors' abstract and our summary. Comes out: a pack of groups,
one for each sentence, of pairs that are supported, edited against the paper, or of another paper.
The sentences and papers of a pack are numbers into one list of texts. Needs numpy alone to load.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SUPPORTED, EDITED, OTHER = 0, 1, 2
"""What a pair is."""

Numbers = NDArray[np.int32]


@dataclass(frozen=True)
class Pack:
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
    def load(cls, path: Path) -> Pack:
        """Reads what `save` wrote."""
        with np.load(path) as held:
            return cls(**{field.name: held[field.name] for field in fields(cls)})
