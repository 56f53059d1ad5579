"""Triton interprets in these tests: it must be told before it is first imported, which PyTorch may do at any time."""

import os

os.environ["TRITON_INTERPRET"] = "1"
