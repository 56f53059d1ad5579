"""A graph network that predicts how well a molecule dissolves in water."""

from functools import cache
from typing import NamedTuple

import numpy as np

from steepest.race.extra import NeedsExtra
from steepest.race.tasks.data import divided, shuffled, vendored
from steepest.race.tasks.measures import RMSE, squared_error
from steepest.race.tasks.task import Data, Task

with NeedsExtra():
    import torch
    from torch import Tensor, nn

ELEMENTS, ORDERS, CHARGES, WIDTH = 10, 3, 3, 64
TYPICAL_ATOMS = 13
"""In a molecule, the mean: sums over atoms are divided by it, so that they begin neither large nor small."""


class Graphs(NamedTuple):
    """Some molecules as one graph without bonds between them."""

    elements: Tensor
    charges: Tensor
    sources: Tensor
    """Where a message along a bond starts; each bond carries one in each direction."""
    goals: Tensor
    orders: Tensor
    """Single, double or triple, from 0."""
    owners: Tensor
    """The molecule of each atom."""
    molecules: int
    """How many molecules."""


class _Library:
    """All molecules, atoms and bonds one after the other; makes a batch of those with the given indices."""

    def __init__(self, arrays: dict[str, np.ndarray], targets: Tensor) -> None:
        whole = {name: torch.as_tensor(values.astype(np.int64)) for name, values in arrays.items() if name != "solubility"}
        self.atom_counts = whole["atom_counts"]
        self.elements = whole["elements"].split(arrays["atom_counts"].tolist())
        self.charges = (whole["charges"] + 1).split(arrays["atom_counts"].tolist())
        self.bonds = whole["bonds"].split(arrays["bond_counts"].tolist())
        self.targets = targets

    def __call__(self, indices: Tensor) -> tuple[Graphs, Tensor]:
        chosen = indices.tolist()
        counts = self.atom_counts[indices]
        firsts = (counts.cumsum(0) - counts).tolist()
        bonds = torch.cat([self.bonds[i] + torch.tensor([first, first, 0]) for i, first in zip(chosen, firsts, strict=True)])
        one, other, order = bonds.unbind(1)
        graphs = Graphs(
            elements=torch.cat([self.elements[i] for i in chosen]),
            charges=torch.cat([self.charges[i] for i in chosen]),
            sources=torch.cat([one, other]),
            goals=torch.cat([other, one]),
            orders=torch.cat([order, order]) - 1,
            owners=torch.repeat_interleave(torch.arange(len(chosen)), counts),
            molecules=len(chosen),
        )
        return graphs, self.targets[indices]


@cache
def load() -> Data:
    """1,274 molecules: 874 to train on, 200 to choose by, 200 for the result.

    The target is the logarithm (base 10) of the solubility in mol/l, less its mean over the training part.
    """
    arrays = vendored("molecules")
    chosen = shuffled(len(arrays["solubility"]), (874, 200, 200))
    targets = torch.as_tensor(arrays["solubility"] - arrays["solubility"][chosen[0]].mean())
    return divided(_Library(arrays, targets), chosen)


class Layer(nn.Module):
    """Each atom hears its neighbours, by kind of bond, and adds to itself what it makes of the sum."""

    def __init__(self) -> None:
        super().__init__()
        self.orders = nn.Embedding(ORDERS, WIDTH)
        self.change = nn.Sequential(nn.LayerNorm(WIDTH), nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, WIDTH))

    def forward(self, atoms: Tensor, graphs: Graphs) -> Tensor:
        messages = torch.relu(atoms[graphs.sources] + self.orders(graphs.orders))
        return atoms + self.change(atoms.index_add(0, graphs.goals, messages))


class GraphNetwork(nn.Module):
    """Three layers of messages, the sum over the atoms of a molecule, a perceptron."""

    def __init__(self) -> None:
        super().__init__()
        self.elements, self.charges = nn.Embedding(ELEMENTS, WIDTH), nn.Embedding(CHARGES, WIDTH)
        self.layers = nn.ModuleList(Layer() for _ in range(3))
        self.last = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 1))

    def forward(self, graphs: Graphs) -> Tensor:
        atoms = self.elements(graphs.elements) + self.charges(graphs.charges)
        for layer in self.layers:
            atoms = layer(atoms, graphs)
        sums = atoms.new_zeros(graphs.molecules, WIDTH).index_add(0, graphs.owners, atoms)
        return self.last(sums / TYPICAL_ATOMS).squeeze(1)


TASK = Task(
    name="molecules-gnn",
    family="graph network",
    title="solubility of molecules, graph network",
    description="a graph network that predicts the solubility in water of 1,274 molecules (ESOL) from their atoms and bonds",
    make_model=GraphNetwork,
    load=load,
    loss=squared_error,
    metric=RMSE,
    batch=32,
    steps=800,
    looks=20,
    target=0.6464,
    target_reason="the median over five seeds of the final validation value of NAdamW at lr 0.01, tuned (scripts/set_race_targets.py)",
    guess=1.892,
    clip_norm=1.0,
)
