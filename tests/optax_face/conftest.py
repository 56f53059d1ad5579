"""float64 in JAX, for the length of one test: nothing of it is left for the tests of other packages."""

from collections.abc import Iterator

import jax
import pytest


@pytest.fixture(autouse=True)
def _float64() -> Iterator[None]:
    with jax.enable_x64(True):
        yield
