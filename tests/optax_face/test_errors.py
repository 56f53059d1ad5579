"""What is refused, with which words, and that nothing has changed then."""

import inspect
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import steepest
from steepest import Slot, Step, Transform, chain
from steepest import optax as face
from steepest.errors import HyperparameterError, StateError, TensorError, TraceError
from tests.optax_face.cases import ONE_OF_EACH, Case, over

WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("adam", {"b1": -0.1}, r"adam: b1=-0\.1 .*range"),
    ("adam", {"b1": 1.0}, r"adam: b1=1\.0 .*range"),
    ("adam", {"b2": 1.5}, r"adam: b2=1\.5 .*range"),
    ("adam", {"b2": np.nan}, r"adam: b2=nan .*range"),
    ("adam", {"eps": "1e-8"}, r"adam: eps='1e-8' is not a number"),
    ("adam", {"eps": -1e-8}, r"adam: eps=-1e-08 .*range"),
    ("adam", {"eps_root": -1.0}, r"adam: eps_root=-1\.0 .*range"),
    ("adam", {"b1": None}, r"adam: b1=None is not a number"),
    ("adam", {"b1": (0.9, 0.99)}, r"adam: b1=\(0\.9, 0\.99\) is not a number"),
    ("adam", {"b1": np.ones(2)}, r"adam: b1=.* cannot be read as one number"),
    ("nadam", {"b1": 2.0}, r"b1=2\.0 .*range"),
    ("adamw", {"weight_decay": -0.1}, r"adamw: weight_decay=-0\.1 .*range"),
    ("adamw", {"weight_decay": "0.1"}, r"adamw: weight_decay='0\.1' is not a number"),
    ("nadamw", {"eps": None}, r"eps=None is not a number"),
    ("amsgrad", {"b2": -1.0}, r"amsgrad: b2=-1\.0 .*range"),
    ("amsgrad", {"eps_root": -1.0}, r"amsgrad: eps_root=-1\.0 .*range"),
    ("adabelief", {"eps_root": "tiny"}, r"adabelief: eps_root='tiny' is not a number"),
    ("adabelief", {"b1": True}, r"adabelief: b1=True is not a number"),
    ("lion", {"b1": 1.0}, r"lion: b1=1\.0 .*range"),
    ("lion", {"weight_decay": -1.0}, r"lion: weight_decay=-1\.0 .*range"),
    ("rmsprop", {"decay": 1.0}, r"rmsprop: decay=1\.0 .*range"),
    ("rmsprop", {"momentum": -0.9}, r"rmsprop: momentum=-0\.9 .*range"),
    ("rmsprop", {"eps_in_sqrt": "yes"}, r"rmsprop: eps_in_sqrt='yes' must be bool"),
    ("rmsprop", {"centered": True, "bias_correction": 2}, r"rmsprop: bias_correction=2 must be bool"),
    ("sgd", {"momentum": "0.9"}, r"sgd: momentum='0\.9' is not a number"),
    ("sgd", {"momentum": 0.9, "nesterov": 1}, r"sgd: nesterov=1 must be bool"),
    *((rule, {"learning_rate": -0.1}, rf"{rule}: learning_rate=-0\.1 .*range") for rule in ("sgd", "rmsprop", "adam", "adamw", "lion")),
    *((rule, {"learning_rate": "1e-3"}, rf"{rule}: learning_rate='1e-3' is not a number") for rule in ("sgd", "adabelief", "amsgrad")),
    ("adam", {"learning_rate": None}, r"adam: learning_rate=None is not a number"),
]


@pytest.mark.parametrize(("rule", "arguments", "message"), WRONG, ids=[f"{r}({a})" for r, a, _ in WRONG])
def test_wrong_hyperparameters(rule: str, arguments: dict[str, Any], message: str) -> None:
    """When the transformation is made, by optax's name for the argument; optax itself checks nothing here."""
    with pytest.raises(HyperparameterError, match=message) as caught:
        getattr(face, rule)(**{"learning_rate": 0.1, **arguments})
    assert isinstance(caught.value, ValueError)
    assert " lr=" not in str(caught.value)
    assert caught.value.field in arguments, "the error's field is optax's name"


