"""On the PyTorch backend a step is one kernel call for all variables: that it is taken, and only where it may be."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

import steepest
from steepest import keras as face
from tests.keras_face.cases import ONE_OF_EACH, Case, over
from tests.keras_face.digits import compiled, digits, losses, same, state
from tests.keras_face.trajectory import BACKEND

pytestmark = pytest.mark.skipif(BACKEND != "torch", reason="the fused kernel is for PyTorch's tensors")

if BACKEND == "torch":
    import torch

    from steepest.execute import cpu

MAKE: dict[str, Callable[[], Any]] = {
    **{case.rule: case.ours for case in ONE_OF_EACH},
    "AdaBelief": lambda: face.AdaBelief(0.01),
    "Lookahead": lambda: face.Lookahead(face.Adam(0.01)),
    "Optimizer": lambda: face.Optimizer(steepest.chain(steepest.ClipByGlobalNorm(0.5), steepest.ScaleByLearningRate(0.1))),
}


@pytest.fixture
def kernels(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of variables of every kernel step."""
    seen: list[int] = []
    step = cpu.step

    def spy(work: Any, threads: int) -> None:
        seen.append(sum(len(w.table.owners[0]) for w in work))
        step(work, threads)

    monkeypatch.setattr(cpu, "step", spy)
    return seen


