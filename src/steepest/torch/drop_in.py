"""The drop-in classes: torch.optim's (and two authors') signatures, checkpoints and trajectories.

Each says how a parameter group becomes a strategy and what its state is called in a checkpoint; everything
else is `Optimizer`. Arguments that choose between torch's implementations are accepted and kept in the
groups, for checkpoints; there is one implementation here, and it is fused:

    foreach, fused    no effect: the step is always one kernel for all parameters
    capturable        no effect on the CPU; on a GPU a step can be captured in a CUDA graph
    differentiable    the rule runs eagerly, where autograd can see it
"""

from collections.abc import Mapping
from typing import Any

from torch import Tensor
from torch.optim.optimizer import ParamsT

from steepest.conventions import torch as conventions
from steepest.errors import HyperparameterError
from steepest.torch.optimizer import Optimizer
from steepest.transform import Transform
from steepest.tree import Leaf

Number = float | Tensor
Betas = tuple[Number, Number]


class _DropIn(Optimizer):
    def __init__(self, params: ParamsT, defaults: dict[str, Any]) -> None:
        self._begin(params, defaults)

    def _checked(self, group: Mapping[str, Any]) -> Transform:
        if callable(group["lr"]) and not isinstance(group["lr"], Tensor):
            raise HyperparameterError(
                f"{type(self).__name__}: lr={group['lr']!r} is a function. Use torch.optim.lr_scheduler.LambdaLR, "
                "or steepest.torch.Optimizer(params, strategy) with the schedule in the strategy."
            )
        if "betas" in group and not (isinstance(group["betas"], (tuple, list)) and len(group["betas"]) == 2):
            raise HyperparameterError(f"{type(self).__name__}: betas={group['betas']!r} must be two numbers, for example (0.9, 0.999).")
        return super()._checked(group)

    def _is_lr(self, leaf: Leaf) -> bool:
        return leaf.field == "lr"

    def _tensor(self, group: Mapping[str, Any], leaf: Leaf, number: Any) -> Any:
        named = {**group, **dict(zip(("b1", "b2"), group.get("betas", ()), strict=False))}
        return super()._tensor(named, leaf._replace(name=leaf.field), number)


class SGD(_DropIn):
    """Stochastic gradient descent as torch.optim.SGD: momentum, dampening, Nesterov, L2 weight decay.

    Reference: Sutskever et al. 2013, http://proceedings.mlr.press/v28/sutskever13.html, with the learning
    rate outside the momentum buffer.
    """

    state_keys = {"trace": "momentum_buffer"}
    count_key = None
    added_keys = {"nesterov": False, "maximize": False, "foreach": None, "differentiable": False, "fused": None}

    def __init__(
        self,
        params: ParamsT,
        lr: Number = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: Number = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "momentum": momentum,
                "dampening": dampening,
                "weight_decay": weight_decay,
                "nesterov": nesterov,
                "maximize": maximize,
                "foreach": foreach,
                "differentiable": differentiable,
                "fused": fused,
            },
        )

    def _strategy(self, group: Mapping[str, Any]) -> Transform:
        return conventions.sgd(group["lr"], group["momentum"], group["dampening"], group["weight_decay"], group["nesterov"])


class RMSprop(_DropIn):
    """RMSProp as torch.optim.RMSprop: eps outside the root, L2 weight decay, centered and with momentum.

    Reference: Tieleman & Hinton 2012, lecture 6e; centered: Graves 2013, arXiv:1308.0850.
    """

    state_keys = {"nu": "square_avg", "mu": "grad_avg", "trace": "momentum_buffer"}
    added_keys = {"momentum": 0, "centered": False, "foreach": None, "maximize": False, "differentiable": False, "capturable": False}

    def __init__(
        self,
        params: ParamsT,
        lr: Number = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "momentum": momentum,
                "alpha": alpha,
                "eps": eps,
                "centered": centered,
                "weight_decay": weight_decay,
                "capturable": capturable,
                "foreach": foreach,
                "maximize": maximize,
                "differentiable": differentiable,
            },
        )

    def _strategy(self, group: Mapping[str, Any]) -> Transform:
        return conventions.rmsprop(group["lr"], group["alpha"], group["eps"], group["weight_decay"], group["momentum"], group["centered"])


