"""Low-rank adapters: added to train, folded into the layers to use.

Hu et al., LoRA (2021): a layer's weight W becomes W + (alpha / rank) B A, of which only A
(rank, in) and B (out, rank) are trained and kept. Folding them in costs nothing at run time.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor, nn

ADAPTED = ("query", "key", "value", "attention.output.dense", "intermediate.dense", "output.dense")
"""The layers of each block of the embedding model that carry an adapter."""


class Adapted(nn.Module):
    """A frozen linear layer with a trained low-rank addition."""

    def __init__(self, layer: nn.Linear, rank: int, alpha: float, dropout: float) -> None:
        super().__init__()
        self.layer = layer.requires_grad_(False)
        self.down = nn.Parameter(torch.empty(rank, layer.in_features))
        self.up = nn.Parameter(torch.zeros(layer.out_features, rank))
        nn.init.kaiming_uniform_(self.down, a=math.sqrt(5))
        self.scale = alpha / rank
        self.dropout = nn.Dropout(dropout)

    def forward(self, inputs: Tensor) -> Tensor:
        added: Tensor = self.scale * nn.functional.linear(nn.functional.linear(self.dropout(inputs), self.down), self.up)
        kept: Tensor = self.layer(inputs)
        return kept + added


def adapt(network: nn.Module, names: Sequence[str], rank: int, alpha: float, dropout: float = 0.0) -> None:
    """Puts an adapter on every linear layer whose path ends in one of `names`; all else is frozen."""
    network.requires_grad_(False)
    for parent, name, layer in list(_layers(network, names)):
        setattr(parent, name, Adapted(layer, rank, alpha, dropout))


def adapters(network: nn.Module) -> dict[str, Tensor]:
    """The adapters' matrices by the path of their layer: `PATH.down` as trained, `PATH.up` scaled."""
    found: dict[str, Tensor] = {}
    for path, module in network.named_modules():
        if isinstance(module, Adapted):
            found[f"{path}.down"] = module.down.detach()
            found[f"{path}.up"] = module.scale * module.up.detach()
    return found


@torch.no_grad()
def merge(network: nn.Module, matrices: Mapping[str, Tensor], strength: float = 1.0) -> None:
    """Folds adapters into the layers of a network that has none, at a share of their strength.

    Raises `KeyError` for a layer that it lacks.
    """
    layers = dict(network.named_modules())
    for name, down in matrices.items():
        path, _, which = name.rpartition(".")
        if which == "down":
            layer = layers[path]
            layer.weight += (strength * matrices[f"{path}.up"].float() @ down.float()).to(layer.weight.dtype)


def _layers(network: nn.Module, names: Sequence[str]) -> Iterator[tuple[nn.Module, str, nn.Linear]]:
    for path, module in network.named_modules():
        if isinstance(module, nn.Linear) and any(path.endswith(f".{name}") for name in names):
            parent, _, name = path.rpartition(".")
            yield network.get_submodule(parent), name, module
