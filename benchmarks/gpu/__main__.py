"""`python -m benchmarks.gpu`: check a real GPU, then measure it; a table, and JSON with the device's name and versions.

Exit status: 0 all checks passed, 1 some did not, 3 there is no CUDA GPU here (nothing was checked or measured).
"""

import argparse
import json
import platform
import re
import sys
import traceback
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import monotonic
from typing import Any

import torch

LIMIT = 7 * 60
"""Seconds after which no new check or comparison begins: all of it takes less than 8 minutes."""

#: set -> optimizer -> what the project promises of it
PROMISED: dict[str, dict[str, dict[str, float]]] = {
    "A": {"AdamW": {"speed": 1.0, "bandwidth": 0.9}},
    "B": {"AdamW": {"speed": 1.0}, **{name: {"speed": 2.0} for name in ("Lion", "RMSProp", "AdaBelief", "Lookahead")}},
    "C": {"AdamW": {"speed": 1.0, "host": 2.0}},
    "D": {"AdamW": {"speed": 1.0, "host": 2.0}},
    "E": {
        "AdamW": {"speed": 1.0, "bandwidth": 0.9},
        **{name: {"speed": 2.0} for name in ("Lion", "RMSProp", "AdaBelief", "Lookahead")},
    },
}


def run_checks(end: float) -> list[dict[str, Any]]:
    """Every check, what it said."""
    from benchmarks.gpu import right

    rows: list[dict[str, Any]] = []
    left_out = 0
    for name, check in right.checks():
        if monotonic() > end:
            left_out += 1
            continue
        try:
            check()
            rows.append({"check": name, "passed": True})
        except Exception as error:
            rows.append({"check": name, "passed": False, "error": repr(error)[:2000]})
            print(f"FAILED  {name}\n{''.join(traceback.format_exception(error)[-3:])}", flush=True)
    print(f"{sum(r['passed'] for r in rows)} of {len(rows)} checks passed, {left_out} left out for lack of time", flush=True)
    return [*rows, *([{"check": f"{left_out} left out for lack of time", "passed": False}] if left_out else [])]


def run_benchmark(end: float) -> dict[str, Any]:
    """The table of the issue."""
    from benchmarks import sets
    from benchmarks.__main__ import _traffic
    from benchmarks.gpu import fast

    record: dict[str, Any] = {"rows": []}
    print(f"{'':14}{'ours us':>9}{'peer us':>9}{'speed':>8}{'host us':>9}{'peer':>9}{'of copy':>9}  fastest peer")
    for name, optimizers in PROMISED.items():
        for optimizer, promised in optimizers.items():
            if monotonic() > end:
                print(f"{name}  {optimizer}: left out for lack of time")
                continue
            actions, missing = fast.steps(optimizer, name)
            traffic = sets.elements(name) * _traffic(actions["ours"].__self__)  # type: ignore[attr-defined]
            times = fast.compare({**actions, "copy": fast.Copy()}, 9)
            copy, ours = 8 * fast.Copy.N / times.pop("copy")["device"], times["ours"]
            others = {k: t for k, t in times.items() if k != "ours"}
            if optimizer == "AdamW" and "torch fused" in others:
                others = {"torch fused": others["torch fused"]}
            fastest = min(others, key=lambda k: others[k]["device"]) if others else None
            row: dict[str, Any] = {"set": name, "optimizer": optimizer, "seconds": times, "missing": missing, "fastest_peer": fastest}
            row |= {"bandwidth": traffic / ours["device"] / copy, "copy_gb_s": copy / 1e9, "promised": promised}
            if fastest is not None:
                row |= {"speed": others[fastest]["device"] / ours["device"], "host": others[fastest]["host"] / ours["host"]}
            row["met"] = all(row[k] >= least for k, least in promised.items()) if promised.keys() <= row.keys() else None
            record["rows"].append(row)
            verdict = {True: "", False: "  MISSED", None: "  no peer here"}[row["met"]]
            peer = others[fastest] if fastest else {"device": float("nan"), "host": float("nan")}
            print(
                f"{name}  {optimizer:11}{1e6 * ours['device']:9.1f}{1e6 * peer['device']:9.1f}{row.get('speed', float('nan')):7.2f}x"
                f"{1e6 * ours['host']:9.1f}{1e6 * peer['host']:9.1f}{row['bandwidth']:9.0%}  {fastest}{verdict}",
                flush=True,
            )
            del actions
            torch.cuda.empty_cache()
    host = next((r["seconds"]["ours"]["host"] for r in record["rows"] if (r["set"], r["optimizer"]) == ("B", "AdamW")), None)
    record["host_us_on_B"] = host and 1e6 * host
    again = fast.replay(_capturable(sets.make("B", "cuda")))
    record["replay_us_on_B"] = {k: 1e6 * v for k, v in again.items()}
    record["first_step_s_on_B"] = fast.first_step()
    record["blocks_us_on_A"] = {k: 1e6 * v for k, v in fast.blocks().items()}
    print(
        f"\nAdamW on B: host {record['host_us_on_B']} us a step (promised 300); one replay: host {1e6 * again['host']:.1f} us (promised 20)"
    )
    print(f"AdamW on B: first step with an empty Triton cache {record['first_step_s_on_B']:.2f} s (promised 3)")
    print("AdamW on A by size of chunk:", ", ".join(f"{k}: {v:.0f} us" for k, v in record["blocks_us_on_A"].items()))
    return record


def _capturable(params: list[torch.nn.Parameter]) -> Any:
    """Our AdamW, to be captured."""
    import steepest.torch

    return steepest.torch.AdamW(params, lr=torch.tensor(1e-3, device="cuda"), capturable=True)


def _versions() -> dict[str, str]:
    found: dict[str, str] = {}
    for package in ("torch", "triton", "numpy", "llvmlite", "pytorch-optimizer", "lion-pytorch", "adabelief-pytorch"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def main() -> int:
    """Run all of it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--only", choices=["checks", "benchmark"], help="one half of it")
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "results", help="folder for the JSON (%(default)s)")
    args = parser.parse_args()
    if not torch.cuda.is_available():
        print("There is no CUDA GPU here: nothing was checked, nothing was measured.", file=sys.stderr)
        return 3
    start = monotonic()
    name = torch.cuda.get_device_name()
    print(f"{name}, {_versions()}", flush=True)
    record: dict[str, Any] = {}
    if args.only != "benchmark":
        record["checks"] = run_checks(start + LIMIT * 0.55)
    if args.only != "checks":
        record |= run_benchmark(start + LIMIT)
    record["on"] = {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "device": name,
        "cuda": torch.version.cuda,
        "python": platform.python_version(),
        **_versions(),
    }
    args.out.mkdir(parents=True, exist_ok=True)
    path = args.out / f"gpu-{re.sub(r'[^a-z0-9]+', '-', name.lower())}-{datetime.now(UTC):%Y-%m-%d}.json"
    path.write_text(json.dumps(record, indent=1) + "\n")
    print(f"\n{monotonic() - start:.0f} s; written to {path}")
    return 0 if all(c["passed"] for c in record.get("checks", [])) else 1


if __name__ == "__main__":
    sys.exit(main())
