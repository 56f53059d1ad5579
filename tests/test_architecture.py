"""Which way imports run, what an import costs, what is public."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import steepest

SOURCE = Path(steepest.__file__).parent

#: Each layer may import those after it. `errors`, `files` and `formats` are below all.
LAYERS = [
    "__main__",
    "cli",
    "guide",
    "play",
    "tune",
    "show",
    "race",
    "keras",
    "optax",
    "torch",
    "checkpoint",
    "conventions",
    "config",
    "registry+rules+transforms",
    "execute",
    "codegen",
    "plan",
    "tree",
    "transform",
    "ops",
    "expr",
    "op_table",
    "formats",
    "files",
    "errors",
]
#: Where the line of layers has a branch: rules are leaves that need transforms alone, and `show` reads the registry.
NOT = {"registry+rules+transforms": {"execute", "codegen", "plan", "tree"}, "execute": {"torch", "race", "conventions"}}
FRAMEWORKS = {"torch", "keras", "tensorflow", "jax", "optax", "flax"}
#: What a face's own framework brings with it.
BRINGS = {"optax": {"optax", "jax"}, "keras": {"keras"}, "torch": {"torch"}, "tune": {"torch"}}
#: Files that need another one: kernels of a GPU run on PyTorch's streams; Keras' PyTorch backend has tensors of PyTorch; tasks train.
ALSO = {"steepest.execute.cuda": {"torch"}, "steepest.keras.on_torch": {"torch"}, "steepest.guide.claims.tasks": {"torch"}}


def layer(module: str) -> str:
    part = module.split(".")[1] if module.count(".") else "steepest"
    return next((name for name in LAYERS if part in name.split("+")), part)


def imports() -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for path in SOURCE.rglob("*.py"):
        module = ".".join(("steepest", *path.relative_to(SOURCE).with_suffix("").parts)).removesuffix(".__init__")
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found += [(module, a.name) for a in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found += [(module, node.module if node.module != "steepest" else f"steepest.{a.name}") for a in node.names]
    return found


def test_layers() -> None:
    for module, imported in imports():
        if imported.startswith("steepest.") and module != "steepest":
            mine, theirs = layer(module), layer(imported)
            assert mine in LAYERS, f"{module} is in no layer"
            if theirs in LAYERS:
                assert LAYERS.index(mine) <= LAYERS.index(theirs), f"{module} imports {imported}, which lies above it"
                assert theirs not in NOT.get(mine, set()), f"{module} imports {imported}"


def test_only_a_face_imports_its_framework() -> None:
    for module, imported in imports():
        framework = imported.partition(".")[0]
        if framework in FRAMEWORKS:
            allowed = BRINGS.get(layer(module), set()) | ALSO.get(module, set())
            assert layer(module) == "race" or framework in allowed, f"{module} imports {imported}"


def test_printers_run_nothing_and_the_graph_needs_nothing() -> None:
    for module, imported in imports():
        if module.startswith("steepest.codegen"):
            assert imported.partition(".")[0] not in {"llvmlite", "numpy", "ctypes", "triton"}, f"{module} imports {imported}"
        if module in ("steepest.expr", "steepest.op_table", "steepest.errors"):
            assert imported.partition(".")[0] in {"steepest", *sys.stdlib_module_names}, f"{module} imports {imported}"


def loaded_by(statement: str, **environment: str) -> set[str]:
    program = f"import sys\n{statement}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, env={**os.environ, **environment})
    return set(done.stdout.split())


def test_importing_steepest_imports_no_framework() -> None:
    loaded = loaded_by("import steepest")
    assert not loaded & FRAMEWORKS
    assert not {"llvmlite", "sklearn", "plotly", "rich"} & loaded
    assert not loaded_by("from steepest import cli; cli.main(['list'])") & {"torch", "sklearn", "plotly"}


def test_a_face_imports_only_its_own() -> None:
    assert not loaded_by("import steepest.torch") & (FRAMEWORKS - {"torch"})
    assert not loaded_by("import steepest.optax") & (FRAMEWORKS - {"jax", "optax"})
    for backend in ("jax", "tensorflow"):
        assert "torch" not in loaded_by("import steepest.keras", KERAS_BACKEND=backend)


def test_public_names_are_exported_explicitly() -> None:
    for package in ("", "rules", "transforms", "torch", "keras", "optax"):
        tree = ast.parse((SOURCE / package / "__init__.py").read_text())
        for node in tree.body:
            if isinstance(node, ast.ImportFrom) and node.module not in ("importlib.util", "steepest.errors"):
                assert all(a.asname == a.name for a in node.names), f"{package}: from {node.module} import X as X"


def test_a_star_import_brings_no_module() -> None:
    assert {"chain", "Lookahead", "adamw", "ScaleByLion", "sqrt"} <= set(steepest.__all__)
    assert not {"torch", "rules", "expr", "plan"} & set(steepest.__all__)


@pytest.mark.parametrize("path", sorted(SOURCE.rglob("*.py")), ids=lambda p: str(p.relative_to(SOURCE)))
def test_files_are_short_and_say_what_they_are_for(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= 400
    assert ast.get_docstring(ast.parse(text)), "a file begins with what it is for"


def test_a_rule_knows_no_framework_dtype_or_device() -> None:
    for path in (SOURCE / "rules").glob("*.py"):
        words = {n.id for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Name)}
        assert not words & {"dtype", "device", "torch", "numpy", "np", "group", "layout"}, path.name
