"""Between two steps everything may be exchanged: gradients, parameters' storage, state. The step goes by what is there."""

from collections import defaultdict
from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import Parameter

from steepest.errors import SteepestError
from tests.torch_face.cases import ONE_OF_EACH, STATELESS, WITH_SUMS, Case, dtypes, over
from tests.torch_face.inputs import DTYPES, give, params_like, same_bits, tame

SHAPES = ((4, 4), (2, 3, 4, 5), (17,), ())


def both(
    case: Case, dtype: torch.dtype = torch.float32, taken: int = 2
) -> tuple[list[Parameter], torch.optim.Optimizer, list[Parameter], torch.optim.Optimizer]:
    """Two equal optimizers in the middle of a run."""
    params = [Parameter(tame(s, dtype, i)) for i, s in enumerate(SHAPES)]
    twins = params_like(params)
    a, b = case.make(params), case.make(twins)
    for t in range(taken):
        give(params, t)
        give(twins, t)
        a.step()
        b.step()
    return params, a, twins, b


def steps_alike(params: list[Parameter], a: torch.optim.Optimizer, twins: list[Parameter], b: torch.optim.Optimizer) -> None:
    for t in range(10, 13):
        for p, q in zip(params, twins, strict=True):
            q.grad = tame(tuple(q.shape), q.dtype, t)
            p.grad = q.grad.clone()
        a.step()
        b.step()
        for p, q in zip(params, twins, strict=True):
            assert same_bits(p, q)


SAME_VALUES: dict[str, Callable[[Tensor], Tensor]] = {
    "a copy": lambda x: x.clone(),
    "transposed memory": lambda x: x.mT.contiguous().mT if x.dim() > 1 else x.clone(),
    "channels last": lambda x: x.contiguous(memory_format=torch.channels_last) if x.dim() == 4 else x.clone(),
    "a slice": lambda x: torch.stack([x, x], -1)[..., 0],
}


@over([*ONE_OF_EACH, WITH_SUMS])
@dtypes(torch.float32, torch.bfloat16, torch.complex64)
@pytest.mark.parametrize("swap", SAME_VALUES.values(), ids=SAME_VALUES)
@pytest.mark.filterwarnings("ignore:The use of `x.T`")
def test_storage_of_parameters(case: Case, dtype: torch.dtype, swap: Callable[[Tensor], Tensor]) -> None:
    params, a, twins, b = both(case, dtype)
    old = [p.data for p in params]
    values = [p.detach().clone() for p in params]
    for p in params:
        p.data = swap(p.data)
    steps_alike(params, a, twins, b)
    assert all(map(same_bits, old, values)), "the old storage was written to"


@over(ONE_OF_EACH)
@pytest.mark.parametrize("swap", SAME_VALUES.values(), ids=SAME_VALUES)
def test_state(case: Case, swap: Callable[[Tensor], Tensor]) -> None:
    params, a, twins, b = both(case)
    for p in params:
        for key, value in a.state[p].items():
            a.state[p][key] = swap(value)
    steps_alike(params, a, twins, b)


@over([*ONE_OF_EACH, STATELESS])
def test_values_of_parameters(case: Case) -> None:
    params, a, twins, b = both(case)
    for i, (p, q) in enumerate(zip(params, twins, strict=True)):
        new = tame(tuple(p.shape), p.dtype, 50 + i)
        p.data = new.clone()
        with torch.no_grad():
            q.copy_(new)
    steps_alike(params, a, twins, b)


@over([*ONE_OF_EACH, STATELESS])
def test_in_place_transposition(case: Case) -> None:
    """The same address, the same number of elements, another order."""
    params, a, twins, b = both(case)
    p, q = params[0], twins[0]
    p.data = p.data.t()
    with torch.no_grad():
        q.copy_(q.t().clone())
    steps_alike(params, a, twins, b)


@over([*ONE_OF_EACH, STATELESS])
def test_storage_of_gradients(case: Case) -> None:
    """The same tensor object, other memory in another order."""
    params, a, twins, b = both(case)
    p, q = params[0], twins[0]
    p.grad.data = torch.stack([q.grad, q.grad], -1)[..., 0].t()
    q.grad = q.grad.t().contiguous()
    a.step()
    b.step()
    assert same_bits(p, q)


SHAPED = {"shorter": lambda x: x[:2], "reshaped": lambda x: x.view(2, 8), "longer": lambda x: torch.cat([x, x])}
WITH_GRADIENT = [*((case, new) for case in ONE_OF_EACH for new in (False, True)), (STATELESS, False)]


@pytest.mark.parametrize("change", SHAPED.values(), ids=SHAPED)
@pytest.mark.parametrize(("case", "renew"), WITH_GRADIENT, ids=[f"{c}-{'new' if new else 'old'} gradient" for c, new in WITH_GRADIENT])
def test_other_shape_is_an_error(case: Case, renew: bool, change: Callable[[Tensor], Tensor]) -> None:
    params, a, _, _ = both(case)
    p = params[0]
    memory = p.data
    p.data = change(p.data)
    if renew:
        p.grad = torch.ones_like(p)
    before = [memory.clone(), *(q.detach().clone() for q in params)]
    with pytest.raises(SteepestError, match="shape"):
        a.step()
    assert all(map(same_bits, before, [memory, *params]))


@over([*ONE_OF_EACH, STATELESS])
def test_gradients_come_anew(case: Case) -> None:
    """zero_grad(set_to_none=True) frees the gradients, and their memory soon holds something else."""
    params, a, twins, b = both(case)
    kept = []
    for t in range(10, 13):
        a.zero_grad(set_to_none=True)
        assert all(p.grad is None for p in params)
        kept += [torch.full((n,), 1e9) for n in (16, 17, 120)]
        give(params, t)
        give(twins, t)
        a.step()
        b.step()
        assert all(map(same_bits, params, twins))


