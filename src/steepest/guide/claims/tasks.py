"""What the experiments train: six kinds of small networks on real data, each in the situations that the claims are about.

`steepest race --task .../claims/tasks.py:NAME` trains one by itself. NAME is a kind, or a kind with situations:

    mnist_mlp digits_cnn vowels_lstm names_gru diamonds_mlp molecules_gnn
    race_digits_mlp, race_mnist_cnn, ...    the race's own workloads

    ..._sprint      a tenth of the steps, one look
    ..._long        few examples (300 at most), a fifth of them with a wrong answer, five times the steps
    ..._watched     a look at the loss itself every five or ten steps
    ..._clipped     gradients clipped to norm 1 (without this word none are)
    ..._spiked      gradients a thousand times too large at planted steps

`xor`, `parity` and `parity4`, and each with `_roomy`, train 128 tiny networks at once, some of which get stuck; `wide` has four million
weights, to time a step.

A full run takes less than half a second of one core, so that hundreds fit into minutes. Where the metric is a share of
errors, the part for the result is large; otherwise one error more or less would drown the differences.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import pairwise
from typing import Any

import numpy as np

from steepest.race.extra import NeedsExtra
from steepest.race.tasks import NAMES
from steepest.race.tasks import diamonds_mlp as _diamonds
from steepest.race.tasks import molecules_gnn as _molecules
from steepest.race.tasks import task as _race_task
from steepest.race.tasks import vowels_lstm as _vowels
from steepest.race.tasks.data import Examples, divided, parts, rows, shuffled, stratified, vendored
from steepest.race.tasks.measures import BITS, ERROR, RMSE, cross_entropy, squared_error
from steepest.race.tasks.names_lstm import spelled, surnames
from steepest.race.tasks.task import Data, Metric, Task

with NeedsExtra():
    import torch
    from sklearn.datasets import load_digits
    from torch import Tensor, nn
    from torch.nn import functional

SPRINT, LONG = 10, 5
FEW, WRONG = 300, 0.2
"""Of a long run: examples to train on, and the share of them with a wrong answer."""
SPIKE, SPIKES = 1000.0, 0.01
"""How much too large a gradient is, and at which share of the steps."""


# -- six kinds ---------------------------------------------------------------------------------------


@cache
def _mnist() -> Data:
    arrays = vendored("mnist")
    chosen = stratified(arrays["labels"], (1500, 1500, 2000))
    flat = torch.as_tensor(arrays["images"], dtype=torch.float32).flatten(1)
    train = flat[chosen[0]]
    return parts((flat - train.mean()) / train.std(), torch.as_tensor(arrays["labels"], dtype=torch.int64), chosen)


def _mnist_net() -> nn.Module:
    return nn.Sequential(nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))


@cache
def _digits() -> Data:
    bunch: Any = load_digits()
    chosen = stratified(bunch.target, (500, 400, 897))
    images = torch.as_tensor(bunch.images, dtype=torch.float32)[:, None]
    train = images[chosen[0]]
    return parts((images - train.mean()) / train.std(), torch.as_tensor(bunch.target, dtype=torch.int64), chosen)


def _digits_net() -> nn.Module:
    def stage(inputs: int, outputs: int) -> list[nn.Module]:
        return [nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(), nn.MaxPool2d(2)]

    return nn.Sequential(*stage(1, 8), *stage(8, 16), nn.Flatten(), nn.Linear(64, 10))


@cache
def _utterances() -> Data:
    """The race's utterances, dealt so that more are left for the result."""
    batch, speakers = next(iter(_all(_vowels.load())))
    return parts(batch, speakers, stratified(speakers.numpy(), (240, 160, 240)))


def _all(data: Data) -> Iterator[Any]:
    whole = [next(part.all(1_000_000)) for part in data]
    yield type(whole[0][0])(*(torch.cat(tensors) for tensors in zip(*(x for x, _ in whole), strict=True))), torch.cat([y for _, y in whole])


@cache
def _names() -> Data:
    """6,000 of the race's surnames."""
    known = surnames()
    chosen = [known[i] for i in np.random.RandomState(0).choice(len(known), 6000, replace=False)]
    return parts(*spelled(chosen), shuffled(len(chosen), (4000, 1000, 1000)))


