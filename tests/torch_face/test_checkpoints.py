"""Checkpoints go from torch.optim to us and back in the middle of a run; what does not fit changes nothing."""

import io
from collections.abc import Callable, Iterable
from copy import deepcopy
from itertools import permutations
from typing import Any

import pytest
import torch
from torch.nn import Parameter

from steepest import Cosine, ScaleByBelief, ScaleByLearningRate, Trace, chain, lion
from steepest import torch as face
from steepest.errors import StateError
from tests.torch_face.cases import OF_TORCH, ONE_OF_EACH, Case, dtypes, over
from tests.torch_face.inputs import DTYPES, give, params_like, same, same_bits, snapshot, tame

SHAPES = ((7,), (2, 3), (), (0, 3), (33,))


def groups(params: list[Parameter]) -> list[dict[str, Any]]:
    return [{"params": params[:2]}, {"params": params[2:]}]


def start(dtype: torch.dtype = torch.float64) -> list[Parameter]:
    return [Parameter(tame(s, dtype, i)) for i, s in enumerate(SHAPES)]


def run(optimizer: torch.optim.Optimizer, params: list[Parameter], steps: Iterable[int]) -> None:
    for t in steps:
        give(params, t)
        params[1].grad = params[1].grad if t % 3 else None  # its count is another
        optimizer.step()


def close(params: list[Parameter], twins: list[Parameter]) -> None:
    for p, q in zip(params, twins, strict=True):
        torch.testing.assert_close(p, q, rtol=1e-12, atol=1e-13)


def through_a_file(state: Any) -> Any:
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


WAYS = {"as it is": lambda d: d, "copied": deepcopy, "through a file": through_a_file}
ways = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


@over(OF_TORCH)
@ways
def test_to_torch_and_back(case: Case, way: Callable[[Any], Any]) -> None:
    """Ours, torch.optim's, ours again, each from the other's checkpoint; beside them torch.optim alone."""
    params, twins = start(), start()
    alone = case.make_reference(groups(twins))
    run(alone, twins, range(21))
    makes = [case.make, case.make_reference, case.make]
    state = None
    for i, make in enumerate(makes):
        optimizer = make(groups(params))
        if state is not None:
            optimizer.load_state_dict(state)
        run(optimizer, params, range(7 * i, 7 * i + 7))
        state = way(optimizer.state_dict())
    close(params, twins)


@over(OF_TORCH)
def test_checkpoints_are_torchs(case: Case) -> None:
    """The same keys, types, dtypes and shapes everywhere, and close to the same numbers."""
    params, twins = start(), start()
    ours, theirs = case.make(groups(params)), case.make_reference(groups(twins))
    for steps in (range(0), range(4)):
        run(ours, params, steps)
        run(theirs, twins, steps)
        got, want = ours.state_dict(), theirs.state_dict()
        assert got.keys() == want.keys()
        assert got["param_groups"] == want["param_groups"]
        assert got["state"].keys() == want["state"].keys()
        for index, state in want["state"].items():
            assert got["state"][index].keys() == state.keys()
            for key, value in state.items():
                assert type(value) is type(got["state"][index][key]), key
                torch.testing.assert_close(got["state"][index][key], value, rtol=1e-12, atol=1e-14)


@over(ONE_OF_EACH)
@dtypes(*DTYPES)
@ways
def test_a_run_goes_on(case: Case, dtype: torch.dtype, way: Callable[[Any], Any]) -> None:
    """Interrupted and resumed: the same bits."""
    params, twins = start(dtype), start(dtype)
    alone = case.make(groups(twins))
    run(alone, twins, range(9))
    first = case.make(groups(params))
    run(first, params, range(4))
    state = way(first.state_dict())
    resumed = params_like(params)
    second = case.make(groups(resumed))
    second.load_state_dict(state)
    assert same(first.state_dict(), second.state_dict())
    run(second, resumed, range(4, 9))
    assert all(map(same_bits, resumed, twins))
    assert same(second.state_dict(), alone.state_dict())


@over(ONE_OF_EACH)
def test_loading_into_a_run(case: Case) -> None:
    """The optimizer that loads has been running for a while: back to the checkpoint, as often as one likes."""
    params = start()
    optimizer = case.make(groups(params))
    run(optimizer, params, range(3))
    saved, values = deepcopy(optimizer.state_dict()), [p.detach().clone() for p in params]
    ends = []
    for _ in range(3):
        run(optimizer, params, range(3, 7))
        ends.append([p.detach().clone() for p in params])
        optimizer.load_state_dict(saved)
        for p, value in zip(params, values, strict=True):
            p.data.copy_(value)
    assert all(same(end, ends[0]) for end in ends)


