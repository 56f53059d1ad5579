"""A small vision Transformer, without BatchNorm, on 5,000 digits of MNIST."""

from steepest.race.extra import NeedsExtra
from steepest.race.tasks.layers import Block
from steepest.race.tasks.measures import ERROR, cross_entropy
from steepest.race.tasks.mnist import load
from steepest.race.tasks.task import Task

with NeedsExtra():
    import torch
    from torch import Tensor, nn

WIDTH = 48


class VisionTransformer(nn.Module):
    """16 patches of 7 x 7 pixels, learned positions, two blocks, the mean over the patches, one linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(1, WIDTH, 7, stride=7)
        self.positions = nn.Parameter(0.02 * torch.randn(16, WIDTH))
        self.blocks = nn.Sequential(*(Block(WIDTH, heads=4, causal=False) for _ in range(2)))
        self.last = nn.Sequential(nn.LayerNorm(WIDTH), nn.Linear(WIDTH, 10))

    def forward(self, images: Tensor) -> Tensor:
        patches = self.patches(images).flatten(2).transpose(1, 2)
        return self.last(self.blocks(patches + self.positions).mean(1))


TASK = Task(
    name="mnist-vit",
    family="vision Transformer",
    title="MNIST, vision Transformer",
    description="a vision Transformer with two blocks on 5,000 handwritten digits of MNIST, 28 x 28 pixels each",
    make_model=VisionTransformer,
    load=load,
    loss=cross_entropy,
    metric=ERROR,
    batch=64,
    steps=600,
    looks=20,
    target=0.08,
    target_reason="the median over five seeds of the final validation value of NAdamW at lr 0.01, tuned (scripts/set_race_targets.py)",
    guess=0.9,
    clip_norm=1.0,
)
