"""The block of a Transformer, which two workloads share."""

from steepest.race.extra import NeedsExtra

with NeedsExtra():
    from torch import Tensor, nn
    from torch.nn import functional


class Block(nn.Module):
    """Attention and a perceptron, each added to its input after a LayerNorm of it (pre-norm). No dropout, no BatchNorm."""

    def __init__(self, width: int, heads: int, causal: bool) -> None:
        super().__init__()
        self.heads, self.causal = heads, causal
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.questions = nn.Linear(width, 3 * width)
        self.answers = nn.Linear(width, width)
        self.perceptron = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        batch, length, width = x.shape
        query, key, value = self.questions(self.first(x)).view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=self.causal)
        x = x + self.answers(mixed.transpose(1, 2).reshape(batch, length, width))
        return x + self.perceptron(self.second(x))