@over(ONE_OF_EACH)
def test_a_checkpoint_is_not_aliased(case: Case) -> None:
    params = start()
    first = case.make(groups(params))
    run(first, params, range(3))
    state = first.state_dict()
    copy = deepcopy(state)
    second = case.make(groups(params_like(params)))
    second.load_state_dict(state)
    run(second, [p for g in second.param_groups for p in g["params"]], range(3))
    second.param_groups[0]["lr"] = 7.0
    assert same(state, copy)
    assert same(first.state_dict(), copy)


@over(ONE_OF_EACH)
def test_state_is_not_cast(case: Case) -> None:
    """A state kept in float32 beside bfloat16 parameters is worth more than one rounded to them."""
    params = start(torch.bfloat16)
    wide = start(torch.float32)
    first = case.make(groups(wide))
    run(first, wide, range(3))
    second = case.make(groups(params))
    second.load_state_dict(first.state_dict())
    assert same(first.state_dict()["state"], second.state_dict()["state"])
    run(second, params, range(3, 6))
    tensors = [v for s in second.state.values() for v in s.values()]
    assert {v.dtype for v in tensors} == {torch.float32}


@over(ONE_OF_EACH)
def test_what_a_user_keeps_in_the_state(case: Case) -> None:
    """Under a key of its own, or beside the slots of a parameter: saved, copied, loaded."""
    params = start()
    optimizer = case.make(groups(params))
    run(optimizer, params, range(2))
    optimizer.state["mine"] = {"seen": torch.ones(3), "epoch": 4}
    optimizer.state[params[4]]["note"] = "last"
    state = optimizer.state_dict()
    other = case.make(groups(params_like(params)))
    other.load_state_dict(state)
    assert same(other.state_dict(), state)
    assert other.state["mine"]["seen"] is not optimizer.state["mine"]["seen"]
    run(other, [p for g in other.param_groups for p in g["params"]], range(2))


# -- checkpoints of other times ---------------------------------------------------------------------------

NEWER = (
    *("foreach", "maximize", "capturable", "differentiable", "fused", "decoupled_weight_decay"),
    *("weight_decouple", "rectify", "amsgrad", "nesterov"),
)
OLD: dict[str, Callable[[dict[str, Any], dict[str, Any]], object]] = {
    "as it is": lambda group, state: None,
    "no newer flags": lambda group, state: [group.pop(k, None) for k in NEWER if not group.get(k)],
    "RMSprop of old": lambda group, state: [group.pop(k, None) for k in ("momentum", "centered") if "alpha" in group and not group.get(k)],
    "step is a float": lambda group, state: [s.update(step=float(s["step"])) for s in state.values() if "step" in s],
    "step is an int": lambda group, state: [s.update(step=int(s["step"])) for s in state.values() if "step" in s],
    "step is of shape (1,)": lambda group, state: [s.update(step=s["step"].reshape(1)) for s in state.values() if "step" in s],
    "None for no momentum": lambda group, state: [s.setdefault("momentum_buffer", None) for s in state.values() if "momentum" in group],
    "keys of others": lambda group, state: group.update(initial_lr=0.1, name="head", buffer=[[None]]),
}


@over([*OF_TORCH, *[c for c in ONE_OF_EACH if c.reference]])
@pytest.mark.parametrize("old", OLD.values(), ids=OLD)
def test_old_checkpoints(case: Case, old: Callable[..., object]) -> None:
    params, twins = start(), start()
    first, alone = case.make(groups(params)), case.make(groups(twins))
    run(alone, twins, range(7))
    run(first, params, range(4))
    state = deepcopy(first.state_dict())
    for group in state["param_groups"]:
        old(group, state["state"])
    second = case.make(groups(params))
    second.load_state_dict(state)
    run(second, params, range(4, 7))
    assert all(map(same_bits, params, twins))
    for s in second.state.values():
        assert "step" not in s or (isinstance(s["step"], torch.Tensor) and s["step"].shape == () and s["step"].dtype == torch.float32)


@over([c for c in ONE_OF_EACH if c.reference and not c.counts_together])
def test_checkpoints_of_the_reference(case: Case) -> None:
    """torch.optim's, lion-pytorch's and adabelief-pytorch's, for what these keep in their groups and state."""
    params, twins = start(), start()
    reference = case.make_reference(groups(params))
    run(reference, params, range(4))
    ours = case.make(groups(twins))
    for p, q in zip(params, twins, strict=True):
        q.data.copy_(p)
    ours.load_state_dict(deepcopy(reference.state_dict()))
    run(ours, twins, range(4, 9))
    run(reference, params, range(4, 9))
    close(twins, params)


