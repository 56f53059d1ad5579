"""A strategy read as settings: which rule it is, and its arguments by their neutral names."""

from typing import Any, NamedTuple

from steepest.errors import StateError
from steepest.rules import Lookahead, ScaleByAdam, ScaleByAMSGrad, ScaleByBelief, ScaleByLion, ScaleByMaxBelief, ScaleByRms, ScaleByStddev
from steepest.transform import Chain, Transform
from steepest.transforms import AddDecayedWeights, Scale, ScaleByLearningRate, ShrinkWeights, Trace

_RULES: dict[type[Transform], tuple[str, dict[str, Any]]] = {
    ScaleByAdam: ("adam", {}),
    ScaleByAMSGrad: ("adam", {"amsgrad": True}),
    ScaleByBelief: ("adabelief", {}),
    ScaleByMaxBelief: ("adabelief", {"amsgrad": True}),
    ScaleByRms: ("rmsprop", {}),
    ScaleByStddev: ("rmsprop", {"centered": True}),
    ScaleByLion: ("lion", {}),
}
_MOMENTUM = {"momentum", "dampening", "nesterov"}


class Settings(NamedTuple):
    """A rule and its arguments; `weight_decay` is decoupled or not."""

    rule: str
    arguments: dict[str, Any]
    weight_decay: Any = 0.0
    decoupled: bool = True


def settings(strategy: Transform) -> Settings:
    """What a strategy is, in the words that all frameworks share.

    Raises:
        StateError: it is none of the optimizers that frameworks have.
    """
    if isinstance(strategy, Lookahead):
        raise StateError(
            "Lookahead is a wrapper, which PyTorch and Keras do not have and optax has in another form: restore it into steepest's own, "
            "whose state is the same everywhere."
        )
    rule, arguments, decay, decoupled, rate_seen = "sgd", dict[str, Any](), 0.0, True, False
    for link in strategy.links if isinstance(strategy, Chain) else (strategy,):
        kind = next((k for k in type(link).__mro__ if k in _RULES), None)
        if kind is not None:
            rule, implied = _RULES[kind]
            arguments |= {name: getattr(link, name) for name in link._kinds} | implied
        elif isinstance(link, Trace):
            arguments |= {name: getattr(link, name) for name in _MOMENTUM}
        elif isinstance(link, ScaleByLearningRate):
            arguments["lr"], rate_seen = link.lr, True
        elif isinstance(link, AddDecayedWeights) and not rate_seen:
            decay, decoupled = link.weight_decay, bool(arguments)
        elif isinstance(link, ShrinkWeights):
            decay, decoupled = link.weight_decay, True
        elif not isinstance(link, Scale):
            raise StateError(
                f"{strategy!r} is a strategy of its own, which no other framework has under a name: restore it into "
                "steepest's Optimizer (torch, keras) or transform (optax), as it is."
            )
    if "lr" not in arguments:
        raise StateError(f"{strategy!r} has no learning rate, which every framework's optimizers have.")
    return Settings(rule, arguments, decay, decoupled)
