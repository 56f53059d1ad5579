"""Makes src/steepest/play/slice.json anew: the loss of a small network over the plane through three of its trainings.

    python scripts/make_play_slice.py [FILE]

A network of 64 inputs, 12 tanh units and 10 classes is trained three times, from three seeds, on the 1,797 handwritten
digits that come with scikit-learn. Three points span a plane in the space of its 910 weights; on a grid in that plane the
mean cross-entropy over all digits is measured. The plane is drawn so that the three trainings form a triangle whose
first side is 2 long and lies level.

Needs numpy and scikit-learn. The same numbers come out to four digits on every machine; the last bits are the BLAS's.
"""

import base64
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

import steepest
from steepest.execute import eager
from steepest.tree import floats, hyperparameters, slots

HOME = Path(__file__).parent.parent / "src" / "steepest" / "play" / "slice.json"
INPUTS, HIDDEN, CLASSES = 64, 12, 10
SEEDS = (1, 2, 3)
STEPS = 300
X, Y = (-2.8, 2.8), (-1.9, 2.3)
SPACING = 0.05
Weights = NDArray[np.float64]


def data() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Pixels from 0 to 1, and the digit."""
    digits: Any = load_digits()
    return digits.data / 16.0, digits.target


def forward(w: Weights, x: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64], list[Weights]]:
    """Hidden units, log-probabilities, and the parts of the flat weights."""
    cuts = np.cumsum([INPUTS * HIDDEN, HIDDEN, HIDDEN * CLASSES])
    first, b1, second, b2 = np.split(w, cuts)
    first, second = first.reshape(INPUTS, HIDDEN), second.reshape(HIDDEN, CLASSES)
    hidden = np.tanh(x @ first + b1)
    scores = hidden @ second + b2
    scores = scores - scores.max(axis=1, keepdims=True)
    return hidden, scores - np.log(np.exp(scores).sum(axis=1, keepdims=True)), [first, second]


def loss(w: Weights, x: NDArray[np.float64], y: NDArray[np.int64]) -> float:
    """Mean cross-entropy."""
    _, log_p, _ = forward(w, x)
    return float(-log_p[np.arange(len(y)), y].mean())


def gradient(w: Weights, x: NDArray[np.float64], y: NDArray[np.int64]) -> Weights:
    """Of the loss."""
    hidden, log_p, (_, second) = forward(w, x)
    out = np.exp(log_p)
    out[np.arange(len(y)), y] -= 1
    out /= len(y)
    back = (out @ second.T) * (1 - hidden * hidden)
    return np.concatenate([(x.T @ back).ravel(), back.sum(0), (hidden.T @ out).ravel(), out.sum(0)])


def trained(seed: int, x: NDArray[np.float64], y: NDArray[np.int64]) -> Weights:
    """The weights after `STEPS` steps of AdamW with all data in each."""
    rng = np.random.default_rng(seed)
    size = INPUTS * HIDDEN + HIDDEN + HIDDEN * CLASSES + CLASSES
    w = rng.standard_normal(size) * 0.2
    strategy = steepest.adamw(lr=0.02, weight_decay=0.02)
    state = {name: np.zeros_like(w) for name in slots(strategy)}
    numbers = {name: hyperparameters(strategy)[name] for name in floats(strategy)}
    for count in range(1, STEPS + 1):
        [new] = eager.step(strategy, [eager.Leaf(w, gradient(w, x, y), state, numbers, count)])
        w, state = new["param"], {name: new[name] for name in state}
    return w


def main() -> None:
    """Train, measure, write."""
    x, y = data()
    a, b, c = (trained(seed, x, y) for seed in SEEDS)
    unit = np.linalg.norm(b - a) / 2
    right = (b - a) / (2 * unit)
    up = (c - a) - right * (right @ (c - a))
    up /= np.linalg.norm(up)
    corners = np.array([[right @ (p - a), up @ (p - a)] for p in (a, b, c)]) / unit
    centre = corners.mean(axis=0)
    corners -= centre

    def at(u: float, v: float) -> float:
        return loss(a + unit * ((u + centre[0]) * right + (v + centre[1]) * up), x, y)

    columns, rows = (round((high - low) / SPACING) + 1 for low, high in (X, Y))
    grid = np.array([[at(X[0] + i * SPACING, Y[0] + j * SPACING) for i in range(columns)] for j in range(rows)])
    top = float(grid.max())
    whole = np.round(grid / top * 65535).astype("<u2")
    page = {
        "about": f"{INPUTS}-{HIDDEN}-{CLASSES} tanh network on the {len(y):,} handwritten digits of scikit-learn",
        "x": X[0],
        "y": Y[0],
        "spacing": SPACING,
        "columns": columns,
        "rows": rows,
        "top": top,
        "trainings": [[round(float(p[0]), 4), round(float(p[1]), 4)] for p in corners],
        "unit": round(float(unit), 4),
        "grid": base64.b64encode(whole.tobytes()).decode(),
    }
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else HOME
    out.write_text(json.dumps(page, indent=0) + "\n")
    print(f"{out}: {columns} x {rows}, loss {grid.min():.4f} to {top:.4f}")
    print(f"trainings at {page['trainings']}, of loss {[round(at(*p), 4) for p in corners]}")


if __name__ == "__main__":
    main()
