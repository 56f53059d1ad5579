"""The uniforms of a pass, evaluated on the host in float64: once a step and group, or once a tensor."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from steepest.codegen.python import ARRAY, SCALAR, host_function
from steepest.execute.tables import Table
from steepest.expr import Expr
from steepest.op_table import OPS, Per
from steepest.plan import Pass, Plan, Variant

#: What the printed functions call. IEEE's rules on Python floats: 1 / 0 is inf and sqrt(-1) is nan.
_SCALAR_NAMES: dict[str, Any] = {name: OPS[name].number for name in ("div", "sqrt", "sign", "minimum", "maximum")}
_ARRAY_NAMES: dict[str, Any] = {name: getattr(np, name) for name in ("sqrt", "sign", "minimum", "maximum", "where")}


class Rows(NamedTuple):
    """The hyperparameters of a step: one row for each combination of group and step count."""

    values: Sequence[tuple[float, ...]]  # in the order of plan.scalars, then count
    row_of: NDArray[np.int64]  # for each tensor, its row


def compiled(text: str, names: Mapping[str, Any]) -> Callable[..., tuple[Any, ...]]:
    """A printed host function, to be called; `names` is the vocabulary it is printed in."""
    namespace = dict(names)
    exec(compile(text, "<uniforms>", "exec"), namespace)  # noqa: S102  (the text is printed from a verified graph)
    return namespace["uniforms"]


@cache
def _per_row(plan: Plan, variant: Variant, p: Pass) -> Callable[..., tuple[float, ...]]:
    return compiled(host_function(p.uniforms, plan.scalars, variant.totals, SCALAR), _SCALAR_NAMES)


@cache
def _per_tensor(plan: Plan, variant: Variant, p: Pass) -> Callable[..., tuple[Any, ...]]:
    return compiled(host_function(p.uniforms, plan.scalars, variant.totals, ARRAY), _ARRAY_NAMES)


@cache
def _test_function(plan: Plan) -> Callable[..., tuple[bool, ...]]:
    return compiled(host_function(plan.tests, plan.scalars, (), SCALAR), _SCALAR_NAMES)


def truth(plan: Plan, values: Sequence[float]) -> tuple[bool, ...]:
    """How the plan's tests come out for one row of hyperparameters: the key of the variant to run."""
    return _test_function(plan)(*values, 1) if plan.tests else ()


def uniforms(
    table: Table, variant: Variant, p: Pass, rows: Rows, totals: Mapping[Expr, Any]
) -> tuple[Sequence[tuple[float, ...]] | NDArray[np.float64], NDArray[np.int64]]:
    """The rows of uniforms of a pass, and for each tensor its row among them.

    `totals` holds the sums that are finished: a float over the model, an array with one entry a tensor.
    """
    plan, finished = table.plan, [totals.get(t) for t in variant.totals]
    if p.per is not Per.TENSOR:
        function = _per_row(plan, variant, p)
        return [function(*row, 1, *finished) for row in rows.values], rows.row_of
    columns = np.asarray(rows.values, dtype=np.float64)[rows.row_of].T
    with np.errstate(all="ignore"):
        result = _per_tensor(plan, variant, p)(*columns, table.sizes.astype(np.float64), *finished)
    values = np.empty((len(table.sizes), len(result)), dtype=np.float64)
    for i, column in enumerate(result):
        values[:, i] = column
    return values, table.each_its_own
