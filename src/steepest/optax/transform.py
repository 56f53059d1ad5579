"""Any strategy as an optax transformation: the rule itself, called with JAX's arrays, for XLA to compile."""

from collections import namedtuple
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NoReturn

import jax
import jax.numpy as jnp
import optax

from steepest.errors import HyperparameterError, StateError, TensorError
from steepest.execute import eager
from steepest.transform import Slot, Transform
from steepest.transforms import Cosine, Linear
from steepest.tree import floats, hyperparameters, slots

NO_PARAMS = (
    "You are using a transformation that requires the current value of parameters, but you are not passing `params` "
    "when calling `update`: write `updates, state = optimizer.update(grads, state, params)`."
)


def transform(
    strategy: Transform,
    *,
    dtypes: Mapping[str, Any] | None = None,
    start: Mapping[str, Any] | None = None,
    decay_mask: Any = None,
) -> optax.GradientTransformationExtraArgs:
    """An optax transformation that steps by `strategy`.

    >>> import optax, steepest
    >>> strategy = steepest.chain(steepest.ScaleByBelief(), steepest.Cautious(), steepest.ScaleByLearningRate(1e-3))
    >>> optimizer = optax.chain(optax.clip_by_global_norm(1.0), transform(strategy))

    Its state is a named tuple: `count`, an int32, then one tree like the parameters for each slot, under the slot's
    name (`mu`, `nu`, `trace`, ...). Nothing in it is kept elsewhere: it passes through `jit`, `vmap`, `lax.cond`,
    pickle and checkpoints. Arithmetic is in float32 at least; updates have their gradient's dtype, slots keep their own.

    Args:
        strategy: a chain of transforms, or any other transform. Its hyperparameters are numbers, schedules (called
            with the number of steps already taken) or JAX scalars, which `jit` may trace and `grad` differentiate.
        dtypes: the dtype of a slot by name, where it is not the parameter's: `{"mu": jnp.bfloat16}`.
        start: the number that a slot begins with by name, where it is not zero.
        decay_mask: a tree like the parameters, or a prefix of one, or a function that makes it of them: True where
            `weight_decay` applies.

    Raises:
        HyperparameterError: `strategy` is no transform, or a slot's name is unknown.
        TensorError: at `update`, a gradient is complex or an integer.
        StateError: at `update`, the state is not this transformation's.
        ValueError: at `update`, the strategy needs the parameters and they are not given.
    """
    if not isinstance(strategy, Transform):  # pyright: ignore[reportUnnecessaryIsInstance]: users pass names and functions
        raise HyperparameterError(f"transform(strategy): the strategy is a chain of transforms, got {strategy!r}.")
    kinds = slots(strategy)
    for name in {*(dtypes or {}), *(start or {})} - {*kinds}:
        raise HyperparameterError(f"{strategy!r} has no slot {name!r}. It has: {', '.join(kinds) or 'none'}.")
    make_state = state_class(tuple(kinds))

    def init(params: Any) -> Any:
        make = {name: _initial(slot, (dtypes or {}).get(name), (start or {}).get(name)) for name, slot in kinds.items()}
        return make_state(jnp.zeros([], jnp.int32), *(jax.tree.map(make[name], params) for name in kinds))

    def update(updates: Any, state: Any, params: Any = None, **_: Any) -> tuple[Any, Any]:
        if getattr(state, "_fields", None) != make_state._fields:
            raise StateError(f"The state is {type(state).__name__}{getattr(state, '_fields', '')}, not one that this transformation made.")
        count = optax.safe_increment(state.count)
        now = _numbers(strategy, state.count)
        grads, tree = jax.tree.flatten(updates, is_leaf=_absent)
        columns = {name: tree.flatten_up_to(getattr(state, name)) for name in kinds}
        at = [_missing] * len(grads) if params is None else tree.flatten_up_to(params)
        decays = _decays(decay_mask, params if params is not None else updates, tree)
        leaves = [
            None if g is None else _leaf(p, g, {n: c[i] for n, c in columns.items()}, _masked(now, decays[i]), count)
            for i, (g, p) in enumerate(zip(grads, at, strict=True))
        ]
        found = iter(eager.update(strategy, [leaf for leaf in leaves if leaf is not None]))
        steps = [None if leaf is None else next(found) for leaf in leaves]
        new = [None if s is None else s["u"].astype(jnp.result_type(g)) for s, g in zip(steps, grads, strict=True)]
        kept = {
            name: [old if s is None else s[name].astype(jnp.result_type(old)) for s, old in zip(steps, column, strict=True)]
            for name, column in columns.items()
        }
        return tree.unflatten(new), make_state(count, *(tree.unflatten(kept[name]) for name in kinds))

    update.strategy = strategy  # pyright: ignore[reportFunctionMemberAccess]: what `export` goes by
    return optax.GradientTransformationExtraArgs(init, update)


