"""How an array is stored, and in what precision it is computed with.

Every buffer of a kernel has a `Format`; arithmetic is in the pass's own precision whatever the storage, with
one rounding at the store. float32 and float64 are stored as they are computed.
"""

from typing import NamedTuple


class Format(NamedTuple):
    """One way to store an array of numbers."""

    name: str  # NumPy's and PyTorch's name of the dtype
    bytes: int  # per number
    llvm: str  # LLVM's type of one number


FORMATS = {f.name: f for f in (Format("float32", 4, "float"), Format("float64", 8, "double"))}

STORED = FORMATS | {f.name: f for f in (Format("bfloat16", 2, "bfloat"), Format("float16", 2, "half"))}
"""Also what a GPU's kernels load and store; on the CPU these are staged in float32."""
