"""Trains everything from a pack: the encoder, the reader, the matcher. Needs torch and transformers alone.

Goes in: a pack of questions and papers as token ids. Comes out: `encoder.safetensors`,
`reader.safetensors` and `matcher.safetensors` in a folder, with their hashes. The reader learns from search scores as it will
meet them, by an encoder that has not seen a question's paper: so three more encoders are tuned,
each without a third of the papers. Knows nothing of libraries, nor of how good the result is.
"""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor
from transformers import BertModel

from eval.train import matcher as matcher_training
from eval.train.encoder import EncoderRecipe, Scores, base_model, search, tune
from eval.train.matcher import MatcherRecipe
from eval.train.matcher_network import save
from eval.train.pack import SILENT, Pack, TrainingError
from eval.train.reader import ReaderRecipe, train, trained_weights
from index.embedding.lora import adapters, merge

ENCODER = "encoder.safetensors"
READER = "reader.safetensors"
MATCHER = "matcher.safetensors"
DEVICES = ("cpu", "cuda")
_PARTS = 3

Tell = Callable[[str], None]
Matrices = Mapping[str, Tensor]


@dataclass(frozen=True)
class Plan:
    """How and where to train."""

    base: Path
    """The folder of the untuned embedding model."""
    out: Path
    """The folder that the weights go to."""
    device: str = "cpu"
    seed: int = 0
    encoder: EncoderRecipe = field(default_factory=EncoderRecipe)
    reader: ReaderRecipe = field(default_factory=ReaderRecipe)
    matcher: MatcherRecipe = field(default_factory=MatcherRecipe)


@dataclass(frozen=True)
class Stages:
    """How long each stage took."""

    tell: Tell
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Tells of a stage as it starts, and keeps its time."""
        self.tell(f"{name} …")
        start = time.monotonic()
        yield
        self.seconds[name] = time.monotonic() - start

    @property
    def summary(self) -> str:
        """One line."""
        return ", ".join(f"{name} {seconds:.0f} s" for name, seconds in self.seconds.items())


def chosen_device(name: str | None) -> str:
    """The device of this name; None for a GPU where there is one. Raises `TrainingError` where it is not there."""
    there = torch.cuda.is_available()
    if name is None:
        return "cuda" if there else "cpu"
    if name not in DEVICES:
        raise TrainingError(f"{name}: no such device: choose one of {', '.join(DEVICES)} with --device")
    if name == "cuda" and not there:
        raise TrainingError("PyTorch finds no GPU here: leave --device out to train on the CPU")
    return name


def writable(out: Path) -> Path:
    """The folder, made where it is not there. Raises `TrainingError` where nothing can be written to it: before hours are spent."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        probe = out / ".probe"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise TrainingError(f"{out}: cannot be written ({error.strerror}): choose another folder with --out") from error
    return out


def run(pack: Pack, plan: Plan, stages: Stages) -> list[Path]:
    """Trains all three and writes them; the files, the encoder's first. Raises `TrainingError` where the pack holds too little."""
    first = pack.without_versions()
    papers = sorted({one.paper for one in first.examples if one.paper is not None and one.stance != SILENT})
    if len(papers) < _PARTS:
        raise TrainingError(
            f"{len(papers)} of the training papers can be asked about, and {_PARTS} are the fewest: "
            "name listings with the authors' abstracts (--source)"
        )
    writable(plan.out)
    with stages.stage("encoder"):
        matrices = _encoder(first, plan, plan.seed, stages.tell)
        save_file(dict(matrices), plan.out / ENCODER)
    with stages.stage("encoders for unseen scores"):
        scores = _unseen_scores(pack, papers, matrices, plan, stages.tell)
    with stages.stage("reader"):
        network = train(base_model(plan.base), pack, scores, replace(plan.reader, seed=plan.seed), plan.device, stages.tell)
        save_file(trained_weights(network), plan.out / READER)
    return [plan.out / ENCODER, plan.out / READER, train_matcher(first, matrices, plan, stages)]


def train_matcher(pack: Pack, matrices: Matrices, plan: Plan, stages: Stages) -> Path:
    """Trains the matcher for the encoder with this adapter and writes it; the file.

    Raises `TrainingError` where the adapter is not of the base model.
    """
    with stages.stage("matcher"):
        try:
            encoder = tuned(plan.base, matrices, plan.device)
        except (KeyError, AttributeError, RuntimeError) as error:
            raise TrainingError(f"the encoder's adapter is of another model ({error}): train one with `python -m eval train`") from error
        recipe = replace(plan.matcher, seed=plan.seed)
        network, constants = matcher_training.train(encoder, pack, spelling(plan.base), recipe, stages.tell)
        save(network, constants, plan.out / MATCHER)
    return plan.out / MATCHER


def spelling(base: Path) -> matcher_training.Pieces:
    """Spells the token ids of the embedding model in a folder."""
    pieces = (base / "vocab.txt").read_text(encoding="utf-8").split("\n")
    return lambda ids: [pieces[token] for token in ids]


def hashes(files: Sequence[Path]) -> str:
    """A line for each file, as `sha256sum` writes it."""
    return "\n".join(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file}" for file in files)


def parts(papers: Sequence[int], seed: int) -> list[set[int]]:
    """The papers in three parts, of sizes that differ by one at most."""
    mixed = sorted(papers)
    random.Random(seed).shuffle(mixed)
    return [set(mixed[number::_PARTS]) for number in range(_PARTS)]


def tuned(base: Path, matrices: Matrices, device: str = "cpu") -> BertModel:
    """The embedding model with these adapters folded in."""
    model = base_model(base, device)
    merge(model, {name: matrix.to(device) for name, matrix in matrices.items()})
    return model


def blended(scores: Scores, other: Scores, rows: NDArray[np.bool_]) -> Scores:
    """`scores`, but `other` in these rows."""
    column = rows[:, None]
    return Scores(
        np.where(column, other.chunk, scores.chunk),
        np.where(column, other.sentence, scores.sentence),
        scores.coverage,
        [np.where(column, theirs, ours) for theirs, ours in zip(other.cosines, scores.cosines, strict=True)],
    )


def _encoder(pack: Pack, plan: Plan, seed: int, tell: Tell) -> dict[str, Tensor]:
    """The adapter of an encoder tuned on a pack, in half precision, as it is kept."""
    asked = pack.about({one.paper for one in pack.examples} - {None})
    untuned = search(tuned(plan.base, {}, plan.device), asked)
    model = tune(plan.base, asked, untuned, replace(plan.encoder, seed=seed), plan.device, tell)
    return {name: matrix.cpu().half().contiguous() for name, matrix in adapters(model).items()}


def _unseen_scores(pack: Pack, papers: Sequence[int], matrices: Matrices, plan: Plan, tell: Tell) -> Scores:
    """Scores of each question by an encoder that was not tuned on its paper; of those about none by the one of all papers."""
    scores = search(tuned(plan.base, matrices, plan.device), pack)
    for number, part in enumerate(parts(papers, plan.seed), 1):
        tell(f"encoder {number} of {_PARTS}, without {len(part)} papers")
        theirs = _encoder(pack.without_versions().about(set(papers) - part), plan, plan.seed, tell)
        rows = np.array([one.paper is not None and pack.same(one.paper) in part for one in pack.examples])
        scores = blended(scores, search(tuned(plan.base, theirs, plan.device), pack), rows)
    return scores
