"""Triton: one kernel per pass, printed as the source that one would write by hand.

    steepest[(chunks,)](chunks, pointers, rows, uniforms, [partials,] BLOCK=..., ALIGN=...)

One program handles one chunk: a stretch of at most BLOCK elements of one tensor. Addresses come out of a table
and are cast in the kernel, so that one launch serves all tensors; numbers come out of a table of float64,
rounded once, so that a captured graph can replay the step and no value of a hyperparameter compiles again.
The first two numbers of a row are the factor that undoes a GradScaler's scale, and whether to leave the
tensor as it is. A whole chunk has no mask: only then are loads 16 bytes wide.

`rule` is what happens to one element. Everything in it follows IEEE 754 if the kernel is launched with
`enable_fp_fusion=False`: without that option Triton contracts a * b + c to one rounding.
"""

import keyword
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from steepest.codegen.infix import Names, Spelling, left, shared, text
from steepest.codegen.python import READABLE, number
from steepest.expr import Expr
from steepest.formats import Format
from steepest.op_table import OPS
from steepest.plan import Pass

BEFORE_UNIFORMS = ("unscale", "skip")
"""The first columns of the table of uniforms."""

_ANY: Mapping[str, Spelling] = {
    "add": left("{} + {}", 40),
    "sub": left("{} - {}", 40),
    "mul": left("{} * {}", 50),
    "neg": Spelling("-1.0 * {}", 50, (51,)),  # Triton's own -x is 0 - x, which loses the sign of a zero
    "abs": Spelling("tl.abs({})"),
    "sign": Spelling("sign({})"),
    "minimum": Spelling("tl.minimum({}, {}, propagate_nan=tl.PropagateNan.ALL)"),
    "maximum": Spelling("tl.maximum({}, {}, propagate_nan=tl.PropagateNan.ALL)"),
    "lt": Spelling("{} < {}", 30, (31, 31)),
    "le": Spelling("{} <= {}", 30, (31, 31)),
    "eq": Spelling("{} == {}", 30, (31, 31)),
    "not": Spelling("~{}", 60, (60,)),
    "and": left("{} & {}", 36),
    "or": left("{} | {}", 35),
    "where": Spelling("tl.where({}, {}, {})"),
}
#: In float32 Triton's `/` and `tl.sqrt` are approximations; in float64 they are IEEE's, and the others are not there.
TABLES: Mapping[str, Mapping[str, Spelling]] = {
    "float32": _ANY | {"div": Spelling("tl.div_rn({}, {})"), "sqrt": Spelling("tl.sqrt_rn({})")},
    "float64": _ANY | {"div": left("{} / {}", 50), "sqrt": Spelling("tl.sqrt({})")},
}

_CALLS = {"minimum", "maximum", "div", "sqrt", "where"}

_SIGN = '''
@triton.jit
def sign(x):
    """-1 or 1; a zero or a nan stays what it is."""
    return tl.where(x > 0, 1.0, tl.where(x < 0, -1.0, x))

'''
_TEMPLATE = '''\
"""{title}

loads {loads}; stores {stores}; sums {sums}
"""

import triton
import triton.language as tl

{helpers}
@triton.jit
def rule({arguments}):
    """One element, in {compute}."""
{rule}


@triton.jit
def steepest(chunks, pointers, rows, uniforms{partials}, BLOCK: tl.constexpr, ALIGN: tl.constexpr):
    """One chunk: (tensor, start, length)."""
    chunk = tl.program_id(0).to(tl.int64)
    tensor = tl.load(chunks + 3 * chunk)
    start = tl.multiple_of(tl.load(chunks + 3 * chunk + 1), BLOCK)
    length = tl.load(chunks + 3 * chunk + 2)
    row = uniforms + {columns} * tl.load(rows + tensor)
    unscale = tl.load(row).to(tl.{compute})
    if tl.load(row + 1) != 0:  # skip: nothing is read or written below
        length = length * 0
{uniforms}

{pointers}
    lanes = tl.max_contiguous(tl.arange(0, BLOCK), BLOCK)

    if length == BLOCK:
{whole}
    else:
        mask = lanes < length
{tail}
'''

#: The second stage of a sum: one program for each tensor and sum adds what the chunks gave, in their order.
FINISH = '''\
"""Sums of chunks to sums of tensors: no atomics, so the same bits every time."""

import triton
import triton.language as tl


@triton.jit
def finish(partials, first, sums, SUMS: tl.constexpr, LANES: tl.constexpr):
    """Sum number `program_id(1)` of tensor `program_id(0)`, whose chunks are first[tensor] .. first[tensor + 1]."""
    tensor = tl.program_id(0)
    which = tl.program_id(1)
    end = tl.load(first + tensor + 1)
    chunks = tl.load(first + tensor) + tl.arange(0, LANES)
    total = tl.zeros((LANES,), tl.float64)
    while tl.min(chunks, 0) < end:
        total += tl.load(partials + SUMS * chunks + which, mask=chunks < end, other=0.0)
        chunks += LANES
    tl.store(sums + SUMS * tensor + which, tl.sum(total, 0))
'''

_TAKEN = {
    *("tl", "triton", "rule", "sign", "steepest", "chunk", "chunks", "pointers", "rows", "uniforms", "partials"),
    *("tensor", "start", "length", "row", "lanes", "mask", "unscale", "skip", "BLOCK", "ALIGN"),
}


def _name(name: str) -> str:
    """The name of an array or a hyperparameter, out of the way of those that the kernel uses itself."""
    free = name not in _TAKEN and not keyword.iskeyword(name) and not re.fullmatch(r"[ctu]\d+|part\d+|new_.*|.*_at|_.*", name)
    return name if free else f"{name}__"


