"""However a parameter and its gradient lie in memory, the step is the same, bit for bit, and touches nothing else."""

from itertools import product

import numpy as np
import torch
from torch.nn import Parameter

from steepest import torch as face
from tests.torch_face.cases import ONE_OF_EACH, STATELESS, Case, dtypes, over
from tests.torch_face.inputs import DTYPES, GRADIENTS, LAYOUTS, give, params_like, same_bits, tame

SHAPE = (2, 3, 5, 7)


def state_of(optimizer: torch.optim.Optimizer, p: Parameter) -> dict[str, torch.Tensor]:
    return dict(sorted(optimizer.state[p].items()))


@over([*ONE_OF_EACH, STATELESS])
@dtypes(*DTYPES)
def test_layouts_do_not_matter(case: Case, dtype: torch.dtype) -> None:
    lies = list(product(LAYOUTS.values(), GRADIENTS.values()))
    params = [Parameter(lay(tame(SHAPE, dtype, i))) for i, (lay, _) in enumerate(lies)]
    plain = params_like([p.detach().contiguous() for p in params])
    ours, twin = case.make(params), case.make(plain)
    for t in range(5):
        for i, (p, q) in enumerate(zip(params, plain, strict=True)):
            _, lay = lies[(i + t // 2) % len(lies)]  # gradients change their layout, too
            p.grad = lay(tame(SHAPE, dtype, 100 * t + i))
            q.grad = p.grad.clone(memory_format=torch.contiguous_format).resolve_neg().resolve_conj()
        ours.step()
        twin.step()
    for p, q in zip(params, plain, strict=True):
        assert same_bits(p, q)
        for key, value in state_of(ours, p).items():
            assert same_bits(value, state_of(twin, q)[key]), key


@over([*ONE_OF_EACH, STATELESS])
@dtypes(*DTYPES)
def test_what_lies_between_is_not_touched(case: Case, dtype: torch.dtype) -> None:
    wide = torch.full((4, 40), 7.0, dtype=dtype)
    params = [Parameter(wide[1, 2:19]), Parameter(wide[2:, 1:30:3]), Parameter(wide[0, 39])]
    optimizer = case.make(params)
    for t in range(3):
        give(params, t)
        optimizer.step()
    mine = torch.zeros(wide.shape, dtype=torch.bool)
    mine[1, 2:19], mine[2:, 1:30:3], mine[0, 39] = True, True, True
    assert (wide[~mine] == 7).all()
    assert (wide[mine] != 7).any()


@over([*ONE_OF_EACH, STATELESS])
@dtypes(*DTYPES)
def test_every_length(case: Case, dtype: torch.dtype) -> None:
    """One long tensor, and the same numbers cut into pieces."""
    lengths = (1, 0, 7, 15, 16, 17, 67, 1, 1009)
    whole = [Parameter(tame((sum(lengths),), dtype, 0))]
    pieces = [
        *params_like(list(whole[0].split(lengths))),
        Parameter(torch.tensor(0.5, dtype=dtype)),
        Parameter(torch.ones(3, 0, dtype=dtype)),
    ]
    ours, twin = case.make(pieces), case.make(whole)
    for t in range(3):
        give(whole, t)
        for p, g in zip(
            pieces, [*whole[0].grad.split(lengths), torch.tensor(0.25, dtype=dtype), torch.ones(3, 0, dtype=dtype)], strict=True
        ):
            p.grad = g.clone()
        ours.step()
        twin.step()
    assert same_bits(torch.cat([p.detach() for p in pieces[: len(lengths)]]), whole[0])
    assert pieces[-2] != 0.5
    assert pieces[-1].shape == (3, 0)


def test_an_empty_parameter_from_numpy_is_no_expanded_view() -> None:
    """NumPy's empty arrays have strides of 0."""
    p = torch.nn.Parameter(torch.from_numpy(np.zeros((0, 3), np.float32)))
    p.grad = torch.zeros_like(p)
    face.Adam([p]).step()
