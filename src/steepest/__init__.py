"""Steepest: write the update rule once, as the paper does.

Get one fused kernel for it, a drop-in optimizer, and honest evidence of when to use it.
"""

import typing as _typing

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

if _typing.TYPE_CHECKING:
    from steepest.guide.advise.advice import Advice as _Advice

__version__ = "0.1.0"


def advise(
    model: _typing.Any = None,
    *,
    family: str | None = None,
    params: _typing.Any = None,
    trainable: _typing.Any = None,
    batch: _typing.Any = None,
    sequence_length: _typing.Any = None,
    memory: _typing.Any = None,
    steps: _typing.Any = None,
    tuning_budget: _typing.Any = None,
    dtype: _typing.Any = None,
    fine_tuning: bool = False,
    lora: bool = False,
    batch_norm: bool | None = None,
    tuned: str | None = None,
) -> "_Advice":
    """Which optimizer for a model, how to begin with it, whether it fits, why, and what speaks against it.

    >>> advice = advise(family="transformer-lm", params="124M", batch=256, memory="24GB", steps=20_000, tuning_budget=10)
    >>> [pick.optimizer for pick in advice.picks]
    ['adamw', 'nadamw', 'lion']
    >>> advice.best.start.arguments["lr"]
    0.001

    Printing it prints what `steepest advise` does; `advice.best.strategy` is ready to be used, `advice.best.code("keras")`
    is the code to paste, `advice.as_data()` everything as data.

    Args:
        model: a torch.nn.Module, a built keras.Model, a JAX pytree, or a tree of arrays or shapes such as
            `{"dense": {"kernel": (784, 10)}}`. Or none, and `family` and `params`.
        family: the kind of model, where it cannot be told from the layers: "mlp", "tabular-mlp", "cnn", "vision-transformer",
            "transformer-lm", "recurrent", "graph", "recommender", "fine-tuning", "lora", "other".
        params: how many parameters, `124_000_000` or "124M"; not needed with a model.
        trainable: how many of them are trained, if not all.
        batch: examples, or sequences, a step.
        sequence_length: tokens a sequence, of a language model.
        memory: of the device, in bytes or as "24GB".
        steps: steps of the whole run.
        tuning_budget: full-length runs that may be spent on tuning.
        dtype: of the weights, "float32", "bfloat16", ...; by default the model's.
        fine_tuning: the model is pre-trained.
        lora: only low-rank adapters are trained.
        batch_norm: whether a convolutional network has BatchNorm; seen in a model.
        tuned: what is tuned already at this batch, "adamw lr=3e-4 weight_decay=0.1": the others follow from it.

    Raises:
        GuideError: the question cannot be answered, contradicts itself or is impossible; says what to write instead.
    """
    from steepest.guide.advise.advising import advise as answer

    return answer(
        model,
        family=family,
        params=params,
        trainable=trainable,
        batch=batch,
        sequence_length=sequence_length,
        memory=memory,
        steps=steps,
        tuning_budget=tuning_budget,
        dtype=dtype,
        fine_tuning=fine_tuning,
        lora=lora,
        batch_norm=batch_norm,
        tuned=tuned,
    )


# Without this, `from steepest import *` would bring the sub-package `torch` in place of PyTorch.
__all__ = [name for name, value in globals().items() if not name.startswith("_") and getattr(value, "__spec__", None) is None]  # pyright: ignore[reportUnsupportedDunderAll]