def test_wrong_hyperparameters_that_are_jax_arrays() -> None:
    """Known ones are checked like numbers; inside `jit` there is nothing to check."""
    with pytest.raises(HyperparameterError, match="learning_rate"):
        face.adam(jnp.asarray(-0.1))
    with pytest.raises(HyperparameterError, match="b1"):
        face.adam(0.1, b1=jnp.ones(2))
    g = jnp.ones(2)
    updates = jax.jit(lambda lr: (lambda tx: tx.update(g, tx.init(g), g)[0])(face.sgd(lr)))(-0.5)
    np.testing.assert_array_equal(updates, 0.5 * g)


@pytest.mark.parametrize("rule", ["sgd", "rmsprop", "adam", "nadam", "adamw", "nadamw", "amsgrad", "adabelief", "lion"])
def test_signatures_are_those_of_optax(rule: str) -> None:
    """Names, order, kinds and defaults; and the annotation that optax's own tests look for."""
    ours, theirs = (inspect.signature(getattr(module, rule)).parameters for module in (face, optax))
    assert [(p.name, p.kind, p.default) for p in ours.values()] == [(p.name, p.kind, p.default) for p in theirs.values()]
    assert ours["learning_rate"].annotation == optax.ScalarOrSchedule


def test_unknown_arguments() -> None:
    with pytest.raises(TypeError, match="epsilon"):
        face.adam(0.1, epsilon=1e-8)  # pyright: ignore[reportCallIssue]
    with pytest.raises(TypeError, match="learning_rate"):
        face.adam()  # pyright: ignore[reportCallIssue]


@pytest.mark.parametrize(
    "strategy", ["adam", None, 0.1, steepest.ScaleByAdam, optax.adam(0.1), [steepest.ScaleByAdam()]], ids=lambda s: type(s).__name__
)
def test_what_is_no_strategy(strategy: Any) -> None:
    with pytest.raises(HyperparameterError, match=r"transform\(strategy\).*got"):
        face.transform(strategy)


@pytest.mark.parametrize("where", ["dtypes", "start"])
def test_unknown_slots(where: str) -> None:
    options: dict[str, Any] = {where: {"momentum": 0.0}}
    with pytest.raises(HyperparameterError, match=r"no slot 'momentum'.*has: mu, nu"):
        face.transform(steepest.adam(), **options)
    with pytest.raises(HyperparameterError, match=r"no slot 'momentum'.*has: none"):
        face.transform(steepest.ScaleByLearningRate(0.1), **options)


def frozen(tree: Any) -> Any:
    return jax.tree.map(np.array, tree)


def refused(tx: Any, error: type[Exception], match: str, updates: Any, state: Any, params: Any = None) -> None:
    """An error, and everything that was given is as it was."""
    before = frozen((updates, state, params))
    with pytest.raises(error, match=match):
        tx.update(updates, state, params)
    jax.tree.map(np.testing.assert_array_equal, frozen((updates, state, params)), before)


NEED_PARAMS: dict[str, Any] = {
    **{str(c): c.ours for c in ONE_OF_EACH if c.needs_params},
    "trust ratio": lambda: face.transform(chain(steepest.ScaleByTrustRatio(), steepest.ScaleByLearningRate(0.1))),
    "shrunk": lambda: face.transform(steepest.ShrinkWeights(0.1, 0.1)),
    "Lookahead": lambda: face.transform(steepest.Lookahead(steepest.ScaleByLearningRate(0.1))),
    "lookahead": lambda: face.lookahead(face.sgd(0.1), 5, 0.5),
}


