"""The test on real models and optimizers: a sensible answer, and nothing changed, to the bit."""

import copy
import random
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from steepest import ClipByGlobalNorm, adabelief, chain
from steepest.errors import TuneError
from steepest.torch import SGD, AdamW, Lion, Lookahead, Optimizer
from steepest.tune import range_test, svg
from steepest.tune.picture import text

SHORT = {"steps": 60, "repeats": 2}


def data(seed: int = 0, batches: int = 200) -> list[tuple[torch.Tensor, torch.Tensor]]:
    random = torch.Generator().manual_seed(seed)
    truth = torch.randn(8, 3, generator=random)
    inputs = torch.randn(batches, 32, 8, generator=random)
    return [(x, (x @ truth).argmax(1)) for x in inputs]


def make() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(8, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 3))


def loss(model: nn.Module, batch: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    return cross_entropy(model(batch[0]), batch[1])


MAKERS = {
    "torch.optim.SGD": lambda ps: torch.optim.SGD(ps, lr=0.1, momentum=0.9),
    "torch.optim.Adam, fused": lambda ps: torch.optim.Adam(ps, lr=1e-3, fused=True),
    "torch.optim.Adam, capturable-like lr": lambda ps: torch.optim.Adam(ps, lr=torch.tensor(1e-3), foreach=False),
    "steepest.torch.AdamW": lambda ps: AdamW(ps, lr=1e-3),
    "steepest.torch.Lion": lambda ps: Lion(ps, lr=1e-4),
    "a strategy": lambda ps: Optimizer(ps, chain(ClipByGlobalNorm(1.0), adabelief(1e-3))),
    "Lookahead": lambda ps: Lookahead(SGD(ps, lr=0.1)),
}


@pytest.mark.parametrize("name", MAKERS)
def test_nothing_is_changed_to_the_bit(name):
    model, batches = make(), data()
    optimizer = MAKERS[name](model.parameters())
    for batch in batches[:3]:  # in the middle of training: there is state, and a gradient
        optimizer.zero_grad()
        loss(model, batch).backward()
        optimizer.step()
    model.eval()
    before = frozen(model, optimizer)
    result = range_test(model, optimizer, batches, loss, **SHORT)
    assert identical(before, frozen(model, optimizer))
    assert not model.training
    assert len(result.sweeps) == 2


def frozen(model, optimizer):
    return copy.deepcopy(
        (
            model.state_dict(),
            [p.grad for p in model.parameters()],
            optimizer.state_dict(),
            torch.get_rng_state(),
            random.getstate(),
            np.random.get_state(),
        )
    )


def identical(a, b) -> bool:
    if isinstance(a, torch.Tensor):
        return a.dtype == b.dtype and torch.equal(a, b)
    if isinstance(a, np.ndarray):
        return np.array_equal(a, b)
    if isinstance(a, dict):
        return list(a) == list(b) and all(identical(a[k], b[k]) for k in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(identical, a, b))
    return a == b


def test_a_run_goes_on_as_if_nothing_had_been():
    def trained(interrupted: bool) -> nn.Module:
        model = make()
        optimizer = AdamW(model.parameters(), lr=1e-2)
        for i, batch in enumerate(data()[:10]):
            if interrupted and i == 5:
                range_test(model, optimizer, data(1), loss, **SHORT)
            optimizer.zero_grad()
            loss(model, batch).backward()
            optimizer.step()
        return model

    for p, q in zip(trained(True).parameters(), trained(False).parameters(), strict=True):
        assert torch.equal(p, q)


def test_nothing_is_changed_when_the_loss_fails_in_the_middle():
    model = make()
    optimizer = AdamW(model.parameters())
    before, calls = frozen(model, optimizer), []

    def breaks(model, batch):
        calls.append(batch)
        if len(calls) == 10:
            raise KeyboardInterrupt
        return loss(model, batch)

    with pytest.raises(KeyboardInterrupt):
        range_test(model, optimizer, data(), breaks, **SHORT)
    assert identical(before, frozen(model, optimizer))


def test_the_suggestion_trains_and_its_order_of_magnitude_is_the_optimizers():
    found = {}
    for name, make_optimizer in (("sgd", lambda ps: torch.optim.SGD(ps, lr=1.0)), ("lion", lambda ps: Lion(ps, lr=1e-4))):
        model = make()
        result = range_test(model, make_optimizer(model.parameters()), data(), loss, low=1e-6, high=100, steps=150)
        found[name] = result.suggestion.rate
        assert found[name] is not None
    assert found["sgd"] > 5 * found["lion"], "the step of Lion is as large as its learning rate"


def test_groups_keep_their_ratio():
    model, seen = make(), []

    class Spy(torch.optim.SGD):
        def step(self, closure=None):
            seen.append(tuple(g["lr"] for g in self.param_groups))
            return super().step(closure)

    first, *rest = model.parameters()
    optimizer = Spy([{"params": [first], "lr": 0.1}, {"params": rest, "lr": 0.02}])
    range_test(model, optimizer, data(), loss, steps=20, repeats=1, low=1e-4, high=1e-2)
    assert [b / a for a, b in seen] == pytest.approx([0.2] * len(seen))
    assert [a for a, _ in seen] == pytest.approx(list(np.geomspace(1e-4, 1e-2, 20)))
    assert [g["lr"] for g in optimizer.param_groups] == [0.1, 0.02]


def test_an_exploding_loss_ends_the_sweep():
    model = make()
    result = range_test(model, torch.optim.SGD(model.parameters(), lr=1.0), data(), loss, high=1e6, **SHORT)
    assert all(s.ended and s.rates[-1] < 1e6 for s in result.sweeps)
    assert all(np.isfinite(s.losses).all() for s in result.sweeps)


def outside():
    model = make()
    return model, torch.optim.SGD(model.parameters(), lr=0.1), data(), lambda _, batch: loss(model, batch)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"low": 0.0}, "give low above 0"),
        ({"low": 1.0, "high": 0.1}, "high above low"),
        ({"steps": 5}, "a curve needs 20"),
        ({"repeats": 0}, "give 1 or more"),
        ({"batches": []}, "the data is empty"),
        ({"batches": iter([])}, "is used up"),
        ({"batches": iter(data()[:10])}, "ran out"),
        ({"loss": lambda model, batch: model(batch[0])}, r"returned a tensor of shape \(32, 3\)"),
        ({"loss": lambda model, batch: 1.0}, "returned float"),
        ({"loss": lambda model, batch: loss(model, batch).detach()}, "does not depend on any parameter"),
    ],
)
def test_what_cannot_be_is_said(changes, message):
    model = make()
    usual = {"batches": data(), "loss": loss, **SHORT} | changes
    with pytest.raises(TuneError, match=message):
        range_test(model, torch.optim.SGD(model.parameters(), lr=0.1), **usual)


