"""What a model is made of: its arrays, who of them is trained, and its parts by the names of their classes.

A torch module, a Keras model, a JAX pytree, or a tree of arrays or shapes. No framework is imported: a model of one
is recognised by what that framework, loaded already, says of it.
"""

import math
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from steepest.errors import GuideError
from steepest.formats import STORED

Framework = Literal["torch", "keras", "tree", "flags"]


@dataclass(frozen=True)
class Array:
    """One array of weights."""

    name: str
    shape: tuple[int, ...]
    itemsize: int
    trainable: bool
    storage: int
    """The same for arrays that share their memory."""

    @property
    def size(self) -> int:
        """How many numbers."""
        return math.prod(self.shape)

    @property
    def bytes(self) -> int:
        """Of its numbers."""
        return self.size * self.itemsize


@dataclass(frozen=True)
class Part:
    """One module or layer."""

    path: str
    classes: frozenset[str]
    """The names of its class and of that class' bases."""
    module: str
    """Where its class is defined."""
    weights: int
    """Numbers that belong to it alone."""
    has: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What it says of itself: kernel, stride, rows, sparse, inputs, outputs."""


@dataclass(frozen=True)
class Inventory:
    """A model as data."""

    framework: Framework
    arrays: tuple[Array, ...]
    parts: tuple[Part, ...] = ()
    buffers: tuple[Array, ...] = ()
    """Arrays that no optimizer sees, such as BatchNorm's statistics."""

    @property
    def parameters(self) -> int:
        """Numbers in all weights, those shared counted once."""
        return sum(a.size for a in self.arrays)

    @property
    def trained(self) -> tuple[Array, ...]:
        """The weights that get a gradient."""
        return tuple(a for a in self.arrays if a.trainable)

    @property
    def trainable(self) -> int:
        """Numbers that get a gradient."""
        return sum(a.size for a in self.trained)


def of(model: Any, dtype: str | None = None) -> Inventory:
    """The inventory of a model of any framework; `dtype` overrides that of its floating-point weights.

    Raises:
        GuideError: it is no model, or has no weights yet.
    """
    torch, keras = sys.modules.get("torch"), sys.modules.get("keras")
    if keras is not None and isinstance(model, keras.Model):  # on its PyTorch backend that is a torch module as well
        made = _of_keras(model, dtype)
    elif torch is not None and isinstance(model, torch.nn.Module):
        made = _of_torch(model, dtype)
    else:
        made = _of_tree(model, dtype)
    if not made.arrays:
        raise GuideError(f"{type(model).__name__} has no weights: there is nothing to optimize.")
    if not made.trainable:
        raise GuideError(f"{type(model).__name__} has no trainable weights: all are frozen. Unfreeze what is to be trained.")
    return made


def of_flags(parameters: int, trainable: int, dtype: str) -> Inventory:
    """A model of which only its size is known."""
    bytes_ = STORED[dtype].bytes
    frozen = [Array("frozen", (parameters - trainable,), bytes_, False, 0)] if trainable < parameters else []
    return Inventory("flags", (Array("weights", (trainable,), bytes_, True, 1), *frozen))


# -- torch ------------------------------------------------------------------------------------------


def _of_torch(model: Any, dtype: str | None) -> Inventory:
    for name, p in model.named_parameters():
        if "Uninitialized" in type(p).__name__:
            raise GuideError(f"{name} has no shape yet: {type(model).__name__} has lazy layers; call it once on a batch, then ask again.")
    arrays = tuple(_torch_array(name, p, bool(p.requires_grad), dtype) for name, p in model.named_parameters())
    buffers = tuple(_torch_array(name, b, False, dtype) for name, b in model.named_buffers())
    parts = tuple(
        Part(
            path,
            frozenset(c.__name__ for c in type(m).__mro__),
            type(m).__module__,
            sum(p.numel() for p in m.parameters(recurse=False)),
            _torch_says(m),
        )
        for path, m in model.named_modules()
    )
    return Inventory("torch", arrays, parts, buffers)


def _torch_array(name: str, tensor: Any, trainable: bool, dtype: str | None) -> Array:
    bytes_ = STORED[dtype].bytes if dtype and tensor.is_floating_point() else tensor.element_size()
    there = 0 if tensor.is_meta or not tensor.numel() else tensor.untyped_storage().data_ptr()
    return Array(name, tuple(tensor.shape), bytes_, trainable, there or id(tensor))


def _torch_says(m: Any) -> dict[str, Any]:
    said = {"kernel": "kernel_size", "stride": "stride", "rows": "num_embeddings", "sparse": "sparse"}
    said |= {"inputs": "in_features", "outputs": "out_features"}
    return {key: getattr(m, attribute) for key, attribute in said.items() if hasattr(m, attribute)}


