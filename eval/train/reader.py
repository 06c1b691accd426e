"""Trains the reader's adapter, and asks a trained network. Needs torch and transformers alone.

Goes in: papers and questions as token ids (`eval.train.pack`). Comes out: the adapter's
matrices and the heads. The loss adds three parts: a softmax over the question's paper and some
others (relevance), cross entropy over the stances of all of these, and binary cross entropy over
the sentences of the paper. Runs on a GPU in minutes, on two cores in most of a day.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from torch import Tensor, nn
from transformers import BertModel

from assistant.evidence.pairs import Pair
from eval.train.encoder import Scores
from eval.train.loop import Course, descend
from eval.train.pack import SILENT, Example, Pack
from eval.train.reader_network import Batch, Outputs, ReaderNetwork, collate
from index.embedding.lora import ADAPTED, adapt, adapters
from index.embedding.tokens import SEP


@dataclass(frozen=True)
class ReaderRecipe:
    """How to train."""

    rank: int = 16
    alpha: float = 32.0
    dropout: float = 0.05
    learning_rate: float = 1e-3
    epochs: int = 8
    questions: int = 24
    """In a batch."""
    near: int = 4
    """Other papers of a question, out of the first `nearest` found for it."""
    nearest: int = 8
    far: int = 1
    """Other papers of a question, out of all."""
    followed: float = 0.15
    """Share of questions that are read after an earlier one."""
    emptied: float = 0.2
    """Share of questions whose evidence is cut out of the paper, which then is silent."""
    thinned: float = 0.3
    """Share of papers that lose some sentences that are no evidence."""
    positive_weight: float = 3.0
    """Of sentences that are evidence, beside those of the same paper that are not."""
    averaged: float = 0.995
    """Decay of the running mean of the weights that is kept at the end; 0 keeps the last."""
    silent_weight: float = 0.5
    """Of the sentences of a paper that says nothing of the question."""
    seed: int = 0


@dataclass(frozen=True)
class _Labels:
    """What is right of one question's papers, the first of them its own unless nothing answers it."""

    stances: tuple[int, ...]
    """Of each paper."""
    evidence: tuple[bool, ...] | None
    """Of the first paper's sentences; None where there is none to learn from."""
    has_paper: bool


def train(
    bert: BertModel,
    pack: Pack,
    scores: Scores,
    recipe: ReaderRecipe = ReaderRecipe(),
    device: str = "cpu",
    tell: Callable[[str], None] = lambda line: None,
) -> ReaderNetwork:
    """The trained network, its adapters not folded in.

    `bert`: what it starts from; it becomes the network's. `scores`: of the pack, by a search that
    has not seen these questions, as it will not have seen a user's.
    """
    torch.manual_seed(recipe.seed)
    adapt(bert, ADAPTED, recipe.rank, recipe.alpha, recipe.dropout)
    network = ReaderNetwork(bert).to(device).train()
    batches = _Batches(pack, scores, recipe)
    workers = {"num_workers": 8, "prefetch_factor": 8} if device == "cuda" else {}

    def losses() -> Iterator[Tensor]:
        for reads, batch in torch.utils.data.DataLoader(batches, batch_size=None, **workers):  # type: ignore[arg-type]
            with torch.autocast(device, dtype=torch.bfloat16, enabled=device == "cuda"):
                outputs = network(batch.to(device))
            yield _loss(outputs, reads, recipe)

    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    descend("reader", trained, losses(), Course(len(batches), recipe.learning_rate, averaged=recipe.averaged), tell)
    return network.eval()


def trained_weights(network: ReaderNetwork) -> dict[str, Tensor]:
    """Adapters and heads in half precision, as they are kept."""
    kept = {f"bert.{name}": matrix for name, matrix in adapters(network.bert).items()}
    for head in ("relevance", "stance", "evidence"):
        kept |= {f"{head}.{name}": value.detach() for name, value in getattr(network, head).named_parameters()}
    return {name: value.cpu().half().contiguous() for name, value in kept.items()}


