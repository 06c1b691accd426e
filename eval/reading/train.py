"""Trains the reader's adapter, and asks a trained network. Needs torch and transformers alone.

Goes in: papers and questions as token ids (`eval.reading.examples`). Comes out: the adapter's
matrices and the heads. The loss adds three parts: a softmax over the question's paper and some
others (relevance), cross entropy over the stances of all of these, and binary cross entropy over
the sentences of the paper. Runs on a GPU in minutes, on two cores in hours.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn
from transformers import BertModel

from assistant.reading.lora import adapt, adapters
from assistant.reading.network import ADAPTED, SEP, STANCES, Batch, Outputs, Pair, ReaderNetwork, collate
from eval.reading.examples import Example, TokenisedPaper

ANSWERS, CONTRADICTS, SILENT = range(len(STANCES))


@dataclass(frozen=True)
class Recipe:
    """How to train."""

    rank: int = 16
    alpha: float = 32.0
    dropout: float = 0.05
    learning_rate: float = 1e-3
    epochs: int = 8
    questions: int = 24
    """In a batch."""
    near: int = 5
    """Other papers of a question, out of the first `nearest` found for it."""
    nearest: int = 12
    far: int = 2
    """Other papers of a question, out of all."""
    followed: float = 0.15
    """Share of questions that are read after an earlier one."""
    emptied: float = 0.1
    """Share of questions whose evidence is cut out of the paper, which then is silent."""
    thinned: float = 0.3
    """Share of papers that lose some sentences that are no evidence."""
    evidence_weight: float = 1.0
    positive_weight: float = 3.0
    seed: int = 0


@dataclass(frozen=True)
class _Read:
    """One question with its papers, the first of them its own unless nothing answers it."""

    pairs: tuple[Pair, ...]
    stances: tuple[int, ...]
    evidence: tuple[bool, ...] | None
    """Of the first paper's sentences; None where there is none to learn from."""
    has_paper: bool


def train(
    base: Path,
    papers: Sequence[TokenisedPaper],
    examples: Sequence[Example],
    recipe: Recipe = Recipe(),
    device: str = "cpu",
    tell: Callable[[str], None] = lambda line: None,
) -> ReaderNetwork:
    """The trained network, its adapters not folded in. `base`: the embedding model's folder."""
    torch.manual_seed(recipe.seed)
    network = ReaderNetwork(BertModel.from_pretrained(base, add_pooling_layer=False, dtype=torch.float32, local_files_only=True))
    network.bert.requires_grad_(False)
    adapt(network.bert, ADAPTED, recipe.rank, recipe.alpha, recipe.dropout)
    network.to(device).train()
    parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
    steps = recipe.epochs * -(-len(examples) // recipe.questions)
    optimiser = torch.optim.AdamW(parameters, lr=recipe.learning_rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: min((step + 1) / (0.1 * steps), (steps - step) / (0.9 * steps)))
    loader = torch.utils.data.DataLoader(
        _Batches(papers, examples, recipe), batch_size=None, num_workers=8 if device == "cuda" else 0, prefetch_factor=8 if device == "cuda" else None
    )
    total = 0.0
    for step, (reads, batch) in enumerate(loader, 1):
        with torch.autocast(device, dtype=torch.bfloat16, enabled=device == "cuda"):
            outputs = network(batch.to(device))
        loss = _loss(outputs, reads, recipe)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        schedule.step()
        total += loss.detach()
        if step % 100 == 0:
            tell(f"step {step} of {steps}: loss {float(total) / 100:.3f}")
            total = 0.0
    return network.eval()


def trained_weights(network: ReaderNetwork) -> dict[str, Tensor]:
    """Adapters and heads in half precision, as they are kept."""
    kept = {f"bert.{name}": matrix for name, matrix in adapters(network.bert).items()}
    for head in ("relevance", "stance", "evidence"):
        kept |= {f"{head}.{name}": value.detach() for name, value in getattr(network, head).named_parameters()}
    return {name: value.cpu().half().contiguous() for name, value in kept.items()}


@torch.no_grad()
def ask(network: ReaderNetwork, pairs: Sequence[Pair], device: str = "cpu", at_once: int = 128) -> Iterator[tuple[float, list[float], list[float]]]:
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
                float(outputs.relevance[row]), outputs.stance[row].tolist(), outputs.evidence[row, :sentences].tolist(),
            )
    return (found[number] for number in range(len(pairs)))


