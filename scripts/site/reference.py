"""The public names: a page for each public module, from the docstrings. What is public is read off the source, which is not run.

A module's names are those it exports as `X as X` and those that it defines without an underscore. A name that two modules export is
explained once.
"""

import ast
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from scripts.site.markdown import code, table

SOURCE = Path(__file__).parents[2] / "src"

#: Every public module, and what it is for.
MODULES: Mapping[str, str] = {
    "steepest.transforms": "reusable pieces of a strategy",
    "steepest": "rules, strategies, and the language they are written in",
    "steepest.torch": "optimizers for PyTorch",
    "steepest.keras": "optimizers for Keras 3",
    "steepest.optax": "transformations for optax",
    "steepest.checkpoint": "training states, from one framework to another",
    "steepest.plan": "memory and traffic of a strategy",
    "steepest.guide.advise.advice": "what `steepest.advise` answers",
    "steepest.guide.facts": "what is known about optimizers, as data",
    "steepest.guide.claims": "the textbook's statements, tested",
    "steepest.tune": "where to start with the learning rate",
    "steepest.play": "the playground, as a page",
    "steepest.race.tasks": "what a race trains",
    "steepest.race.tasks.measures": "losses and metrics",
    "steepest.race.tasks.data": "examples, parts, batches",
    "steepest.errors": "what is raised on purpose",
}


def pages() -> dict[str, str]:
    """A page for each module, and the index."""
    return {"reference/index.md": _index(), **{f"reference/{module}.md": _page(module) for module in MODULES}}


@cache
def names(module: str) -> dict[str, str]:
    """The public names of a module, each with the module where it is defined."""
    path = _file(module)
    tree = ast.parse(path.read_text())
    exported = {a.name: n.module or "" for n in tree.body if isinstance(n, ast.ImportFrom) for a in n.names if a.asname == a.name}
    found = [n.name for n in tree.body if isinstance(n, (ast.ClassDef, ast.FunctionDef))]
    found += [n.target.id for n in tree.body if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)]
    found += [t.id for n in tree.body if isinstance(n, ast.Assign) for t in n.targets if isinstance(t, ast.Name)]
    own = {name: module for name in found if not name.startswith("_")}
    return {name: _origin(name, where) for name, where in exported.items()} | own


def home(module: str, name: str) -> str:
    """The module on whose page a name is explained."""
    origin = names(module)[name]
    return next(m for m in MODULES if names(m).get(name) == origin)


def anchor(module: str, name: str) -> str:
    """Where a name is explained, from another page of the reference."""
    return f"{home(module, name)}.md#{home(module, name)}.{name}"


def _file(module: str) -> Path:
    path = SOURCE.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _origin(name: str, module: str) -> str:
    """Where a name that passes through several modules is defined."""
    tree = ast.parse(_file(module).read_text())
    for n in tree.body:
        if isinstance(n, ast.ImportFrom) and n.module and any(a.asname == name for a in n.names):
            return _origin(name, n.module)
    return module


def _index() -> str:
    rows = [(f"[`{m}`]({m}.md)", what, ", ".join(f"[`{n}`]({anchor(m, n)})" for n in names(m))) for m, what in sorted(MODULES.items())]
    return "# Reference\n\nEvery public name, from its docstring.\n\n" + table(("module", "what it is for", "names"), rows)


def _page(module: str) -> str:
    mine = [n for n in names(module) if home(module, n) == module]
    others = [(f"[`{n}`]({anchor(module, n)})", home(module, n)) for n in names(module) if n not in mine]
    text = (
        f"# {module}\n\n::: {module}\n    options:\n      show_root_heading: false\n      show_root_toc_entry: false\n      members: []\n\n"
    )
    if others:
        text += "Also here, and explained where they come from: " + ", ".join(link for link, _ in others) + ".\n\n"
    return text + "\n".join(_entry(module, n) for n in mine)


def _entry(module: str, name: str) -> str:
    """By the path of the file: a function that is called like the module it is in would give the module."""
    origin = names(module)[name]
    if (SOURCE.joinpath(*origin.split(".")) / f"{name}.py").exists():  # and one that is called like a module beside it
        node = next(n for n in ast.parse(_file(origin).read_text()).body if isinstance(n, ast.FunctionDef) and n.name == name)
        signature = code("py", f"def {name}({ast.unparse(node.args)}) -> {ast.unparse(node.returns)}: ...")
        return f"## {name} {{ #{module}.{name} }}\n\n{signature}\n{ast.get_docstring(node)}\n"
    return f'<a id="{module}.{name}"></a>\n\n::: {origin}.{name}\n'
