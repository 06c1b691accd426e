"""Trains the network of the check. Needs torch and transformers alone.

    python -m eval train --only check --source LISTINGS
    python -m eval train --only check --source LISTINGS --only-pack PACK; python -m eval.support PACK DIR

Goes in: a pack (`eval.support.examples`). Comes out: the adapters' matrices and the heads. Each
epoch takes of every sentence one supported pair, some edited ones of different kinds and at times
one of another paper. The loss is the binary cross entropy of support, and that of the sentence's
tokens, of which an edit's are wrong. Some minutes on a GPU.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers import BertModel

from assistant.verification.support_run import MAX_SENTENCE_TOKENS, Tokens
from assistant.verification.weights import FILE
from eval.train.claims_network import Batch, SupportNetwork, collate
from eval.train.claims_pack import EDITED, OTHER, SUPPORTED, ClaimsPack
from eval.train.encoder import base_model
from eval.train.loop import Course, descend
from eval.train.pipeline import Plan, Stages
from index.embedding.lora import ADAPTED, adapt, adapters


@dataclass(frozen=True)
class ClaimsRecipe:
    """How to train."""

    rank: int = 16
    dropout: float = 0.05
    learning_rate: float = 1e-3
    epochs: int = 8
    groups: int = 24
    """In a batch."""
    supported: int = 2
    edited: int = 4
    other: float = 0.5
    """Share of sentences that are read with another paper as well."""
    near: float = 0.5
    """Share of pairs of which the network reads the nearest sentences alone, as the check does beside the whole."""
    averaged: float = 0.999
    """Decay of the running mean of the weights that is kept at the end; 0 keeps the last."""
    tokens: float = 2.0
    """Weight of the tokens' loss."""
    wrong_weight: float = 4.0
    """Of wrong tokens, beside right ones."""
    seed: int = 0


def train(
    bert: BertModel,
    pack: ClaimsPack,
    groups: list[int],
    recipe: ClaimsRecipe,
    device: str = "cpu",
    tell: Callable[[str], None] = lambda line: None,
) -> SupportNetwork:
    """The trained network, its adapters not folded in. `groups`: of the pack, those to train on."""
    torch.manual_seed(recipe.seed)
    adapt(bert, ADAPTED, recipe.rank, 2.0 * recipe.rank, recipe.dropout)
    network = SupportNetwork(bert).to(device).train()
    batches = _Batches(pack, groups, recipe)
    workers = {"num_workers": 10, "prefetch_factor": 8} if device == "cuda" else {}

    def losses() -> Iterator[Tensor]:
        for drawn in torch.utils.data.DataLoader(batches, batch_size=None, **workers):  # type: ignore[arg-type]
            batch, supported, wrong, weight = (each.to(device) for each in drawn)
            with torch.autocast(device, dtype=torch.bfloat16, enabled=device == "cuda"):
                said, tokens = network(batch)
            yield _loss(said.float(), tokens.float(), supported, wrong, weight, recipe)

    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    descend("check", trained, losses(), Course(len(batches), recipe.learning_rate, averaged=recipe.averaged), tell)
    return network.eval()


def train_check(pack: ClaimsPack, plan: Plan, recipe: ClaimsRecipe, stages: Stages) -> Path:
    """Trains on all groups of the pack and writes the weights; the file."""
    with stages.stage("check"):
        bert = base_model(plan.base)
        network = train(bert, pack, list(range(len(pack.trial))), replace(recipe, seed=plan.seed), plan.device, stages.tell)
        save_file(trained_weights(network), plan.out / FILE.name)
    return plan.out / FILE.name


def trained_weights(network: SupportNetwork) -> dict[str, Tensor]:
    """Adapters and heads in half precision, as they are kept."""
    kept = {f"bert.{name}": matrix for name, matrix in adapters(network.bert).items()}
    for head in ("held", "wrong", "support"):
        kept |= {f"{head}.{name}": value.detach() for name, value in getattr(network, head).named_parameters()}
    return {name: value.cpu().half().contiguous() for name, value in kept.items()}


