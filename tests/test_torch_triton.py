"""The PyTorch face on Triton's kernels, by the interpreter: against the CPU's kernels, which are held against the rules."""

import copy
import logging
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import Parameter

import tests.interpreter  # noqa: F401  (before anything imports Triton)
from steepest import ClipByGlobalNorm, Cosine, Lookahead, ScaleByAdam, ScaleByLearningRate, ScaleByTrustRatio, chain, sgd
from steepest import torch as face
from steepest.errors import HyperparameterError, TensorError
from steepest.execute import cuda, source
from steepest.torch import placement

Make = Callable[..., torch.optim.Optimizer]
clipped = chain(ClipByGlobalNorm(1.0), ScaleByAdam(), ScaleByTrustRatio(), ScaleByLearningRate(0.1))
MAKERS: dict[str, Make] = {
    "sgd": lambda p, **k: face.Optimizer(p, sgd(momentum=0.9, dampening=0.5), **k),
    "rmsprop": lambda p, **k: face.RMSprop(p, momentum=0.5, centered=True, **k),
    "adam": lambda p, **k: face.Adam(p, amsgrad=True, weight_decay=0.1, **k),
    "adamw": lambda p, **k: face.AdamW(p, **k),
    "adabelief": lambda p, **k: face.AdaBelief(p, **k),
    "lion": lambda p, **k: face.Lion(p, weight_decay=0.1, **k),
    "lookahead": lambda p, **k: face.Lookahead(face.AdamW(p, lr=0.1, **k), k=2),
    "clipped": lambda p, **k: face.Optimizer(p, Lookahead(clipped, k=3), **k),
}
makers = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)


