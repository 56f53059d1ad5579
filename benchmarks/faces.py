"""The Keras and optax faces against their frameworks: `python -m benchmarks.faces keras` (or `optax`) prints JSON.

Each runs in a process of its own, since Keras' backend is chosen at its first import; `python -m benchmarks` starts both.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

#: What the project promises: at least this many times as fast as the peer.
PROMISED = {
    "keras on torch, Adam, 100 matrices of 64 x 64": {"keras Adam, subclassed": 4.0, "keras Adam": 1.0},
    "optax, adam, 100 matrices of 64 x 64": {"optax adam": 1 / 1.05},
    "optax, adam, 25 matrices of 1000 x 1000": {"optax adam": 1 / 1.05},
}


def keras_on_torch() -> dict[str, dict[str, Callable[[], Any]]]:
    """Keras' Adam as it is, as anybody's subclass of it, and ours, each stepping 100 matrices."""
    os.environ["KERAS_BACKEND"] = "torch"
    import keras
    import torch

    import steepest.keras

    class Subclassed(keras.optimizers.Adam):
        """What a user writes to add one line: Keras then steps variable by variable."""

    def contender(make: Callable[[], Any]) -> Callable[[], Any]:
        variables = [keras.Variable(torch.randn(64, 64), name=f"w{i}") for i in range(100)]
        grads = [torch.randn(64, 64) for _ in variables]
        optimizer = make()
        optimizer.build(variables)

        def step() -> None:
            with torch.no_grad():  # as Keras' train step has it
                optimizer.apply(grads, variables)

        return step

    makes = {"ours": steepest.keras.Adam, "keras Adam": keras.optimizers.Adam, "keras Adam, subclassed": Subclassed}
    return {"keras on torch, Adam, 100 matrices of 64 x 64": {name: contender(make) for name, make in makes.items()}}


def optax_jitted() -> dict[str, dict[str, Callable[[], Any]]]:
    """Optax's adam and ours: the jitted step, state and parameters donated, as in a training loop."""
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    import jax
    import jax.numpy as jnp
    import optax

    import steepest.optax

    def contender(make: Callable[[float], Any], count: int, side: int) -> Callable[[], Any]:
        optimizer = make(1e-3)
        params: Any = [jnp.ones((side, side)) for _ in range(count)]
        grads = [jnp.full((side, side), 0.01 * (i + 1)) for i in range(count)]
        held = [params, optimizer.init(params)]

        def update(params: Any, state: Any, grads: Any) -> Any:
            updates, state = optimizer.update(grads, state, params)
            return optax.apply_updates(params, updates), state

        compiled = jax.jit(update, donate_argnums=(0, 1))

        def step() -> None:
            held[:] = compiled(*held, grads)
            jax.block_until_ready(held)

        return step

    return {
        f"optax, adam, {count} matrices of {side} x {side}": {
            "ours": contender(steepest.optax.adam, count, side),
            "optax adam": contender(optax.adam, count, side),
        }
        for count, side in ((100, 64), (25, 1000))
    }


def measured(which: str, seconds: float) -> list[dict[str, Any]]:
    """The rows of one face, from a process of its own."""
    command = [sys.executable, "-m", "benchmarks.faces", which, str(seconds)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def rows(sets: dict[str, dict[str, Callable[[], Any]]], seconds: float) -> list[dict[str, Any]]:
    """Ours against every peer, interleaved."""
    from benchmarks import measure

    found: list[dict[str, Any]] = []
    for title, actions in sets.items():
        times = measure.interleaved(actions, seconds)
        typical = measure.medians(times)
        for peer in actions.keys() - {"ours"}:
            promised = PROMISED[title][peer]
            speed = measure.ratio(times, peer, "ours")
            found.append(
                {"set": title, "peer": peer, "ours_us": 1e6 * typical["ours"], "peer_us": 1e6 * typical[peer], "speed": speed}
                | {"promised": promised, "turns": len(times["ours"])}
            )
    return sorted(found, key=lambda row: (row["set"], row["peer"]))


def line(row: dict[str, Any]) -> str:
    """As printed."""
    met = "met" if row["speed"] >= row["promised"] else "MISSED"
    return (
        f"{row['set']}: {row['ours_us']:.0f} us, {row['peer']} {row['peer_us']:.0f} us, "
        f"{row['speed']:.2f} x  {met} (>= {row['promised']:.2f})"
    )


if __name__ == "__main__":
    makes = {"keras": keras_on_torch, "optax": optax_jitted}
    print(json.dumps(rows(makes[sys.argv[1]](), float(sys.argv[2]) if len(sys.argv) > 2 else 8)))
