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
    """SGD with momentum: step along a decaying sum of past gradients; carries over flat stretches, damps zigzags."""
    return sgd(lr, momentum, dampening, weight_decay)


@optimizer(title="Nesterov", paper="Nesterov 1983; Sutskever et al. 2013", options=[{"weight_decay": 0.1}])
def nesterov(lr: Scalar = 1e-2, momentum: float = 0.9, weight_decay: float = 0.0) -> Chain:
    """SGD with Nesterov's momentum: look one momentum step ahead; the usual choice for convolutional networks."""
    return sgd(lr, momentum, 0.0, weight_decay, nesterov=True)