class _Speller(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.letters, self.gru, self.last = nn.Embedding(27, 16), nn.GRU(16, 48, batch_first=True), nn.Linear(48, 27)

    def forward(self, letters: Tensor) -> Tensor:
        return self.last(self.gru(self.letters(letters))[0])


def _task(name: str, family: str, title: str, description: str, **given: Any) -> Task:
    unused = {"target": given["guess"] / 2, "target_reason": "half of guessing; no claim asks when it is reached"}
    return Task(name=name, family=family, title=title, description=description, looks=20, **unused, **given)


def mnist_mlp() -> Task:
    """A perceptron on 1,500 digits of MNIST."""
    told = "MLP", "MNIST, perceptron", "a perceptron with one hidden layer on 1,500 handwritten digits of MNIST"
    kind = {"make_model": _mnist_net, "load": _mnist, "loss": cross_entropy, "metric": ERROR}
    return _task("mnist-mlp", *told, **kind, batch=32, steps=400, guess=0.9)


def digits_cnn() -> Task:
    """A convolutional network with BatchNorm on 500 small digits."""
    told = "CNN", "handwritten digits, convolutions", "a convolutional network with BatchNorm on 500 of scikit-learn's digits"
    kind = {"make_model": _digits_net, "load": _digits, "loss": cross_entropy, "metric": ERROR}
    return _task("digits-cnn", *told, **kind, batch=32, steps=300, guess=0.9)


def vowels_lstm() -> Task:
    """An LSTM on 240 utterances."""
    told = "LSTM classifier", "Japanese vowels, LSTM", "an LSTM that tells nine speakers apart, on 240 utterances"
    kind = {"make_model": _vowels.Listener, "load": _utterances, "loss": cross_entropy, "metric": ERROR}
    return _task("vowels-lstm", *told, **kind, batch=16, steps=200, guess=0.8125)


def names_gru() -> Task:
    """A GRU that spells."""
    told = "GRU language model", "surnames, GRU", "a GRU that predicts the next letter of 4,000 American surnames"
    kind = {"make_model": _Speller, "load": _names, "loss": cross_entropy, "metric": BITS}
    return _task("names-gru", *told, **kind, batch=32, steps=160, guess=4.257)


def diamonds_mlp() -> Task:
    """A perceptron on prices."""
    told = "tabular MLP", "prices of diamonds, perceptron", "a perceptron that predicts the logarithm of the price of diamonds"
    kind = {"make_model": _diamonds.model, "load": _diamonds.load, "loss": squared_error, "metric": RMSE}
    return _task("diamonds-mlp", *told, **kind, batch=64, steps=500, guess=1.009)


def molecules_gnn() -> Task:
    """A graph network on molecules."""
    told = "graph network", "solubility of molecules, graph network", "a graph network that predicts the solubility of molecules"
    kind = {"make_model": _molecules.GraphNetwork, "load": _molecules.load, "loss": squared_error, "metric": RMSE}
    return _task("molecules-gnn", *told, **kind, batch=16, steps=120, guess=1.892)


# -- situations --------------------------------------------------------------------------------------


def _sprint(task: Task) -> Task:
    return replace(task, steps=task.steps // SPRINT, looks=1, description=f"{task.description}, a tenth of the steps")


def _long(task: Task) -> Task:
    return replace(
        task,
        load=partial(_few_and_wrong, task.load),
        **_smooth(task),
        steps=task.steps * LONG,
        description=f"{task.description}, but {FEW} examples at most, a fifth of them with wrong answers, and five times the steps",
    )


def _smooth(task: Task) -> dict[str, Any]:
    """Where the metric jumps, being a share of errors, one that does not, and what guessing has in it."""
    return {"metric": LOG_LOSS, "guess": -math.log(1 - task.guess)} if task.metric is ERROR else {}


@cache
def _few_and_wrong(load: Callable[[], Data]) -> Data:
    data = load()
    inputs, answers = next(data.train.random(FEW, 0))
    count, random = len(answers), np.random.RandomState(1)
    wrong = torch.as_tensor(random.choice(count, round(count * WRONG), replace=False))
    answers = answers.clone()
    answers[wrong] = answers[wrong[torch.as_tensor(random.permutation(len(wrong)))]]  # dealt anew among them
    return Data(Examples(torch.arange(count), partial(rows, (inputs, answers))), data.validation, data.test)


def _watched(task: Task) -> Task:
    every = 10 if task.steps >= 300 else 5  # Lookahead's slow weights are there at every fifth step
    return replace(task, looks=task.steps // every, description=f"{task.description}, looked at often", **_smooth(task))


def _clipped(task: Task) -> Task:
    return replace(task, clip_norm=1.0)


def _spiked(task: Task) -> Task:
    steps = np.random.RandomState(2).choice(np.arange(task.steps // 10, task.steps), round(task.steps * SPIKES), replace=False)
    planted = frozenset(int(step) for step in steps)
    told = f"{task.description}; at {len(planted)} of its {task.steps} steps the gradient is {SPIKE:.0f} times too large"
    return replace(task, load=partial(_with_spikes, task.load, planted), loss=partial(_scaled_loss, task.loss), description=told)


@cache
def _with_spikes(load: Callable[[], Data], planted: frozenset[int]) -> Data:
    data = load()
    return Data(_Spiked(data.train, planted), data.validation, data.test)


@dataclass(frozen=True)
class _Spiked:
    """Batches with the factor by which their loss, and so their gradient, is too large."""

    part: Any
    planted: frozenset[int]

    def __len__(self) -> int:
        return len(self.part)

    def random(self, batch: int, seed: int) -> Iterator[Any]:
        for step, one in enumerate(self.part.random(batch, seed), 1):
            yield SPIKE if step in self.planted else 1.0, one

    def all(self, batch: int) -> Iterator[Any]:
        return ((1.0, one) for one in self.part.all(batch))


def _scaled_loss(loss: Callable[[nn.Module, Any], Tensor], model: nn.Module, batch: Any) -> Tensor:
    factor, one = batch
    return factor * loss(model, one)


def _log_losses(model: nn.Module, batch: Any) -> tuple[float, int]:
    return cross_entropy(model, batch).item() * len(batch[1]), len(batch[1])


LOG_LOSS = Metric("log loss", higher_is_better=False, of=_log_losses)
"""The mean negative logarithm of the probability given to the right class: moves smoothly where a share of errors jumps."""

KINDS: dict[str, Callable[[], Task]] = {
    **{f.__name__: f for f in (mnist_mlp, digits_cnn, vowels_lstm, names_gru, diamonds_mlp, molecules_gnn)},
    **{f"race_{name.replace('-', '_')}": partial(_race_task, name) for name in NAMES},
}
SITUATIONS = {"sprint": _sprint, "long": _long, "watched": _watched, "clipped": _clipped, "spiked": _spiked}


def __getattr__(name: str) -> Callable[[], Task]:
    """`mnist_mlp_spiked_clipped`: a kind in situations."""
    kind = next((k for k in KINDS if name.startswith(f"{k}_")), None)
    words = name.removeprefix(f"{kind}_").split("_")
    if name in KINDS:
        return KINDS[name]
    if kind is None or not set(words) <= SITUATIONS.keys():
        raise AttributeError(f"There is no task {name}: write a kind ({', '.join(KINDS)}) and situations ({', '.join(SITUATIONS)}).")
    return partial(_in_situations, kind, tuple(words))


def _in_situations(kind: str, words: tuple[str, ...]) -> Task:
    task = KINDS[kind]()
    for word in words:
        task = replace(SITUATIONS[word](task), name=f"{task.name}-{word}")
    return task


# -- tiny networks that get stuck ------------------------------------------------------------------------

CROWD = 128
"""Networks that are trained at once."""
STUCK = 0.125
"""A network that gets more of the examples wrong than this has not learned the problem."""


class Crowd(nn.Module):
    """Many independent networks with one hidden layer: inputs of shape (rows, in) give outputs of shape (networks, rows)."""

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.first = nn.Parameter(torch.randn(CROWD, inputs, hidden) / math.sqrt(inputs))
        self.bias = nn.Parameter(torch.zeros(CROWD, 1, hidden))
        self.last = nn.Parameter(torch.randn(CROWD, hidden, 1) / math.sqrt(hidden))
        self.offset = nn.Parameter(torch.zeros(CROWD, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return (torch.tanh(x @ self.first + self.bias) @ self.last + self.offset).squeeze(2)


def _crowd_loss(model: nn.Module, batch: Any) -> Tensor:
    """Summed over networks, so that each has the gradient that it would have alone."""
    x, y = batch
    outputs = model(x)
    return functional.binary_cross_entropy_with_logits(outputs, y.expand_as(outputs), reduction="sum") / len(y)


def _stuck(model: nn.Module, batch: Any) -> tuple[float, int]:
    x, y = batch
    wrong = ((model(x) > 0) != (y > 0.5)).float().mean(1)
    return (wrong > STUCK).sum().item(), len(wrong)


STUCK_SHARE = Metric("share stuck", higher_is_better=False, of=_stuck)
"""Of the networks; taken over a part in one batch."""


def _signs(bits: int) -> tuple[np.ndarray, np.ndarray]:
    x = np.random.RandomState(3).choice([-1.0, 1.0], (900, bits))
    return x + 0.2 * np.random.RandomState(4).randn(*x.shape), (x.prod(1) > 0).astype(np.float32)


@cache
def _crowd_data(problem: Callable[[], tuple[np.ndarray, np.ndarray]]) -> Data:
    x, y = (torch.as_tensor(a, dtype=torch.float32) for a in problem())
    return divided(partial(rows, (x, y)), shuffled(len(y), (300, 300, 300)))


def _crowd(name: str, what: str, problem: Callable[[], tuple[np.ndarray, np.ndarray]], inputs: int, hidden: int) -> Task:
    told = "tiny networks", name, f"{CROWD} networks with {hidden} hidden units that learn {what}, each on its own"
    kind = {"make_model": partial(Crowd, inputs, hidden), "load": partial(_crowd_data, problem), "loss": _crowd_loss}
    return _task(name, *told, **kind, metric=STUCK_SHARE, batch=32, steps=400, guess=1.0)


def xor() -> Task:
    """Two signs, equal or not: two hidden units suffice."""
    return _crowd("xor", "whether two noisy signs are equal", partial(_signs, 2), 2, 2)


def parity() -> Task:
    """Three signs, an even or odd number of minuses: three hidden units suffice."""
    return _crowd("parity", "the product of three noisy signs", partial(_signs, 3), 3, 3)


def parity4() -> Task:
    """Four signs, with four hidden units."""
    return _crowd("parity4", "the product of four noisy signs", partial(_signs, 4), 4, 4)


def xor_roomy() -> Task:
    """With one hidden unit more than is needed; the next two likewise."""
    return _crowd("xor-roomy", "whether two noisy signs are equal", partial(_signs, 2), 2, 3)


def parity_roomy() -> Task:
    """Three signs, with four hidden units."""
    return _crowd("parity-roomy", "the product of three noisy signs", partial(_signs, 3), 3, 4)


def parity4_roomy() -> Task:
    """Four signs, with five hidden units."""
    return _crowd("parity4-roomy", "the product of four noisy signs", partial(_signs, 4), 4, 5)


# -- many weights ------------------------------------------------------------------------------------------


def _wide_net() -> nn.Module:
    sizes = (64, 1024, 2048, 1024, 10)
    layers = [layer for i, o in pairwise(sizes) for layer in (nn.Linear(i, o), nn.ReLU())]
    return nn.Sequential(nn.Flatten(), *layers[:-1])


def wide() -> Task:
    """Four million weights, in batches so small that the optimizer's step takes much of the time."""
    told = "MLP", "four million weights", "a perceptron with 4.3 million weights on scikit-learn's digits"
    kind = {"make_model": _wide_net, "load": _digits, "loss": cross_entropy, "metric": ERROR}
    return replace(_task("wide", *told, **kind, batch=4, steps=40, guess=0.9), looks=1)
