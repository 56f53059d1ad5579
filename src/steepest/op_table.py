"""The language of rules: every operation, what it takes, what it gives, and its value on plain numbers.

Numbers follow IEEE's rules, as arrays do: 1 / 0 is inf and the root of -1 is nan, not an exception.
"""

import math
import operator
from collections.abc import Callable
from enum import IntEnum
from typing import Literal, NamedTuple, TypeAlias

Over: TypeAlias = Literal["tensor", "model"]


class Per(IntEnum):
    """How many numbers a value stands for."""

    STEP = 0
    TENSOR = 1
    ELEMENT = 2


class Op(NamedTuple):
    """One row of the language: what an operation takes, what it gives, and its value on numbers."""

    takes: tuple[type, ...]  # float or bool, one per argument
    gives: type
    number: Callable[..., float | bool] | None  # on Python numbers; None for the leaves


def _divide(a: float, b: float) -> float:
    if b != 0:
        return a / b
    return math.nan if a == 0 or a != a else math.copysign(math.inf, a) * math.copysign(1.0, b)


def _root(a: float) -> float:
    return math.sqrt(a) if a >= 0 else math.nan


def _sign(a: float) -> float:
    return math.copysign(1.0, a) if a != 0 and a == a else a


def _choose(test: bool, a: float, b: float) -> float:
    return a if test else b


def _least(a: float, b: float) -> float:
    return a if a < b or a != a else b


def _most(a: float, b: float) -> float:
    return a if a > b or a != a else b


_R, _B = float, bool
OPS: dict[str, Op] = {
    # leaves: a number, a hyperparameter or counter, an element of an array, a sum
    "const": Op((), _R, None),
    "scalar": Op((), _R, None),
    "load": Op((), _R, None),
    "total": Op((_R,), _R, None),
    # arithmetic
    "add": Op((_R, _R), _R, operator.add),
    "sub": Op((_R, _R), _R, operator.sub),
    "mul": Op((_R, _R), _R, operator.mul),
    "div": Op((_R, _R), _R, _divide),
    "mod": Op((_R, _R), _R, operator.mod),
    "pow": Op((_R, _R), _R, operator.pow),
    "neg": Op((_R,), _R, float.__neg__),
    "abs": Op((_R,), _R, float.__abs__),
    "sign": Op((_R,), _R, _sign),
    "sqrt": Op((_R,), _R, _root),
    "minimum": Op((_R, _R), _R, _least),
    "maximum": Op((_R, _R), _R, _most),
    # tests, and the choice between two values
    "lt": Op((_R, _R), _B, operator.lt),
    "le": Op((_R, _R), _B, operator.le),
    "eq": Op((_R, _R), _B, operator.eq),
    "not": Op((_B,), _B, operator.not_),
    "and": Op((_B, _B), _B, bool.__and__),
    "or": Op((_B, _B), _B, bool.__or__),
    "where": Op((_B, _R, _R), _R, _choose),
}