def test_a_loss_of_a_model_from_outside_is_noticed():
    with pytest.raises(TuneError, match="which is a copy"):
        range_test(*outside(), **SHORT)


def test_an_optimizer_of_another_model_is_noticed():
    with pytest.raises(TuneError, match="none of this model's parameters"):
        range_test(make(), torch.optim.SGD(make().parameters(), lr=0.1), data(), loss, **SHORT)


def test_a_learning_rate_of_zero_has_no_ratios():
    model = make()
    with pytest.raises(TuneError, match="first group is 0"):
        range_test(model, torch.optim.SGD(model.parameters(), lr=0.0), data(), loss, **SHORT)


def test_pictures(tmp_path: Path):
    import xml.etree.ElementTree as ET

    model = make()
    result = range_test(model, torch.optim.SGD(model.parameters(), lr=0.1), data(), loss, **SHORT)
    drawn = ET.fromstring(svg(result, "SGD & <friends>"))
    kinds = [e.get("class") for e in drawn.iter()]
    assert kinds.count("smoothed") == 2
    assert kinds.count("seen") == sum(len(s.rates) for s in result.sweeps)
    assert ("rate" in kinds) == (result.suggestion.rate is not None)
    lines = text(result).splitlines()
    assert max(map(len, lines)) <= 84
    assert sum(line.count("•") for line in lines) >= 60
