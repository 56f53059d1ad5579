"""The rules: one file an optimizer. A new optimizer adds its import line here."""

from steepest.rules.sgd import momentum as momentum
from steepest.rules.sgd import nesterov as nesterov
from steepest.rules.sgd import sgd as sgd

# isort: split
from steepest.rules.rmsprop import ScaleByRms as ScaleByRms
from steepest.rules.rmsprop import ScaleByStddev as ScaleByStddev
from steepest.rules.rmsprop import rmsprop as rmsprop

# isort: split
from steepest.rules.adam import ScaleByAdam as ScaleByAdam
from steepest.rules.adam import ScaleByAMSGrad as ScaleByAMSGrad
from steepest.rules.adam import ScaleByRootedAdam as ScaleByRootedAdam
from steepest.rules.adam import ScaleByRootedAMSGrad as ScaleByRootedAMSGrad
from steepest.rules.adam import adam as adam

# isort: split
from steepest.rules.adamw import adamw as adamw

# isort: split
from steepest.rules.adabelief import ScaleByBelief as ScaleByBelief
from steepest.rules.adabelief import ScaleByMaxBelief as ScaleByMaxBelief
from steepest.rules.adabelief import adabelief as adabelief

# isort: split
from steepest.rules.lookahead import Lookahead as Lookahead
from steepest.rules.lookahead import lookahead as lookahead

# isort: split
from steepest.rules.lion import ScaleByLion as ScaleByLion
from steepest.rules.lion import lion as lion
