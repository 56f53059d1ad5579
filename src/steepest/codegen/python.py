"""Python text: the function that evaluates a pass's uniforms on the host, and the loop a rule becomes, to be read."""

from collections.abc import Iterable, Mapping, Sequence

from steepest.codegen.infix import Names, Spelling, left, shared, text
from steepest.expr import Expr, scalar, walk
from steepest.plan import Variant

_COMMON = {
    "add": left("{} + {}", 40),
    "sub": left("{} - {}", 40),
    "mul": left("{} * {}", 50),
    "div": left("{} / {}", 50),
    "mod": left("{} % {}", 50),
    "neg": Spelling("-{}", 60, (60,)),
    "pow": Spelling("{}**{}", 70, (71, 70)),
    "lt": Spelling("{} < {}", 30, (31, 31)),
    "le": Spelling("{} <= {}", 30, (31, 31)),
    "eq": Spelling("{} == {}", 30, (31, 31)),
    "abs": Spelling("abs({})"),
    "sign": Spelling("sign({})"),
    "sqrt": Spelling("sqrt({})"),
    "minimum": Spelling("minimum({}, {})"),
    "maximum": Spelling("maximum({}, {})"),
}
#: Python floats. `div`, `sqrt`, ... are IEEE's: 1 / 0 is inf, and no exception.
SCALAR: Mapping[str, Spelling] = _COMMON | {
    "div": Spelling("div({}, {})"),
    "not": Spelling("not {}", 20, (20,)),
    "and": left("{} and {}", 15),
    "or": left("{} or {}", 10),
    "where": Spelling("{1} if {0} else {2}", 5, (6, 6, 6)),
}
#: NumPy arrays, one entry a tensor.
ARRAY: Mapping[str, Spelling] = _COMMON | {
    "not": Spelling("~{}", 60, (60,)),
    "and": left("{} & {}", 36),
    "or": left("{} | {}", 35),
    "where": Spelling("where({}, {}, {})"),
}
#: For reading: Python as one would write it.
READABLE: Mapping[str, Spelling] = SCALAR | {"div": _COMMON["div"]}


def number(x: float) -> str:
    """A constant as one would type it."""
    if x != x or abs(x) == float("inf"):
        return f"float('{x}')"
    return str(int(x)) if x == int(x) and abs(x) < 1e6 else repr(x)


def readable(e: Expr) -> str:
    """One expression as Python, all of it spelled out."""
    return text(e, lambda e: number(e.value) if e.op == "const" else e.name if e.op in ("scalar", "load") else None, READABLE)


def _total(e: Expr, totals: Sequence[Expr]) -> str:
    return f"total{[t is e for t in totals].index(True) + 1}"


def host_function(uniforms: Iterable[Expr], scalars: Sequence[str], totals: Sequence[Expr], table: Mapping[str, Spelling]) -> str:
    """The text of `uniforms(lr, b1, ..., count, size, total1, ...)`, which returns a tuple."""
    uniforms = list(uniforms)

    def leaf(e: Expr) -> str | None:
        return number(e.value) if e.op == "const" else e.name if e.op == "scalar" else _total(e, totals) if e.op == "total" else None

    names = Names(leaf, table)
    for e in shared(uniforms, lambda e: not e.varying):
        if e.op != "total":
            names.assign(f"t{len(names.lines) + 1}", e)
    arguments = [*scalars, "count", "size", *(_total(t, totals) for t in totals)]
    result = "".join(f"{names.spell(u)}, " for u in uniforms)
    return "\n    ".join([f"def uniforms({', '.join(arguments)}):", *names.lines, f"return ({result})"]) + "\n"


def loop(name: str, variant: Variant, scalars: Sequence[str], state: Sequence[str]) -> str:
    """The step as a plain Python function over lists: what the fused kernel does, one element after the other."""
    totals = variant.totals

    def leaf(e: Expr) -> str | None:
        if e.op == "const":
            return number(e.value)
        return e.name if e.op == "scalar" else f"{e.name}[i]" if e.op == "load" else _total(e, totals) if e.op == "total" else None

    names = Names(leaf, READABLE)
    out = [f"def {name}({', '.join(['param', 'grad', *state])}, *, {''.join(s + ', ' for s in scalars)}count):"]
    if any(e is scalar("size") for e in walk(variant.outputs.values())):
        out.append("    size = len(param)")
    constants = 0
    for p in variant.passes:
        for u in p.uniforms:
            if u.args and u.op != "total" and id(u) not in names.given:
                constants += 1
                names.assign(f"c{constants}", u)
        out.extend(f"    {line}" for line in names.lines)
        names.lines.clear()
        out.extend(f"    {_total(s, totals)} = 0.0  # summed over the {s.data}" for s in p.sums)
        out.append("    for i in range(len(param)):")
        outside = dict(names.given)
        stored = {id(e): f"new_{b}" for b, e in p.stores}
        for e in [*shared(p.roots, lambda e: e.varying), *(e for _, e in p.stores)]:
            if e.args and id(e) not in names.given:
                names.assign(stored.get(id(e), f"t{len(names.lines) + 1}"), e)
        names.lines += [f"{_total(s, totals)} += {names.spell(s.args[0])}" for s in p.sums]
        names.lines += (
            [f"{', '.join(f'{b}[i]' for b, _ in p.stores)} = {', '.join(names.spell(e) for _, e in p.stores)}"] if p.stores else []
        )
        out.extend(f"        {line}" for line in names.lines)
        names.lines.clear()
        names.given = outside
    return "\n".join(out) + "\n"
