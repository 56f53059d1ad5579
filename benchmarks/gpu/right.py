"""What must hold on a real device: every kernel, determinism, captured graphs, GradScaler, streams, the allocator.

Each check is a function that raises if the device is wrong.
"""

import copy
from collections.abc import Callable
from itertools import product
from typing import Any

import torch
from torch.nn import Parameter

import steepest
import steepest.torch as face
from steepest.formats import STORED
from steepest.plan import plan
from tests.checks import initial, same_state
from tests.inputs import hard, tame
from tests.strategies import ALL
from tests.triton_checks import by_triton, triton_equals_rule

LENGTHS = (0, 1, 7, 17, 67, 1009, 4096, 70_000)
CLIPPED = steepest.chain(
    steepest.ClipByGlobalNorm(1.0), steepest.ScaleByAdam(), steepest.ScaleByTrustRatio(), steepest.ScaleByLearningRate(0.01)
)
Make = Callable[[list[Parameter]], Any]
CAPTURABLE: dict[str, Make] = {
    "AdamW": lambda p: face.AdamW(p, lr=torch.tensor(0.01, device="cuda"), capturable=True),
    "Lion": lambda p: face.Lion(p, lr=torch.tensor(0.01, device="cuda"), capturable=True),
    "AdaBelief": lambda p: face.AdaBelief(p, lr=torch.tensor(0.01, device="cuda"), capturable=True),
    "Lookahead": lambda p: face.Lookahead(face.AdamW(p, lr=torch.tensor(0.01, device="cuda"), capturable=True), k=3),
    "clipped, by trust": lambda p: face.Optimizer(p, CLIPPED, capturable=True),
}


def matrix() -> list[tuple[str, Callable[[], None]]]:
    """Every strategy in every format against its rule."""

    def check(strategy: Any, stored: str) -> None:
        sums = any(v.totals for v in plan(strategy).variants.values())
        triton_equals_rule(
            strategy, stored, LENGTHS, tame if sums else hard, steps=(1, 2, 6), kernel=lambda *a, **k: by_triton(*a, **k, device="cuda")
        )

    return [(f"{name}, {stored}", lambda s=s, stored=stored: check(s, stored)) for (name, s), stored in product(ALL, STORED)]


def model(seed: int = 0, dtype: torch.dtype = torch.float32) -> list[Parameter]:
    """Some parameters on the device."""
    g = torch.Generator("cuda").manual_seed(seed)
    shapes = [(300, 70), (70,), (5000,), (), (3, 4, 5)]
    return [Parameter(torch.randn(s, generator=g, device="cuda").to(dtype)) for s in shapes]


def set_grads(ps: list[Parameter], seed: int) -> None:
    """New gradients at new addresses."""
    g = torch.Generator("cuda").manual_seed(1000 + seed)
    for p in ps:
        p.grad = torch.randn(p.shape, generator=g, device="cuda").to(p.dtype)


def close(a: list[Parameter], b: list[Parameter]) -> None:
    """Equal but for a few last bits."""
    for p, q in zip(a, b, strict=True):
        torch.testing.assert_close(p.detach().cpu(), q.detach().cpu(), rtol=2e-5, atol=2e-6)


def deterministic() -> None:
    """The same bits twice."""
    for name in ("lamb", "everything", "clipped belief"):
        strategy = dict(ALL)[name]
        state = initial(strategy, [tame(n, "float32", 0) for n in (3_000_000, 7, 100_000)])
        grads = [tame(n, "float32", 1) for n in (3_000_000, 7, 100_000)]
        one, two = (by_triton(strategy, state, grads, 2, device="cuda") for _ in range(2))
        assert same_state(one, two), name


def on_the_cpu_too(make: Make, act: Callable[[Any, list[Parameter], int], None], steps: int) -> None:
    """The same steps on the CPU give the same parameters."""
    gpu = model()
    cpu = [Parameter(p.detach().cpu()) for p in gpu]
    there, here = make(gpu), make(cpu)
    for i in range(steps):
        set_grads(gpu, i)
        for p, q in zip(gpu, cpu, strict=True):
            q.grad = p.grad.cpu()  # type: ignore[union-attr]
        here.step()
        act(there, gpu, i)
    torch.cuda.synchronize()
    close(gpu, cpu)


def allocator() -> None:
    """Gradients freed and their memory used by others, at every step."""

    def act(opt: Any, ps: list[Parameter], _: int) -> None:
        opt.step()
        opt.zero_grad(set_to_none=True)
        for _ in range(3):
            for p in ps:
                torch.full_like(p, float("nan"))

    on_the_cpu_too(lambda p: face.AdamW(p, lr=0.01), act, 50)
    on_the_cpu_too(lambda p: face.Optimizer(p, CLIPPED), act, 20)


