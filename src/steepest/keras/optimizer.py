"""`steepest.keras.Optimizer`: a `keras.optimizers.Optimizer` for any strategy, and the base of the drop-in classes."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, cast

import keras
from keras import ops

from steepest.config import from_config, to_config
from steepest.errors import HyperparameterError, StateError, TensorError
from steepest.execute import eager
from steepest.keras.schedule import AsKeras, as_keras, exact
from steepest.plan import plan
from steepest.transform import Transform
from steepest.tree import float_leaves, slots

if keras.backend.backend() == "torch":
    from steepest.keras.on_torch import Fused, in_stateless_scope
else:
    Fused = in_stateless_scope = None


@keras.saving.register_keras_serializable(package="steepest")
class Optimizer(keras.optimizers.Optimizer):
    """Any strategy as a Keras optimizer, with all of Keras' own options.

    >>> from steepest import chain, ClipByGlobalNorm, ScaleByBelief, ScaleByLearningRate
    >>> optimizer = Optimizer(chain(ClipByGlobalNorm(1.0), ScaleByBelief(), ScaleByLearningRate(3e-4)))

    On the PyTorch backend a step is one fused kernel for all variables; on TensorFlow and JAX the rule becomes part
    of the compiled train step. float16 and bfloat16 variables are stepped in float32 and rounded once.

    Args:
        strategy: a chain of transforms, or any other transform.
        learning_rate: a number, a Keras schedule or a callable, in place of the strategy's own; `learning_rate`
            can be read and set as in every Keras optimizer, and is the `lr` of every `ScaleByLearningRate`. By
            default the strategy's.

    The other arguments are those of `keras.optimizers.Optimizer`. Keras' `weight_decay` is decoupled and applied
    before the step, its clipping before the strategy's.

    Raises:
        HyperparameterError: a setting is impossible; nothing is made.
    """

    #: slot -> Keras' name of its variables, in the order in which Keras makes them; what stands together is made variable by variable
    slot_names: ClassVar[Sequence[Mapping[str, str]]] = ()

    def __init__(
        self,
        strategy: Transform,
        learning_rate: Any = None,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if not isinstance(strategy, Transform):  # pyright: ignore[reportUnnecessaryIsInstance]: users pass names and classes
            raise HyperparameterError(
                f"Optimizer(strategy): the strategy is a chain of transforms. Received: strategy={strategy!r}. "
                "For a registered optimizer call it: Optimizer(steepest.lion(lr=1e-4))."
            )
        self._begin(
            {
                "learning_rate": _rate_of(strategy) if learning_rate is None else learning_rate,
                "weight_decay": weight_decay,
                "clipnorm": clipnorm,
                "clipvalue": clipvalue,
                "global_clipnorm": global_clipnorm,
                "use_ema": use_ema,
                "ema_momentum": ema_momentum,
                "ema_overwrite_frequency": ema_overwrite_frequency,
                "loss_scale_factor": loss_scale_factor,
                "gradient_accumulation_steps": gradient_accumulation_steps,
                "name": name,
                **kwargs,
            }
        )
        self._given = strategy

    def _begin(self, options: dict[str, Any]) -> None:
        """Keras' own constructor, after a check of what it takes without one."""
        rate = options["learning_rate"]
        if isinstance(rate, int) and not isinstance(rate, bool):
            rate = options["learning_rate"] = float(rate)
        for name in ("learning_rate", "weight_decay"):
            value = options[name]
            if isinstance(value, (int, float)) and not value >= 0:
                raise HyperparameterError(f"{type(self).__name__}: `{name}` must not be negative. Received: {name}={value}")
        if callable(rate) and not isinstance(rate, keras.optimizers.schedules.LearningRateSchedule):
            options["learning_rate"] = as_keras(rate)
        super().__init__(**options)
        self._fused = Fused() if Fused is not None else None

    # -- what a drop-in class says differently --------------------------------------------------

    @property
    def strategy(self) -> Transform:
        """What the variables are stepped by now: a value to print, compare and read. Its `lr` is `learning_rate`."""
        return self._given

    # -- state ------------------------------------------------------------------------------------

    def build(self, variables: Any) -> None:
        """Make the state of these variables, in Keras' order."""
        if self.built:
            return
        super().build(variables)
        kinds = slots(self.strategy)
        named = [{s: name for s, name in together.items() if s in kinds} for together in self.slot_names]
        rest = {s: s for s in kinds if not any(s in together for together in named)}
        made: dict[str, Any] = {}
        for together in filter(None, [*named, rest]):
            columns = self.add_optimizer_variables(variables, list(together.values()))
            made |= dict(zip(together, columns, strict=True))
        self._slots = made
        self._copies = [name for name, slot in kinds.items() if slot.init == "param"]

    def apply(self, grads: Any, trainable_variables: Any = None) -> None:
        """Take one step with these gradients, one for each of the variables that the optimizer was built with."""
        grads = list(grads)
        if grads and not self.built and trainable_variables is not None:
            trainable_variables = list(trainable_variables)
            self.build(trainable_variables)
        if grads and self.built and self._copies:
            self._begin_copies()
        super().apply(grads, trainable_variables)

    def _begin_copies(self) -> None:
        """Slots that begin as a copy of the parameter: as it is before the first step, whatever was loaded meanwhile."""
        first = ops.equal(self.iterations, 0)
        for name in self._copies:
            for variable, slot in zip(self._trainable_variables, self._slots[name], strict=True):
                if slot is not None:
                    slot.assign(ops.where(first, ops.convert_to_tensor(variable), ops.convert_to_tensor(slot)))

    # -- the step ---------------------------------------------------------------------------------

    def _backend_update_step(self, grads: Any, trainable_variables: Any, learning_rate: Any) -> None:
        """All variables at once: Keras calls this after clipping and weight decay."""
        if self._fused is not None and self._fused.step(self, grads, trainable_variables, learning_rate):
            return
        if not plan(self.strategy).sums_over_model:
            super()._backend_update_step(grads, trainable_variables, learning_rate)
        elif getattr(getattr(self, "_distribution_strategy", None), "num_replicas_in_sync", 1) > 1:
            raise TensorError(
                f"{self.strategy!r} sums over the whole model, which is not possible inside a tf.distribute strategy. "
                "Use Keras' global_clipnorm in place of ClipByGlobalNorm."
            )
        else:
            self._by_rule(grads, trainable_variables, learning_rate)

    def _apply_weight_decay(self, variables: Any) -> None:
        """Keras' own. On PyTorch that works in place, which is wrong in a stateless scope, and fails where all are excluded."""
        if self._fused is None or self.weight_decay is None:
            return super()._apply_weight_decay(variables)
        decayed = [v for v in variables if self._use_weight_decay(v)]
        if decayed and not (in_stateless_scope and in_stateless_scope()):
            super()._apply_weight_decay(decayed)
        elif decayed:
            left = 1 - self.weight_decay * cast("Any", self.learning_rate)
            for v in decayed:
                v.assign(v * ops.cast(left, v.dtype))

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """One variable. Keras calls this where variables are stepped one by one."""
        self._by_rule([gradient], [variable], learning_rate)

    def _by_rule(self, grads: Sequence[Any], variables: Sequence[Any], learning_rate: Any) -> None:
        strategy, taken = self.strategy, cast("Any", self.iterations)
        mine = [{name: made[self._get_variable_index(v)] for name, made in self._slots.items()} for v in variables]
        leaves: list[eager.Leaf] = []
        for g, v, state in zip(grads, variables, mine, strict=True):
            compute = "float64" if keras.backend.standardize_dtype(v.dtype) == "float64" else "float32"
            leaves.append(
                eager.Leaf(
                    param=ops.cast(v, compute),
                    grad=ops.cast(_dense(g, v), compute),
                    slots={name: ops.cast(slot, compute) for name, slot in state.items()},
                    scalars=self._scalars(strategy, learning_rate, taken, compute if _JAX else "float64"),
                    count=cast("Any", ops.cast(taken + 1, compute if _JAX else "float64")),
                )
            )
        for v, state, new in zip(variables, mine, eager.step(strategy, leaves), strict=True):
            for name, slot in state.items():
                self.assign(slot, ops.cast(new[name], slot.dtype))
            self.assign(v, ops.cast(new["param"], v.dtype))

    def _scalars(self, strategy: Transform, learning_rate: Any, taken: Any, compute: str) -> dict[str, Any]:
        """The hyperparameters of this step, by name: the learning rate is Keras', schedules are asked for theirs."""

        def now(field: str, value: Any) -> Any:
            if field == "lr":
                return ops.cast(learning_rate, compute)
            return ops.cast(value(exact(taken)), compute) if callable(value) else value

        return {leaf.name: now(leaf.field, getattr(leaf.own, leaf.field)) for leaf in float_leaves(strategy)}

    # -- configuration and checkpoints ------------------------------------------------------------

    def load_own_variables(self, store: Any) -> None:
        """Take the state from a checkpoint: all of it, or nothing. Keras warns and skips where the number of variables differs.

        Raises:
            StateError: a variable has another shape; nothing has been changed.
        """
        if len(store.keys()) == len(self.variables):
            for i, variable in enumerate(self.variables):
                if tuple(store[str(i)].shape) != tuple(variable.shape):
                    raise StateError(
                        f"{type(self).__name__}: variable {i} of the checkpoint has shape {tuple(store[str(i)].shape)}, "
                        f"{variable.path} has {tuple(variable.shape)}."
                    )
        super().load_own_variables(store)

    def get_config(self) -> dict[str, Any]:
        """Everything that makes this optimizer again but its state."""
        return {**super().get_config(), "strategy": to_config(self.strategy)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "Optimizer":
        """The optimizer that `get_config` described."""
        config = dict(config)
        if isinstance(config.get("strategy"), Mapping):
            config["strategy"] = from_config(config["strategy"])
        return super().from_config(config, custom_objects)


#: JAX has float64 only where everything is; elsewhere the numbers of a step are in float64, as on the host.
_JAX = keras.backend.backend() == "jax"


def _rate_of(strategy: Transform) -> Any:
    """The learning rate that a strategy brings with it. A strategy that has none steps as it is."""
    rates = [getattr(leaf.own, leaf.field) for leaf in float_leaves(strategy) if leaf.field == "lr"]
    if any(rate != rates[0] for rate in rates):
        raise HyperparameterError(
            f"{strategy!r} has {len(rates)} different learning rates, and a Keras optimizer has one: give learning_rate=..., "
            "which all of them then take."
        )
    return AsKeras(rates[0]) if rates and callable(rates[0]) else rates[0] if rates else 1.0


def _dense(gradient: Any, variable: Any) -> Any:
    """A gradient that TensorFlow gives as rows and their indices (of an embedding), as a tensor: repeated rows add up."""
    if hasattr(gradient, "dense_shape"):  # tf.IndexedSlices, which Keras passes through
        return ops.segment_sum(gradient.values, gradient.indices, num_segments=variable.shape[0])
    return ops.convert_to_tensor(gradient, sparse=False)