# -- checkpoints that do not fit ----------------------------------------------------------------------------


def other_groups(d: dict[str, Any]) -> None:
    d["param_groups"][0]["params"], d["param_groups"][1]["params"] = [0], [1, 2, 3, 4]


def one_group(d: dict[str, Any]) -> None:
    d["param_groups"] = [{**d["param_groups"][0], "params": [0, 1, 2, 3, 4]}]


def one_group_more(d: dict[str, Any]) -> None:
    d["param_groups"].append({**d["param_groups"][0], "params": [5]})


def other_shapes(d: dict[str, Any]) -> None:
    d["state"][4] = {k: v if k == "step" else v[:-1] for k, v in d["state"][4].items()}


def transposed(d: dict[str, Any]) -> None:
    d["state"][1] = {k: v if k == "step" else v.t() for k, v in d["state"][1].items()}


def a_slot_is_missing(d: dict[str, Any]) -> None:
    state = d["state"][4]
    state.pop([k for k in state if k != "step"][-1])


def no_count(d: dict[str, Any]) -> None:
    d["state"][4].pop("step")


def no_lr(d: dict[str, Any]) -> None:
    d["param_groups"][1].pop("lr")


def impossible_lr(d: dict[str, Any]) -> None:
    d["param_groups"][1]["lr"] = -0.1


def text_for_a_slot(d: dict[str, Any]) -> None:
    state = d["state"][4]
    state[next(k for k in state if k != "step")] = "zeros"


WRONG = [
    other_groups,
    one_group,
    one_group_more,
    other_shapes,
    transposed,
    a_slot_is_missing,
    no_count,
    no_lr,
    impossible_lr,
    text_for_a_slot,
]


#: Where a single slot is all there is, a parameter without it has not begun.
DO_NOT_FIT = [(c, w) for c in ONE_OF_EACH for w in WRONG if not (c.bare and w in (a_slot_is_missing, no_count))]


@pytest.mark.parametrize(("case", "wrong"), DO_NOT_FIT, ids=[f"{c}-{w.__name__}" for c, w in DO_NOT_FIT])
def test_checkpoints_that_do_not_fit(case: Case, wrong: Callable[..., None]) -> None:
    params = start()
    optimizer = case.make(groups(params))
    run(optimizer, params, range(4))
    state = deepcopy(optimizer.state_dict())
    run(optimizer, params, range(4, 6))
    before = snapshot(optimizer)
    wrong(state)
    with pytest.raises(StateError, match=type(optimizer).__name__):
        optimizer.load_state_dict(state)
    assert same(before, snapshot(optimizer))
    run(optimizer, params, range(6, 8))


def makers() -> dict[str, Callable[[Any], torch.optim.Optimizer]]:
    strategies = {
        "strategy of belief": chain(ScaleByBelief(), Trace(), ScaleByLearningRate(0.1)),
        "strategy of lion": lion(),
        "strategy with a schedule": chain(Trace(), ScaleByLearningRate(Cosine(0.1, 10))),
    }
    return {
        **{c.name: c.make for c in ONE_OF_EACH if c.reference},
        **{name: lambda params, s=s: face.Optimizer(params, s) for name, s in strategies.items()},
    }


#: These may go on from each other's checkpoints, as in PyTorch.
RELATED = [{"Adam", "AdamW"}]


@pytest.mark.parametrize(("source", "target"), [(a, b) for a, b in permutations(makers(), 2) if {a, b} not in RELATED])
def test_checkpoints_of_another_optimizer(source: str, target: str) -> None:
    params, twins = start(), start()
    a, b = makers()[source](groups(params)), makers()[target](groups(twins))
    run(a, params, range(3))
    run(b, twins, range(3))
    before = snapshot(b)
    with pytest.raises(StateError):
        b.load_state_dict(a.state_dict())
    assert same(before, snapshot(b))


def test_adam_goes_on_as_adamw() -> None:
    """As in PyTorch: the class decides where the decay goes."""
    for ours, theirs in ((face.AdamW, torch.optim.AdamW), (face.Adam, torch.optim.Adam)):
        params, twins = start(), start()
        first = torch.optim.Adam(params, weight_decay=0.1)
        run(first, params, range(3))
        for p, q in zip(params, twins, strict=True):
            q.data.copy_(p)
        a, b = ours(twins), theirs(params)
        a.load_state_dict(deepcopy(first.state_dict()))
        b.load_state_dict(deepcopy(first.state_dict()))
        run(a, twins, range(3, 6))
        run(b, params, range(3, 6))
        close(twins, params)
