"""The printed Triton kernels, run by Triton's interpreter: against the rules, and never printed again for a number."""

import numpy as np
import pytest

import tests.interpreter  # noqa: F401  (before anything imports Triton)
from steepest import Cosine, Transform, adamw, chain, lion, sgd
from steepest.codegen import triton
from steepest.execute import cuda, source
from steepest.formats import FORMATS
from steepest.plan import plan
from steepest.tree import with_hyperparameters
from tests.checks import Array, State, initial, same_state
from tests.inputs import hard, tame
from tests.strategies import ALL
from tests.triton_checks import by_triton, triton_equals_rule

strategies = pytest.mark.parametrize("strategy", [s for _, s in ALL], ids=[n for n, _ in ALL])
LENGTHS = (0, 1, 17, 1009)


def inputs(strategy: Transform) -> object:
    return tame if any(v.totals for v in plan(strategy).variants.values()) else hard


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks that the tests' lengths fill, more than once."""
    monkeypatch.setattr(cuda, "BLOCK", 512)


@strategies
@pytest.mark.parametrize("stored", ["float32", "float64", "bfloat16", "float16"])
def test_kernel_equals_rule(strategy: Transform, stored: str) -> None:
    triton_equals_rule(strategy, stored, LENGTHS, inputs(strategy))


@strategies
def test_kernel_equals_rule_uphill(strategy: Transform) -> None:
    triton_equals_rule(strategy, "float32", (17, 67), tame, steps=(1, 2), maximize=True)


@pytest.mark.parametrize("strategy", [lion(), adamw(), dict(ALL)["everything"]], ids=["lion", "adamw", "everything"])
def test_chunks_as_large_as_on_a_device(strategy: Transform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuda, "BLOCK", 4096)
    triton_equals_rule(strategy, "float32", (5000, 4096), tame, steps=(1, 2))


@pytest.mark.parametrize("name", ["lamb", "everything"])
def test_same_bits_twice_and_in_any_company(name: str) -> None:
    """A sum over one tensor does not depend on the others."""
    strategy = dict(ALL)[name]
    lengths = (3000, 7)
    state, grads = initial(strategy, [tame(n, "float32", 0) for n in lengths]), [tame(n, "float32", 1) for n in lengths]
    assert same_state(by_triton(strategy, state, grads, 2), by_triton(strategy, state, grads, 2))
    if not plan(strategy).sums_over_model:
        alone = {n: a[:1] for n, a in state.items()}
        assert same_state(by_triton(strategy, alone, grads[:1], 2), {n: a[:1] for n, a in by_triton(strategy, state, grads, 2).items()})


def test_numbers_never_compile_again() -> None:
    lengths = (67, 5)
    state = initial(adamw(), [tame(n, "float32", 0) for n in lengths])
    grads = [tame(n, "float32", 1) for n in lengths]
    by_triton(adamw(), state, grads, 1)
    before = set(source.compiled)
    for strategy in (adamw(lr=0.0), adamw(lr=lambda taken: 1 / (taken + 1)), adamw(lr=Cosine(1e-3, 10)), adamw(b1=0.5, eps=1e-3)):
        by_triton(strategy, state, grads, 3)
    by_triton(with_hyperparameters(adamw(), {"b2": 0.9}), {n: a[:1] for n, a in state.items()}, grads[:1], 5)
    assert set(source.compiled) == before


def test_no_number_is_an_argument() -> None:
    """An integer argument of a Triton kernel is specialised, and a new value compiles again: there must be none but the constants."""
    for _, strategy in ALL:
        p = plan(strategy)
        for variant in p.variants.values():
            for one in variant.passes:
                text = cuda.kernel_text(p, one, FORMATS["float32"], [FORMATS["float32"]] * len(p.buffers))
                signature = next(line for line in text.splitlines() if line.startswith("def steepest("))
                assert signature.replace(", partials", "") == (
                    "def steepest(chunks, pointers, rows, uniforms, BLOCK: tl.constexpr, ALIGN: tl.constexpr):"
                )


def test_an_array_with_a_name_that_the_kernel_uses() -> None:
    from steepest import At, ScaleByLearningRate, Slot, Step, Value

    class Awkward(Transform):
        mask: float = 0.5
        t1: float = 0.25

        chunk = Slot()
        tl = Slot(init="param")
        new_grad = Slot()

        def update(self, u: Value, at: At, chunk: Value, tl: Value, new_grad: Value) -> Step:
            chunk = self.mask * chunk + self.t1 * u
            return Step(chunk + tl * new_grad, chunk=chunk, tl=tl - u, new_grad=u)

    triton_equals_rule(chain(Awkward(), ScaleByLearningRate(0.1)), "float32", (17,), tame)


# -- wrong kernels: the text of the right one with one slip -----------------------------------------------

