"""One checkpoint for three frameworks: what an optimizer knows, by name, in a safetensors file.

    steepest.checkpoint.save("run.safetensors", steepest.torch.export(optimizer, model))
    state = steepest.checkpoint.load("run.safetensors")
    steepest.keras.restore(keras_optimizer, state, rename=..., rearrange=...)

A state holds the strategy itself, so that `steepest.keras.Optimizer(state.strategy)` goes on exactly where the PyTorch run
stopped. Where the other framework's own optimizer is to go on, whose conventions may differ, `convert` (or
`steepest convert run.safetensors --to keras`) rescales what can be rescaled and refuses the rest, with the reason.
"""

from steepest.checkpoint.file import load as load
from steepest.checkpoint.file import save as save
from steepest.checkpoint.state import Held as Held
from steepest.checkpoint.state import TrainingState as TrainingState
from steepest.checkpoint.state import counted as counted
from steepest.checkpoint.translate import convert as convert
