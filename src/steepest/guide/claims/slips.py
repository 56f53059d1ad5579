"""What textbook articles get wrong about who made what: no experiment is needed to correct these."""

from typing import NamedTuple


class Slip(NamedTuple):
    """One slip."""

    said: str
    right: str
    source: str


SLIPS = (
    Slip(
        "Lion is EvoGrad, of 2024.",
        "Lion is EvoLved Sign Momentum (Chen et al., February 2023), found by a search over programs. EvoGrad (Bohdal et al. 2021) is "
        "another thing: it learns hyperparameters, by hypergradients that an evolutionary step approximates.",
        "arXiv:2302.06675; arXiv:2106.10575",
    ),
    Slip(
        "Lion's authors train without gradient clipping.",
        "They changed learning rate and weight decay and left the rest of each training recipe alone, clipping of gradients included.",
        "https://github.com/google/automl/tree/master/lion",
    ),
)
"""What articles say, and what is so."""
