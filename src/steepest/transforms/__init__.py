"""Reusable pieces: one file each. A new piece adds its import line here."""

from steepest.transforms.cautious import Cautious as Cautious
from steepest.transforms.clip import ClipByGlobalNorm as ClipByGlobalNorm
from steepest.transforms.clip import ClipByValue as ClipByValue
from steepest.transforms.decay import AddDecayedWeights as AddDecayedWeights
from steepest.transforms.decay import ShrinkWeights as ShrinkWeights
from steepest.transforms.learning_rate import ScaleByLearningRate as ScaleByLearningRate
from steepest.transforms.momentum import Trace as Trace
from steepest.transforms.scale import Scale as Scale
from steepest.transforms.schedule import Cosine as Cosine
from steepest.transforms.schedule import Linear as Linear
from steepest.transforms.trust_ratio import ScaleByTrustRatio as ScaleByTrustRatio
