"""What training a model with a strategy takes: weights, gradients and optimizer state, in bytes.

Every slot of a strategy is an array like its parameter, in the parameter's dtype. Frozen weights have neither gradient
nor state; weights that share their memory are there once. Activations come on top; they depend on batch and code.
"""

from dataclasses import dataclass

from steepest.guide.model.inventory import Inventory
from steepest.transform import Transform
from steepest.tree import slots

STEP_COUNT = 4
"""Bytes of a count of steps: PyTorch keeps one for each parameter, Keras and optax one in all."""


@dataclass(frozen=True)
class Memory:
    """Bytes."""

    weights: int
    gradients: int
    state: int

    @property
    def total(self) -> int:
        """What must fit, activations apart."""
        return self.weights + self.gradients + self.state


def memory(inventory: Inventory, strategy: Transform) -> Memory:
    """The bytes for this very model."""
    trained = inventory.trained
    held = {(a.storage, a.shape): a.bytes for a in (*inventory.arrays, *inventory.buffers)}
    counts = STEP_COUNT * {"torch": len(trained), "flags": 0}.get(inventory.framework, 1)
    gradients = sum(a.bytes for a in trained)
    return Memory(sum(held.values()), gradients, len(slots(strategy)) * gradients + counts)


def written(bytes_: float) -> str:
    """1.98 GB, 512 MB, 17.4 kB.

    >>> written(1_984_000_000)
    '1.98 GB'
    """
    for unit, name in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if bytes_ >= unit * 0.9995:
            value = bytes_ / unit
            return f"{value:.0f} {name}" if value >= 99.95 else f"{value:.3g} {name}"
    return f"{bytes_:.0f} B"
