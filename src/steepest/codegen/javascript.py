"""JavaScript: a step as a function over arrays of float64, for a browser or Node. Every operation is the rule's own.

    const one = {param: new Float64Array([1, 2]), grad: new Float64Array(2), mu: new Float64Array(2)};
    lion([one], {b1: 0.9, b2: 0.99, weight_decay: 0, lr: 1e-4}, 1);    // changes param and mu in place

What is one number a step is computed once a step, what is one number a tensor once a tensor, both before the elements.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import count

from steepest.codegen.infix import Namer, Names, Spelling, left, shared, text
from steepest.codegen.python import number as python_number
from steepest.expr import Expr, scalar, walk
from steepest.op_table import Per
from steepest.plan import Pass, Plan, Variant

TABLE: Mapping[str, Spelling] = {
    "add": left("{} + {}", 40),
    "sub": left("{} - {}", 40),
    "mul": left("{} * {}", 50),
    "div": left("{} / {}", 50),
    "mod": Spelling("mod({}, {})"),
    "neg": Spelling("-{}", 60, (61,)),
    "pow": Spelling("pow({}, {})"),
    "lt": Spelling("{} < {}", 30, (31, 31)),
    "le": Spelling("{} <= {}", 30, (31, 31)),
    "eq": Spelling("{} === {}", 25, (31, 31)),
    "abs": Spelling("Math.abs({})"),
    "sign": Spelling("Math.sign({})"),
    "sqrt": Spelling("Math.sqrt({})"),
    "minimum": Spelling("Math.min({}, {})"),
    "maximum": Spelling("Math.max({}, {})"),
    "not": Spelling("!{}", 60, (60,)),
    "and": left("{} && {}", 15),
    "or": left("{} || {}", 10),
    "where": Spelling("{} ? {} : {}", 5, (6, 6, 6)),
}

#: Where the language's own operator is another function than Python's: the sign of a remainder, powers of one.
HELPERS: Mapping[str, str] = {
    "mod": "const mod = (a, b) => { const r = a % b; return r !== 0 && r < 0 !== b < 0 ? r + b : r; };\n",
    "pow": "const pow = (a, b) => a === 1 || (a === -1 && Math.abs(b) === Infinity) ? 1 : a ** b;\n",
}

_WORDS = """
arguments await break case catch class const continue debugger default delete do else enum eval export extends false finally for
function if implements import in instanceof interface let new null package private protected public return static super switch
this throw true try typeof undefined var void while with yield Math NaN Infinity Float64Array tensors mod pow count size
"""
_TAKEN = frozenset(_WORDS.split())


def number(x: float) -> str:
    """A constant as one would type it."""
    if x != x or abs(x) == float("inf"):
        return {"nan": "NaN", "inf": "Infinity"}.get(str(x), "-Infinity")
    return "-0" if x == 0 and str(x) == "-0.0" else python_number(x)


def module(name: str, plan: Plan) -> str:
    """The function of a plan with the helpers that it calls."""
    printed = function(name, plan)
    return "".join(helper for called, helper in HELPERS.items() if f"{called}(" in printed) + printed


def function(name: str, plan: Plan) -> str:
    """One step of a plan, whichever variant it takes, on a list of tensors: objects with an array for each buffer."""
    return "\n".join(_Function(name, plan).lines()) + "\n"


class _Function:
    def __init__(self, name: str, plan: Plan) -> None:
        self.name, self.plan = name, plan
        self.taken = {*_TAKEN, name}
        self.scalars = {s: self.fresh(s) for s in plan.scalars}
        loaded = [b for v in plan.variants.values() for p in v.written for b in p.buffers]
        self.arrays = {b: self.fresh(b) for b in dict.fromkeys([*plan.buffers, *loaded])}
        self.i, self.k = self.fresh("i"), self.fresh("k")

    def fresh(self, name: str) -> str:
        """The name, or one like it that nothing else has."""
        while name in self.taken:
            name += "_"
        self.taken.add(name)
        return name

    def lines(self) -> Iterator[str]:
        fields = ", ".join(s if s == own else f"{s}: {own}" for s, own in self.scalars.items())
        yield f"function {self.name}(tensors, {{{fields}}}, count) {{"
        leaf = _leaf(self, {})
        tests = [text(t, leaf, TABLE) if t.args else leaf(t) for t in self.plan.tests]
        ways = sorted(self.plan.variants.items(), key=lambda way: way[1] is self.plan.ordinary())
        for j, (truth, variant) in enumerate(ways):
            if tests:
                signs = [t if so else f"!({t})" for t, so in zip(tests, truth, strict=True)]
                when = signs[0] if len(signs) == 1 else " && ".join(f"({sign})" for sign in signs)
                yield f"  {'} else ' * (j > 0)}{'{' if j == len(ways) - 1 else f'if ({when}) {{'}"
            yield from _indented(_Body(self, variant).lines(), 2 if tests else 1)
        yield from ["  }"] * bool(tests)
        yield "}"


def _leaf(f: _Function, totals: Mapping[int, str]) -> Namer:
    def leaf(e: Expr) -> str | None:
        match e.op:
            case "const":
                return number(e.value)
            case "scalar":
                return f.scalars.get(e.name, e.name)
            case "load":
                return f"{f.arrays[e.name]}[{f.i}]"
            case "total":
                return totals[id(e)]
            case _:
                return None

    return leaf


class _Body:
    """One variant: its passes, with the names given so far."""

    def __init__(self, f: _Function, variant: Variant) -> None:
        self.f, self.passes, self.taken = f, variant.written, set(f.taken)
        self.totals: dict[int, str] = {}
        self.names = Names(_leaf(f, self.totals), TABLE)

    def lines(self) -> Iterator[str]:
        for p in self.passes:
            yield from self.sweep(p)

    def sweep(self, p: Pass) -> Iterator[str]:
        named = [e for e in [*shared(p.uniforms, lambda e: not e.varying), *p.uniforms] if e.args and e.op != "total"]
        yield from self.uniform(e for e in named if e.per is Per.STEP)
        for s in p.sums:
            name = self.numbered("total")
            over_model = s.data == "model"
            yield f"let {name} = 0;" if over_model else f"const {name} = new Float64Array(tensors.length);"
            self.totals[id(s)] = name if over_model else f"{name}[{self.f.k}]"
        outside = dict(self.names.given)
        sized = any(e is scalar("size") for e in walk([*p.uniforms, *p.roots]))
        tensors = [t for t in walk([*p.uniforms, *p.sums]) if t.op == "total" and t.data == "tensor"]
        arrays = ", ".join(b if b == own else f"{b}: {own}" for b, own in ((b, self.f.arrays[b]) for b in p.buffers))
        first = self.f.arrays[p.buffers[0]]
        yield f"for (const [{self.f.k}, {{{arrays}}}] of tensors.entries()) {{" if tensors else f"for (const {{{arrays}}} of tensors) {{"
        yield from [f"  const size = {first}.length;"] * sized
        yield from _indented(self.uniform(e for e in named if e.per is Per.TENSOR), 1)
        yield f"  for (let {self.f.i} = 0; {self.f.i} < {first}.length; {self.f.i}++) {{"
        yield from _indented(self.element(p), 2)
        yield "  }"
        yield "}"
        self.names.given = outside

    def element(self, p: Pass) -> Iterator[str]:
        stored = {id(e): b for b, e in reversed(p.stores)}
        values = [*shared(p.roots, lambda e: e.varying), *(e for _, e in p.stores)]
        for e in values:
            if (e.args or id(e) in stored) and id(e) not in self.names.given:
                yield self.constant(self.fresh(f"new_{stored[id(e)]}") if id(e) in stored else self.numbered("t"), e)
        yield from (f"{self.totals[id(s)]} += {self.names.spell(s.args[0])};" for s in p.sums)
        yield from (f"{self.f.arrays[b]}[{self.f.i}] = {self.names.spell(e)};" for b, e in p.stores)

    def uniform(self, values: Iterable[Expr]) -> Iterator[str]:
        return (self.constant(self.numbered("c"), e) for e in values if id(e) not in self.names.given)

    def constant(self, name: str, e: Expr) -> str:
        self.names.assign(name, e)
        return f"const {self.names.lines.pop()};"

    def fresh(self, name: str) -> str:
        while name in self.taken:
            name += "_"
        self.taken.add(name)
        return name

    def numbered(self, prefix: str) -> str:
        return next(self.fresh(name) for n in count(1) if (name := f"{prefix}{n}") not in self.taken)


def _indented(lines: Iterable[str], depth: int) -> Iterator[str]:
    return (f"{'  ' * depth}{line}" for line in lines)
