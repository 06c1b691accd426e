"""What keeps measuring apart from training: the papers left out of it, and the models trained without them.

The shipped encoder, reader and matcher were trained on all training papers, some of which the fixed
question set asks about. Over these they do better than over a user's papers, so what is measured or
fitted uses others, which have seen none of them. Knows nothing of how they were trained (`eval/train`).
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from assistant.evidence.matcher import Matcher
from assistant.evidence.reader import Reader
from assistant.evidence.readers import Readers
from eval import questions
from eval.train import data
from index.embedding import MiniLM

_FOLDER = Path(__file__).parent
ENCODER = _FOLDER / "encoder.safetensors"
"""The adapter of the encoder tuned without the papers of `held_out`."""
READER = _FOLDER / "reader.safetensors"
"""The weights of the reader trained without them."""
MATCHER = _FOLDER / "matcher.safetensors"
"""The weights of the matcher trained over that encoder."""


def held_out() -> set[str]:
    """Titles of the papers that no training run may see that is measured, or fitted on: those that the fixed question set asks
    about, and every other one of other fields, by a hash of its title."""
    fixed = {title for gold in questions.load(questions.FIXED) for title in (*gold.gold_titles, *gold.about_titles)}
    return fixed | {one.title for one in data.load_fields() if hashlib.sha256(one.title.encode()).digest()[0] % 2}


def held_out_encoder() -> MiniLM:
    """The embedding model to measure with. Raises `ModelError` where its adapter is missing."""
    return MiniLM(adapter=ENCODER)


def held_out_readers() -> Readers:
    """What reads papers beside the encoder to measure with. Raises `ReaderError` where weights are missing."""
    return Readers(Reader(READER), Matcher(MiniLM(adapter=ENCODER, strength=1.0), MATCHER))