@torch.no_grad()
def trial(network: SupportNetwork, pack: ClaimsPack, groups: list[int], device: str = "cpu") -> str:
    """What part of edits and of other papers' pairs is caught where a twentieth of supported ones is, by kind, in words."""
    pairs = [
        pair for group in groups for pair in _sample(pack, group, random.Random(group), ClaimsRecipe(supported=1, edited=8, other=1.0))
    ]
    scores: dict[str, list[float]] = {}
    for near, first in product((False, True), range(0, len(pairs), 128)):
        batch = collate([_texts(pack, pair, near) for pair in pairs[first : first + 128]]).to(device)
        with torch.autocast(device, dtype=torch.bfloat16, enabled=device == "cuda"):
            said, tokens = network(batch)
        of = "near" if near else "whole"
        scores.setdefault(f"support, {of}", []).extend(said.float().tolist())
        scores.setdefault(f"worst, {of}", []).extend((-tokens.float().max(1).values).tolist())
    what, kind = pack.what[pairs], pack.kind[pairs]
    told = []
    for name, values in scores.items():
        score = np.array(values)
        least = np.quantile(score[what == SUPPORTED], 0.05)
        by_kind = " ".join(f"{number}:{np.mean(score[kind == number] < least):.2f}" for number in sorted(set(kind.tolist()) - {-1}))
        edited, other = np.mean(score[what == EDITED] < least), np.mean(score[what == OTHER] < least)
        told.append(
            f"{name}: edits {edited:.3f} others {other:.3f} by kind {by_kind} (n {np.sum(what == SUPPORTED)}, {np.sum(what == EDITED)})"
        )
    return "\n".join(told)


class _Batches(torch.utils.data.Dataset[tuple[Batch, Tensor, Tensor, Tensor]]):
    """All batches of all epochs, each drawn by its number alone, so that any worker makes any of them."""

    def __init__(self, pack: ClaimsPack, groups: list[int], recipe: ClaimsRecipe) -> None:
        self._pack, self._recipe = pack, recipe
        self._order: list[list[int]] = []
        for epoch in range(recipe.epochs):
            numbers = [number for number in groups for _ in range(int(pack.times[number]))]
            random.Random(f"{recipe.seed} {epoch}").shuffle(numbers)
            self._order += [numbers[first : first + recipe.groups] for first in range(0, len(numbers), recipe.groups)]

    def __len__(self) -> int:
        return len(self._order)

    def __getitem__(self, number: int) -> tuple[Batch, Tensor, Tensor, Tensor]:
        if number >= len(self):
            raise IndexError(number)
        dice = random.Random(f"{self._recipe.seed} batch {number}")
        pack = self._pack
        pairs = [pair for group in self._order[number] for pair in _sample(pack, group, dice, self._recipe)]
        batch = collate([_texts(pack, pair, dice.random() < self._recipe.near) for pair in pairs])
        wrong = torch.zeros(batch.ids.shape)
        for row, pair in enumerate(pairs):
            places = [int(place) + 1 for place in pack.wrong[pack.wrongs[pair] : pack.wrongs[pair + 1]] if place < MAX_SENTENCE_TOKENS]
            wrong[row, places] = 1.0
        supported = torch.tensor([float(pack.what[pair] == SUPPORTED) for pair in pairs])
        weight = torch.tensor([float(pack.what[pair] != OTHER) for pair in pairs])
        return batch, supported, wrong, weight


def _sample(pack: ClaimsPack, group: int, dice: random.Random, recipe: ClaimsRecipe) -> list[int]:
    """Pairs of a group: the edited ones of as many kinds as there are."""
    numbers = range(int(pack.group[group]), int(pack.group[group + 1]))
    by_what = {what: [number for number in numbers if pack.what[number] == what] for what in (SUPPORTED, EDITED, OTHER)}
    chosen = dice.sample(by_what[SUPPORTED], min(recipe.supported, len(by_what[SUPPORTED])))
    by_kind: dict[int, list[int]] = {}
    for number in by_what[EDITED]:
        by_kind.setdefault(int(pack.kind[number]), []).append(number)
    kinds = dice.sample(sorted(by_kind), min(recipe.edited, len(by_kind)))
    chosen += [dice.choice(by_kind[kind]) for kind in kinds]
    if by_what[OTHER] and dice.random() < recipe.other:
        chosen.append(dice.choice(by_what[OTHER]))
    return chosen


def _texts(pack: ClaimsPack, pair: int, near: bool) -> tuple[Tokens, Tokens]:
    return _text(pack, int(pack.sentence[pair])), _text(pack, int((pack.near if near else pack.paper)[pair]))


def _text(pack: ClaimsPack, number: int) -> Tokens:
    place = slice(int(pack.text[number]), int(pack.text[number + 1]))
    return Tokens(pack.ids[place].tolist(), pack.keys[place].tolist())


def _loss(said: Tensor, tokens: Tensor, supported: Tensor, wrong: Tensor, weight: Tensor, recipe: ClaimsRecipe) -> Tensor:
    """`weight`: of each pair's tokens."""
    whole = nn.functional.binary_cross_entropy_with_logits(said, supported)
    here = (tokens > -29.0).float() * weight[:, None]
    factor = here * torch.where(wrong > 0, recipe.wrong_weight, 1.0)
    each = nn.functional.binary_cross_entropy_with_logits(tokens, wrong, reduction="none")
    return whole + recipe.tokens * (each * factor).sum() / factor.sum().clamp(min=1.0)
