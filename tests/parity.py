"""How close a rule of ours came to its reference, written down by the tests that measured it.

Set STEEPEST_PARITY to the name of a file and run the tests: each measurement becomes one line of JSON there, from
which the page "rule by framework: same trajectory as ..., largest difference ..." is made. Without it nothing is
written.
"""

import json
import os


def record(face: str, rule: str, reference: str, difference: float, dtype: str, note: str = "") -> None:
    """Append one line: `rule` of `face` came within `difference` (relative) of `reference`, in `dtype`.

    One write in append mode, which the system does not mix with those of other processes (pytest-xdist).
    """
    name = os.environ.get("STEEPEST_PARITY")
    if not name:
        return
    row = {"face": face, "rule": rule, "reference": reference, "difference": float(difference), "dtype": dtype, "note": note}
    file = os.open(name, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(file, (json.dumps(row, ensure_ascii=False) + "\n").encode())
    finally:
        os.close(file)
