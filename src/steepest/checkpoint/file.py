"""A training state as a safetensors file: arrays by name, and a JSON header that says what they are.

The header is the entry `steepest` of the file's metadata. Arrays are called `parameter:slot`. Reading runs nothing.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steepest.checkpoint.state import Held, TrainingState
from steepest.config import from_config, to_config
from steepest.errors import HyperparameterError, MissingExtra, StateError
from steepest.files import whole

FORMAT = 1
"""Goes up when a reader of the old files would misread the new ones."""


def save(path: str | Path, state: TrainingState) -> None:
    """Write a training state. The file appears whole or not at all; one that was there is replaced.

    Raises:
        HyperparameterError: a schedule is a function, which a file cannot hold; nothing is written.
        OSError: the file cannot be written.
    """
    header = {
        "format": FORMAT,
        "face": state.face,
        "optimizer": state.optimizer,
        "options": dict(state.options),
        "strategies": [to_config(strategy) for strategy in state.strategies],
        "params": [
            {"name": name, "group": held.group, "count": held.count, "slots": list(held.slots), "dtype": held.dtype}
            for name, held in state.params.items()
        ],
    }
    arrays = {_key(name, slot): np.ascontiguousarray(a) for name, held in state.params.items() for slot, a in held.slots.items()}
    content = _library().numpy.save(arrays, {"steepest": json.dumps(header)})
    path = Path(path)
    with whole(path) as partial, partial.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def load(path: str | Path) -> TrainingState:
    """Read a training state.

    Raises:
        FileNotFoundError: there is no such file.
        StateError: the file is damaged, not one of ours, or from a newer version; or it holds a transform that is
            defined in a module which has not been imported.
    """
    path, safetensors = Path(path), _library()
    if not path.is_file():
        raise FileNotFoundError(f"There is no checkpoint {path}.")
    try:
        with safetensors.safe_open(path, framework="numpy") as file:
            metadata: Mapping[str, str] = file.metadata() or {}
            arrays: dict[str, NDArray[Any]] = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  (no mapping)
    except safetensors.SafetensorError as error:
        raise StateError(f"{path} is no safetensors file, or a damaged one: {error}") from None
    if "steepest" not in metadata:
        raise StateError(f"{path} holds arrays, but no training state of Steepest: steepest.checkpoint.save writes those.")
    try:
        header = json.loads(metadata["steepest"])
        if header["format"] > FORMAT:
            raise StateError(
                f"{path} has format {header['format']}, this version of Steepest reads up to {FORMAT}: pip install -U steepest."
            )
        params = {
            p["name"]: Held(p["group"], p["count"], {slot: arrays[_key(p["name"], slot)] for slot in p["slots"]}, p["dtype"])
            for p in header["params"]
        }
        strategies = tuple(from_config(config) for config in header["strategies"])
        if any(not 0 <= held.group < len(strategies) for held in params.values()):
            raise StateError(f"{path}: a parameter belongs to a group that the header does not have.")
        return TrainingState(strategies, params, header["face"], header["optimizer"], header["options"])
    except (KeyError, TypeError, AttributeError, json.JSONDecodeError, HyperparameterError) as error:
        raise StateError(f"{path} has a header that cannot be read ({type(error).__name__}: {error}).") from error


def _library() -> Any:
    """safetensors, imported where it is first needed: the faces exchange states without it."""
    try:
        import safetensors
        import safetensors.numpy  # pyright: ignore[reportUnusedImport]: it is an attribute of the first
    except ModuleNotFoundError as error:
        raise MissingExtra("Checkpoint files need safetensors, which is not installed: pip install 'steepest[checkpoint]'") from error
    return safetensors


def _key(name: str, slot: str) -> str:
    return f"{name}:{slot}"
