"""The expression graph: what a rule becomes when it is called with symbols.

An `Expr` is immutable and interned: two equal expressions are the same object, so common
subexpressions need no search and identity is equality. The whole language is the table `OPS`; there
is no control flow, no assignment and no shape. What a value *is* follows from where it comes from:

    per.step      one number per step and parameter group: hyperparameters, `count`, sums over the model
    per.tensor    one number per parameter: its `size`, sums over one tensor
    per.element   one number per element: the gradient, the parameter, the slots

and `stage` counts how many reductions must have run before it is known.

Only the standard library is used here.
"""

import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NoReturn, cast
from weakref import WeakValueDictionary

from steepest.errors import TraceError
from steepest.op_table import OPS, Over, Per


class Expr:
    """One value of a traced rule. Make them with operators and `steepest.ops`; never change one."""

    __slots__ = ("__weakref__", "args", "data", "op", "per", "stage")

    op: str
    args: tuple["Expr", ...]
    data: float | str | None
    per: Per
    stage: int

    # -- the operators a rule is written with ----------------------------------------------------

    def __add__(self, other: object) -> "Expr":
        return build("add", self, other)

    def __radd__(self, other: object) -> "Expr":
        return build("add", other, self)

    def __sub__(self, other: object) -> "Expr":
        return build("sub", self, other)

    def __rsub__(self, other: object) -> "Expr":
        return build("sub", other, self)

    def __mul__(self, other: object) -> "Expr":
        return build("mul", self, other)

    def __rmul__(self, other: object) -> "Expr":
        return build("mul", other, self)

    def __truediv__(self, other: object) -> "Expr":
        return build("div", self, other)

    def __rtruediv__(self, other: object) -> "Expr":
        return build("div", other, self)

    def __mod__(self, other: object) -> "Expr":
        return build("mod", self, other)

    def __pow__(self, other: object) -> "Expr":
        return build("pow", self, other)

    def __rpow__(self, other: object) -> "Expr":
        return build("pow", other, self)

    def __neg__(self) -> "Expr":
        return build("neg", self)

    def __abs__(self) -> "Expr":
        return build("abs", self)

    def __lt__(self, other: object) -> "Expr":
        return build("lt", self, other)

    def __le__(self, other: object) -> "Expr":
        return build("le", self, other)

    def __gt__(self, other: object) -> "Expr":
        return build("lt", other, self)

    def __ge__(self, other: object) -> "Expr":
        return build("le", other, self)

    def __eq__(self, other: object) -> "Expr":  # pyright: ignore[reportIncompatibleMethodOverride]: a test in the rule, as on arrays
        return build("eq", self, other)

    def __ne__(self, other: object) -> "Expr":  # pyright: ignore[reportIncompatibleMethodOverride]: the same
        return build("not", build("eq", self, other))

    def __invert__(self) -> "Expr":
        return build("not", self)

    def __and__(self, other: object) -> "Expr":
        return build("and", self, other)

    def __or__(self, other: object) -> "Expr":
        return build("or", self, other)

    __hash__ = object.__hash__

    # -- what has no meaning inside a kernel -------------------------------------------------------

    def __bool__(self) -> NoReturn:
        refuse(
            "A traced value has no truth value: update() runs once, with symbols, to build the kernel.",
            "To choose per element write where(test, a, b); to choose when the kernel is built make the field a bool, int or str.",
        )

    def __float__(self) -> NoReturn:
        refuse(
            "A traced value is not a number yet: update() runs once, with symbols, to build the kernel.",
            "Use the functions of steepest.ops (sqrt, sign, where, ...) in place of math and float().",
        )

    __int__ = __index__ = __complex__ = __float__

    def __getitem__(self, key: object) -> NoReturn:
        refuse(
            "A traced value stands for one element of every parameter; it has no parts to pick.",
            "Rules are element-wise; elements meet only in total(x), mean(x) and norm(x).",
        )

    __iter__ = __len__ = __getitem__  # pyright: ignore[reportAssignmentType]: all three only refuse

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):  # protocol probes (copy, pickle, numpy) must see an ordinary miss
            raise AttributeError(name)
        refuse(
            f"A traced value has no attribute {name!r}: it is neither a NumPy array nor a tensor.",
            "Write sqrt(x), abs(x), total(x), norm(x), ... from steepest instead of a method.",
        )

    def __array_ufunc__(self, ufunc: object, method: str, *inputs: object, **_: object) -> "Expr":
        # NumPy's own scalars put themselves first: np.float64(0.9) * mu arrives here.
        name = {"add": "add", "subtract": "sub", "multiply": "mul", "divide": "div"}.get(str(getattr(ufunc, "__name__", "")))
        if name is None or method != "__call__":
            refuse(
                f"NumPy's {getattr(ufunc, '__name__', ufunc)} does not know traced values.",
                "Use the function of the same name from steepest.ops: it takes arrays and symbols alike.",
            )
        return build(name, *inputs)

    def _steepest_op(self, op: str, *args: object, **data: object) -> "Expr":
        """The protocol of `steepest.ops`: build a node instead of computing."""
        if op == "total":
            return total(lift(args[0]), cast("Over", data["over"]))
        return build(op, *args)

    # -- reading -------------------------------------------------------------------------------------

    @property
    def varying(self) -> bool:
        """One number per element (true) or one per step or tensor (false)."""
        return self.per is Per.ELEMENT

    @property
    def value(self) -> float:
        """The number of a constant."""
        assert self.op == "const"
        return cast("float", self.data)

    @property
    def name(self) -> str:
        """The name of a hyperparameter (`scalar`) or of an array (`load`)."""
        assert self.op in ("scalar", "load")
        return cast("str", self.data)

    def __repr__(self) -> str:
        if self.op in ("const", "scalar", "load"):
            return str(self.data)
        inner = ", ".join(map(repr, self.args))
        return f"{self.op}({inner}{f', over={self.data!r}' if self.op == 'total' else ''})"


