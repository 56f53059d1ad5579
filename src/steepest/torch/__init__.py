"""PyTorch optimizers: change the import, keep the numbers.

    from steepest.torch import AdamW  # was: from torch.optim import AdamW

Each of them is a `torch.optim.Optimizer`.
"""

from importlib.util import find_spec

from steepest.errors import MissingExtra

if find_spec("torch") is None:
    raise MissingExtra("steepest.torch needs PyTorch: pip install 'steepest[torch]'")

from steepest.torch.drop_in import SGD as SGD
from steepest.torch.drop_in import AdaBelief as AdaBelief
from steepest.torch.drop_in import Adam as Adam
from steepest.torch.drop_in import AdamW as AdamW
from steepest.torch.drop_in import Lion as Lion
from steepest.torch.drop_in import RMSprop as RMSprop
from steepest.torch.exchange import export as export
from steepest.torch.exchange import restore as restore
from steepest.torch.lookahead import Lookahead as Lookahead
from steepest.torch.optimizer import Optimizer as Optimizer
