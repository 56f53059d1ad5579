"""5,000 handwritten digits of MNIST, which two workloads share."""

from functools import cache

from steepest.race.extra import NeedsExtra
from steepest.race.tasks.data import parts, stratified, vendored
from steepest.race.tasks.task import Data

with NeedsExtra():
    import torch


@cache
def load() -> Data:
    """Images of 28 x 28 pixels, 500 of each digit: 3,000 to train on, 1,000 to choose by, 1,000 for the result."""
    arrays = vendored("mnist")
    chosen = stratified(arrays["labels"], (3000, 1000, 1000))
    images = torch.as_tensor(arrays["images"], dtype=torch.float32)
    train = images[chosen[0]]
    scaled = (images - train.mean()) / train.std()
    return parts(scaled[:, None], torch.as_tensor(arrays["labels"], dtype=torch.int64), chosen)