_interned: WeakValueDictionary[object, Expr] = WeakValueDictionary()


def _make(op: str, args: tuple[Expr, ...], data: float | str | None = None) -> Expr:
    # Keyed by identity: `==` on expressions builds a test, and 0.0 == -0.0 while they are not the same.
    key = (op, tuple(map(id, args)), data.hex() if isinstance(data, float) else data)
    found = _interned.get(key)
    if found is not None:
        return found
    new = object.__new__(Expr)
    new.op, new.args, new.data = op, args, data
    new.per = max((a.per for a in args), default=Per.STEP)
    new.stage = max((a.stage for a in args), default=0)
    if op == "load":
        new.per = Per.ELEMENT
    elif op == "total":
        new.per = Per.TENSOR if data == "tensor" else Per.STEP
        new.stage += 1
    elif op == "scalar" and data == "size":
        new.per = Per.TENSOR
    verify(new)
    _interned[key] = new
    return new


def verify(e: Expr) -> None:
    """Hold one node against the table. A `TraceError` means that the rule mixed numbers and tests."""
    spec = OPS[e.op]
    if len(e.args) != len(spec.takes):
        refuse(f"{e.op} takes {len(spec.takes)} values, got {len(e.args)}.", "Check the call.")
    for argument, kind in zip(e.args, spec.takes, strict=True):
        if OPS[argument.op].gives is not kind:
            want, got = ("a test", "a number") if kind is bool else ("a number", "a test")
            refuse(
                f"{e.op} takes {want} here, got {got}: {argument!r}.",
                "Make a number of a test with where(test, 1.0, 0.0), a test of a number with x != 0.",
            )
    if e.op in ("pow", "mod") and e.varying:
        refuse(
            f"{e.op} of an array has no fast kernel: {e!r}.",
            "Powers 2, -1 and 0.5 are understood: x * x, 1 / x and sqrt(x). Others work on hyperparameters and count only.",
        )


def const(number: float) -> Expr:
    """A number known when the kernel is built."""
    return _make("const", (), float(number))


def scalar(name: str) -> Expr:
    """A number known when the step begins: a hyperparameter, or `count`, or the tensor's `size`."""
    return _make("scalar", (), name)


def load(name: str) -> Expr:
    """An element of `grad`, `param` or a slot."""
    return _make("load", (), name)


def total(x: Expr, over: Over) -> Expr:
    """The sum of `x` over one tensor or over the model, in float64."""
    if over not in ("tensor", "model"):
        refuse(f"total() sums over='tensor' or over='model', got over={over!r}.", "Choose one of the two.")
    return _make("total", (x,), over)


def lift(x: object) -> Expr:
    """An `Expr` from an `Expr` or a number."""
    if isinstance(x, Expr):
        return x
    if isinstance(x, (int, float)):
        return const(x)
    if getattr(x, "ndim", None) == 0 and not hasattr(x, "requires_grad") and hasattr(x, "item"):
        return const(float(cast("float", x)))  # a NumPy scalar
    refuse(
        f"A rule computes with its arguments, its fields and plain numbers; got {type(x).__module__}.{type(x).__qualname__}.",
        "Make an array that belongs to the rule a Slot; make a number a float field.",
    )


