"""A schedule of ours, or any function of the step count, as a Keras learning-rate schedule."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import keras
from keras import ops

from steepest.config import SCHEDULES
from steepest.errors import HyperparameterError
from steepest.transforms import Cosine, Linear


@keras.saving.register_keras_serializable(package="steepest", name="Schedule")
class AsKeras(keras.optimizers.schedules.LearningRateSchedule):
    """Called with the number of steps already taken; as every Keras schedule, it counts micro-steps under accumulation."""

    def __init__(self, schedule: Callable[[Any], Any]) -> None:
        self.schedule = schedule

    def __call__(self, step: Any) -> Any:
        """The learning rate after `step` steps."""
        return self.schedule(exact(step))

    def get_config(self) -> dict[str, Any]:
        """Which of our schedules it is, as data."""
        name = type(self.schedule).__name__
        if not isinstance(self.schedule, (Cosine, Linear)):
            raise HyperparameterError(
                f"The learning-rate schedule {self.schedule!r} is a function, which a configuration cannot hold. "
                f"Use a schedule of Keras, or one of steepest's ({', '.join(SCHEDULES)})."
            )
        return {"schedule": name, **asdict(self.schedule)}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "AsKeras":
        """The schedule that `get_config` described."""
        return cls(SCHEDULES[config["schedule"]](**{k: v for k, v in config.items() if k != "schedule"}))


def exact(step: Any) -> Any:
    """A step count as a tensor of float64 where the backend has it. JAX divides integers in float32, even with x64 on."""
    tensor: Any = ops.convert_to_tensor(step)
    return tensor.astype(float) if keras.backend.backend() == "jax" else ops.cast(tensor, "float64")


def as_keras(function: Callable[..., Any]) -> Any:
    """A callable learning rate: Keras' own kind takes no argument, a schedule takes the step."""
    try:
        needs = [p for p in inspect.signature(function).parameters.values() if p.default is p.empty and p.kind <= p.POSITIONAL_OR_KEYWORD]
    except (TypeError, ValueError):
        return function
    return AsKeras(function) if len(needs) == 1 else function
