"""A strategy as plain data, to be written into a configuration or a checkpoint, and back.

    {"transform": "ScaleByAdam", "b1": 0.9, "b2": 0.999, "eps": 1e-08, ...}
    {"transform": "chain", "links": [...]}
    {"schedule": "Cosine", "peak": 0.001, "steps": 1000, "warmup": 0, "floor": 0.0}

Ours are known by their names, others by `module:Name`, once the module that defines them has been imported:
reading a configuration imports nothing and runs nothing.
"""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, cast

from steepest.errors import HyperparameterError, StateError
from steepest.transform import Chain, Transform
from steepest.transforms.schedule import Cosine, Linear

SCHEDULES: Mapping[str, type[Cosine] | type[Linear]] = {"Cosine": Cosine, "Linear": Linear}


def to_config(strategy: Transform) -> dict[str, Any]:
    """A strategy as nested dictionaries of JSON's kinds.

    Raises:
        HyperparameterError: a schedule is a function, which data cannot hold.
    """
    name = "chain" if type(strategy) is Chain else _name(type(strategy))
    return {"transform": name, **{field: _written(strategy, field) for field in strategy._kinds}}


def from_config(config: Mapping[str, Any]) -> Transform:
    """The strategy that `to_config` wrote.

    Raises:
        StateError: the data names a transform that is not known here, or fields it does not have.
        HyperparameterError: a value is impossible.
    """
    name = config.get("transform")
    found = Chain if name == "chain" else {_name(cls): cls for cls in Transform._known.values()}.get(str(name))
    if found is None:
        module = str(name).partition(":")[0]
        hint = f"import {module} first, which defines it" if ":" in str(name) else "it was written by a newer version of Steepest"
        raise StateError(f"No transform is known as {name!r}: {hint}.")
    given = {field: _read(value) for field, value in config.items() if field != "transform"}
    unknown = set(given) - set(found._kinds)
    if unknown:
        raise StateError(f"{name} has no field {', '.join(sorted(unknown))}. It has: {', '.join(found._kinds) or 'none'}.")
    return found(**given)


def _name(cls: type[Transform]) -> str:
    return cls.__qualname__ if cls.__module__.startswith("steepest.") else f"{cls.__module__}:{cls.__qualname__}"


def _written(strategy: Transform, field: str) -> Any:
    value = getattr(strategy, field)
    if isinstance(value, Transform):
        return to_config(value)
    if isinstance(value, tuple):
        return [to_config(part) for part in cast("tuple[Transform, ...]", value)]
    if isinstance(value, (Cosine, Linear)):
        return {"schedule": type(value).__name__, **asdict(value)}
    if callable(value):
        raise HyperparameterError(
            f"{type(strategy).__qualname__}: {field}={value!r} is a function, which a configuration cannot hold. "
            f"Use one of steepest's schedules ({', '.join(SCHEDULES)}), which are data.",
            field,
            value,
            "is a function",
        )
    return value if isinstance(value, (bool, int, str)) else float(value)


def _read(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return tuple(_read(part) for part in cast("list[Any]", value))
    if not isinstance(value, Mapping):
        return value
    data = cast("Mapping[str, Any]", value)
    if "schedule" not in data:
        return from_config(data)
    schedule = SCHEDULES.get(str(data["schedule"]))
    if schedule is None or not set(data) - {"schedule"} <= {f.name for f in fields(schedule)}:
        raise StateError(f"{dict(data)!r} is no schedule. There are: {', '.join(SCHEDULES)}.")
    return schedule(**{k: v for k, v in data.items() if k != "schedule"})