def kernel(p: Pass, buffers: Sequence[tuple[str, Format]], compute: Format, title: str = "a pass") -> str:
    """The module whose `steepest` performs `p`, computing in `compute`. `buffers` are the columns of the pointer table."""
    return _Kernel(p, buffers, compute).module(title)


class _Kernel:
    def __init__(self, p: Pass, buffers: Sequence[tuple[str, Format]], compute: Format) -> None:
        self.p, self.compute, self.formats = p, compute, dict(buffers)
        self.columns = {name: i for i, (name, _) in enumerate(buffers)}
        self.uniforms = {id(u): _name(u.name) if u.op == "scalar" else f"u{i}" for i, u in enumerate(p.uniforms)}

    def module(self, title: str) -> str:
        p = self.p
        return _TEMPLATE.format(
            title=title,
            loads=", ".join(p.loads) or "nothing",
            stores=", ".join(b for b, _ in p.stores) or "nothing",
            sums=", ".join(f"{_meaning(s.args[0])} over the {s.data}" for s in p.sums) or "nothing",
            helpers=_SIGN if any(e.op == "sign" for e in p.elements) else "",
            compute=self.compute.name,
            arguments=", ".join(self.arguments()),
            rule=_lines(self.rule(), 1),
            partials=", partials" if p.sums else "",
            columns=len(BEFORE_UNIFORMS) + len(p.uniforms),
            uniforms=_lines(self.load_uniforms(), 1),
            pointers=_lines(self.pointers(), 1),
            whole=_lines(self.body(""), 2),
            tail=_lines(self.body(", mask=mask"), 2),
        )

    def arguments(self) -> list[str]:
        return [*map(_name, self.p.loads), *self.uniforms.values()]

    def results(self) -> list[str]:
        return [*(f"new_{b}" for b, _ in self.p.stores), *(f"part{i}" for i in range(len(self.p.sums)))]

    def rule(self) -> Iterator[str]:
        """The arithmetic: what is used twice gets a name, then each result."""

        def leaf(e: Expr) -> str | None:
            if e.op == "const":
                return number(e.value)
            return _name(e.name) if e.op == "load" else self.uniforms.get(id(e))

        names = Names(leaf, TABLES[self.compute.name])
        # Beside an operator a number takes the tensor's type; in a call Triton would choose one, so it gets its type here.
        in_calls = dict.fromkeys(a for e in self.p.elements if e.op in _CALLS for a in e.args if a.op == "const")
        for i, e in enumerate(in_calls, 1):
            names.lines.append(f"c{i} = tl.full((), {number(e.value)}, tl.{self.compute.name})")
            names.given[id(e)] = f"c{i}"
        results = dict(zip(map(id, reversed(self.p.roots)), reversed(self.results()), strict=True))
        for e in shared(self.p.roots, lambda e: e.varying):
            if e.varying and id(e) not in results:
                names.assign(f"t{len(names.lines) - len(in_calls) + 1}", e)
            elif e.varying:
                names.assign(results[id(e)], e)
        for name, e in zip(self.results(), self.p.roots, strict=True):
            if names.given.get(id(e)) != name:
                names.assign(name, e)
        yield from names.lines
        yield f"return {', '.join(self.results())}"

    def load_uniforms(self) -> Iterable[str]:
        """Uniforms arrive in float64 and are rounded once, here."""
        for i, (u, name) in enumerate(zip(self.p.uniforms, self.uniforms.values(), strict=True), len(BEFORE_UNIFORMS)):
            cast = " != 0" if OPS[u.op].gives is bool else f".to(tl.{self.compute.name})"
            meaning = "" if u.op == "scalar" else f"  # {_meaning(u)}"
            yield f"{name} = tl.load(row + {i}){cast}{meaning}"

    def pointers(self) -> Iterable[str]:
        for b in self.p.buffers:
            at = f"tl.load(pointers + {len(self.columns)} * tensor + {self.columns[b]})"
            yield f"{b}_at = tl.multiple_of({at}.to(tl.pointer_type(tl.{self.formats[b].name})), ALIGN) + start"

    def body(self, mask: str) -> Iterable[str]:
        """Load, compute, then store or sum; `mask` is an argument of the loads and stores, or nothing."""
        for b in self.p.loads:
            cast = "" if self.formats[b] == self.compute else f".to(tl.{self.compute.name})"
            scaled = " * unscale" if b == "grad" else ""
            other = f"{mask}, other=0.0" if mask else ""
            yield f"{_name(b)} = tl.load({b}_at + lanes{other}){cast}{scaled}"
        yield f"{', '.join(self.results())} = rule({', '.join(self.arguments())})"
        for b, _ in self.p.stores:
            cast = "" if self.formats[b] == self.compute else f".to(tl.{self.formats[b].name})"
            yield f"tl.store({b}_at + lanes, new_{b}{cast}{mask})"
        for i in range(len(self.p.sums)):
            part = f"tl.where(mask, part{i}, 0.0)" if mask else f"part{i}"
            yield f"tl.store(partials + {len(self.p.sums)} * chunk + {i}, tl.sum({part}.to(tl.float64), 0))"


def _meaning(e: Expr) -> str:
    """An expression for a comment, cut where it grows long."""

    def leaf(e: Expr) -> str | None:
        if e.op == "total":
            return f"total({_meaning(e.args[0])})"
        return number(e.value) if e.op == "const" else e.name if e.op in ("scalar", "load") else None

    whole = leaf(e) or text(e, leaf, READABLE)
    return whole if len(whole) <= 80 else f"{whole[:77]}..."


def _lines(lines: Iterable[str], depth: int) -> str:
    return "\n".join("    " * depth + line for line in lines)
