"""The registered optimizers: functions that return a finished strategy.

    @optimizer(paper="arXiv:2302.06675")
    def lion(lr: Scalar = 1e-4, ...) -> Chain:
        '''One line that says what it is.'''

Registration is all that a new optimizer needs: its kernel, its tests, its place in `steepest list` and in
the race follow from it.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, ParamSpec, TypeVar

from steepest.errors import UnknownOptimizer
from steepest.transform import Transform

P = ParamSpec("P")
T = TypeVar("T", bound=Transform)


@dataclass(frozen=True)
class Registration:
    """One optimizer: how to build it, where it comes from, what to test beyond the defaults."""

    name: str
    build: Callable[..., Transform]
    title: str
    paper: str
    options: tuple[Mapping[str, Any], ...]

    @property
    def summary(self) -> str:
        """The first line of the docstring."""
        return (inspect.getdoc(self.build) or "").partition("\n")[0]

    @property
    def notes(self) -> str:
        """The docstring after its first line: "Differs from ..." and advice."""
        return (inspect.getdoc(self.build) or "").partition("\n")[2].strip()

    @property
    def defaults(self) -> dict[str, Any]:
        """The arguments with their defaults, in order."""
        return {p.name: p.default for p in inspect.signature(self.build).parameters.values()}

    def variants(self) -> list[tuple[str, Transform]]:
        """The strategies that the tests hold against each other: the defaults, then each of `options`."""
        chosen: list[Mapping[str, Any]] = [{}, *self.options]
        return [(f"{self.name}({', '.join(f'{k}={v!r}' for k, v in o.items())})", self.build(**o)) for o in chosen]


_registered: dict[str, Registration] = {}


def optimizer(*, title: str, paper: str, options: Sequence[Mapping[str, Any]] = ()) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Register the function below as an optimizer under its own name.

    `title` is how people write its name, `paper` where it comes from; each of `options` is a set of
    arguments that makes another kernel and so deserves the whole of the tests.
    """

    def register(build: Callable[P, T]) -> Callable[P, T]:
        name = build.__name__
        if name in _registered and _registered[name].build.__module__ != build.__module__:
            raise ValueError(f"{name!r} is registered already, by {_registered[name].build.__module__}: choose another name.")
        _registered[name] = Registration(name, build, title, paper, tuple(options))
        return build

    return register


def optimizers(pattern: str = "*") -> list[str]:
    """The names of the registered optimizers that match, in the order of registration: `optimizers("ada*")`."""
    return [name for name in _registered if fnmatchcase(name, pattern)]


def registration(name: str) -> Registration:
    """The registration under `name`."""
    if name not in _registered:
        from difflib import get_close_matches

        near = get_close_matches(name.lower().replace("-", "").replace("_", ""), _registered, 1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise UnknownOptimizer(f"No optimizer is called {name!r}.{hint} There are: {', '.join(_registered)}.")
    return _registered[name]