# -- Keras ------------------------------------------------------------------------------------------


def _of_keras(model: Any, dtype: str | None) -> Inventory:
    if not model.built:
        raise GuideError(f"{type(model).__name__} is not built: call model.build(input_shape), or the model on a batch, then ask again.")
    trained = {id(v) for v in model.trainable_weights}
    arrays: list[Array] = []
    buffers: list[Array] = []
    for v in model.weights:
        text = str(v.dtype)
        bytes_ = STORED[dtype].bytes if dtype and "float" in text else _bytes_of(text)
        one = Array(str(v.path), tuple(map(int, v.shape)), bytes_, id(v) in trained, id(v))
        statistic = not one.trainable and bool(re.search(r"moving_|seed|count", one.name))
        (buffers if statistic else arrays).append(one)
    layers: Iterable[Any] = model._flatten_layers()
    parts = tuple(
        Part(
            str(getattr(layer, "path", layer.name)),
            frozenset(c.__name__ for c in type(layer).__mro__),
            type(layer).__module__,
            sum(math.prod(v.shape) for v in getattr(layer, "_trainable_variables", ())),
            _keras_says(layer),
        )
        for layer in layers
    )
    return Inventory("keras", tuple(arrays), parts, tuple(buffers))


def _keras_says(layer: Any) -> dict[str, Any]:
    said = {"kernel": "kernel_size", "stride": "strides", "rows": "input_dim", "outputs": "units"}
    return {key: getattr(layer, attribute) for key, attribute in said.items() if hasattr(layer, attribute)}


# -- trees ------------------------------------------------------------------------------------------


def _of_tree(tree: Any, dtype: str | None) -> Inventory:
    found = list(_leaves(tree, ""))
    if not found:
        raise GuideError(
            f"{_described(tree)} is no model that is known here: give a torch.nn.Module, a keras.Model, a tree of arrays or of shapes "
            "such as {'dense': {'kernel': (784, 10)}}, or no model and --family and --params."
        )
    statistics = [f for f in found if "batch_stats" in f[0]]
    return Inventory(
        "tree",
        tuple(_tree_array(i, f, True, dtype) for i, f in enumerate(found) if f not in statistics),
        (),
        tuple(_tree_array(i, f, False, dtype) for i, f in enumerate(found) if f in statistics),
    )


def _tree_array(i: int, leaf: tuple[str, tuple[int, ...], str], trainable: bool, dtype: str | None) -> Array:
    name, shape, kind = leaf
    if any(n < 0 for n in shape):
        raise GuideError(f"{name or 'The model'} has shape {shape}: a length cannot be negative.")
    bytes_ = STORED[dtype].bytes if dtype and "float" in kind else _bytes_of(kind)
    return Array(name, shape, bytes_, trainable, i)


def _leaves(tree: Any, path: str) -> Iterator[tuple[str, tuple[int, ...], str]]:
    """Name, shape and dtype of everything that has a shape; a tuple of whole numbers is a shape."""
    if isinstance(tree, Mapping):
        items = [(str(k), v) for k, v in cast("Mapping[Any, Any]", tree).items()]
    elif hasattr(tree, "shape") and hasattr(tree, "dtype"):
        yield path, tuple(int(n) for n in tree.shape), str(tree.dtype)
        return
    elif isinstance(tree, (tuple, list)):
        inner = cast("Sequence[Any]", tree)
        if isinstance(tree, tuple) and all(isinstance(n, int) and not isinstance(n, bool) for n in inner):
            yield path, tuple(inner), "float32"
            return
        items = [(str(i), v) for i, v in enumerate(inner)]
    elif "jax" in sys.modules and not isinstance(tree, (str, bytes, int, float, type(None))):
        pairs = sys.modules["jax"].tree_util.tree_flatten_with_path(tree)[0]
        items = [(sys.modules["jax"].tree_util.keystr(keys).strip(".[]'"), leaf) for keys, leaf in pairs if leaf is not tree]
    else:
        return
    for name, value in items:
        yield from _leaves(value, f"{path}.{name}" if path else name)


def _bytes_of(dtype: str) -> int:
    """Of one number, from the name of its dtype."""
    match = re.search(r"(\d+)$", dtype)
    return max(int(match[1]) // 8, 1) if match else 1


def _described(model: Any) -> str:
    return f"The class {model.__name__}" if isinstance(model, type) else f"{type(model).__name__} {str(model)[:40]!r}"
