"""The functions a rule is written with: a node on symbols, the array's own library on arrays.

    sqrt(nu)            an expression while a rule is traced,
                        numpy.sqrt, torch.sqrt, jax.numpy.sqrt or keras.ops.sqrt when the rule is called with arrays,
                        math.sqrt on a number

Plain operators (`+ - * / ** % < <= > >= == & | ~`) work the same way. `total`, `mean` and `norm` are the
only ways in which the values of different elements meet.
"""

import sys
from types import ModuleType
from typing import Any, Protocol, cast

from steepest.op_table import OPS, Over

__all__ = ["Value", "maximum", "mean", "minimum", "norm", "sign", "sqrt", "total", "where"]


class Value(Protocol):
    """What a rule computes with: a symbol, an array of any library, or a number."""

    def __add__(self, other: Any, /) -> Any: ...
    def __radd__(self, other: Any, /) -> Any: ...
    def __sub__(self, other: Any, /) -> Any: ...
    def __rsub__(self, other: Any, /) -> Any: ...
    def __mul__(self, other: Any, /) -> Any: ...
    def __rmul__(self, other: Any, /) -> Any: ...
    def __truediv__(self, other: Any, /) -> Any: ...
    def __rtruediv__(self, other: Any, /) -> Any: ...
    def __mod__(self, other: Any, /) -> Any: ...
    def __pow__(self, other: Any, /) -> Any: ...
    def __rpow__(self, other: Any, /) -> Any: ...
    def __neg__(self) -> Any: ...
    def __abs__(self) -> Any: ...
    def __lt__(self, other: Any, /) -> Any: ...
    def __le__(self, other: Any, /) -> Any: ...
    def __gt__(self, other: Any, /) -> Any: ...
    def __ge__(self, other: Any, /) -> Any: ...


def sqrt(x: Value) -> Any:
    """The square root; nan below zero."""
    return _apply("sqrt", x)


def sign(x: Value) -> Any:
    """-1, 0 or 1. A nan stays a nan, as in NumPy and JAX (torch.sign turns it into 0, which hides it)."""
    return _apply("sign", x)


def minimum(a: Value, b: Value) -> Any:
    """The smaller of two values; nan if either is."""
    return _apply("minimum", a, b)


def maximum(a: Value, b: Value) -> Any:
    """The larger of two values; nan if either is."""
    return _apply("maximum", a, b)


def where(test: Any, a: Value, b: Value) -> Any:
    """`a` where the test holds, else `b`: per element, or for the whole step if the test is one number."""
    return _apply("where", test, a, b)


def total(x: Value, over: Over = "tensor") -> Any:
    """The sum of `x` over one parameter (`over="tensor"`) or over all of them (`over="model"`), in float64."""
    return _apply("total", x, over=over)


def mean(x: Value, size: Value) -> Any:
    """The mean of `x` over one parameter; `size` is `at.size`."""
    return total(x) / size


def norm(x: Value, over: Over = "tensor") -> Any:
    """The Euclidean norm of `x` over one parameter or over the model."""
    return sqrt(total(x * x, over))


def _apply(op: str, *args: Any, **data: Any) -> Any:
    for a in args:
        own = getattr(type(a), "_steepest_op", None)  # a symbol, or many arrays as one value
        if own is not None:
            return own(a, op, *args, **data)
    arrays = [a for a in args if not isinstance(a, (bool, int, float))]
    if op == "where" and isinstance(args[0], bool):  # one test for the whole step
        return args[1] if args[0] else args[2]
    if not arrays:
        number = OPS[op].number
        return float(args[0]) if number is None else number(*args)
    return _on_arrays(op, args, arrays[-1], **data)


def _on_arrays(op: str, args: tuple[Any, ...], like: Any, **_: Any) -> Any:
    xp = namespace(like)
    if op == "total":
        return _total(xp, args[0])
    if len(args) == 2:
        args = meeting(*args)
    if xp.__name__ == "torch":
        if op == "sign":
            return xp.where(like != like, like, xp.sign(like))
        if op in ("minimum", "maximum"):
            args = tuple(a if hasattr(a, "dtype") else like.new_tensor(a) for a in args)
    return getattr(xp, op)(*args)


def _total(xp: ModuleType, x: Any) -> Any:
    """The sum in float64 (JAX without x64 has float32 alone), in a form that does not widen what it meets."""
    if xp.__name__ == "numpy":
        return float(xp.sum(x, dtype=xp.float64))
    if xp.__name__ == "torch":  # a tensor, to stay in the autograd graph
        return xp.sum(x, dtype=xp.float64)
    if xp.__name__ == "jax.numpy":
        return xp.sum(x, dtype=float).astype(x.dtype)
    return xp.cast(xp.sum(xp.cast(x, "float64")), x.dtype)


def meeting(a: Any, b: Any) -> tuple[Any, Any]:
    """Two values as operators of Keras' backends take them: a number of float64 gives way to an array's dtype.

    Numbers of a step (the count, the learning rate) are in float64 there, as on the host; TensorFlow refuses to mix.
    """
    if getattr(a, "dtype", None) is None or getattr(b, "dtype", None) is None or a.dtype == b.dtype:
        return a, b
    xp = namespace(a)
    if xp.__name__ != "keras.ops":
        return a, b
    if not xp.ndim(a) and (xp.ndim(b) or "64" in str(a.dtype)):
        return xp.cast(a, b.dtype), b
    return a, b if xp.ndim(b) else xp.cast(b, a.dtype)


def constant(number: Any, like: Any) -> Any:
    """A plain number as an array of the dtype and library of `like`; what is an array already stays as it is."""
    if not isinstance(number, (bool, int, float)):
        return number
    xp = namespace(like)
    return (xp.array if xp.__name__ == "keras.ops" else xp.asarray)(number, dtype=like.dtype)


def namespace(array: Any) -> ModuleType:
    """The library an array belongs to. It is loaded already, or there would be no array."""
    if type(array).__module__.partition(".")[0] in ("tensorflow", "keras") and "keras" in sys.modules:
        return sys.modules["keras"].ops  # tensorflow's own functions take no numbers beside tensors of float64
    if hasattr(array, "__array_namespace__"):
        return array.__array_namespace__()
    for base in type(array).__mro__:  # a subclass of Tensor lives in a module of its own
        library = sys.modules.get(base.__module__.partition(".")[0])
        if hasattr(library, "sqrt"):
            return cast("ModuleType", library)
    raise TypeError(
        f"steepest.ops works on traced values, numbers and arrays of NumPy, PyTorch, JAX and Keras; "
        f"got {type(array).__module__}.{type(array).__qualname__}."
    )
