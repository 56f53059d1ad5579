"""What is predicted against what is allocated: weights, gradients and state, storage by storage, after a real step."""

from collections.abc import Iterable
from functools import cache

import pytest
import torch
from torch import Tensor, nn

import steepest
import steepest.torch
from steepest.guide.advise import candidates
from steepest.guide.model import inventory
from steepest.guide.model.memory import Memory, memory, written
from tests.guide.real_models import REAL, frozen_but_lora

WITHIN = 0.02


def allocated(tensors: Iterable[Tensor]) -> int:
    return sum({s.data_ptr(): s.nbytes() for s in (t.untyped_storage() for t in tensors) if s.nbytes()}.values())


def measured(model: nn.Module, optimizer: torch.optim.Optimizer) -> Memory:
    optimizer.step()
    grads = [p.grad for p in model.parameters() if p.grad is not None]
    state = [t for of_p in optimizer.state.values() for t in of_p.values() if isinstance(t, Tensor)]
    return Memory(allocated([*model.parameters(), *model.buffers()]), allocated(grads), allocated(state))


def with_gradients(name: str, model: nn.Module) -> nn.Module:
    torch.manual_seed(0)
    batch = REAL[name].batch()
    kind = next(model.parameters()).dtype
    model(**{k: v.to(kind) if v.is_floating_point() else v for k, v in batch.items()}).loss.backward()
    return model


@cache
def ready(name: str) -> nn.Module:
    return with_gradients(name, REAL[name].small())


def assert_close(predicted: Memory, real: Memory) -> None:
    for part in ("weights", "gradients", "state", "total"):
        mine, theirs = getattr(predicted, part), getattr(real, part)
        assert abs(mine - theirs) <= WITHIN * theirs, f"{part}: predicted {mine}, allocated {theirs}"


@pytest.mark.parametrize("optimizer", [*steepest.optimizers(), "nadamw"])
@pytest.mark.parametrize("name", REAL)
def test_predicted_is_allocated(name: str, optimizer: str) -> None:
    model = ready(name)
    strategy = candidates.strategy(optimizer, {}, clip=1.0)
    assert_close(memory(inventory.of(model), strategy), measured(model, steepest.torch.Optimizer(model.parameters(), strategy)))


@pytest.mark.parametrize("optimizer", ["adamw", "lion", "lookahead"])
def test_bfloat16(optimizer: str) -> None:
    model = with_gradients("llama", REAL["llama"].small().to(torch.bfloat16))
    strategy = candidates.strategy(optimizer, {})
    predicted = memory(inventory.of(model), strategy)
    assert_close(predicted, measured(model, steepest.torch.Optimizer(model.parameters(), strategy)))
    asked_before = memory(inventory.of(REAL["llama"].small(), "bfloat16"), strategy)
    assert asked_before == predicted, "--dtype bf16 tells it beforehand"


def test_lora_has_gradients_and_state_of_the_adapters_alone() -> None:
    model = with_gradients("llama", frozen_but_lora(REAL["llama"].small()))
    strategy = candidates.strategy("adamw", {})
    predicted = memory(inventory.of(model), strategy)
    trained = [p for p in model.parameters() if p.requires_grad]
    assert_close(predicted, measured(model, steepest.torch.Optimizer(trained, strategy)))
    assert predicted.gradients < predicted.weights / 4


def test_tied_weights_count_once() -> None:
    tied, loose = (REAL["gpt2"].small() for _ in range(2))
    loose.lm_head.weight = nn.Parameter(loose.lm_head.weight.detach().clone())
    extra = loose.lm_head.weight.numel() * 4
    strategy = candidates.strategy("adamw", {})
    a, b = (memory(inventory.of(m), strategy) for m in (tied, loose))
    assert (b.weights - a.weights, b.gradients - a.gradients) == (extra, extra)


def test_weights_that_share_a_storage_count_once() -> None:
    model = nn.Sequential(nn.Linear(8, 8, bias=False), nn.Linear(8, 8, bias=False))
    model[1].weight.data = model[0].weight.data
    assert memory(inventory.of(model), candidates.strategy("sgd", {})).weights == allocated(model.parameters()) == 256


def test_buffers_count_as_weights() -> None:
    model = nn.BatchNorm1d(1000)
    assert memory(inventory.of(model), candidates.strategy("sgd", {})).weights == allocated([*model.parameters(), *model.buffers()])


def test_drop_in_classes_take_as_much() -> None:
    for name, make in {
        "adamw": steepest.torch.AdamW,
        "lion": steepest.torch.Lion,
        "adabelief": steepest.torch.AdaBelief,
        "sgd": steepest.torch.SGD,
    }.items():
        model = ready("bert")
        real, predicted = measured(model, make(model.parameters(), lr=1e-3)), memory(inventory.of(model), candidates.strategy(name, {}))
        # Checkpoints of SGD and Lion hold no count of steps, 4 bytes a parameter.
        assert predicted.state - real.state in (0, 4 * len(list(model.parameters())))


@pytest.mark.parametrize("optimizer", ["adamw", "momentum", "lookahead"])
def test_a_meta_model_needs_no_memory(optimizer: str) -> None:
    with torch.device("meta"):
        model = nn.Sequential(nn.Linear(4096, 4096), nn.Linear(4096, 4096))
    predicted = memory(inventory.of(model), candidates.strategy(optimizer, {}))
    assert predicted.weights == sum(p.numel() * 4 for p in model.parameters())


@pytest.mark.slow
@pytest.mark.parametrize("name", REAL)
def test_predicted_is_allocated_in_full_size(name: str) -> None:
    for optimizer in ("sgd", "adamw", "lookahead", "lion"):
        model = REAL[name].full()
        for p in model.parameters():
            p.grad = torch.zeros_like(p)
        strategy = candidates.strategy(optimizer, {})
        assert_close(memory(inventory.of(model), strategy), measured(model, steepest.torch.Optimizer(model.parameters(), strategy)))


def test_written() -> None:
    assert [written(n) for n in (0, 999, 17_400, 496e6, 999.96e6, 1.984e9, 24e9, 3e12)] == [
        "0 B",
        "999 B",
        "17.4 kB",
        "496 MB",
        "1 GB",
        "1.98 GB",
        "24 GB",
        "3 TB",
    ]
