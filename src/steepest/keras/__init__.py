"""Keras 3 optimizers, on every backend: change the import, keep the numbers.

    from steepest.keras import Adam  # was: from tensorflow.keras.optimizers import Adam

Each of them is a `keras.optimizers.Optimizer`.
"""

from importlib.util import find_spec

from steepest.errors import MissingExtra

if find_spec("keras") is None:
    raise MissingExtra("steepest.keras needs Keras 3 and one of its backends: pip install 'steepest[keras]' tensorflow")

from steepest.keras.drop_in import SGD as SGD
from steepest.keras.drop_in import AdaBelief as AdaBelief
from steepest.keras.drop_in import Adam as Adam
from steepest.keras.drop_in import AdamW as AdamW
from steepest.keras.drop_in import Lion as Lion
from steepest.keras.drop_in import RMSprop as RMSprop
from steepest.keras.exchange import export as export
from steepest.keras.exchange import restore as restore
from steepest.keras.lookahead import Lookahead as Lookahead
from steepest.keras.optimizer import Optimizer as Optimizer