@pytest.fixture(autouse=True)
def by_interpreter(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(cuda, "BLOCK", 512)
    monkeypatch.setattr(placement, "_said", set())
    yield
    placement.cpu_by_interpreter = False


def params(seed: int = 0) -> list[Parameter]:
    """Shapes and layouts of all kinds."""
    g = torch.Generator().manual_seed(seed)
    shapes = [(), (0,), (7,), (33, 31), (2, 3, 4, 5)]
    made = [torch.randn(s, generator=g) for s in shapes]
    made += [torch.randn(6, 5, generator=g).t(), torch.randn(2, 3, 4, 5, generator=g).contiguous(memory_format=torch.channels_last)]
    made += [torch.randn(8, 8, generator=g)[:, ::2], torch.randn(9, generator=g)[1:]]
    return [Parameter(p) for p in made]


def set_grads(ps: list[Parameter], seed: int, scale: float = 1.0) -> None:
    """New gradients, at new addresses, not all laid out as their parameters."""
    g = torch.Generator().manual_seed(100 + seed)
    for i, p in enumerate(ps):
        grad = (torch.randn(p.shape, generator=g) * scale).to(p.dtype)
        p.grad = None
        p.grad = grad if i % 2 else torch.empty_like(p, memory_format=torch.preserve_format).copy_(grad)
    if len(ps) > 2:
        ps[2].grad = torch.ones(()).to(ps[2].dtype).expand(ps[2].shape)


def both(
    make: Make, ps: list[Parameter], act: Callable[[torch.optim.Optimizer, list[Parameter], int], Any], steps: int = 5, **k: Any
) -> Any:
    """The same by the CPU's kernels and by Triton's."""
    out = []
    for by_triton in (False, True):
        placement.cpu_by_interpreter = by_triton
        mine = copy.deepcopy(ps)
        opt = make(mine, **k)
        for i in range(steps):
            set_grads(mine, i)
            act(opt, mine, i)
        out.append((mine, opt))
        placement.cpu_by_interpreter = False
    (cpu, cpu_opt), (gpu, gpu_opt) = out
    same(cpu, gpu)
    for p, q in zip(cpu, gpu, strict=True):
        assert list(cpu_opt.state[p]) == list(gpu_opt.state[q])
        same(list(cpu_opt.state[p].values()), list(gpu_opt.state[q].values()))
    return gpu, gpu_opt


def same(a: list[Any], b: list[Any]) -> None:
    for p, q in zip(a, b, strict=True):
        tight = {} if p.dtype in (torch.bfloat16, torch.float16) else {"rtol": 1e-5, "atol": 1e-7}
        torch.testing.assert_close(q.detach(), p.detach(), **tight)


def plain(opt: torch.optim.Optimizer, ps: list[Parameter], i: int) -> None:
    opt.step()


@makers
def test_layouts_and_new_gradients_every_step(make: Make) -> None:
    both(make, params(), plain)


@makers
def test_groups_schedulers_and_dtypes(make: Make) -> None:
    ps = [
        *params()[:5],
        *[Parameter(p.detach().to(d)) for p, d in zip(params(1)[:4] * 2, [torch.bfloat16] * 4 + [torch.float64] * 4, strict=True)],
    ]

    def act(opt: torch.optim.Optimizer, mine: list[Parameter], i: int) -> None:
        opt.param_groups[0]["lr"] = 0.1 / (i + 1)
        if i == 2:
            mine[0].grad = None
        opt.step()

    def grouped(p: list[Parameter], **k: Any) -> torch.optim.Optimizer:
        return make([{"params": p[::2]}, {"params": p[1::2], "lr": 0.01}], **k)

    _, opt = both(grouped, ps, act)
    assert isinstance(opt, face.Optimizer)
    assert opt._roster is not None
    assert {b.device for b in opt._roster.buckets} == {torch.device("cpu")}


@makers
def test_numbers_compile_nothing_and_tables_stay(make: Make) -> None:
    placement.cpu_by_interpreter = True
    ps = [Parameter(torch.randn(40)), Parameter(torch.randn(3))]
    opt = make(ps)
    for i in range(7):  # enough for every variant
        set_grads(ps, i)
        opt.step()
    before = set(source.compiled)
    for group in opt.param_groups:
        group |= {k: v / 2 for k, v in group.items() if isinstance(v, float)}
    for i in range(3):
        set_grads(ps, i)
        opt.step()
    assert set(source.compiled) == before


def test_one_launch_for_all_groups_and_nothing_is_sent_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    placement.cpu_by_interpreter = True
    ps = [Parameter(torch.randn(40)), Parameter(torch.randn(3))]
    opt = face.AdamW([{"params": ps[:1]}, {"params": ps[1:], "lr": 0.5, "betas": (0.5, 0.5)}])
    set_grads(ps, 0)
    opt.step()
    launches: list[object] = []
    sent: list[object] = []
    launch, copy_ = cuda._launch, Tensor.copy_
    monkeypatch.setattr(cuda, "_launch", lambda *a: (launches.append(a), launch(*a)))
    monkeypatch.setattr(Tensor, "copy_", lambda self, *a, **k: (sent.append(self.shape), copy_(self, *a, **k))[1])
    opt.step()
    assert len(launches) == 1
    assert len(sent) == 1, "the uniforms, which have changed, and nothing else"


@makers
def test_counts_on_the_device(make: Make) -> None:
    """capturable=True: the same numbers, a learning rate that changes where it lies, and nothing asked of the device."""
    both(make, [*params()[:4], Parameter(torch.randn(5).bfloat16())], plain, steps=7, capturable=True)


def test_a_learning_rate_on_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    ps, rates = params()[:4], [0.1, 0.05, 0.2]
    out = []
    for by_triton in (False, True):
        placement.cpu_by_interpreter = by_triton
        mine, rate = copy.deepcopy(ps), torch.tensor(0.0)
        groups = [{"params": mine[:2], "betas": (torch.tensor(0.5), 0.9)}, {"params": mine[2:], "lr": 1e-3}]
        opt = face.AdamW(groups, lr=rate, capturable=True)
        for i, lr in enumerate(rates):
            rate.fill_(lr)
            set_grads(mine, i)
            opt.step()
        out.append(mine)
    same(*out)
    # From here on nothing may wait for the device. The interpreter itself does: it is left out.
    monkeypatch.setattr(cuda, "_kernel", lambda *_: defaultdict(lambda: lambda *_, **__: None))
    for name in ("item", "tolist", "__bool__", "__float__", "__int__", "cpu", "numpy"):
        monkeypatch.setattr(Tensor, name, forbidden)
    opt.step()


def forbidden(*_: object) -> Any:
    raise AssertionError("the host waited for the device")


@makers
def test_grad_scaler(make: Make) -> None:
    """A scaled loss, a step with an infinite gradient that must do nothing, and a checkpoint whose count knows it."""
    placement.cpu_by_interpreter = True
    mine, theirs = [Parameter(torch.randn(9)), Parameter(torch.randn(3, 3))], []
    theirs = copy.deepcopy(mine)
    opt = make(mine)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    assert opt._step_supports_amp_scaling  # type: ignore[attr-defined]
    for i in range(5):
        set_grads(mine, i)
        for p in mine:
            p.grad = p.grad * scaler._scale if scaler._scale is not None else p.grad * 1024.0  # type: ignore[operator]
        if i == 2:
            mine[0].grad = torch.full_like(mine[0], float("inf"))
        scaler.scale(torch.zeros(()))
        given = [p.grad.clone() for p in mine]  # type: ignore[union-attr]
        before = [p.detach().clone() for p in mine]
        scaler.step(opt)
        assert all(torch.equal(g, p.grad) for g, p in zip(given, mine, strict=True))  # type: ignore[arg-type]
        assert all(torch.equal(b, p) for b, p in zip(before, mine, strict=True)) == (i == 2)
        scaler.update()
    placement.cpu_by_interpreter = False
    plain_opt = make(theirs)
    assert not plain_opt._step_supports_amp_scaling  # type: ignore[attr-defined]
    for i in (0, 1, 3, 4):
        set_grads(theirs, i)
        plain_opt.step()
    same(theirs, mine)
    for p, q in zip(theirs, mine, strict=True):
        assert plain_opt.state[p].get("step") == opt.state[q].get("step")


def test_a_schedule_in_the_strategy_under_a_grad_scaler() -> None:
    strategy = chain(ScaleByAdam(), ScaleByLearningRate(Cosine(0.1, 4)))
    ps = [Parameter(torch.randn(9))]

    def act(opt: torch.optim.Optimizer, mine: list[Parameter], i: int) -> None:
        if placement.cpu_by_interpreter:
            opt.found_inf, opt.grad_scale = torch.zeros(1), torch.ones(1)  # type: ignore[attr-defined]
        opt.step()

    both(lambda p: face.Optimizer(p, strategy), ps, act)
    placement.cpu_by_interpreter = True
    with pytest.raises(HyperparameterError, match="captured graph"):
        face.Optimizer(ps, strategy, capturable=True)


def test_capturing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tables of a captured step are never written again, and later steps count on in the same place."""
    placement.cpu_by_interpreter = True
    ps = [Parameter(torch.randn(9))]
    opt = face.AdamW(ps, capturable=True)
    set_grads(ps, 0)
    opt.step()
    count = opt.state[ps[0]]["step"]
    set_grads(ps, 1)
    with monkeypatch.context() as m:
        m.setattr(cuda, "capturing", lambda device: True)
        opt.step()
        (kept,) = opt._in_graphs
        pointers = kept.buckets[0].table.mirrors["pointers"]._tensor
        opt.param_groups[0]["lr"] = 0.5
        with pytest.raises(TensorError, match="take one outside"):
            opt.step()
    frozen = pointers.clone()
    set_grads(ps, 2)
    opt.step()
    assert torch.equal(pointers, frozen)
    assert opt.state[ps[0]]["step"] is count
    assert count.item() >= 3
    other = face.AdamW(ps)
    other.step()
    monkeypatch.setattr(cuda, "capturing", lambda device: True)
    with pytest.raises(TensorError, match="capturable=True"):
        other.step()


def test_checkpoints_go_from_one_device_to_the_other() -> None:
    ps = [Parameter(torch.randn(9))]
    placement.cpu_by_interpreter = True
    gpu = face.AdamW(ps, capturable=True)
    set_grads(ps, 0)
    gpu.step()
    theirs = copy.deepcopy(ps)
    placement.cpu_by_interpreter = False
    cpu = face.AdamW(theirs)
    cpu.load_state_dict(gpu.state_dict())
    for opt, mine, by_triton in ((cpu, theirs, False), (gpu, ps, True)):
        placement.cpu_by_interpreter = by_triton
        set_grads(mine, 1)
        opt.step()
    same(theirs, ps)
    assert cpu.state[theirs[0]]["step"] == gpu.state[ps[0]]["step"] == 2


def test_what_is_not_as_fast_is_said_once(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    placement.cpu_by_interpreter = True
    monkeypatch.setattr(cuda, "available", lambda: False)
    ps = [Parameter(torch.randn(9))]
    theirs = copy.deepcopy(ps)
    with caplog.at_level(logging.WARNING, "steepest"):
        opt = face.AdamW(ps)
        for i in range(3):
            set_grads(ps, i)
            opt.step()
        assert placement.device_place(torch.device("meta")) == "eager"
    assert [r.name for r in caplog.records] == ["steepest", "steepest"]
    assert "steepest[gpu]" in caplog.records[0].message
    placement.cpu_by_interpreter = False
    cpu = face.AdamW(theirs)
    for i in range(3):
        set_grads(theirs, i)
        cpu.step()
    same(theirs, ps)


def test_the_cpu_face_never_loads_the_executor_of_a_gpu() -> None:
    from tests.test_architecture import loaded_by

    program = "import torch, steepest.torch as s; p = torch.nn.Parameter(torch.ones(3)); o = s.AdamW([p]); p.grad = p.detach(); o.step()"
    assert "steepest.execute.cuda" not in loaded_by(program)