@pytest.mark.parametrize("make", NEED_PARAMS.values(), ids=NEED_PARAMS)
def test_without_the_parameters_that_are_needed(make: Any) -> None:
    tx, g = make(), jnp.ones(3)
    refused(tx, ValueError, "current value of parameters, but you are not passing `params`", g, tx.init(g))


@over(case for case in ONE_OF_EACH if not case.needs_params)
def test_without_the_parameters_that_are_not_needed(case: Case) -> None:
    tx, g = case.ours(), {"a": jnp.ones(3), "b": jnp.zeros((2, 2))}
    state = tx.init(g)
    got, want = tx.update(g, state), tx.update(g, state, g)
    jax.tree.map(np.testing.assert_array_equal, got, want)


@pytest.mark.parametrize("dtype", [jnp.complex64, jnp.int32, jnp.bool_], ids=str)
@over(ONE_OF_EACH)
def test_gradients_that_are_not_real(case: Case, dtype: Any) -> None:
    tx, params = case.ours(), {"a": jnp.ones(3), "b": jnp.ones((2, 2))}
    grads = {"a": jnp.ones(3), "b": jnp.ones((2, 2), dtype)}
    hint = "split_real_and_imaginary" if dtype == jnp.complex64 else "real floating-point"
    refused(tx, TensorError, rf"shape \(2, 2\) has dtype {jnp.dtype(dtype).name}.*{hint}", grads, tx.init(params), params)


def test_states_of_others() -> None:
    params = jnp.ones(3)
    tx = face.adam(0.1)
    for state in (optax.adam(0.1).init(params), face.lion(0.1).init(params), optax.EmptyState(), (), None, {"count": 0}, params):
        refused(tx, StateError, "not one that this transformation made", params, state, params)


def test_a_state_with_other_shapes() -> None:
    tx = face.adam(0.1)
    state = tx.init({"a": jnp.ones(3)})
    refused(tx, ValueError, "key", {"a": jnp.ones(3), "b": jnp.ones(2)}, state, {"a": jnp.ones(3), "b": jnp.ones(2)})
    refused(tx, TensorError, r"shape \(3,\) has a gradient of shape \(4,\)", {"a": jnp.ones(4)}, state, {"a": jnp.ones(3)})


class Forgetful(Transform):
    kept = Slot()

    def update(self, u: Any, at: Any, kept: Any) -> Step:
        return Step(u)


def test_rules_that_are_wrong() -> None:
    g = jnp.ones(3)
    tx = face.transform(Forgetful())
    refused(tx, TraceError, "Forgetful.*without kept", g, tx.init(g), g)


def test_masks_that_do_not_fit() -> None:
    params = {"a": jnp.ones(3), "b": jnp.ones(2)}
    tx = face.adamw(0.1, mask={"a": True})
    with pytest.raises(ValueError, match="key"):
        tx.update(params, tx.init(params), params)


LOOKAHEAD: list[tuple[dict[str, Any], str]] = [
    ({"sync_period": 0}, "lookahead: sync_period=0 .*range"),
    ({"sync_period": 2.5}, "lookahead: sync_period=2.5 must be int"),
    ({"sync_period": True}, "lookahead: sync_period=True must be int"),
    ({"slow_step_size": -0.1}, "lookahead: slow_step_size=-0.1 .*range"),
    ({"slow_step_size": 1.1}, "lookahead: slow_step_size=1.1 .*range"),
    ({"slow_step_size": "half"}, "lookahead: slow_step_size='half' is not a number"),
]


@pytest.mark.parametrize(("arguments", "message"), LOOKAHEAD, ids=[str(a) for a, _ in LOOKAHEAD])
def test_wrong_lookaheads(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(HyperparameterError, match=message) as caught:
        face.lookahead(optax.sgd(0.1), **{"sync_period": 5, "slow_step_size": 0.5, **arguments})
    assert caught.value.field in arguments
