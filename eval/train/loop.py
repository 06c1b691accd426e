"""The loop that trains every network. Needs torch alone.

Goes in: the parameters to be trained and, step by step, the loss. Comes out: the parameters, trained: AdamW, a learning rate that
rises and falls evenly, gradients held to length 1, and where asked for the running mean of the weights instead of the last.
Knows no network and no data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

_TOLD = 100
"""Steps between two lines."""

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Course:
    """How to go down the loss."""

    steps: int
    learning_rate: float
    """The highest."""
    warm_up: float = 0.1
    """Share of the steps in which the learning rate rises."""
    weight_decay: float = 0.01
    averaged: float = 0.0
    """Decay of the running mean of the weights that is kept at the end; 0 keeps the last."""


def descend(name: str, parameters: Sequence[nn.Parameter], losses: Iterable[Tensor], course: Course, tell: Tell) -> None:
    """Trains the parameters. `losses`: one for each step, each made when it is asked for; `name`: told with the progress."""
    rise, fall = course.warm_up * course.steps, (1.0 - course.warm_up) * course.steps
    optimiser = torch.optim.AdamW(parameters, lr=course.learning_rate, weight_decay=course.weight_decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: min((step + 1) / rise, (course.steps - step) / fall))
    mean = RunningMean(parameters, course.averaged)
    total = torch.zeros(())
    for step, loss in enumerate(losses, 1):
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        schedule.step()
        mean.take(step)
        total = loss.detach() + total
        if step % _TOLD == 0:
            tell(f"{name}: step {step} of {course.steps}, loss {float(total) / _TOLD:.3f}")
            total = torch.zeros(())
    mean.keep()


class RunningMean:
    """Of parameters, from the first step on (Polyak and Juditsky, Acceleration of Stochastic Approximation by Averaging, 1992)."""

    def __init__(self, parameters: Sequence[Tensor], decay: float) -> None:
        """`decay`: 0 keeps the last weights."""
        self._parameters = parameters
        self._decay = decay
        self._means = [parameter.detach().clone() for parameter in parameters] if decay else []

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
