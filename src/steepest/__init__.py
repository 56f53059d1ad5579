"""Steepest: write the update rule once, as the paper does.

Get one fused kernel for it, a drop-in optimizer, and honest evidence of when to use it.
"""

from steepest.ops import Value as Value
from steepest.ops import maximum as maximum
from steepest.ops import mean as mean
from steepest.ops import minimum as minimum
from steepest.ops import norm as norm
from steepest.ops import sign as sign
from steepest.ops import sqrt as sqrt
from steepest.ops import total as total
from steepest.ops import where as where
from steepest.registry import optimizer as optimizer
from steepest.registry import optimizers as optimizers
from steepest.registry import registration as registration
from steepest.rules import Lookahead as Lookahead
from steepest.rules import ScaleByAdam as ScaleByAdam
from steepest.rules import ScaleByAMSGrad as ScaleByAMSGrad
from steepest.rules import ScaleByBelief as ScaleByBelief
from steepest.rules import ScaleByLion as ScaleByLion
from steepest.rules import ScaleByMaxBelief as ScaleByMaxBelief
from steepest.rules import ScaleByRootedAdam as ScaleByRootedAdam
from steepest.rules import ScaleByRootedAMSGrad as ScaleByRootedAMSGrad
from steepest.rules import ScaleByRms as ScaleByRms
from steepest.rules import ScaleByStddev as ScaleByStddev
from steepest.rules import adabelief as adabelief
from steepest.rules import adam as adam
from steepest.rules import adamw as adamw
from steepest.rules import lion as lion
from steepest.rules import lookahead as lookahead
from steepest.rules import momentum as momentum
from steepest.rules import nesterov as nesterov
from steepest.rules import rmsprop as rmsprop
from steepest.rules import sgd as sgd
from steepest.transform import At as At
from steepest.transform import Chain as Chain
from steepest.transform import Scalar as Scalar
from steepest.transform import Slot as Slot
from steepest.transform import Step as Step
from steepest.transform import Transform as Transform
from steepest.transform import chain as chain
from steepest.transforms import AddDecayedWeights as AddDecayedWeights
from steepest.transforms import Cautious as Cautious
from steepest.transforms import ClipByGlobalNorm as ClipByGlobalNorm
from steepest.transforms import ClipByValue as ClipByValue
from steepest.transforms import Cosine as Cosine
from steepest.transforms import Linear as Linear
from steepest.transforms import Scale as Scale
from steepest.transforms import ScaleByLearningRate as ScaleByLearningRate
from steepest.transforms import ScaleByTrustRatio as ScaleByTrustRatio
from steepest.transforms import ShrinkWeights as ShrinkWeights
from steepest.transforms import Trace as Trace

__version__ = "0.1.0"

# Without this, `from steepest import *` would bring the sub-package `torch` in place of PyTorch.
__all__ = [name for name, value in globals().items() if not name.startswith("_") and getattr(value, "__spec__", None) is None]  # pyright: ignore[reportUnsupportedDunderAll]
