"""From a model's parts to its family: signals that are seen in it, and rules over them that are read from the top."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from steepest.guide.model.inventory import Array, Inventory, Part


@dataclass(frozen=True)
class Signal:
    """What gives a kind of layer away: the name of a class or of one of its bases, where it is defined, or names of its weights."""

    name: str
    classes: str = r"(?!)"
    modules: str = r"(?!)"
    weights: str = r"(?!)"
    rank: int | None = None
    """Weights of this many dimensions, where names of weights are all there is."""

    def in_part(self, part: Part) -> bool:
        """Whether a layer gives it."""
        return bool(re.match(self.modules, part.module)) or any(re.search(self.classes, c) for c in part.classes)

    def in_array(self, array: Array, bare: bool) -> bool:
        """Whether a weight gives it; `bare` if there are no layers to look at."""
        return bool(re.search(self.weights, array.name, re.I)) or (bare and self.rank is not None and len(array.shape) == self.rank)


SIGNALS = (
    Signal("graph", r"MessagePassing|^(?!GraphModule).*(Graph(?!ics)|GNN|MPNN)|^(GCN|GAT|GIN|SAGE|EdgeConv)", r"torch_geometric|dgl"),
    Signal(
        "attention",
        r"(?i)attention|^.*Transformer(?!s)",
        weights=r"(^|[._/])(qkv|[qkv]_proj|to_qkv|c_attn|in_proj_weight|query|attn|.*attention.*)([._/]|$)",
    ),
    Signal("recurrent", r"^(RNNBase|RNNCellBase|RNN|LSTM|GRU|LSTMCell|GRUCell)$", weights=r"lstm|gru_|(^|[._/])gru|rnn|recurrent_kernel"),
    Signal("convolution", r"^(_ConvNd|BaseConv|BaseDepthwiseConv|BaseSeparableConv)$", weights=r"(^|[._/])conv", rank=4),
    Signal("batch norm", r"^(_BatchNorm|BatchNormalization)$|FrozenBatchNorm", weights=r"batch_?norm|batch_stats"),
    Signal("layer norm", r"LayerNorm|RMSNorm", weights=r"layer_?norm|rms_?norm"),
    Signal("embedding", r"^(Embedding|EmbeddingBag)$", weights=r"(^|[._/])(wte|[a-z_]*embed(?!der)[a-z_]*)"),
    Signal("linear", r"^(Linear|Dense|Conv1D|EinsumDense)$", weights=r"(^|[._/])(dense\w*|linear\w*|kernel|mlp\w*|w\d*)([._/]|$)", rank=2),
    Signal("state space", r"^(Mamba|S4|S5|Rwkv|RWKV)|StateSpace"),
    Signal("tabular name", r"(?i)tabular|tabnet|^TabM|^RealMLP", weights=r"tabular"),
    Signal("recommender name", r"(?i)dlrm|recommend|DeepFM|TwoTower", weights=r"user_embed|item_embed"),
    Signal("image name", r"(?i)^(vit|swin|deit)|vision|image", weights=r"patch|cls_token|class_token"),
)
_POSITION = re.compile(r"pos|segment|token_type|relative", re.I)
_LORA = re.compile(r"lora_|lora\.|\blora\b", re.I)
RECOMMENDER_SHARE = 0.5
CONVOLUTION_SHARE = 0.5


@dataclass(frozen=True)
class Seen:
    """What was seen in a model."""

    signals: frozenset[str]
    shares: Mapping[str, float]
    """The share of its weights that layers of a kind hold."""
    tables: int
    """Embeddings that are not of positions."""
    patches: bool
    sparse: tuple[str, ...]
    """Embeddings whose gradients are sparse."""
    frozen: float
    lora: bool

    def __contains__(self, signal: str) -> bool:
        return signal in self.signals


@dataclass(frozen=True)
class Rule:
    """A family, when it applies, and how that is said."""

    family: str
    holds: Callable[[Seen], bool]
    says: str


RULES = (
    Rule("graph", lambda s: "graph" in s, "it has graph layers"),
    Rule("other", lambda s: "state space" in s, "it has state-space layers, on which there is no evidence"),
    Rule("recurrent", lambda s: "recurrent" in s and "attention" not in s, "it has recurrent layers"),
    Rule(
        "cnn",
        lambda s: "convolution" in s and not s.patches and s.shares["convolution"] > CONVOLUTION_SHARE,
        "most of its weights are in convolutions",
    ),
    Rule(
        "vision-transformer",
        lambda s: "attention" in s and (s.patches or "image name" in s) and not s.tables,
        "it has attention over patches of images",
    ),
    Rule("transformer-lm", lambda s: "attention" in s and s.tables > 0, "it has attention and an embedding of tokens"),
    Rule("recurrent", lambda s: "recurrent" in s, "it has recurrent layers"),
    Rule(
        "recommender",
        lambda s: "attention" not in s and ("recommender name" in s or (s.tables > 0 and s.shares["embedding"] > RECOMMENDER_SHARE)),
        "most of its weights are in embeddings",
    ),
    Rule("cnn", lambda s: "convolution" in s and "attention" not in s, "it has convolutions"),
    Rule(
        "tabular-mlp", lambda s: "attention" not in s and ("tabular name" in s or s.tables > 0), "it embeds categories before linear layers"
    ),
    Rule("mlp", lambda s: "linear" in s and "attention" not in s, "it has linear layers alone"),
)


def see(inventory: Inventory) -> Seen:
    """The signals of a model."""
    parts, bare = inventory.parts, not inventory.parts
    signals = {s.name for s in SIGNALS if any(s.in_part(p) for p in parts) or any(s.in_array(a, bare) for a in _named(inventory))}
    if "layer norm" in signals and any(_fused_projection(p) for p in parts):
        signals.add("attention")
    by_name = {s.name: s for s in SIGNALS}
    shares: dict[str, float] = {}
    for name in ("embedding", "convolution"):
        signal = by_name[name]
        held = (
            sum(a.size for a in inventory.arrays if signal.in_array(a, True))
            if bare
            else sum(p.weights for p in parts if signal.in_part(p))
        )
        shares[name] = held / inventory.parameters
    tables = [p for p in parts if by_name["embedding"].in_part(p) and not _POSITION.search(p.path.rpartition(".")[2])]
    names = [a for a in inventory.arrays if bare and by_name["embedding"].in_array(a, False) and len(a.shape) == 2]
    if "vision" in " ".join(a.name for a in names) or any("patch" in a.name for a in names):
        names = [a for a in names if not re.search(r"patch|vision", a.name)]
    lora = [a for a in inventory.trained if _LORA.search(a.name)]
    frozen = 1 - inventory.trainable / inventory.parameters
    return Seen(
        signals=frozenset(signals),
        shares=shares,
        tables=len(tables) + len([a for a in names if not _POSITION.search(a.name)]),
        patches=any(by_name["convolution"].in_part(p) and _is_patch(p) for p in parts)
        or ("image name" in signals and any("patch" in a.name for a in inventory.arrays)),
        sparse=tuple(p.path or type(p).__name__ for p in parts if p.has.get("sparse")),
        frozen=frozen,
        lora=frozen > 0.5 and sum(a.size for a in lora) * 2 > inventory.trainable,
    )


def detect(seen: Seen) -> Rule | None:
    """The first rule that holds; None: it cannot be told."""
    return next((rule for rule in RULES if rule.holds(seen)), None)


def _named(inventory: Inventory) -> tuple[Array, ...]:
    return (*inventory.arrays, *inventory.buffers)


def _is_patch(part: Part) -> bool:
    """A convolution that cuts images into patches: its stride is its kernel."""
    kernel, stride = part.has.get("kernel"), part.has.get("stride")
    return isinstance(kernel, tuple) and kernel == stride and min(kernel) > 1


def _fused_projection(part: Part) -> bool:
    """A linear layer three times as wide as its input: queries, keys and values at once."""
    inputs, outputs = part.has.get("inputs"), part.has.get("outputs")
    return isinstance(inputs, int) and isinstance(outputs, int) and inputs > 1 and outputs == 3 * inputs
