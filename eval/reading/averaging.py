"""The running mean of a network's weights over training, which is kept at the end instead of the last. Needs torch alone."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


class RunningMean:
    """Of parameters, from the first step on (Polyak and Juditsky, Acceleration of Stochastic Approximation by Averaging, 1992)."""

    def __init__(self, parameters: Sequence[Tensor], decay: float) -> None:
        """`decay`: 0 keeps the last weights."""
        self._parameters = parameters
        self._decay = decay
        self._means = [parameter.detach().clone() for parameter in parameters]

    def take(self, step: int) -> None:
        """Takes the weights after a step, from 1; the first steps count more than later ones."""
        if self._decay:
            torch._foreach_lerp_(self._means, [p.detach() for p in self._parameters], 1.0 - min(self._decay, step / (step + 10)))

    @torch.no_grad()
    def keep(self) -> None:
        """Puts the mean in the parameters' place."""
        if self._decay:
            for parameter, mean in zip(self._parameters, self._means, strict=True):
                parameter.copy_(mean)