@torch.no_grad()
def ask(
    network: ReaderNetwork, pairs: Sequence[Pair], device: str = "cpu", at_once: int = 128
) -> Iterator[tuple[float, list[float], list[float]]]:
    """Relevance, stances and evidence (logits) of each pair, in order."""
    order = sorted(range(len(pairs)), key=lambda number: -sum(map(len, pairs[number].sentences)))
    found: dict[int, tuple[float, list[float], list[float]]] = {}
    for first in range(0, len(order), at_once):
        some = order[first : first + at_once]
        with torch.autocast(device, dtype=torch.bfloat16, enabled=device == "cuda"):
            outputs = network(collate([pairs[number] for number in some]).to(device))
        for row, number in enumerate(some):
            sentences = len(pairs[number].sentences)
            found[number] = (
                float(outputs.relevance[row]),
                outputs.stance[row].tolist(),
                outputs.evidence[row, :sentences].tolist(),
            )
    return (found[number] for number in range(len(pairs)))


def pair(pack: Pack, scores: Scores, number: int, paper: int, question: Sequence[int] | None = None) -> Pair:
    """A question of the pack, or another wording of it, with a paper."""
    example, held = pack.examples[number], pack.papers[paper]
    if question is None:
        question = [*example.before, SEP, *example.question] if example.before else example.question
    search = [float(part[number, paper]) for part in (scores.fused, scores.chunk, scores.sentence, scores.coverage)]
    return Pair(question, held.title, held.sentences, search, scores.cosines[paper][number].tolist())


class _Batches(torch.utils.data.Dataset[tuple[list[_Labels], Batch]]):
    """All batches of all epochs, each drawn by its number alone, so that any worker makes any of them."""

    def __init__(self, pack: Pack, scores: Scores, recipe: ReaderRecipe) -> None:
        self._pack, self._scores, self._recipe = pack, scores, recipe
        same = [pack.same(number) for number in range(len(pack.papers))]
        self._same = same
        self._near = [
            [paper for paper in row if example.paper is None or same[paper] != same[example.paper]]
            for row, example in zip(np.argsort(-scores.fused, axis=1)[:, : recipe.nearest].tolist(), pack.examples, strict=True)
        ]
        self._of_paper: dict[int | None, list[Example]] = {}
        for example in pack.examples:
            self._of_paper.setdefault(example.paper, []).append(example)
        self._order = []
        for epoch in range(recipe.epochs):
            numbers = list(range(len(pack.examples)))
            random.Random(f"{recipe.seed} {epoch}").shuffle(numbers)
            self._order += [numbers[first : first + recipe.questions] for first in range(0, len(numbers), recipe.questions)]

    def __len__(self) -> int:
        return len(self._order)

    def __getitem__(self, number: int) -> tuple[list[_Labels], Batch]:
        if number >= len(self):
            raise IndexError(number)
        dice = random.Random(f"{self._recipe.seed} batch {number}")
        reads = [self._read(each, dice) for each in self._order[number]]
        return [labels for _, labels in reads], collate([pair for pairs, _ in reads for pair in pairs])

    def _read(self, number: int, dice: random.Random) -> tuple[list[Pair], _Labels]:
        recipe, example = self._recipe, self._pack.examples[number]
        question = None
        if not example.before and dice.random() < recipe.followed:
            question = [*self._earlier(example, dice).question, SEP, *example.question]
        candidates = self._near[number]
        others = dice.sample(candidates, min(recipe.near, len(candidates)))
        far = dice.sample(range(len(self._pack.papers)), recipe.far)
        others += [paper for paper in far if example.paper is None or self._same[paper] != self._same[example.paper]]
        pairs = [pair(self._pack, self._scores, number, paper, question) for paper in others]
        stances = [SILENT] * len(pairs)
        if example.paper is None:
            return pairs, _Labels(tuple(stances), None, False)
        own, stance, evidence = self._own(pair(self._pack, self._scores, number, example.paper, question), example, dice)
        return [own, *pairs], _Labels((stance, *stances), evidence, True)

    def _own(self, whole: Pair, example: Example, dice: random.Random) -> tuple[Pair, int, tuple[bool, ...] | None]:
        """The question's paper, at times with sentences cut out, what it then does, and which are evidence."""
        held = [number in example.evidence for number in range(len(whole.sentences))]
        kept, stance, chance = list(range(len(held))), example.stance, dice.random()
        if chance < self._recipe.emptied and example.specific and not all(held):
            kept, stance = [number for number in kept if not held[number]], SILENT
        elif chance > 1.0 - self._recipe.thinned:
            kept = [number for number in kept if held[number] or dice.random() > 0.15] or kept
        cut = replace(whole, sentences=[whole.sentences[number] for number in kept], cosines=[whole.cosines[number] for number in kept])
        labels = tuple(held[number] for number in kept)
        return cut, stance, labels if stance != SILENT and any(labels) else None

    def _earlier(self, example: Example, dice: random.Random) -> Example:
        return dice.choice(self._of_paper[example.paper] if dice.random() < 0.6 else self._pack.examples)


