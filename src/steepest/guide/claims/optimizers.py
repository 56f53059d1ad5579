"""The optimizers of the experiments that are not in the registry as they stand: without weight decay, or at a constant rate.

The race reads from a signature what can be tuned. These take a learning rate and nothing else, so that nothing else is tuned.
"""

from collections.abc import Callable, Iterable
from typing import Any

from steepest import rules
from steepest.race.extra import NeedsExtra
from steepest.transform import Transform

with NeedsExtra():
    from steepest.torch import Optimizer

Parameters = Iterable[Any]


def sgd(params: Parameters, lr: float = 0.1) -> Optimizer:
    """Without momentum, so that a rate ten times that of momentum 0.9 takes as long a step in the end: hence the default."""
    return Optimizer(params, rules.sgd(lr))


def momentum(params: Parameters, lr: float = 0.01) -> Optimizer:
    """SGD with momentum 0.9."""
    return Optimizer(params, rules.momentum(lr))


def rmsprop(params: Parameters, lr: float = 0.001) -> Optimizer:
    """With the learning rate of Hinton's lecture."""
    return Optimizer(params, rules.rmsprop(lr))


def adam(params: Parameters, lr: float = 0.001) -> Optimizer:
    """Adam without weight decay."""
    return Optimizer(params, rules.adam(lr))


def adabelief(params: Parameters, lr: float = 0.001) -> Optimizer:
    """AdaBelief without weight decay."""
    return Optimizer(params, rules.adabelief(lr))


def lion(params: Parameters, lr: float = 0.0001) -> Optimizer:
    """Lion without weight decay."""
    return Optimizer(params, rules.lion(lr))


class Held(Optimizer):
    """An optimizer whose learning rate stays what it was at the first, whatever schedule a race has."""

    def __init__(self, params: Parameters, build: Callable[[float], Transform], lr: float) -> None:
        super().__init__(params, build(lr))
        self._held = lr

    def step(self, closure: Any = None) -> Any:
        """One step at that rate."""
        for group in self.param_groups:
            group["lr"] = self._held
        return super().step(closure)


def held_adam(params: Parameters, lr: float = 0.001) -> Optimizer:
    """Adam at a constant rate."""
    return Held(params, rules.adam, lr)


def held_adabelief(params: Parameters, lr: float = 0.001) -> Optimizer:
    """AdaBelief at a constant rate."""
    return Held(params, rules.adabelief, lr)


def held_lookahead(params: Parameters, lr: float = 0.001) -> Optimizer:
    """Lookahead around Adam at a constant rate."""
    return Held(params, rules.lookahead, lr)
