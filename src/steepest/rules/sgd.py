"""Stochastic gradient descent, alone, with momentum, and with Nesterov's momentum.

Robbins & Monro 1951, A Stochastic Approximation Method; Polyak 1964; Nesterov 1983; in the form of
Sutskever et al. 2013, On the importance of initialization and momentum in deep learning.
"""

from steepest.errors import HyperparameterError
from steepest.registry import optimizer
from steepest.transform import Chain, Scalar, chain
from steepest.transforms import AddDecayedWeights, ScaleByLearningRate, Trace


@optimizer(title="SGD", paper="Robbins & Monro 1951", options=[{"weight_decay": 0.1}])
def sgd(lr: Scalar = 1e-2, momentum: float = 0.0, dampening: float = 0.0, weight_decay: float = 0.0, nesterov: bool = False) -> Chain:
    """Step against the gradient; the yardstick of all others, and the lightest: it keeps no state.

    The step is proportional to the gradient: flat directions are crossed slowly, and the steepest one limits the
    learning rate. Without momentum it is seldom what one wants, and always what one should have compared with.

    Args:
        lr: the learning rate: the step is lr times the gradient, so that it must suit the scale of the loss.
        momentum: a decaying sum of gradients is stepped by in their place; 0 is none, 0.9 the usual.
        dampening: how much less a new gradient counts in that sum.
        weight_decay: L2 regularisation: weight_decay times the weight is added to the gradient.
        nesterov: look one momentum step ahead.

    Differs from:
    1. Sutskever et al.: the learning rate multiplies the momentum's result, as in PyTorch, and is not
       inside the buffer, as in Keras. The two agree while it is constant.
    2. Keras: weight decay is L2 regularisation (it enters the momentum), as in PyTorch.
    """
    if nesterov and (momentum == 0 or dampening != 0):
        raise HyperparameterError(
            f"sgd: nesterov=True needs momentum > 0 and dampening=0; got momentum={momentum!r}, dampening={dampening!r}."
        )
    average = [Trace(momentum, dampening, nesterov)] if momentum else []
    return chain(AddDecayedWeights(weight_decay), *average, ScaleByLearningRate(lr))


@optimizer(title="Momentum", paper="Polyak 1964", options=[{"dampening": 0.5, "weight_decay": 0.1}])
def momentum(lr: Scalar = 1e-2, momentum: float = 0.9, dampening: float = 0.0, weight_decay: float = 0.0) -> Chain:
    """SGD with momentum: step along a decaying sum of past gradients; carries over flat stretches, damps zigzags.

    Where gradients agree, the sum grows to 1 / (1 - momentum) times one of them, ten times with 0.9; where they
    alternate, they cancel. The learning rate is therefore about a tenth of what plain SGD bears.

    Args:
        lr: the learning rate; the step is lr times the decaying sum of gradients.
        momentum: how much of the sum is kept from step to step; 0.9 remembers about 10 steps.
        dampening: how much less a new gradient counts; 1 - momentum makes the sum a mean. The first is undamped.
        weight_decay: L2 regularisation: weight_decay times the weight is added to the gradient.

    Differs from:
    1. Sutskever et al. and Keras: the learning rate multiplies the sum, as in PyTorch, and is not inside it. The
       two agree while it is constant.
    """
    return sgd(lr, momentum, dampening, weight_decay)


@optimizer(title="Nesterov", paper="Nesterov 1983; Sutskever et al. 2013", options=[{"weight_decay": 0.1}])
def nesterov(lr: Scalar = 1e-2, momentum: float = 0.9, weight_decay: float = 0.0) -> Chain:
    """SGD with Nesterov's momentum: look one momentum step ahead; the usual choice for convolutional networks.

    The step is taken along the sum as it will be after one more such gradient, which brakes earlier where the slope
    turns. It costs nothing over plain momentum.

    Args:
        lr: the learning rate; the step is lr times the sum, looked at one step ahead.
        momentum: how much of the sum is kept from step to step; 0.9 remembers about 10 steps.
        weight_decay: L2 regularisation: weight_decay times the weight is added to the gradient.

    Differs from:
    1. Nesterov's own form, which takes the gradient at the point ahead. Here, as in every framework, the weights
       that are kept are those ahead, and the gradient is the ordinary one.
    2. Keras: the learning rate multiplies the sum, as in PyTorch, and is not inside it.
    """
    return sgd(lr, momentum, 0.0, weight_decay, nesterov=True)
