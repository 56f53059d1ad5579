"""Transform, Slot, Step, At and Chain: the pieces that optimizers are made of. Data only.

A `Transform` is a frozen dataclass. Its fields are its hyperparameters, its `Slot`s are its state, and
`update` is its mathematics:

    class ScaleByLion(Transform):
        b1: Fraction = 0.9
        b2: Fraction = 0.99

        mu = Slot()

        def update(self, u: Value, at: At, mu: Value) -> Step:
            direction = sign(self.b1 * mu + (1 - self.b1) * u)
            return Step(direction, mu=self.b2 * mu + (1 - self.b2) * u)

The type of a field says when it is chosen: a `float` (or a schedule) is read at every step and never
compiles anything; a `bool`, `int` or `str` is fixed when the kernel is built; a `Transform` (or a tuple
of them) is a part that `update` calls itself.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, Literal, NamedTuple, TypeAlias, Union, cast, dataclass_transform, get_args, get_origin, get_type_hints

from steepest.errors import HyperparameterError, TraceError
from steepest.ops import Value

Schedule: TypeAlias = Callable[[int], float]
"""A number for every step: called with the number of steps already taken, 0 at the first."""

Scalar: TypeAlias = float | Schedule
"""A number, or a schedule of numbers."""


class Within(NamedTuple):
    """The values a number may have: `Annotated[float, Within(0, 1)]` is 0 <= x < 1."""

    low: float = -math.inf
    high: float = math.inf
    low_included: bool = True
    high_included: bool = False

    def __contains__(self, x: object) -> bool:
        value = cast("float", x)
        above = value >= self.low if self.low_included else value > self.low
        return above and (value <= self.high if self.high_included else value < self.high)

    def __str__(self) -> str:
        low = f"{self.low:g} {'<=' if self.low_included else '<'} " if self.low > -math.inf else ""
        high = f" {'<=' if self.high_included else '<'} {self.high:g}" if self.high < math.inf else ""
        return f"{low}x{high}"


Fraction = Annotated[float, Within(0, 1)]
NonNegative = Annotated[float, Within(0)]
Positive = Annotated[float, Within(0, low_included=False)]
NonNegativeScalar = Annotated[Scalar, Within(0)]
Count = Annotated[int, Within(1)]


@dataclass(frozen=True)
class Slot:
    """One state array per parameter, of the parameter's shape, named by the attribute it is bound to."""

    init: Literal["zeros", "param"] = "zeros"


class Step:
    """What `update` returns: the running update (or the new parameter itself), and every slot's new value.

    `Step(u, mu=...)` hands `u` on to the next transform; after the last one the parameter becomes
    `param + u`. `Step(param=..., slow=...)` sets the parameter, exactly.
    """

    def __init__(self, u: Any = None, *, param: Any = None, **slots: Any) -> None:
        if (u is None) == (param is None):
            raise TraceError("Step(u, ...) hands an update on, Step(param=..., ...) sets the parameter: give one of the two.")
        self.u, self.param, self.slots = u, param, slots

    def direction(self, at: "At") -> Any:
        """The update, also where the step was given as a new parameter."""
        return self.u if self.param is None else self.param - at.param

    def result(self, at: "At") -> Any:
        """The new parameter."""
        return at.param + self.u if self.param is None else self.param


@dataclass(frozen=True)
class At:
    """Where the step is taken.

    The gradient, the parameter before the step, `count` (1 at the first step) and `size` (the number of
    elements of this parameter).
    """

    grad: Any
    param: Any
    count: Any = 1
    size: Any = 1


class FieldKind(NamedTuple):
    """What the type of a field means: `float` (read every step), `static` (fixed in the kernel), `part`."""

    kind: Literal["float", "static", "part"]
    type: type
    within: Within | None