@pytest.fixture
def by_rule(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of variables of every step that the rule itself took."""
    seen: list[int] = []
    step = face.Optimizer._by_rule

    def spy(self: Any, grads: Any, variables: Any, learning_rate: Any) -> None:
        seen.append(len(variables))
        step(self, grads, variables, learning_rate)

    monkeypatch.setattr(face.Optimizer, "_by_rule", spy)
    return seen


def pair(make: Callable[[], Any], shape: tuple[int, ...] = (5, 3)) -> tuple[Any, list[Any], Any, list[Any]]:
    """Two optimizers with equal variables: the second is given what is plain."""
    start = np.random.default_rng(0).normal(size=shape).astype("float32")
    return make(), [keras.Variable(start)], make(), [keras.Variable(start)]


def gradient(t: int, shape: tuple[int, ...] = (5, 3)) -> Any:
    return torch.tensor(np.random.default_rng(t).normal(size=shape).astype("float32"))


@pytest.mark.parametrize("name", MAKE)
def test_fit_goes_by_the_kernel(name: str, kernels: list[int], by_rule: list[int]) -> None:
    model = compiled(MAKE[name]())
    losses(model, 1)
    assert kernels == [4] * 15  # batches
    assert not by_rule


def test_accumulation_and_averages_too(kernels: list[int], by_rule: list[int]) -> None:
    model = compiled(face.Adam(0.01, gradient_accumulation_steps=5, use_ema=True, weight_decay=0.1, clipnorm=1.0))
    losses(model, 1)
    assert kernels == [4] * 3
    assert not by_rule


def test_stateless_goes_by_the_rule(kernels: list[int], by_rule: list[int]) -> None:
    optimizer, mine = face.Adam(0.1), [keras.Variable([1.0, 2.0])]
    optimizer.build(mine)
    before = [v.value.clone() for v in [*mine, *optimizer.variables]]
    optimizer.stateless_apply([v.value for v in optimizer.variables], [torch.ones(2)], [mine[0].value])
    assert not kernels
    assert by_rule == [1]
    assert all(torch.equal(a, v.value) for a, v in zip(before, [*mine, *optimizer.variables], strict=True))
    optimizer.apply([torch.ones(2)], mine)
    assert kernels == [1]


@over(ONE_OF_EACH)
def test_the_kernel_equals_the_rule(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    a, mine, b, theirs = pair(case.ours)
    b._fused = None
    for t in range(20):
        a.learning_rate = b.learning_rate = 0.1 / (1 + t)  # a stale one would be seen
        a.apply([gradient(t)], mine)
        b.apply([gradient(t)], theirs)
    same([mine[0].value.detach().numpy(), *state(a)], [theirs[0].value.detach().numpy(), *state(b)], 2e-5)


def move(variable: Any) -> None:
    """The same numbers elsewhere, as `module.to(...)` or `p.data = ...` leave them."""
    variable._value.data = variable._value.data.clone()


def replace(variable: Any) -> None:
    """Another tensor."""
    variable._value = torch.nn.Parameter(variable._value.detach().clone(), requires_grad=variable._value.requires_grad)


def transpose_in_memory(variable: Any) -> None:
    """The same numbers in another order of memory."""
    variable._value.data = variable._value.data.t().contiguous().t()


@pytest.mark.parametrize("change", [move, replace, transpose_in_memory])
@pytest.mark.parametrize("what", ["variable", "state", "both"])
def test_no_stale_pointers(change: Callable[[Any], None], what: str, kernels: list[int]) -> None:
    """What has moved is found, whatever was there before is left alone."""
    a, mine, b, theirs = pair(lambda: face.Adam(0.1))
    for t in range(6):
        if t == 3:
            changed = ([mine[0]] if what != "state" else []) + (a.variables[2:] if what != "variable" else [])
            old = [v._value.data for v in changed]
            for v in changed:
                change(v)
            kept = [o.clone() for o in old]
        a.apply([gradient(t)], mine)
        b.apply([gradient(t)], theirs)
        if t >= 3:
            assert all(map(torch.equal, old, kept))
    assert len(kernels) == 12
    assert torch.equal(mine[0].value, theirs[0].value)
    same(state(a), state(b))


def test_a_module_in_another_dtype() -> None:
    """Keras does not know of `module.to(torch.float64)`: its variables still say float32. Stepped all the same, and going back too."""
    model, other = compiled(face.Adam(0.01)), compiled(face.Adam(0.01))
    x, y = (a[:32] for a in digits())
    model.train_on_batch(x, y)
    other.train_on_batch(x, y)
    grads = [torch.full(tuple(v.shape), 0.1) for v in model.trainable_variables]
    model.to(torch.float64)
    model.optimizer.apply([g.double() for g in grads], model.trainable_variables)
    assert all(v._value.dtype == torch.float64 for v in model.trainable_variables)
    model.to(torch.float32)
    model.optimizer.apply(grads, model.trainable_variables)
    for _ in range(2):
        other.optimizer.apply(grads, other.trainable_variables)
    same(model.get_weights(), other.get_weights(), 1e-5)
    same(state(model.optimizer), state(other.optimizer), 1e-5)


def test_weights_loaded_between_steps(tmp_path: Any) -> None:
    model = compiled(face.Lookahead(face.Adam(0.01), 2))
    x, y = (a[:32] for a in digits())
    model.train_on_batch(x, y)
    model.save_weights(tmp_path / "a.weights.h5")
    saved = state(model.optimizer), model.get_weights()
    first = [model.train_on_batch(x, y)[0] for _ in range(3)]
    model.load_weights(tmp_path / "a.weights.h5")
    same(saved[0], state(model.optimizer))
    same(saved[1], model.get_weights())
    model.reset_metrics()
    again = [model.train_on_batch(x, y)[0] for _ in range(3)]
    np.testing.assert_allclose(first[-1], again[-1], rtol=0.2)  # a running mean
    assert model.optimizer.iterations.numpy() == 4


GRADIENTS: dict[str, Callable[[Any], Any]] = {
    "transposed": lambda g: g.t().contiguous().t(),
    "with gaps": lambda g: torch.stack([g, g + 1], -1)[..., 0],
    "float64": lambda g: g.double(),
    "bfloat16": lambda g: g.bfloat16(),
    "expanded": lambda g: g[:1, :1].expand(g.shape),
    "negated": lambda g: torch._neg_view(-g),
    "requires grad": lambda g: g.clone().requires_grad_(),
}


@pytest.mark.parametrize("kind", GRADIENTS)
def test_gradients_of_other_kinds(kind: str, kernels: list[int]) -> None:
    """In the middle of a run of plain ones; left as they were."""
    a, mine, b, theirs = pair(lambda: face.Adam(0.1))
    for t in range(6):
        g = GRADIENTS[kind](gradient(t)) if t % 2 else gradient(t)
        kept, plain = g.detach().clone(), g.detach().to(torch.float32).contiguous().clone()
        a.apply([g], mine)
        b.apply([plain], theirs)
        assert torch.equal(g, kept)
        assert torch.equal(mine[0].value, theirs[0].value)
    assert len(kernels) == 12


def test_variables_of_two_dtypes(kernels: list[int]) -> None:
    """Of one optimizer, in one call."""
    mine = [keras.Variable(np.ones(5), dtype=d) for d in ("float32", "float64", "bfloat16", "float16")]
    optimizer = face.Adam(0.1)
    optimizer.apply([torch.ones(5, dtype=v.value.dtype) for v in mine], mine)
    assert kernels == [4]
    same([v.value.detach().double().numpy() for v in mine], [np.full(5, 0.9)] * 4, 4e-3)


def test_all_excluded_from_weight_decay() -> None:
    """Keras' own multiplies an empty list here, and fails."""

    def run(cls: Any) -> Any:
        optimizer, mine = cls(0.5, weight_decay=0.1), [keras.Variable([1.0], name="bias")]
        optimizer.exclude_from_weight_decay(var_names=["bias"])
        optimizer.apply([torch.ones(1)], mine)
        return mine[0].value.item()

    assert run(face.SGD) == 0.5
    with pytest.raises(RuntimeError, match="at least one tensor"):
        run(keras.optimizers.SGD)
