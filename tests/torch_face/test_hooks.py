"""Hooks, closures and the profiler see what they see with torch.optim."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch.nn import Parameter
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

from steepest import torch as face
from tests.torch_face.cases import ONE_OF_EACH, Case, over
from tests.torch_face.inputs import give, same_bits, snapshot

WITH_REFERENCE = [case for case in ONE_OF_EACH if case.reference and not case.counts_together]


@pytest.fixture
def seen() -> Iterator[list[Any]]:
    """What the hooks have seen; the global ones are taken away again."""
    events: list[Any] = []
    handles = [
        register_optimizer_step_pre_hook(lambda o, args, kwargs: events.append(("global pre", args[0] is o, args[1:], kwargs))),
        register_optimizer_step_post_hook(lambda o, args, kwargs: events.append(("global post", args[0] is o, args[1:], kwargs))),
    ]
    yield events
    for handle in handles:
        handle.remove()


def events_of(optimizer: Any, events: list[Any]) -> list[Any]:
    """Take steps, save and load with every hook there is."""
    p = optimizer.param_groups[0]["params"][0]
    handles = [
        optimizer.register_step_pre_hook(
            lambda o, args, kwargs: events.append(("pre", args[0] is o, args[1:], kwargs, float(p.detach().sum()) == 5))
        ),
        optimizer.register_step_post_hook(
            lambda o, args, kwargs: events.append(("post", args[0] is o, args[1:], kwargs, float(p.detach().sum()) == 5))
        ),
        optimizer.register_state_dict_pre_hook(lambda o: events.append(("save pre", o is optimizer))),
        optimizer.register_state_dict_post_hook(lambda o, d: events.append(("save post", sorted(d)))),
        optimizer.register_load_state_dict_pre_hook(lambda o, d: events.append(("load pre", sorted(d)))),
        optimizer.register_load_state_dict_post_hook(lambda o: events.append(("load post", o is optimizer))),
    ]

    def closure() -> float:
        return 1.5

    give([p], 0)
    events += [optimizer.step(), optimizer.step(closure)]
    optimizer.load_state_dict(optimizer.state_dict())
    for handle in handles:
        handle.remove()
    optimizer.step()
    optimizer.load_state_dict(optimizer.state_dict())
    got = [repr(e).replace(repr(closure), "closure") for e in events]
    events.clear()
    return got


@over(WITH_REFERENCE)
def test_hooks_see_the_same(case: Case, seen: list[Any]) -> None:
    ours = events_of(case.make([Parameter(torch.ones(5))]), seen)
    theirs = events_of(case.make_reference([Parameter(torch.ones(5))]), seen)
    assert ours == theirs


ALONE: dict[str, Callable[[Any, Any], Any]] = {
    "global pre": lambda optimizer, hook: register_optimizer_step_pre_hook(hook),
    "global post": lambda optimizer, hook: register_optimizer_step_post_hook(hook),
    "pre": lambda optimizer, hook: optimizer.register_step_pre_hook(hook),
    "post": lambda optimizer, hook: optimizer.register_step_post_hook(hook),
}


@pytest.mark.parametrize("register", ALONE.values(), ids=ALONE)
def test_each_hook_alone(register: Callable[[Any, Any], Any]) -> None:
    """Without hooks a step does not look for them: each of the four must be noticed, and missed when it is gone."""
    p = Parameter(torch.ones(5))
    optimizer = face.AdamW([p])
    give([p], 0)
    calls: list[Any] = []
    handle = register(optimizer, lambda o, args, kwargs: calls.append(o))
    optimizer.step()
    handle.remove()
    optimizer.step()
    assert calls == [optimizer]


@over(ONE_OF_EACH)
def test_hooks_may_change_what_they_are_given(case: Case) -> None:
    p = Parameter(torch.ones(5))
    optimizer = case.make([p])
    give([p], 0)
    called: list[str] = []
    optimizer.register_step_pre_hook(lambda o, args, kwargs: (args, {"closure": lambda: called.append("mine") or 7.0}))
    assert optimizer.step() == 7.0
    assert called == ["mine"]

    def wrong(o: Any, args: Any, kwargs: Any) -> Any:
        return 3

    optimizer.register_step_pre_hook(wrong)
    with pytest.raises(RuntimeError, match="must return None or a tuple"):
        optimizer.step()

    doubled = optimizer.register_state_dict_post_hook(lambda o, d: {**d, "mine": 1})
    assert optimizer.state_dict()["mine"] == 1
    doubled.remove()
    optimizer.register_load_state_dict_pre_hook(lambda o, d: {**d, "param_groups": [{**g, "lr": 0.125} for g in d["param_groups"]]})
    optimizer.load_state_dict(optimizer.state_dict())
    assert optimizer.param_groups[0]["lr"] == 0.125


@over(ONE_OF_EACH)
@pytest.mark.parametrize("grad_mode", [True, False])
def test_closures(case: Case, grad_mode: bool) -> None:
    """Called once, with gradients switched on; its loss is returned, its gradients are the ones stepped by."""
    p, q = Parameter(torch.ones(5)), Parameter(torch.ones(5))
    a, b = case.make([p]), case.make([q])
    for t in range(3):
        calls: list[bool] = []

        def closure(t: int = t, calls: list[bool] = calls) -> torch.Tensor:
            calls.append(torch.is_grad_enabled())
            a.zero_grad()
            loss = (p * torch.arange(5.0) * (t + 1)).sum()
            loss.backward()
            return loss

        wanted = (p.detach() * torch.arange(5.0) * (t + 1)).sum()
        q.grad = torch.arange(5.0) * (t + 1)
        with torch.set_grad_enabled(grad_mode):
            loss = a.step(closure)
            b.step()
            assert torch.is_grad_enabled() == grad_mode
        assert calls == [True]
        assert loss == wanted
        assert same_bits(p, q)


@over(ONE_OF_EACH)
def test_a_closure_that_fails(case: Case) -> None:
    p = Parameter(torch.ones(5))
    optimizer = case.make([p])
    give([p], 0)

    def closure() -> float:
        raise KeyError("no data")

    with pytest.raises(KeyError, match="no data"):
        optimizer.step(closure)
    assert torch.equal(p, torch.ones(5))
    assert not snapshot(optimizer)["state"]


@over(ONE_OF_EACH)
def test_inference_mode(case: Case) -> None:
    """A first step inside, the next ones outside, and the other way about."""
    for inside in ((True, True), (False, True), (True, False)):
        p, q = Parameter(torch.ones(5)), Parameter(torch.ones(5))
        a, b = case.make([p]), case.make([q])
        for t, on in enumerate(inside):
            give([p, q], t)
            q.grad = p.grad.clone()
            with torch.inference_mode(on):
                a.step()
            b.step()
        assert same_bits(p, q)


def test_profiler_shows_the_step() -> None:
    p = Parameter(torch.ones(5))
    optimizer = face.AdamW([p])
    give([p], 0)
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        optimizer.step()
        optimizer.zero_grad()
    names = {event.key for event in profile.key_averages()}
    assert {"Optimizer.step#AdamW.step", "Optimizer.zero_grad#AdamW.zero_grad"} <= names
