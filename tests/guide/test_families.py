"""What kind of model is seen in torch modules, transformers' models, JAX trees; LoRA and frozen weights."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import steepest
from steepest.errors import GuideError
from steepest.guide.model import families, inventory
from steepest.race.tasks import TASKS
from tests.guide.real_models import REAL, frozen_but_lora


def seen(model: Any) -> str | None:
    rule = families.detect(families.see(inventory.of(model)))
    return None if rule is None else rule.family


@pytest.mark.parametrize("name", REAL)
def test_models_of_transformers(name: str) -> None:
    assert seen(REAL[name].small()) == REAL[name].family


@pytest.mark.parametrize(
    ("task", "family"),
    [
        ("digits-mlp", "mlp"),
        ("mnist-cnn", "cnn"),
        ("mnist-vit", "vision-transformer"),
        ("shakespeare-transformer", "transformer-lm"),
        ("vowels-lstm", "recurrent"),
        ("names-lstm", "recurrent"),
        ("molecules-gnn", "graph"),
    ],
)
def test_models_of_the_race(task: str, family: str) -> None:
    assert seen(TASKS[task].make_model()) == family


class Gpt(nn.Module):
    """Attention by hand: only the width of a linear layer gives it away."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.norm, self.mix, self.out = nn.Embedding(100, 8), nn.LayerNorm(8), nn.Linear(8, 24), nn.Linear(8, 100)


class Hybrid(nn.Module):
    """Convolutions with a little attention on top."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 64, 3), nn.BatchNorm2d(64), nn.Conv2d(64, 64, 3))
        self.top = nn.MultiheadAttention(16, 2)


class MoleculeGNN(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Linear(4, 4)


class MessagePassing(nn.Module):
    """As torch_geometric calls the base of its layers."""


class GCNConv(MessagePassing):
    def __init__(self) -> None:
        super().__init__()
        self.lin = nn.Linear(4, 4)


class Mamba(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed, self.conv, self.out = nn.Embedding(10, 4), nn.Conv1d(4, 4, 2), nn.Linear(4, 10)


class TabularNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(10, 32), nn.BatchNorm1d(32), nn.Linear(32, 1))


class Seq2Seq(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed, self.encoder = nn.Embedding(10, 4), nn.GRU(4, 8)


@pytest.mark.parametrize(
    ("make", "family"),
    [
        (Gpt, "transformer-lm"),
        (Hybrid, "cnn"),
        (MoleculeGNN, "graph"),
        (lambda: nn.Sequential(GCNConv(), nn.Linear(4, 1)), "graph"),
        (Mamba, "other"),
        (TabularNet, "tabular-mlp"),
        (Seq2Seq, "recurrent"),
        (lambda: nn.Sequential(nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10)), "mlp"),
        (lambda: nn.Sequential(nn.Conv1d(3, 8, 3), nn.Flatten(), nn.Linear(80, 2)), "cnn"),
        (lambda: nn.Sequential(nn.Embedding(10, 4), nn.Linear(4, 300), nn.Linear(300, 1)), "tabular-mlp"),
        (lambda: nn.Sequential(nn.EmbeddingBag(5000, 16), nn.Linear(16, 1)), "recommender"),
        (lambda: nn.Sequential(nn.Embedding(50, 16), nn.TransformerEncoderLayer(16, 2)), "transformer-lm"),
        (lambda: nn.Sequential(nn.Conv2d(3, 16, 4, stride=4), nn.TransformerEncoderLayer(16, 2)), "vision-transformer"),
        (lambda: nn.LSTMCell(3, 4), "recurrent"),
    ],
)
def test_models_of_torch(make: Callable[[], nn.Module], family: str) -> None:
    assert seen(make()) == family


def test_a_graph_module_of_fx_is_no_graph_network() -> None:
    assert seen(torch.fx.symbolic_trace(nn.Sequential(nn.Linear(3, 3), nn.ReLU()))) == "mlp"


@pytest.mark.parametrize(
    ("tree", "family"),
    [
        ({"params": {"Dense_0": {"kernel": (784, 10), "bias": (10,)}}}, "mlp"),
        ({"params": {"Conv_0": {"kernel": (3, 3, 1, 8)}}, "batch_stats": {"BatchNorm_0": {"mean": (8,)}}}, "cnn"),
        ({"Embed_0": {"embedding": (1000, 16)}, "MultiHeadDotProductAttention_0": {"query": {"kernel": (16, 2, 8)}}}, "transformer-lm"),
        ({"patch_embed": {"kernel": (4, 4, 3, 16)}, "attn": {"query": {"kernel": (16, 16)}}}, "vision-transformer"),
        ({"LSTMCell_0": {"hi": {"kernel": (8, 8)}}}, "recurrent"),
        ({"wte": (1000, 32), "h": [{"attn": {"c_attn": (32, 96)}}]}, "transformer-lm"),
        ([(784, 64), (64,), (64, 10)], "mlp"),
        ({"user_embed": {"embedding": (9000, 8)}, "item_embed": {"embedding": (500, 8)}, "dense": {"kernel": (16, 1)}}, "recommender"),
    ],
    ids=lambda x: str(x)[:30],
)
def test_trees_of_shapes(tree: Any, family: str) -> None:
    assert seen(tree) == family


def test_what_cannot_be_told_is_asked_for() -> None:
    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(3))

    assert seen(Own()) is None
    with pytest.raises(GuideError, match=r"cannot be told from its layers. Write family='cnn'"):
        steepest.advise(Own())
    assert steepest.advise(Own(), family="mlp").situation.family == "mlp"


def test_what_is_said_goes_before_what_is_seen() -> None:
    assert steepest.advise(nn.Linear(30, 1), family="tabular").situation.family == "tabular-mlp"


def test_lora_is_seen_by_its_names_where_most_is_frozen() -> None:
    advice = steepest.advise(frozen_but_lora(REAL["llama"].small()), batch=8)
    assert (advice.situation.family, advice.situation.base) == ("lora", "transformer-lm")
    assert "called lora" in str(advice)
    named_only = REAL["llama"].small()
    named_only.lora_A = nn.Linear(300, 300)  # most of its weights
    assert steepest.advise(named_only, batch=8).situation.family == "transformer-lm", "nothing is frozen"


def test_a_frozen_trunk_is_fine_tuning() -> None:
    model = REAL["vit"].small()
    for name, p in model.named_parameters():
        p.requires_grad_("classifier" in name)
    advice = steepest.advise(model, batch=8)
    assert (advice.situation.family, advice.situation.base) == ("fine-tuning", "vision-transformer")
    assert advice.best.memory.gradients == sum(p.numel() * 4 for p in model.parameters() if p.requires_grad)


def test_fine_tuning_keeps_the_kind_beneath() -> None:
    advice = steepest.advise(REAL["resnet"].small(), fine_tuning=True)
    assert (advice.situation.family, advice.situation.base) == ("fine-tuning", "cnn")
    assert "fine-tuning of a convolutional network" in str(advice)


def test_a_model_is_not_changed_by_being_looked_at() -> None:
    model = REAL["bert"].small()
    before: dict[str, Tensor] = {k: v.clone() for k, v in model.state_dict().items()}
    rng = torch.random.get_rng_state()
    steepest.advise(model)
    assert all(torch.equal(before[k], v) for k, v in model.state_dict().items())
    assert torch.equal(rng, torch.random.get_rng_state())
    assert all(p.grad is None for p in model.parameters())