WRONG_KERNELS = {
    "no tail": ("lanes < length", "lanes < 0"),
    "tail one short": ("lanes < length", "lanes < length - 1"),
    "tail too long": ("lanes < length", "lanes <= length"),
    "every chunk the first": (", ALIGN) + start", ", ALIGN)"),
    "one tensor's numbers for all": ("tl.load(rows + tensor)", "0"),
    "minus for plus": ("sign(b1 * mu +", "sign(b1 * mu -"),
    "a comparison turned round": ("tl.where(x > 0", "tl.where(x >= 0"),
    "nan is zero": ("tl.where(x < 0, -1.0, x)", "tl.where(x < 0, -1.0, 0.0)"),
    "nothing is stored": ("tl.store(param_at + lanes, new_param)", "pass"),
}


def guarded(strategy: Transform, state: State, grads: list[Array], count: int, **settings: object) -> State:
    """Room behind every tensor, so that a kernel which writes too far is caught and does no harm."""
    padded = {n: [np.concatenate([a, np.full(9, 7, a.dtype)]) for a in arrays] for n, arrays in {**state, "grad": grads}.items()}
    out = by_rows(strategy, padded, [len(g) for g in grads], count)
    for arrays in out.values():
        assert all((a[-9:] == 7).all() for a in arrays), "written past the end"
    return {n: [a[:-9] for a in out[n]] for n in state}


@pytest.mark.parametrize("slip", WRONG_KERNELS)
def test_a_wrong_kernel_is_rejected(slip: str, monkeypatch: pytest.MonkeyPatch) -> None:
    right, wrong = WRONG_KERNELS[slip]
    printed = triton.kernel

    def changed(*args: object) -> str:
        text = printed(*args)  # type: ignore[arg-type]
        if right not in text:
            raise LookupError("the slip is nowhere in this kernel")
        return text.replace(right, wrong)

    monkeypatch.setattr(triton, "kernel", changed)
    monkeypatch.setattr(cuda, "_kernel", cuda._kernel.__wrapped__)

    with pytest.raises(AssertionError):
        triton_equals_rule(lion(weight_decay=0.1), "float32", LENGTHS, hard, kernel=guarded)


def by_rows(strategy: Transform, columns: State, lengths: list[int], count: int) -> State:
    """One step of the first `length` numbers of every array; even and odd tensors have rows of their own, the odd ones' lr is 0.5."""
    import torch

    from steepest.execute import host
    from tests.checks import scalars

    p = plan(strategy)
    tensors = {n: [torch.tensor(a) for a in arrays] for n, arrays in columns.items()}
    table = cuda.Table(p, FORMATS["float32"], lengths, torch.device("cpu"), [FORMATS["float32"]] * len(p.buffers))
    for j, buffer in enumerate(p.buffers):
        table.pointers[:, j] = [t.data_ptr() for t in tensors[buffer]]
    numbers = scalars(strategy, count)
    wrong = {**numbers, "lr": 0.5}
    rows = host.Rows([(*wrong.values(), count), (*numbers.values(), count)], np.ones(len(lengths), dtype=np.int64))
    cuda.step([cuda.Work(table, p.variants[()], rows)])
    return {n: [t.numpy() for t in ts] for n, ts in tensors.items()}


def test_the_right_kernel_passes_the_same_check() -> None:
    triton_equals_rule(lion(weight_decay=0.1), "float32", LENGTHS, hard, kernel=guarded)


def test_momentum_in_float32_beside_weights_in_bfloat16() -> None:
    """Each array has a format of its own."""
    import torch

    from steepest.execute import host
    from steepest.formats import STORED

    strategy = sgd(lr=0.1, momentum=0.9)
    p = plan(strategy)
    param, grad = (torch.from_numpy(tame(700, "float32", i)).bfloat16() for i in (0, 1))
    trace = torch.from_numpy(tame(700, "float32", 2))
    want = 0.9 * trace + grad.float()
    expected = (param.float() - np.float32(0.1) * want).bfloat16()
    formats = {"param": STORED["bfloat16"], "grad": STORED["bfloat16"], "trace": STORED["float32"]}
    table = cuda.Table(p, STORED["float32"], [700], torch.device("cpu"), [formats[b] for b in p.buffers])
    where = {"param": param, "grad": grad, "trace": trace}
    table.pointers[0] = [where[b].data_ptr() for b in p.buffers]
    row = (*[{"lr": 0.1, "momentum": 0.9}.get(n, 0.0) for n in p.scalars], 2)
    cuda.step([cuda.Work(table, p.variants[host.truth(p, row)], host.Rows([row], np.zeros(1, dtype=np.int64)))])
    assert torch.equal(param, expected)
    torch.testing.assert_close(trace, want, rtol=2e-7, atol=0)
