"""`python -m benchmarks`: run the comparisons, print the table, write it as JSON with what it was measured on."""

import argparse
import json
import platform
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import torch

import steepest
from benchmarks import contenders, faces, measure, sets
from steepest.plan import plan

#: What the project promises: at least this many times as fast as the fastest peer.
PROMISED = {"A": {"AdamW": 1 / 1.05}, "C": {"AdamW": 2.5}, "D": {"AdamW": 3.0}} | {
    "B": {"SGD": 1.2, "Momentum": 1.2, "Nesterov": 1.2, "RMSProp": 3.0, "AdamW": 1 / 1.05, "AdaBelief": 8.0, "Lookahead": 10.0, "Lion": 3.0}
}


@dataclass
class Row:
    """One optimizer on one set."""

    set: str
    optimizer: str
    ours_us: float
    fastest_peer: str
    peer_us: float
    speed: float  # how many times as fast as the fastest peer, the median over the turns
    promised: float | None
    bandwidth: float | None  # share of the triad's
    turns: int
    all_us: dict[str, float]

    def line(self) -> str:
        """As printed."""
        met = "" if self.promised is None else f"  {'met' if self.speed >= self.promised else 'MISSED'} (>= {self.promised:.2f})"
        share = "" if self.bandwidth is None else f"{self.bandwidth:6.0%}"
        times = f"{self.ours_us:10.1f}{self.peer_us:10.1f}"
        return f"{self.set}  {self.optimizer:10}{times}  {self.speed:6.2f} x {share:>6}  {self.fastest_peer}{met}"


def compare(name: str, optimizer: str, seconds: float, triad: measure.Triad) -> Row:
    """Our class and all its peers on one set, turn by turn."""
    ours = contenders.OURS[optimizer](sets.make(name))
    peers = {peer: make(sets.make(name)) for peer, make in contenders.peers(optimizer).items()}
    heavy = sets.elements(name) > 10_000_000
    actions = {"ours": ours.step, **{peer: p.step for peer, p in peers.items()}, **({"triad": triad} if heavy else {})}
    times = measure.interleaved(actions, seconds)
    typical = measure.medians(times)
    fastest = min(peers, key=typical.__getitem__)
    bytes_moved = sets.elements(name) * _traffic(ours)
    share = median((bytes_moved / t) / (12 * triad.N / s) for t, s in zip(times["ours"], times["triad"], strict=True)) if heavy else None
    promised = PROMISED.get(name, {}).get(optimizer)
    return Row(
        name,
        optimizer,
        1e6 * typical["ours"],
        fastest,
        1e6 * typical[fastest],
        measure.ratio(times, fastest, "ours"),
        promised,
        share,
        len(times["ours"]),
        {k: 1e6 * v for k, v in typical.items()},
    )


def _traffic(optimizer: Any) -> float:
    """Bytes per parameter and step, by the plan's own count, averaged over the variants as often as they run."""
    p = plan(optimizer.strategy())
    ordinary, heaviest = p.ordinary().traffic(), max(v.traffic() for v in p.variants.values())
    return ordinary + (heaviest - ordinary) / 5  # the one with variants of different weight, Lookahead, runs with k=5


def main(arguments: Iterable[str] | None = None) -> None:
    """Run what was asked for; by default all of it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--sets", default="ABCD", help="which sets, for example AB; '' for Keras and optax alone (%(default)s)")
    parser.add_argument(
        "--optimizers", default=",".join(contenders.OURS), help="which, separated by commas; sets A, C and D take AdamW alone"
    )
    parser.add_argument("--seconds", type=float, default=8, help="time for each comparison (%(default)s)")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="(%(default)s)")
    parser.add_argument("--no-faces", action="store_true", help="leave out Keras on PyTorch and optax")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results", help="folder for the JSON (%(default)s)")
    args = parser.parse_args(None if arguments is None else list(arguments))
    torch.set_num_threads(args.threads)

    triad = measure.Triad()
    print(f"{'':13}{'ours us':>10}{'peer us':>10}  {'speed':>6}   {'of triad':>6}  fastest peer")
    rows: list[Row] = []
    for name in args.sets:
        for optimizer in args.optimizers.split(","):
            if name == "B" or optimizer == "AdamW":
                rows.append(compare(name, optimizer, args.seconds, triad))
                print(rows[-1].line(), flush=True)
    record: dict[str, Any] = {"rows": [asdict(r) for r in rows]}
    record["triad_gb_s"] = triad.bandwidth(median(measure.interleaved({"triad": triad}, 1)["triad"]))
    print(f"\ntriad {record['triad_gb_s']:.1f} GB/s with {args.threads} threads")
    if "B" in args.sets:
        outside, warm = measure.beyond_kernel(contenders.OURS["AdamW"](sets.make("B")).step, 30)
        first = median(measure.first_step("AdamW", "B") for _ in range(3))
        record |= {"host_us_on_B": 1e6 * outside, "host_us_on_B_warm": 1e6 * warm, "first_step_s_on_B": first}
        print(f"AdamW on B: {1e6 * outside:.0f} us beyond the kernel ({1e6 * warm:.0f} us with warm caches; promised 200)")
        print(f"AdamW on B: first step in a new process {first:.2f} s (promised 0.5)")
    if not args.no_faces:
        faces_measured = [row for face in ("keras", "optax") for row in faces.measured(face, args.seconds)]
        record["faces"] = faces_measured
        print("\n".join(map(faces.line, faces_measured)))
    record["on"] = {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor": _processor(),
        "threads": args.threads,
        "python": platform.python_version(),
        "steepest": steepest.__version__,
        **{
            p: version(p)
            for p in ("torch", "numpy", "llvmlite", "pytorch-optimizer", "lion-pytorch", "adabelief-pytorch", "keras", "jax", "optax")
        },
    }
    args.out.mkdir(parents=True, exist_ok=True)
    path = args.out / f"{'cpu' if args.sets else 'faces'}-{datetime.now(UTC):%Y-%m-%d}.json"
    path.write_text(json.dumps(record, indent=1) + "\n")
    print(f"\n{record['on']['processor']}, {args.threads} threads; written to {path}")


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    models = (
        [line.partition(":")[2].strip() for line in info.read_text().splitlines() if line.startswith("model name")] if info.exists() else []
    )
    return models[0] if models else platform.processor()


if __name__ == "__main__":
    main()