@over(ONE_OF_EACH)
@pytest.mark.parametrize("to", [torch.float64, torch.bfloat16], ids=["float64", "bfloat16"])
def test_module_changes_dtype(case: Case, to: torch.dtype) -> None:
    """State stays as it is: a step neither loses it nor casts it."""
    model = torch.nn.Sequential(torch.nn.Linear(5, 7), torch.nn.Linear(7, 1))
    optimizer = case.make(model.parameters())
    for dtype in (torch.float32, to):
        model.to(dtype)
        for _ in range(3):
            optimizer.zero_grad()
            model(torch.ones(2, 5, dtype=dtype)).square().sum().backward()
            before = [p.detach().clone() for p in model.parameters()]
            optimizer.step()
            assert all(p.dtype == dtype for p in model.parameters())
            assert any(not torch.equal(p, q) for p, q in zip(model.parameters(), before, strict=True))
    for p in model.parameters():
        assert all(value.dtype == torch.float32 for value in optimizer.state[p].values())


@over(ONE_OF_EACH)
def test_reused_memory_of_another_dtype(case: Case) -> None:
    """The old memory is freed first, so the new one may lie at the same address."""
    params, a, _, _ = both(case)
    p = params[2]
    for dtype in (torch.float64, torch.float16, torch.float32):
        value, p.grad = torch.linspace(-1, 1, 17, dtype=dtype), None
        p.data = torch.empty(0)
        p.data = value.clone()
        p.grad = torch.ones_like(p)
        a.step()
        assert p.dtype == dtype
        assert (p != value).all()
        assert (p - value).abs().max() < 1


@over(ONE_OF_EACH)
@dtypes(*DTYPES)
def test_a_step_keeps_the_tensors(case: Case, dtype: torch.dtype) -> None:
    """Parameters and state are changed in place: who holds one of them sees the step."""
    params, a, _, _ = both(case, dtype)
    held = [(p, p.data_ptr(), {k: (v, v.data_ptr()) for k, v in a.state[p].items()}) for p in params]
    give(params, 7)
    a.step()
    for p, address, state in held:
        assert p.data_ptr() == address
        for key, (value, where) in state.items():
            assert a.state[p][key] is value
            assert value.data_ptr() == where


# -- the state, in the hands of its owner ----------------------------------------------------------------


@over([case for case in ONE_OF_EACH if case.reference and not case.counts_together])
@pytest.mark.parametrize("in_place", [True, False])
def test_a_count_that_was_set(case: Case, in_place: bool) -> None:
    """state["step"] is what the next step goes by, for one parameter alone."""
    params = [Parameter(tame(s, torch.float64, i)) for i, s in enumerate(SHAPES)]
    twins = params_like(params)
    a, b = case.make(params), case.make_reference(twins)
    for t in range(6):
        give(params, t)
        for p, q in zip(params, twins, strict=True):
            q.grad = p.grad.clone()
        if t == 3:
            for optimizer, p in ((a, params[1]), (b, twins[1])):
                state = optimizer.state[p]
                if isinstance(state.get("step"), int):
                    state["step"] = 9
                elif "step" in state:
                    state["step"] = state["step"].fill_(9) if in_place else torch.tensor(9.0)
        a.step()
        b.step()
        for p, q in zip(params, twins, strict=True):
            torch.testing.assert_close(p, q, rtol=1e-12, atol=1e-13)


RESETS: dict[str, Callable[[torch.optim.Optimizer, Parameter], object]] = {
    "one cleared": lambda o, p: o.state[p].clear(),
    "one taken away": lambda o, p: o.state.pop(p),
    "another dictionary": lambda o, p: setattr(o, "state", defaultdict(dict, {k: v for k, v in o.state.items() if k is not p})),
}


@over(ONE_OF_EACH)
@pytest.mark.parametrize("reset", RESETS.values(), ids=RESETS)
def test_state_that_was_reset(case: Case, reset: Callable[[torch.optim.Optimizer, Parameter], object]) -> None:
    """The parameter begins anew, the others go on."""
    params, a, twins, b = both(case)
    fresh = params_like(params[:1])
    c = case.make(fresh)
    reset(a, params[0])
    for t in range(10, 13):
        give(params, t)
        give(twins, t)
        fresh[0].grad = params[0].grad.clone()
        for optimizer in (a, b, c):
            optimizer.step()
        assert same_bits(params[0], fresh[0])
        assert all(map(same_bits, params[1:], twins[1:]))


@over([*ONE_OF_EACH, WITH_SUMS])
@dtypes(torch.float32, torch.bfloat16)
def test_ordinary_steps_look_once(case: Case, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    """New gradients, new learning rates and a first step by only some of the parameters keep the tables that there are."""
    params = [Parameter(tame(s, dtype, i)) for i, s in enumerate(SHAPES)]
    optimizer = case.make([{"params": params[:2]}, {"params": params[2:]}])
    give(params[1:], 0)
    optimizer.step()
    give(params, 0)
    optimizer.step()
    monkeypatch.setattr(optimizer, "_step_anew", lambda plans: pytest.fail("everything was looked at again"))
    for t in range(4):
        optimizer.zero_grad(set_to_none=t % 2 == 0)
        give(params, t)
        optimizer.param_groups[0]["lr"] = 0.01 * t
        optimizer.step()