@dataclass(frozen=True)
class _Targets:
    """What the loss compares a batch's outputs with, and how much each counts."""

    question: Tensor
    """Shape (pairs,): which question of the batch a pair is of."""
    own: Tensor
    """Shape (pairs,): whether it is with the question's own paper."""
    stance: Tensor
    """Shape (pairs,)."""
    evidence: Tensor
    """Shape (pairs, sentences): 1 for evidence."""
    evidence_weight: Tensor
    """Shape (pairs,): of the sentences of a pair; 0 where there is nothing to learn from."""


def _targets(reads: Sequence[_Labels], sentences: int, recipe: ReaderRecipe) -> _Targets:
    question = [number for number, read in enumerate(reads) for _ in read.stances]
    own = [read.has_paper and place == 0 for read in reads for place in range(len(read.stances))]
    stance = [each for read in reads for each in read.stances]
    evidence = torch.zeros(len(stance), sentences)
    weight = torch.full((len(stance),), recipe.silent_weight)
    first = 0
    for read in reads:
        if read.evidence is not None:
            evidence[first, : len(read.evidence)] = torch.tensor(read.evidence, dtype=torch.float32)
            weight[first] = 1.0
        elif read.has_paper and read.stances[0] != SILENT:
            weight[first] = 0.0
        first += len(read.stances)
    return _Targets(torch.tensor(question), torch.tensor(own), torch.tensor(stance), evidence, weight)


def _loss(outputs: Outputs, reads: Sequence[_Labels], recipe: ReaderRecipe) -> Tensor:
    made = _targets(reads, outputs.evidence.shape[1], recipe)
    wanted = _Targets(*(getattr(made, one.name).to(outputs.relevance.device) for one in fields(made)))
    group = 2 * wanted.question + wanted.own
    stances = nn.functional.cross_entropy(outputs.stance, wanted.stance, reduction="none")
    total = _relevance_loss(outputs.relevance, wanted) + (stances / _counts(group, torch.ones_like(stances))).sum()
    read = outputs.evidence.isfinite()
    weight = torch.where(wanted.evidence > 0, recipe.positive_weight, 1.0) * wanted.evidence_weight[:, None] * read
    logits = outputs.evidence.masked_fill(~read, 0.0)
    evidence = nn.functional.binary_cross_entropy_with_logits(logits, wanted.evidence, weight=weight, reduction="none").sum(1)
    total = total + (evidence / _counts(group, read.sum(1).to(evidence.dtype)).clamp(min=1.0)).sum()
    return total / len(reads)


def _counts(group: Tensor, of_each: Tensor) -> Tensor:
    """For each pair, the sum over its group: a question's own paper, or its others."""
    sums = torch.zeros(2 * len(group) + 2, dtype=of_each.dtype, device=of_each.device)
    return sums.index_add(0, group, of_each)[group]


def _relevance_loss(relevance: Tensor, wanted: _Targets) -> Tensor:
    """A softmax over the papers of each question that has one of its own."""
    highest = relevance.detach().max()
    sums = torch.zeros(len(relevance) + 1, device=relevance.device).index_add(0, wanted.question, (relevance - highest).exp())
    losses = sums[wanted.question].clamp(min=1e-30).log() + highest - relevance
    return losses[wanted.own].sum()
