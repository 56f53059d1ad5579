"""Keras has one backend in a process, chosen before its first import: these tests run where KERAS_BACKEND says which.

    KERAS_BACKEND=jax python -m pytest tests/keras_face

Without it they are not even collected, so that the main run imports no Keras.
"""

import os
from collections.abc import Iterator

import pytest

os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("JAX_ENABLE_X64", "1")
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")  # compiling takes most of the time
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

collect_ignore_glob = [] if "KERAS_BACKEND" in os.environ else ["test_*.py"]

if "KERAS_BACKEND" in os.environ:
    # PyTorch's optimizers, some of the references here, import Triton, whose library crashes the process where
    # TensorFlow's is loaded already; and Keras loads TensorFlow, where it is installed, on every backend.
    import torch._dynamo  # noqa: F401


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    """Names and seeds from the start, so that what a test sees does not depend on the tests before it."""
    import keras

    keras.utils.clear_session(free_memory=False)
    keras.utils.set_random_seed(0)
    yield
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    """For speed on a busy machine: the tensors are small."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
