"""Node runs printed steps. Arrays go there and back as the bytes of their float64s: nan, inf and -0 survive."""

import base64
import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

RUNNER = """
const read = text => new Float64Array(new Uint8Array(Buffer.from(text, "base64")).buffer);
const write = array => Buffer.from(array.buffer).toString("base64");
const jobs = JSON.parse(require("fs").readFileSync(0, "utf8"));
const answers = jobs.map(({step, tensors, rows}) => {
  const run = new Function(`${step}; return step;`)();
  const own = tensors.map(t => Object.fromEntries(Object.entries(t).map(([name, text]) => [name, read(text)])));
  return rows.map(({grads, scalars, count}) => {
    own.forEach((t, k) => t.grad.set(read(grads[k])));
    run(own, Object.fromEntries(Object.entries(scalars).map(([name, text]) => [name, read(text)[0]])), count);
    return own.map(t => Object.fromEntries(Object.entries(t).map(([name, array]) => [name, write(array)])));
  });
});
process.stdout.write(JSON.stringify(answers));
"""


def node(script: str, given: Any) -> Any:
    """The JSON that a script writes, given JSON."""
    binary = shutil.which("node")
    assert binary, "Printed JavaScript is run by Node, and there is none: apt-get install -y nodejs"
    done = subprocess.run([binary, "-e", script], input=json.dumps(given), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def packed(values: Any) -> str:
    return base64.b64encode(np.asarray(values, dtype=np.float64).tobytes()).decode()


def unpacked(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), dtype=np.float64)


def job(step: str, state: Mapping[str, Sequence[Any]], grads: Sequence[Sequence[Any]], scalars: Sequence[Mapping[str, float]]) -> Any:
    """What Node is asked: the text of `step`, the state before, and for each step its gradients and numbers."""
    tensors = [{name: packed(arrays[i]) for name, arrays in state.items()} for i in range(len(grads[0]))]
    for one, grad in zip(tensors, grads[0], strict=True):
        one["grad"] = packed(np.zeros_like(grad))
    rows = [
        {"grads": [packed(g) for g in given], "scalars": {n: packed([x]) for n, x in numbers.items()}, "count": count}
        for count, (given, numbers) in enumerate(zip(grads, scalars, strict=True), 1)
    ]
    return {"step": step, "tensors": tensors, "rows": rows}


def states(answer: Any) -> list[dict[str, list[np.ndarray]]]:
    """The state after every step, the gradients among it."""
    return [{name: [unpacked(t[name]) for t in tensors] for name in tensors[0]} for tensors in answer]
