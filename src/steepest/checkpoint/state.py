"""What an optimizer knows, without a framework: strategies, and for every parameter its count and its slots."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from steepest.checkpoint.slots import Carried, carried
from steepest.errors import StateError
from steepest.transform import Transform
from steepest.tree import slots

Rename = Callable[[str], str] | Mapping[str, str] | Literal["order"] | None
"""From the name of a parameter here to its name in the state; "order": the first here is the first there."""
Rearrange = Callable[[str, NDArray[Any]], NDArray[Any]] | None
"""From the name of a parameter here and an array as the state has it, to the array as it is here."""


@dataclass(frozen=True)
class Held:
    """What is kept for one parameter."""

    group: int
    """Which of the strategies it is stepped by."""
    count: int | None
    """Steps taken; None where its optimizer keeps no count (PyTorch's SGD and Lion)."""
    slots: Mapping[str, NDArray[Any]]
    """By the neutral names (`mu`, `nu`, `trace`, ...); empty before the first step. bfloat16 is held as float32."""
    dtype: str
    """The dtype of the slots where they came from."""


@dataclass(frozen=True)
class TrainingState:
    """What an optimizer knows."""

    strategies: tuple[Transform, ...]
    """One for each parameter group; schedules are data (`steepest.Cosine`, `steepest.Linear`)."""
    params: Mapping[str, Held]
    face: str = ""
    """The framework it comes from: torch, keras, optax."""
    optimizer: str = ""
    """The name of the class or function there; empty for a strategy of one's own."""
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What the framework adds around the strategy: Keras' weight_decay, clipnorm, ..."""

    @property
    def strategy(self) -> Transform:
        """The strategy, where there is one.

        Raises:
            StateError: the state has several groups with different ones.
        """
        if any(s != self.strategies[0] for s in self.strategies):
            raise StateError(
                f"The checkpoint has {len(self.strategies)} parameter groups with different settings, and this needs one: "
                "take one of state.strategies, or make an optimizer for each group (optax.partition, keras.optimizers.MultiOptimizer)."
            )
        return self.strategies[0]

    @property
    def count(self) -> int | None:
        """The number of steps taken, where it is the same for all parameters.

        Raises:
            StateError: it is not.
        """
        counts = {held.count for held in self.params.values()}
        if len(counts) > 1:
            said = ", ".join("none" if c is None else str(c) for c in sorted(counts, key=lambda c: -1 if c is None else c))
            raise StateError(
                f"The parameters of the checkpoint have taken different numbers of steps ({said}), and this optimizer counts for all "
                "of them together. In PyTorch every parameter counts for itself: one that joined later has taken fewer."
            )
        return counts.pop() if counts else 0

    def matched(
        self, shapes: Mapping[str, tuple[int, ...]], strategy: Callable[[str], Transform], rename: Rename, rearrange: Rearrange
    ) -> Iterator[tuple[str, Held]]:
        """For every parameter here its state, renamed, rearranged and rescaled for the strategy that steps it here.

        Raises:
            StateError: a name or a shape does not fit, or a slot cannot be carried over.
        """
        theirs = self._names(list(shapes), rename)
        rescaled: dict[tuple[int, int], Carried] = {}
        for here, shape in shapes.items():
            held, mine = self.params[theirs[here]], strategy(here)
            if not held.slots and slots(self.strategies[held.group]):
                yield here, held  # it has taken no step yet
                continue
            key = (held.group, id(mine))
            if key not in rescaled:
                rescaled[key] = carried(self.strategies[held.group], mine, held.count)
            arrays: dict[str, NDArray[Any]] = {}
            for name, (source, factor) in rescaled[key].items():
                array = held.slots[source] if rearrange is None else rearrange(here, held.slots[source])
                if array.shape != shape:
                    turned = array.T.shape == shape
                    hint = " It is transposed: give rearrange=lambda name, array: array.T, or the like." if turned else ""
                    raise StateError(f"{here!r} has shape {shape}, its {source} in the checkpoint ({theirs[here]!r}) {array.shape}.{hint}")
                arrays[name] = array if factor == 1 else np.asarray(array * factor, dtype=array.dtype)
            yield here, Held(held.group, held.count, arrays, held.dtype)

    def _names(self, here: list[str], rename: Rename) -> dict[str, str]:
        if rename == "order":
            if len(here) != len(self.params):
                raise StateError(
                    f"The checkpoint has {len(self.params)} parameters, here there are {len(here)}: they cannot be matched by order."
                )
            return dict(zip(here, self.params, strict=True))
        find: Callable[[str], str] = rename if callable(rename) else lambda name: (rename or {}).get(name, name)
        theirs = {name: find(name) for name in here}
        missing = [f"{h!r}" if h == t else f"{h!r} ({t!r})" for h, t in theirs.items() if t not in self.params]
        unused = [repr(name) for name in self.params if name not in set(theirs.values())]
        if missing or unused:
            parts = [f"no state for {_some(missing)}"] * bool(missing) + [f"state for {_some(unused)}, which is not here"] * bool(unused)
            raise StateError(
                f"The checkpoint has {' and '.join(parts)}. Give rename=, from the names here to the names there "
                '(a dictionary or a function), or rename="order" if both list the same parameters in the same order.'
            )
        return theirs


def counted(state: TrainingState, count: int) -> TrainingState:
    """The state with this number of steps taken, where its optimizer kept none (PyTorch's SGD and Lion).

    Raises:
        StateError: a parameter has a count, another one.
    """
    wrong = [name for name, held in state.params.items() if held.count not in (None, count)]
    if wrong or count < 0:
        raise StateError(
            f"count={count}: {_some(wrong) or 'a count'} has taken {state.params[wrong[0]].count if wrong else 'at least 0'} steps."
        )
    return replace(state, params={name: replace(held, count=count) for name, held in state.params.items()})


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
