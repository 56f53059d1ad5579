"""Lookahead around any optax transformation, on plain parameters."""

from functools import partial
from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp
import optax

from steepest.errors import HyperparameterError
from steepest.ops import Value
from steepest.optax.transform import NO_PARAMS, transform
from steepest.rules.lookahead import Lookahead
from steepest.transform import At, Step, Transform


class AsGiven(Transform):
    """The update that the fast optimizer has made already."""

    def update(self, u: Value, at: At) -> Step:
        return Step(u)


class LookaheadState(NamedTuple):
    """`count` and the slow weights (`slow`) in `sync`, and the state of the fast optimizer."""

    fast_state: Any
    sync: Any


def lookahead(
    fast_optimizer: optax.GradientTransformation, sync_period: int, slow_step_size: float, reset_state: bool = False
) -> optax.GradientTransformationExtraArgs:
    """`sync_period` steps of `fast_optimizer`, then one step of slow weights `slow_step_size` of the way, from which it goes on.

    >>> import optax
    >>> optimizer = lookahead(optax.adam(1e-3), sync_period=6, slow_step_size=0.5)

    Reference: Zhang, Lucas, Hinton & Ba 2019, arXiv:1907.08610, Algorithm 1.

    Differs from optax.lookahead:
    1. Parameters stay as they are, a tree of the fast weights; there they become a pair, fast and slow. The slow
       weights are in the state, `state.sync.slow`; at every synchronisation the two are equal.

    Args:
        fast_optimizer: any transformation, of optax or of ours.
        sync_period: steps from one synchronisation to the next, at least 1.
        slow_step_size: how far the slow weights go towards the fast ones, from 0 to 1.
        reset_state: whether the fast optimizer begins anew after every synchronisation.
    """
    fast: Any = optax.with_extra_args_support(fast_optimizer)
    try:
        sync: Any = transform(Lookahead(AsGiven(), sync_period, slow_step_size))
    except HyperparameterError as error:
        name = {"k": "sync_period", "alpha": "slow_step_size"}[error.field]
        raise HyperparameterError(f"lookahead: {name}={error.value!r} {error.why}.", name, error.value, error.why) from None

    def init(params: Any) -> LookaheadState:
        return LookaheadState(fast.init(params), sync.init(params))

    def update(updates: Any, state: LookaheadState, params: Any = None, **extra: Any) -> tuple[Any, LookaheadState]:
        if params is None:
            raise ValueError(NO_PARAMS)
        updates, fast_state = fast.update(updates, state.fast_state, params, **extra)
        updates, synced = sync.update(updates, state.sync, params)
        if reset_state:
            done = synced.count % sync_period == 0
            fast_state = jax.tree.map(partial(jnp.where, done), fast.init(params), fast_state)
        return updates, LookaheadState(fast_state, synced)

    return optax.GradientTransformationExtraArgs(init, cast("Any", update))
