"""`steepest.torch.Optimizer`: a `torch.optim.Optimizer` for any strategy, and the base of the drop-in classes."""

from collections.abc import Callable, Mapping
from operator import is_
from types import NoneType
from typing import Any, ClassVar, cast, overload

import torch
from torch import Tensor
from torch.optim.optimizer import Optimizer as TorchOptimizer
from torch.optim.optimizer import ParamsT, StateDict, _global_optimizer_post_hooks, _global_optimizer_pre_hooks  # pyright: ignore[reportPrivateUsage]

from steepest.errors import HyperparameterError, StateError, TensorError
from steepest.plan import Plan, plan
from steepest.torch import checkpoint, eager, layout, placement
from steepest.torch.groups import Made, numbers
from steepest.torch.on_device import DeviceCounts, Scaling
from steepest.torch.roster import Counts, GroupPlan, Member, Roster
from steepest.transform import Transform
from steepest.tree import Leaf, bind, float_leaves, hyperparameters, with_hyperparameters


class Optimizer(TorchOptimizer):
    """Any strategy as a PyTorch optimizer, with one fused kernel for all parameters of all groups.

    >>> from steepest import chain, ClipByGlobalNorm, ScaleByBelief, ScaleByLearningRate
    >>> model = torch.nn.Linear(3, 1)
    >>> opt = Optimizer(model.parameters(), chain(ClipByGlobalNorm(1.0), ScaleByBelief(), ScaleByLearningRate(3e-4)))

    Args:
        params: parameters, named parameters, or groups of them. A group may set any hyperparameter of the
            strategy by name: `{"params": ..., "lr": 1e-4, "weight_decay": 0.0}`.
        strategy: a chain of transforms, or any other transform.
        maximize: climb instead of descend.
        differentiable: let autograd see the step (slower: the rule runs eagerly, operation by operation).
        capturable: on a GPU, count steps and read tensors among the hyperparameters on the device, so that a
            step can be captured in a CUDA graph. No effect on the CPU.

    The hyperparameters are in `param_groups` under their names (`steepest.tree.hyperparameters` lists them), so
    that PyTorch's schedulers work; state is in `state[p]` under the names of the slots, with `step` as a tensor.

    Float16 and bfloat16 parameters are stepped in float32 and rounded once. On CPUs and CUDA GPUs (with Triton:
    `pip install 'steepest[gpu]'`) a step is one kernel; elsewhere the rule runs eagerly.

    Raises:
        HyperparameterError: a hyperparameter is impossible; nothing is stored.
        TensorError: at `step`, a parameter or gradient cannot be stepped; nothing is changed.
    """

    #: slot name -> key in `state[p]`. Slots that are not listed keep their names.
    state_keys: ClassVar[Mapping[str, str]] = {}
    #: key of the step count in `state[p]`; None if the optimizer's checkpoints hold none.
    count_key: ClassVar[str | None] = "step"
    #: keys of a group that a checkpoint written by an older version may lack, with their values.
    added_keys: ClassVar[Mapping[str, Any]] = {"maximize": False, "differentiable": False, "capturable": False}

    _given: Transform | None = None  # the strategy; drop-in classes make theirs from the group instead
    _roster: Roster | None = None
    _counts_on_device = False  # from the first step that the host cannot count on
    _device_counts: DeviceCounts | None = None
    _made: "list[Made]"

    def __init__(
        self, params: ParamsT, strategy: Transform, *, maximize: bool = False, differentiable: bool = False, capturable: bool = False
    ) -> None:
        if not isinstance(strategy, Transform):  # pyright: ignore[reportUnnecessaryIsInstance]: users pass names and classes
            raise HyperparameterError(
                f"Optimizer(params, strategy): the strategy is a chain of transforms, got {strategy!r}. "
                "For a registered optimizer call it: Optimizer(params, steepest.lion(lr=1e-4))."
            )
        self._given = strategy
        own = {"maximize": maximize, "differentiable": differentiable, "capturable": capturable}
        self._begin(params, {**hyperparameters(strategy), **own})

    def _begin(self, params: ParamsT, defaults: dict[str, Any]) -> None:
        """Check the defaults, then let PyTorch's constructor store them."""
        self._checked(defaults)
        self._made = []
        super().__init__(params, defaults)

    # -- what a drop-in class says differently ---------------------------------------------------

    def _strategy(self, group: Mapping[str, Any]) -> Transform:
        """The strategy that a group's hyperparameters describe; raises if they are impossible."""
        assert self._given is not None
        return with_hyperparameters(self._given, {name: group[name] for name in hyperparameters(self._given)})

    def _key(self, slot: str) -> str:
        return self.state_keys.get(slot, slot)

    # -- groups ------------------------------------------------------------------------------------

    def strategy(self, group: int = 0) -> Transform:
        """What the parameters of a group are stepped by now: a value to print, compare and read."""
        return self._strategy(numbers(self.param_groups[group]))

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters, with hyperparameters of their own where they are given; checked first."""
        if isinstance(param_group, dict):  # pyright: ignore[reportUnnecessaryIsInstance]: PyTorch's own error follows
            self._checked({**self.defaults, **param_group})
        super().add_param_group(param_group)

    def _checked(self, group: Mapping[str, Any]) -> Transform:
        """The strategy of a group; raises if the group cannot be."""
        for name in getattr(self, "defaults", group):
            value = group[name]
            if isinstance(value, Tensor) and value.numel() != 1:
                raise HyperparameterError(f"{type(self).__name__}: Tensor {name} must be 1-element, got shape {tuple(value.shape)}.")
        strategy = self._strategy(numbers(group))
        if group.get("capturable") and any(map(callable, hyperparameters(strategy).values())):
            raise HyperparameterError(
                f"{type(self).__name__}: a captured graph cannot ask a schedule. Give lr as a tensor on the device, and change it in place."
            )
        return strategy

    def _group_plans(self) -> list[GroupPlan]:
        """The plan and numbers of every group; made anew only where a hyperparameter has changed."""
        made = self._made
        del made[len(self.param_groups) :]
        for i, group in enumerate(self.param_groups):
            values = [group[name] for name in self.defaults]
            if i == len(made):
                made.append(Made(values, self._group_plan(group), bool(group.get("capturable"))))
            elif made[i].mutable or not all(map(is_, values, made[i].values)):
                made[i] = Made(values, self._with_lr(made[i], values) or self._group_plan(group), bool(group.get("capturable")))
        return [m.plan for m in made]

    def _with_lr(self, made: "Made", values: list[Any]) -> GroupPlan | None:
        """The plan of a group of which nothing but the learning rate has changed; None if something else may have."""
        changed = [name for name, a, b in zip(self.defaults, made.values, values, strict=True) if a is not b]
        lr = values[list(self.defaults).index("lr")] if changed == ["lr"] else None
        return made.plan.with_lr(lr) if type(lr) is float and not made.plan.scheduled and not made.mutable else None

    def _is_lr(self, leaf: Leaf) -> bool:
        """Whether a hyperparameter of the strategy is the group's `lr`."""
        return leaf.name == "lr"

    def _group_plan(self, group: Mapping[str, Any]) -> GroupPlan:
        strategy = self._checked(group)
        found = plan(strategy, bool(group["maximize"]))
        made = GroupPlan.of(found, float_leaves(strategy), self._is_lr)
        if not group.get("capturable"):
            return made
        # A tensor on the device stays there: a captured graph reads it at every replay.
        tensors = [self._tensor(group, leaf, number) for leaf, number in zip(float_leaves(strategy), made.scalars, strict=True)]
        return made._replace(scalars=tuple(t if placement.reads(t) else n for t, n in zip(tensors, made.scalars, strict=True)))

    # -- the step ----------------------------------------------------------------------------------

    @overload
    def step(self, closure: None = None) -> None: ...
    @overload
    def step(self, closure: Callable[[], float]) -> float: ...
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Take one step with the gradients that are there.

        Args:
            closure: evaluates the model again and returns the loss.

        Returns:
            What the closure returned.

        Raises:
            TensorError: a gradient is sparse, or does not fit its parameter; nothing has been changed.
        """
        if (
            self._optimizer_step_pre_hooks
            or self._optimizer_step_post_hooks
            or _global_optimizer_pre_hooks
            or _global_optimizer_post_hooks
            or torch.autograd._profiler_enabled()  # pyright: ignore[reportPrivateUsage, reportPrivateImportUsage]
        ):
            return _observed(self) if closure is None else _observed(self, closure)  # hooks see what was given
        return self._step(closure)

    # PyTorch would wrap `step` in its profiler and hooks on every call (10 us); we do so when there are any.
    step.hooked = True  # type: ignore[attr-defined]

    def _step(self, closure: Callable[[], float] | None = None) -> float | None:
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        plans = self._group_plans()
        params: list[Tensor] = []
        grads: list[Tensor] = []
        for group in self.param_groups:
            mine = group["params"]
            theirs = [p.grad for p in mine]
            if NoneType in map(type, theirs):
                mine = [p for p, g in zip(mine, theirs, strict=True) if g is not None]
                theirs = [g for g in theirs if g is not None]
            params += mine
            grads += theirs
        if not params:
            return loss
        roster = self._roster
        scaling = self._scaling() if "found_inf" in self.__dict__ else None
        if (
            roster is None
            or (scaling is not None and not self._counts_on_device)
            or not roster.holds(params, self._states(params), plans, self.count_key)
            or not roster.step(grads, plans, torch.get_num_threads(), scaling)
        ):
            self._step_anew(plans)
        if self._counts_on_device and self._roster is not None and self._roster.captured():
            # A graph reads its tables at every replay: they stay as they are, and other steps get tables of their own.
            self.__dict__.setdefault("_in_graphs", []).append(self._roster)
            self._roster = None
        return loss

    def _states(self, params: list[Tensor]) -> list[Any]:
        """The state dictionaries of these parameters: in the usual case all there are, which needs no look-up."""
        state = self.state
        if len(state) == len(params) and all(map(is_, state, params)):
            return list(state.values())
        return [state.get(p) for p in params]

    def _step_anew(self, plans: list[GroupPlan]) -> None:
        """Look at every parameter again, then step."""
        found = [(p, p.grad, i) for i, group in enumerate(self.param_groups) for p in group["params"] if p.grad is not None]
        for p, grad, i in found:
            layout.check(p, grad, type(self).__name__)
            self._check_state(p, plans[i].plan)
            if self.param_groups[i]["differentiable"] and p.is_leaf and p.requires_grad:
                raise TensorError(
                    f"{type(self).__name__}: differentiable=True steps in the sight of autograd, which forbids changing a leaf "
                    "that requires a gradient. Optimize clones: params = [p.clone() for p in model.parameters()]."
                )
        counts = [self._count(p, plans[i].plan) for p, _, i in found]
        new = [(p, key) for p, _, i in found for key in self._complete_state(p, plans[i].plan)]
        try:
            self._step_members([Member(p, grad, i, self._state_of(p, plans[i].plan)) for p, grad, i in found], counts, plans)
        except BaseException:
            for p, key in new:
                del self.state[p][key]
            for p, _, _ in found:
                if self.state.get(p) == {}:
                    del self.state[p]
            raise

    def _step_members(self, members: list[Member], counts: list[Any], plans: list[GroupPlan]) -> None:
        places = [placement.place(m, self.param_groups[m.group]) for m in members]
        if len(set(places)) > 1 and any(plans[m.group].plan.sums_over_model for m in members):
            places = ["eager"] * len(members)  # one sum over all of them: all in one place
        scaling = self._scaling()
        if scaling is not None and set(places) != {"triton"}:
            raise TensorError(f"{type(self).__name__}: grad_scale and found_inf are understood where all parameters are on a GPU.")
        self._counts_on_device = set(places) == {"triton"} and (
            self._counts_on_device or scaling is not None or any(g.get("capturable") for g in self.param_groups)
        )
        here = [p != "eager" for p in places]
        self._roster = None
        by_kernel = [m for m, h in zip(members, here, strict=True) if h]
        by_rule = [self._by_rule(m, int(c)) for m, c, h in zip(members, counts, here, strict=True) if not h]
        stores = eager.results(by_rule, self._key)
        if by_kernel:
            keys = {s: self._key(s) for i in {m.group for m in by_kernel} for s in plans[i].plan.slots}
            kept = self._kept_counts(by_kernel, [c for c, h in zip(counts, here, strict=True) if h])
            roster = Roster(by_kernel, plans, keys, kept, [p == "triton" for p in places if p != "eager"])
            if not roster.step([m.grad for m in by_kernel], plans, torch.get_num_threads(), scaling):
                raise AssertionError("a roster does not fit the tensors it was made from")
            self._keep_counts(by_kernel, roster.counts.views)
            self._roster = roster if all(here) else None
        eager.store(stores)
        self._keep_counts([w.member for w in by_rule], [torch.tensor(float(w.taken + 1)) for w in by_rule])

    def _by_rule(self, m: Member, taken: int) -> eager.Work:
        group = self.param_groups[m.group]
        strategy, differentiable = self.strategy(m.group), bool(group["differentiable"])
        if differentiable:
            strategy = bind(strategy, lambda leaf, number: self._tensor(group, leaf, number))
        return eager.Work(m, strategy, bool(group["maximize"]), taken, differentiable)

    def _tensor(self, group: Mapping[str, Any], leaf: Leaf, number: Any) -> Any:
        """What stands in a group for a hyperparameter of the strategy: the number, or a tensor for autograd to see."""
        value = group.get(leaf.name)
        return value.reshape(()) if isinstance(value, Tensor) else number

    def _kept_counts(self, members: list[Member], counts: list[Any]) -> Counts | DeviceCounts:
        """The counts of members that are stepped by kernels. A captured graph goes on counting in the tensor that it knows."""
        if not self._counts_on_device:
            return Counts([int(c) for c in counts])
        old = self._device_counts
        if old is None or not (
            len(old.params) == len(members)
            and all(p is m.param for p, m in zip(old.params, members, strict=True))
            and (all(counts) if self.count_key is None else all(map(is_, counts, old.views)))
        ):
            old = self._device_counts = DeviceCounts([m.param for m in members], counts)
        return old

    def _scaling(self) -> Scaling | None:
        """What a GradScaler has left for this step."""
        mine = self.__dict__
        return Scaling(mine.get("grad_scale"), mine.get("found_inf")) if "found_inf" in mine else None

    @property
    def _step_supports_amp_scaling(self) -> bool:
        """Whether a GradScaler may leave the division by its scale, and the skipping of a step, to `step`."""
        return all(
            placement.device_place(p.device) == "triton" and not group["differentiable"]
            for group in self.param_groups
            for p in group["params"]
        )

    def _keep_counts(self, members: list[Member], counts: list[Tensor]) -> None:
        if self.count_key is not None:
            for m, count in zip(members, counts, strict=True):
                m.state[self.count_key] = count

    def _count(self, p: Tensor, plan: Plan) -> Any:
        """How many steps a parameter has taken, in a tensor or not. Where checkpoints hold no count, having state means having begun."""
        state = self.state.get(p, {})
        if self.count_key is not None:
            return state.get(self.count_key, 0)
        return int(any(state.get(self._key(s)) is not None for s in plan.slots))

    def _state_of(self, p: Tensor, plan: Plan) -> Any:
        """The dictionary of a parameter's state; PyTorch makes none where there is nothing to keep."""
        return self.state[p] if plan.slots or self.count_key is not None else self.state.get(p)

    def _check_state(self, p: Tensor, plan: Plan) -> None:
        for key in map(self._key, plan.slots):
            value = self.state.get(p, {}).get(key)
            if value is not None and value.shape != p.shape:
                raise StateError(f"{type(self).__name__}: state {key!r} has shape {tuple(value.shape)}, its parameter {tuple(p.shape)}.")

    def _complete_state(self, p: Tensor, plan: Plan) -> list[str]:
        """Make the state that is not there yet; its keys."""
        new = [(self._key(name), slot) for name, slot in plan.slots.items() if self.state[p].get(self._key(name)) is None]
        for key, slot in new:
            like = p if p.requires_grad and slot.init == "param" and self.defaults["differentiable"] else p.detach()
            make = torch.clone if slot.init == "param" else torch.zeros_like
            self.state[p][key] = make(like, memory_format=torch.preserve_format)
        return [key for key, _ in new]

    # -- checkpoints -----------------------------------------------------------------------------------

    def load_state_dict(self, state_dict: StateDict) -> None:
        """Load a checkpoint of this class or of the torch.optim class of the same name.

        State is copied, on the device of its parameter, in the dtype it was saved in. Keys that an older
        version did not write get their defaults.

        Raises:
            StateError: the checkpoint does not fit; nothing has been changed.
        """
        state_dict = dict(state_dict)
        for hook in self._optimizer_load_state_dict_pre_hooks.values():
            state_dict = hook(self, state_dict) or state_dict
        self.__setstate__(checkpoint.read(self, state_dict))
        for hook in self._optimizer_load_state_dict_post_hooks.values():
            hook(self)

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_given": self._given}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._roster, self._made, self._device_counts = None, [], None
        for group in self.param_groups:
            for key, value in self.added_keys.items():
                group.setdefault(key, value)


_observed = cast("Callable[..., Any]", TorchOptimizer.profile_hook_step(lambda self, closure=None: self._step(closure)))  # pyright: ignore[reportUnknownLambdaType, reportArgumentType]
