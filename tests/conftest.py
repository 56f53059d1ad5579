"""What must be in the environment before PyTorch is first imported, which may happen at any time.

Triton interprets in these tests. Processes that test side by side compute on one thread each, or their threads would wait
for each other's cores; tests of threads ask for more themselves.
"""

import os

os.environ["TRITON_INTERPRET"] = "1"
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
