"""What `steepest list` and `steepest show` print, as text."""

from steepest import registry
from steepest.codegen import javascript, latex, llvm, python, triton
from steepest.execute.jit import assembly
from steepest.formats import FORMATS
from steepest.plan import Plan, Variant, plan

CODE = ("python", "latex", "javascript", "llvm", "assembly", "triton")


def listing(pattern: str = "*") -> str:
    """One line for each registered optimizer."""
    names = registry.optimizers(pattern)
    width = max(map(len, names), default=0)
    return "".join(f"{name:{width}}  {registry.registration(name).summary}\n" for name in names)


def page(name: str) -> str:
    """All about one optimizer: source, defaults, memory, formula, and the loop it becomes."""
    entry = registry.registration(name)
    strategy = entry.build()
    p = plan(strategy)
    sections = [
        f"{entry.title}: {entry.summary}",
        f"Source    {entry.paper}",
        f"Defaults  {', '.join(f'{k}={v!r}' for k, v in entry.defaults.items())}",
        f"Strategy  {strategy!r}",
        f"Memory    {_memory(p)}",
        *([f"\n{entry.notes}"] if entry.notes else []),
        "\nFormula\n" + "".join(f"    {line}\n" for line in _formulas(p)),
        "Loop\n" + "".join(f"    {line}\n" for line in _loops(name, p).splitlines()),
    ]
    return "\n".join(sections)


def code(name: str, language: str) -> str:
    """The text of every kernel of one optimizer, in one language; in float32 where the language has a choice."""
    p = plan(registry.registration(name).build())
    if language == "python":
        return _loops(name, p)
    if language == "latex":
        return "\n".join(_formulas(p)) + "\n"
    if language == "javascript":
        return javascript.module(name, p)
    float32 = FORMATS["float32"]
    kernel = triton.kernel if language == "triton" else llvm.kernel
    texts = [
        kernel(one, [(b, float32) for b in p.buffers], float32, f"{name}, {one.kind} pass{_when(p, truth)}")
        for truth, variant in p.variants.items()
        for one in variant.passes
    ]
    return "\n".join(map(assembly, texts) if language == "assembly" else texts)


def _memory(p: Plan) -> str:
    ordinary, heaviest = p.ordinary().traffic(), max(v.traffic() for v in p.variants.values())
    more = f" ({heaviest} when {' or '.join(map(python.readable, p.tests))})" if heaviest > ordinary else ""
    slots = f" ({', '.join(p.slots)})" if p.slots else ""
    return f"{p.state_bytes()} bytes of state per parameter{slots}, {ordinary} bytes of traffic per parameter and step{more}; float32"


def _when(p: Plan, truth: tuple[bool, ...]) -> str:
    tests = [python.readable(t) if so else f"not ({python.readable(t)})" for t, so in zip(p.tests, truth, strict=True)]
    return f", when {' and '.join(tests)}" if tests else ""


def _ordinary_first(p: Plan) -> list[tuple[str, Variant]]:
    """Every variant, with the comment that says when it is taken."""
    items = sorted(p.variants.items(), key=lambda item: item[1] is not p.ordinary())
    return [(_when(p, truth).removeprefix(", "), variant) for truth, variant in items]


def _formulas(p: Plan) -> list[str]:
    return [line for when, variant in _ordinary_first(p) for line in [f"% {when}"] * bool(when) + latex.formula(variant)]


def _loops(name: str, p: Plan) -> str:
    state = list(p.slots)
    return "\n".join(f"# {when}\n" * bool(when) + python.loop(name, variant, p.scalars, state) for when, variant in _ordinary_first(p))