class Adam(_DropIn):
    """Adam as torch.optim.Adam, AMSGrad included; weight decay is L2, or decoupled if asked for.

    Reference: Kingma & Ba 2015, arXiv:1412.6980, Algorithm 1; AMSGrad: Reddi et al. 2018, arXiv:1904.09237.
    """

    state_keys = {"mu": "exp_avg", "nu": "exp_avg_sq", "nu_max": "max_exp_avg_sq"}
    added_keys = {
        "amsgrad": False,
        "maximize": False,
        "foreach": None,
        "capturable": False,
        "differentiable": False,
        "fused": None,
        "decoupled_weight_decay": False,
    }

    def __init__(
        self,
        params: ParamsT,
        lr: Number = 1e-3,
        betas: Betas = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "amsgrad": amsgrad,
                "maximize": maximize,
                "foreach": foreach,
                "capturable": capturable,
                "differentiable": differentiable,
                "fused": fused,
                "decoupled_weight_decay": decoupled_weight_decay,
            },
        )

    def _strategy(self, group: Mapping[str, Any]) -> Transform:
        (b1, b2), decoupled = group["betas"], group["decoupled_weight_decay"]
        return conventions.adam(group["lr"], b1, b2, group["eps"], group["weight_decay"], group["amsgrad"], decoupled)


class AdamW(Adam):
    """Adam with decoupled weight decay as torch.optim.AdamW: the whole learning rate multiplies the decay.

    Reference: Loshchilov & Hutter 2019, arXiv:1711.05101, Algorithm 2.
    """

    added_keys = {**Adam.added_keys, "decoupled_weight_decay": True}

    def __init__(
        self,
        params: ParamsT,
        lr: Number = 1e-3,
        betas: Betas = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            group["decoupled_weight_decay"] = True  # a checkpoint of Adam goes on as AdamW, as in PyTorch


class AdaBelief(_DropIn):
    """AdaBelief as adabelief-pytorch 0.2.1: rectified, eps inside the accumulator, decoupled weight decay.

    Reference: Zhuang et al. 2020, arXiv:2010.07468, Algorithm 2.

    Differs from adabelief-pytorch:
    1. `fixed_decay`, `degenerated_to_sgd=False` and `print_change_log` are not there; `rectify`, which comes
       after the first of them, is given by name.
    2. `amsgrad=True` needs `rectify=False`; there it is accepted and has no effect.
    3. `weight_decouple` and `rectify` belong to the group, so that pickling and copying keep them.
    """

    state_keys = {"mu": "exp_avg", "nu": "exp_avg_var", "nu_max": "max_exp_avg_var"}
    added_keys = {"amsgrad": False, "weight_decouple": True, "rectify": True, **Optimizer.added_keys}

    def __init__(
        self,
        params: ParamsT,
        lr: Number = 1e-3,
        betas: Betas = (0.9, 0.999),
        eps: float = 1e-16,
        weight_decay: float = 0,
        amsgrad: bool = False,
        weight_decouple: bool = True,
        *,
        rectify: bool = True,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "amsgrad": amsgrad,
                "weight_decouple": weight_decouple,
                "rectify": rectify,
                "maximize": maximize,
                "differentiable": differentiable,
                "capturable": capturable,
            },
        )

    def _strategy(self, group: Mapping[str, Any]) -> Transform:
        (b1, b2), rectify, decoupled = group["betas"], group["rectify"], group["weight_decouple"]
        return conventions.adabelief(group["lr"], b1, b2, group["eps"], group["weight_decay"], group["amsgrad"], rectify, decoupled)


class Lion(_DropIn):
    """Lion as google/automl's PyTorch version (and lion-pytorch): decoupled weight decay, half of Adam's state.

    Reference: Chen et al. 2023, arXiv:2302.06675, Algorithm 2.

    Differs from both in one point: a nan gradient gives a nan weight; torch.sign hides it as 0.
    """

    state_keys = {"mu": "exp_avg"}
    count_key = None

    def __init__(
        self,
        params: ParamsT,
        lr: Number = 1e-4,
        betas: Betas = (0.9, 0.99),
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        own = {"maximize": maximize, "differentiable": differentiable, "capturable": capturable}
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay, **own})

    def _strategy(self, group: Mapping[str, Any]) -> Transform:
        b1, b2 = group["betas"]
        return conventions.lion(group["lr"], b1, b2, group["weight_decay"])