class _Batches(torch.utils.data.Dataset[tuple[list[_Read], Batch]]):
    """All batches of all epochs, each drawn by its number alone, so that any worker makes any of them."""

    def __init__(self, papers: Sequence[TokenisedPaper], examples: Sequence[Example], recipe: Recipe) -> None:
        self._papers, self._examples, self._recipe = papers, examples, recipe
        self._of_paper: dict[int, list[Example]] = {}
        for example in examples:
            self._of_paper.setdefault(example.paper if example.paper is not None else -1, []).append(example)
        self._order = []
        for epoch in range(recipe.epochs):
            numbers = list(range(len(examples)))
            random.Random(f"{recipe.seed} {epoch}").shuffle(numbers)
            self._order += [numbers[first : first + recipe.questions] for first in range(0, len(numbers), recipe.questions)]

    def __len__(self) -> int:
        return len(self._order)

    def __getitem__(self, number: int) -> tuple[list[_Read], Batch]:
        if number >= len(self):
            raise IndexError(number)
        dice = random.Random(f"{self._recipe.seed} batch {number}")
        reads = [self._read(self._examples[each], dice) for each in self._order[number]]
        return reads, collate([pair for read in reads for pair in read.pairs])

    def _read(self, example: Example, dice: random.Random) -> _Read:
        recipe = self._recipe
        question = list(example.question)
        if example.before:
            question = [*example.before, SEP, *question]
        elif dice.random() < recipe.followed:
            question = [*self._earlier(example, dice).question, SEP, *question]
        candidates = [number for number in example.candidates[: recipe.nearest] if number != example.paper]
        others = dice.sample(candidates, min(recipe.near, len(candidates)))
        others += [number for number in dice.sample(range(len(self._papers)), recipe.far) if number != example.paper]
        pairs, stances = [], []
        evidence: tuple[bool, ...] | None = None
        if example.paper is not None:
            own, stance, evidence = self._own(example, dice)
            pairs.append(replace(own, question=question))
            stances.append(stance)
        for number in others:
            paper = self._papers[number]
            pairs.append(Pair(question, paper.title, paper.sentences))
            stances.append(SILENT)
        return _Read(tuple(pairs), tuple(stances), evidence, example.paper is not None)

    def _own(self, example: Example, dice: random.Random) -> tuple[Pair, int, tuple[bool, ...] | None]:
        assert example.paper is not None
        paper = self._papers[example.paper]
        marked = [(tokens, number in example.evidence) for number, tokens in enumerate(paper.sentences)]
        stance, chance = example.stance, dice.random()
        if chance < self._recipe.emptied and example.emptiable:
            marked = [(tokens, held) for tokens, held in marked if not held]
            stance = SILENT
        elif chance > 1.0 - self._recipe.thinned:
            marked = [(tokens, held) for tokens, held in marked if held or dice.random() > 0.15]
        learnt = stance != SILENT and any(held for _, held in marked)
        return Pair((), paper.title, [tokens for tokens, _ in marked]), stance, tuple(held for _, held in marked) if learnt else None

    def _earlier(self, example: Example, dice: random.Random) -> Example:
        same = self._of_paper[example.paper if example.paper is not None else -1]
        return dice.choice(same) if dice.random() < 0.6 else dice.choice(self._examples)


def _loss(outputs: Outputs, reads: Sequence[_Read], recipe: Recipe) -> Tensor:
    device = outputs.relevance.device
    relevance, stance, evidence = [], [], []
    first = 0
    for read in reads:
        last = first + len(read.pairs)
        losses = nn.functional.cross_entropy(outputs.stance[first:last], torch.tensor(read.stances, device=device), reduction="none")
        if read.has_paper:
            relevance.append(-outputs.relevance[first:last].log_softmax(0)[0])
            stance.append(losses[0] + losses[1:].mean())
        else:
            stance.append(losses.mean())
        if read.evidence is not None:
            logits = outputs.evidence[first, : len(read.evidence)]
            labels = torch.tensor(read.evidence, dtype=torch.float32, device=device)
            kept = logits.isfinite()
            weight = torch.where(labels > 0, recipe.positive_weight, 1.0)
            each = nn.functional.binary_cross_entropy_with_logits(logits[kept], labels[kept], weight=weight[kept])
            evidence.append(each)
        first = last
    return sum(
        weight * torch.stack(losses).mean()
        for weight, losses in ((1.0, relevance), (1.0, stance), (recipe.evidence_weight, evidence))
        if losses
    )  # type: ignore[return-value]