def build(op: str, *operands: object) -> Expr:
    """The node for `op`, after folding what can be folded without changing a bit of the result."""
    args = tuple(map(lift, operands))
    folded = _folded(op, args)
    return _make(op, args) if folded is None else folded


def _is(e: Expr, number: float) -> bool:
    return e.op == "const" and e.value == number


def _folded(op: str, args: tuple[Expr, ...]) -> Expr | None:
    """Constants, and identities that hold in IEEE arithmetic (up to the sign of a zero)."""
    spec = OPS[op]
    if spec.number and len(args) == len(spec.takes) and spec.gives is float and all(a.op == "const" for a in args):
        try:
            return const(spec.number(*(a.value for a in args)))
        except (ArithmeticError, ValueError):
            return None  # left for the step to compute, as inf or nan
    match op, args:
        case "add", (a, b) if _is(a, 0):
            return b
        case (("add" | "sub"), (a, b)) if _is(b, 0):
            return a
        case "add", (a, b) if b.op == "neg":
            return build("sub", a, b.args[0])
        case "add", (a, b) if a.op == "neg":
            return build("sub", b, a.args[0])
        case "sub", (a, b) if b.op == "neg":
            return build("add", a, b.args[0])
        case "mul", (a, b) if _is(a, 1):
            return b
        case (("mul" | "div" | "pow"), (a, b)) if _is(b, 1):
            return a
        case "mul", (a, b) if _is(a, -1):
            return build("neg", b)
        case (("mul" | "div"), (a, b)) if a.op == "neg":
            return build("neg", build(op, a.args[0], b))
        case (("mul" | "div"), (a, b)) if b.op == "neg":
            return build("neg", build(op, a, b.args[0]))
        case "neg", (a,) if a.op == "neg":
            return a.args[0]
        case "not", (a,) if a.op == "not":
            return a.args[0]
        case "pow", (a, b) if _is(b, 2):
            return build("mul", a, a)
        case "pow", (a, b) if _is(b, 0.5):
            return build("sqrt", a)
        case "pow", (a, b) if _is(b, -1):
            return build("div", 1.0, a)
        case "where", (_, a, b) if a is b:
            return a
        case _:
            return None


def walk(roots: Iterable[Expr], inside: Callable[[Expr], bool] = lambda _: True) -> Iterator[Expr]:
    """Every expression below `roots`, each once, arguments before what uses them; nothing below what is not `inside`."""
    seen: set[int] = set()
    stack: list[tuple[Expr, bool]] = [(r, False) for r in reversed(list(roots))]
    while stack:
        e, ready = stack.pop()
        if ready:
            yield e
        elif id(e) not in seen and inside(e):
            seen.add(id(e))
            stack.append((e, True))
            stack.extend((a, False) for a in reversed(e.args))


def rebuild(roots: Iterable[Expr], change: Callable[[Expr, tuple[Expr, ...]], Expr | None]) -> list[Expr]:
    """The same roots with `change(old, new_arguments)` in place of each node it answers for."""
    roots = list(roots)
    new: dict[int, Expr] = {}
    for e in walk(roots):
        args = tuple(new[id(a)] for a in e.args)
        made = change(e, args)
        if made is None:
            made = e if not e.args else _make(e.op, args, e.data) if e.op == "total" else build(e.op, *args)
        new[id(e)] = made
    return [new[id(r)] for r in roots]


_LANGUAGE = {str(Path(__file__).with_name(f)) for f in ("expr.py", "ops.py", "transform.py")}


def refuse(why: str, instead: str) -> NoReturn:
    """Raise a `TraceError` that points at the line of the rule, not at ours."""
    frame = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]: the one way to the caller's line
    while frame.f_back is not None and (frame.f_code.co_filename in _LANGUAGE or frame.f_code.co_name.startswith("<")):
        frame = frame.f_back
    import linecache  # only when something went wrong

    code = frame.f_code
    line = linecache.getline(code.co_filename, frame.f_lineno).strip()
    where = f"{code.co_qualname}, {Path(code.co_filename).name}:{frame.f_lineno}"
    raise TraceError(f"{where}\n    {line}\n{why}\n{instead}\nTo step through with real numbers call update() on NumPy arrays.")