@dataclass_transform(frozen_default=True)
class Transform:
    """One piece of mathematics with its hyperparameters. Subclass it; see the module's example."""

    _slots: Mapping[str, Slot] = {}
    _kinds: Mapping[str, FieldKind] = {}
    _known: dict[str, type["Transform"]] = {}

    def __init_subclass__(cls) -> None:
        try:
            hints = get_type_hints(cls, include_extras=True)
        except NameError as error:
            raise TraceError(f"{cls.__qualname__}: the type of a field cannot be resolved: {error}. Import it at module level.") from None
        cls._kinds = {name: _kind(cls, name, hint) for name, hint in hints.items() if not name.startswith("_")}
        cls._slots = {**cls._slots, **{n: s for n, s in vars(cls).items() if isinstance(s, Slot)}}
        dataclass(frozen=True)(cls)
        Transform._known[f"{cls.__module__}:{cls.__qualname__}"] = cls

    def __post_init__(self) -> None:
        for name in self._kinds:
            object.__setattr__(self, name, self._checked(name, getattr(self, name)))

    def update(self, *_: Any, **__: Any) -> Step:
        """The step: `update(self, u, at, ...)` with the slots by name.

        `u` is what the transforms before this one made of the gradient, `at` is where the step is taken.
        """
        raise NotImplementedError(f"{type(self).__qualname__} defines no update(self, u, at, ...).")

    @classmethod
    def _checked(cls, name: str, value: Any) -> Any:
        """The value of a field, made a plain number; an error if it cannot be."""
        kind, type_, within = cls._kinds[name]
        given = value

        def wrong(why: str, hint: str = "") -> HyperparameterError:
            return HyperparameterError(f"{cls.__qualname__}: {name}={given!r} {why}{hint}", name, given, why)

        if kind == "part" or (kind == "float" and callable(value) and type_ is not float):
            return value
        if kind == "float":
            if isinstance(value, (bool, str, bytes)) or not hasattr(value, "__float__"):
                raise wrong("is not a number.", " A schedule is a function of the step count." if type_ is not float else "")
            try:
                value = cast("Any", value) if _of_jax(value) else float(cast("Any", value))
            except (TypeError, ValueError, RuntimeError) as error:
                raise wrong(f"cannot be read as one number: {error}") from None
        elif not isinstance(value, type_) or (type_ is int and isinstance(value, bool)):
            raise wrong(f"must be {type_.__name__}, not {type(value).__name__}.")
        if within is not None and not _admitted(value, within):
            raise wrong(f"is out of range: {within} is required", f", with x = {name}.")
        return value


def _of_jax(value: Any) -> bool:
    """Whether a number is JAX's. It stays one: inside `jit` nobody knows its value yet, and `grad` may want to see it."""
    return hasattr(value, "aval") and getattr(value, "shape", None) == ()


def _admitted(value: Any, within: Within) -> bool:
    """Whether a value may be; a number that nobody knows yet (traced by JAX) is given the benefit of the doubt."""
    try:
        return value in within
    except TypeError:
        return True


def _kind(cls: type, name: str, hint: Any) -> FieldKind:
    within = None
    if get_origin(hint) is Annotated:
        hint, *extra = get_args(hint)
        within = next((x for x in extra if isinstance(x, Within)), None)
    if hint is float:
        return FieldKind("float", float, within)
    if hint in (bool, int, str):
        return FieldKind("static", hint, within)
    if isinstance(hint, type) and issubclass(hint, Transform):
        return FieldKind("part", hint, within)
    if get_origin(hint) is tuple and isinstance(get_args(hint)[0], type) and issubclass(get_args(hint)[0], Transform):
        return FieldKind("part", tuple, within)
    if get_origin(hint) in (Union, UnionType) and float in get_args(hint):
        return FieldKind("float", object, within)  # a number or a schedule
    raise TraceError(
        f"{cls.__qualname__}.{name}: a field is a float (or Scalar), a bool, int or str, or a Transform; got {hint!r}.\n"
        f"State that changes from step to step is a Slot: {name} = Slot()."
    )


class Chain(Transform):
    """Transforms in order: each is given what the one before it made. Build one with `chain(...)`."""

    links: tuple[Transform, ...] = ()

    def update(self, u: Value, at: At, links: Any = ()) -> Step:
        step, new = Step(u), []
        for link, slots in zip(self.links, links or [{}] * len(self.links), strict=True):
            step = link.update(step.direction(at), at, **slots)
            if not isinstance(step, Step):  # pyright: ignore[reportUnnecessaryIsInstance]: users write these
                raise TraceError(f"{type(link).__qualname__}.update returned {type(step).__name__}: return Step(u, ...).")
            new.append(step.slots)
        return Step(step.u, param=step.param, links=new)

    def __iter__(self) -> Iterator[Transform]:
        return iter(self.links)

    def __repr__(self) -> str:
        return f"chain({', '.join(map(repr, self.links))})"


def chain(*transforms: Transform) -> Chain:
    """Put transforms in order. Chains inside are flattened, so that grouping has no meaning."""
    flat: list[Transform] = []
    for t in transforms:
        if not isinstance(t, Transform):  # pyright: ignore[reportUnnecessaryIsInstance]: a user's slip
            hint = f" Did you mean {getattr(t, '__name__', '')}(...)?" if callable(t) else ""
            raise HyperparameterError(f"chain() takes transforms, got {t!r}.{hint}")
        flat.extend(t.links if isinstance(t, Chain) else [t])
    if not flat:
        raise HyperparameterError("chain() is empty: give at least one transform, for example ScaleByLearningRate(0.1).")
    return Chain(tuple(flat))
