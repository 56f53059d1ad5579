"""What Steepest does not have, and names as worth racing, can be raced."""

import warnings

import pytest
import torch
from torch import nn

from steepest.guide import peers
from steepest.guide.advise import tables
from steepest.race.entrants import entrant

PEERS = sorted({o.peer for o in tables.outsiders() if o.peer})


@pytest.mark.parametrize("peer", PEERS, ids=lambda p: p.partition("=")[0])
def test_a_peer_can_race(peer: str) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 1))
    one = entrant(peer, 5)
    x = torch.randn(64, 4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # other people's
        optimizer = one.make(model.parameters(), {**one.defaults, "lr": one.defaults["lr"]})
        losses = []
        for _ in range(60):
            loss = (model(x) - x[:, :1] * x[:, 1:2]).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    assert losses[-1] < losses[0]


def test_muon_leaves_the_ends_and_the_vectors_to_adamw() -> None:
    model = nn.Sequential(nn.Embedding(10, 4), nn.Linear(4, 4), nn.LayerNorm(4), nn.Linear(4, 10))
    hidden, rest = peers.muon(model.parameters(), lr=0.01, weight_decay=0.2).param_groups
    assert [tuple(p.shape) for p in hidden["params"]] == [(4, 4)]
    assert hidden["use_muon"]
    assert not rest["use_muon"]
    assert sum(p.numel() for p in rest["params"]) == sum(p.numel() for p in model.parameters()) - 16
    assert {g["lr"] for g in (hidden, rest)} == {0.01}