@cache
def state_class(names: tuple[str, ...]) -> Any:
    """The named tuple of a strategy with these slots: one class for each set of names, which pickle finds again."""
    made = namedtuple("State", ("count", *names))  # pyright: ignore[reportUntypedNamedTuple]: the fields are the strategy's

    def reduced(state: tuple[Any, ...]) -> tuple[Any, ...]:
        return _restored, (names, tuple(state))

    return type("State", (made,), {"__slots__": (), "__reduce__": reduced, "__doc__": _STATE})


_STATE = "The state of a strategy: `count`, the number of steps taken, and a tree like the parameters for each slot."


def _restored(names: tuple[str, ...], values: tuple[Any, ...]) -> Any:
    return state_class(names)(*values)


def _initial(slot: Slot, dtype: Any, start: Any) -> Callable[[Any], Any]:
    def make(param: Any) -> Any:
        kind = jnp.result_type(param) if dtype is None else dtype
        if slot.init == "param":
            return jnp.array(param, dtype=kind, copy=True)
        return jnp.zeros_like(param, dtype=kind) if start is None else jnp.full_like(param, start, dtype=kind)

    return make


def _numbers(strategy: Transform, taken: Any) -> dict[str, Any]:
    """The hyperparameters of this step, schedules asked for theirs."""
    values = hyperparameters(strategy)
    return {name: _at(values[name], taken) if callable(values[name]) else values[name] for name in floats(strategy)}


def _at(schedule: Any, taken: Any) -> Any:
    """A schedule's number. JAX divides an int32 in float32 even where x64 is on; that is optax's schedules' habit, not ours."""
    return schedule(taken.astype(float) if isinstance(schedule, (Cosine, Linear)) else taken)


def _leaf(param: Any, grad: Any, state: Mapping[str, Any], scalars: Mapping[str, Any], count: Any) -> eager.Leaf:
    dtype = jnp.result_type(grad)
    if not jnp.issubdtype(dtype, jnp.floating):
        hint = " Wrap the optimizer: optax.contrib.split_real_and_imaginary(...)." if jnp.iscomplexobj(grad) else ""
        raise TensorError(f"A gradient of shape {jnp.shape(grad)} has dtype {dtype}; the rules are for real floating-point numbers.{hint}")
    compute = jnp.promote_types(dtype, jnp.float32)

    def wide(x: Any) -> Any:
        return jnp.asarray(x, jnp.promote_types(jnp.result_type(x), compute))

    grad = wide(grad)
    return eager.Leaf(
        param=Missing(grad.dtype, grad.shape) if param is _missing else wide(param),
        grad=grad,
        slots={name: wide(value) for name, value in state.items()},
        scalars={name: jnp.asarray(s, compute) if hasattr(s, "aval") else s for name, s in scalars.items()},
        count=count,
    )


_missing = object()


class Missing:
    """In the place of a parameter that `update` was not given: good for its dtype and shape alone."""

    def __init__(self, dtype: Any, shape: tuple[int, ...]) -> None:
        self.dtype, self.shape = dtype, shape

    def __array_namespace__(self) -> Any:
        """JAX's, for constants like this parameter."""
        return jnp

    def _refuse(self, *_: Any) -> NoReturn:
        raise ValueError(NO_PARAMS)

    _steepest_op = __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __neg__ = __abs__ = _refuse
    __mod__ = __pow__ = __rpow__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse


def _absent(x: Any) -> bool:
    return x is None


def _decays(mask: Any, params: Any, tree: Any) -> list[bool]:
    """For each leaf, whether weight decay applies."""
    if mask is None:
        return [True] * tree.num_leaves
    flags = mask(params) if callable(mask) else mask

    def spread(flag: Any, part: Any) -> Any:
        return jax.tree.unflatten(shape := jax.tree.structure(part, is_leaf=_absent), [flag] * shape.num_leaves)

    return tree.flatten_up_to(jax.tree.map(spread, flags, params))


def _masked(scalars: Mapping[str, Any], decays: Any) -> Mapping[str, Any]:
    return scalars if decays else {name: 0.0 if name.startswith("weight_decay") else s for name, s in scalars.items()}