def streams() -> None:
    """Steps on two streams in turn."""
    one, two = torch.cuda.Stream(), torch.cuda.Stream()

    def act(opt: Any, _: list[Parameter], i: int) -> None:
        stream = (one, two)[i % 2]
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            opt.step()
        torch.cuda.current_stream().wait_stream(stream)

    on_the_cpu_too(lambda p: face.AdamW(p, lr=0.01), act, 20)
    on_the_cpu_too(lambda p: face.Optimizer(p, CLIPPED), act, 20)


def no_waiting() -> None:
    """A step never waits for the device."""
    makes: list[Make] = [lambda p: face.AdamW(p), lambda p: face.Optimizer(p, CLIPPED), *CAPTURABLE.values()]
    for make in makes:
        ps = model()
        opt = make(ps)
        for i in range(3):
            set_grads(ps, i)
            opt.step()
        set_grads(ps, 4)
        torch.cuda.synchronize()
        torch.cuda.set_sync_debug_mode("error")
        try:
            opt.step()
        finally:
            torch.cuda.set_sync_debug_mode("default")


def graph(name: str) -> None:
    """A captured step replays as the eager one would go on, also with another learning rate, and lets eager steps follow."""
    ps = model()
    theirs = copy.deepcopy(ps)
    opt, eager = CAPTURABLE[name](ps), CAPTURABLE[name](theirs)
    static = [torch.empty_like(p) for p in ps]

    def give(i: int, to: list[Parameter]) -> None:
        set_grads(to, i)

    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for i in range(3):
            give(i, ps)
            opt.step()
    torch.cuda.current_stream().wait_stream(side)
    for p, s in zip(ps, static, strict=True):
        p.grad = s
    captured = torch.cuda.CUDAGraph()
    with torch.cuda.graph(captured):
        opt.step()
    rate = opt.param_groups[0]["lr"]
    for i in range(3, 12):
        g = torch.Generator("cuda").manual_seed(1000 + i)
        for p, s in zip(ps, static, strict=True):
            s.copy_(torch.randn(p.shape, generator=g, device="cuda"))
        if isinstance(rate, torch.Tensor):
            rate.fill_(0.01 / i)
        captured.replay()
    for p in ps:
        p.grad = None
    give(12, ps)
    opt.step()
    for i in range(13):
        if 3 <= i < 12 and isinstance(rate, torch.Tensor):
            eager.param_groups[0]["lr"].fill_(0.01 / i)
        give(i, theirs)
        eager.step()
    torch.cuda.synchronize()
    close(ps, theirs)
    if "step" in opt.state[ps[0]]:
        assert opt.state[ps[0]]["step"].item() == 13


def grad_scaler() -> None:
    """A GradScaler whose third step finds an inf: it changes nothing, and is not counted."""
    for dtype in (torch.float32, torch.bfloat16):
        ps = model(dtype=dtype)
        theirs = copy.deepcopy(ps)
        opt, plain = face.AdamW(ps, lr=0.01), face.AdamW(theirs, lr=0.01)
        scaler = torch.amp.GradScaler("cuda", init_scale=1024.0)
        for i in range(6):
            set_grads(ps, i)
            scaler.scale(torch.zeros((), device="cuda"))
            for p in ps:
                p.grad *= scaler.get_scale()
            if i == 2:
                ps[0].grad[0, 0] = float("inf")  # type: ignore[index]
            else:
                set_grads(theirs, i)
                plain.step()
            scaler.step(opt)
            scaler.update()
        close(ps, theirs)
        assert opt.state[ps[0]]["step"].item() == 5


def several_devices() -> None:
    """Parameters on two GPUs, one norm over all of them."""
    if torch.cuda.device_count() < 2:
        return
    ps = model()
    spread = [Parameter(p.detach().to(f"cuda:{i % 2}")) for i, p in enumerate(ps)]
    one, two = face.Optimizer(ps, CLIPPED), face.Optimizer(spread, CLIPPED)
    for i in range(5):
        set_grads(ps, i)
        for p, q in zip(ps, spread, strict=True):
            q.grad = p.grad.to(q.device)  # type: ignore[union-attr]
        one.step()
        two.step()
    close(ps, spread)


def checks() -> list[tuple[str, Callable[[], None]]]:
    """All of them, by name."""
    return [
        ("determinism", deterministic),
        ("no waiting for the device", no_waiting),
        ("allocator reuse", allocator),
        ("two streams", streams),
        *((f"graph, {name}", lambda name=name: graph(name)) for name in CAPTURABLE),
        ("GradScaler", grad_scaler),
        ("several devices", several_devices),
        *matrix(),
    ]
