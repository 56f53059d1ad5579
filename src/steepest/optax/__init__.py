"""optax transformations: optax's names, arguments, numbers and state; and `transform` for any strategy.

    import steepest.optax as optax  # for the optimizers; was: import optax

Each of them is an `optax.GradientTransformationExtraArgs`.
"""

from importlib.util import find_spec

from steepest.errors import MissingExtra

if find_spec("optax") is None:
    raise MissingExtra("steepest.optax needs optax and JAX: pip install 'steepest[optax]'")

from steepest.optax.alias import adabelief as adabelief
from steepest.optax.alias import adam as adam
from steepest.optax.alias import adamw as adamw
from steepest.optax.alias import amsgrad as amsgrad
from steepest.optax.alias import lion as lion
from steepest.optax.alias import nadam as nadam
from steepest.optax.alias import nadamw as nadamw
from steepest.optax.alias import rmsprop as rmsprop
from steepest.optax.alias import sgd as sgd
from steepest.optax.exchange import export as export
from steepest.optax.exchange import restore as restore
from steepest.optax.lookahead import lookahead as lookahead
from steepest.optax.transform import transform as transform
