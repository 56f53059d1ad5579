"""The text of the Triton kernels: golden files for a reviewer, and what NVIDIA's compiler is given for them.

After a change that is meant to change the kernels:

    python -m tests.test_triton_text        # writes tests/golden/ anew; read the diff, then commit it
"""

import ast
import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from steepest import Transform, adabelief, adamw, lion
from steepest.codegen import triton
from steepest.formats import FORMATS, STORED
from steepest.plan import plan
from tests.strategies import ALL

GOLDEN = Path(__file__).parent / "golden"
KEPT: dict[str, tuple[Transform, str]] = {
    "lion": (lion(), "float32"),
    "adamw": (adamw(), "float32"),
    "adamw_bfloat16": (adamw(), "bfloat16"),
    "adamw_float64": (adamw(), "float64"),
    "adabelief": (adabelief(), "float32"),
    "clipped_belief": (dict(ALL)["clipped belief"], "float32"),
}


def printed(strategy: Transform, stored: str) -> list[str]:
    """All kernels of a strategy."""
    p = plan(strategy)
    compute = FORMATS["float64" if stored == "float64" else "float32"]
    formats = [(b, STORED[stored]) for b in p.buffers]
    return [triton.kernel(one, formats, compute, f"{one.kind} pass") for v in p.variants.values() for one in v.passes]


@pytest.mark.parametrize("name", KEPT)
def test_golden(name: str) -> None:
    want = (GOLDEN / f"{name}.txt").read_text()
    assert "\n\n".join(printed(*KEPT[name])) == want, f"kernel changed: if it was meant to, run python -m {__name__} and read the diff"


@pytest.mark.parametrize("strategy", [s for _, s in ALL], ids=[n for n, _ in ALL])
@pytest.mark.parametrize("stored", list(STORED))
def test_single_assignment(strategy: Transform, stored: str) -> None:
    for text in printed(strategy, stored):
        rule = next(f for f in ast.parse(text).body if isinstance(f, ast.FunctionDef) and f.name == "rule")
        names = [a.arg for a in rule.args.args] + [t.id for n in rule.body if isinstance(n, ast.Assign) for t in n.targets]  # type: ignore[attr-defined]
        assert [n for n, times in Counter(names).items() if times > 1] == []
        used = {n.id for n in ast.walk(rule) if isinstance(n, ast.Name)}
        assert set(names) <= used, "something is computed or passed that nobody uses"


_COMPILE = """
import json, sys
from triton import compile
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from steepest.execute import source
out = []
for text, align in json.load(sys.stdin):
    kernel = source.kernel(text, "finish" if "def finish" in text else "steepest")
    constants = {"BLOCK": 4096, "ALIGN": align} if "BLOCK" in kernel.arg_names else {"SUMS": 2, "LANES": 1024}
    reals = ("uniforms", "partials", "sums")
    types = {n: "constexpr" if n in constants else "*fp64" if n in reals else "*i64" for n in kernel.arg_names}
    made = compile(ASTSource(kernel, types, constants), target=GPUTarget("cuda", 80, 32),
                   options={"enable_fp_fusion": False, "num_warps": 8})
    out.append(made.asm["ptx"])
json.dump(out, sys.stdout)
"""


def ptx(texts: list[tuple[str, int]], cache: Path) -> list[str]:
    """What Triton's own compiler makes of kernels for an A100; it needs no GPU for this, and no interpreter."""
    environment = {k: v for k, v in os.environ.items() if k != "TRITON_INTERPRET"} | {"TRITON_CACHE_DIR": str(cache)}
    run = subprocess.run(
        [sys.executable, "-c", _COMPILE], input=json.dumps(texts), env=environment, check=True, capture_output=True, text=True
    )
    return json.loads(run.stdout)


def instructions(text: str) -> Counter[str]:
    """How often each instruction is there."""
    return Counter(re.findall(r"^\s+(?:@\S+ )?([a-z][\w.]+)", text, re.M))


def test_kernels_compile_for_a_gpu_with_ieee_arithmetic(tmp_path: Path) -> None:
    wanted = ("own rule, signed", "lamb", "clipped belief")
    texts = [t for n, s in ALL if n in wanted for stored in ("float32", "bfloat16", "float64") for t in printed(s, stored)]
    texts.append(triton.FINISH)
    for text, compiled in zip(texts, ptx([(t, 16) for t in texts], tmp_path), strict=True):
        bad = [i for i in instructions(compiled) if re.match(r"fma|.*approx|.*\.ftz|div\.full|atom|red\.", i)]
        assert bad == [], f"{bad} in\n{text}"


def test_loads_of_a_whole_chunk_are_16_bytes_wide(tmp_path: Path) -> None:
    for stored, wide in (("float32", "v4.b32"), ("float64", "v2.b64"), ("bfloat16", "v4.b32")):
        (text,) = printed(adamw(), stored)
        aligned, narrow = map(instructions, ptx([(text, 16), (text, 1)], tmp_path))
        each = 4096 * STORED[stored].bytes // 256 // 16  # loads that a thread needs for one array
        assert aligned[f"ld.global.{wide}"] == 4 * each
        assert aligned[f"st.global.{wide}"] == 3 * each
        assert not [i for i in narrow if re.match(r"(ld|st)\.global\.v", i)], "16 bytes at a time from where 16 do not divide the address"


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for name, kept in KEPT.items():
        (GOLDEN / f"{name}.txt").write_text("\n\n".join(printed(*kept)))
