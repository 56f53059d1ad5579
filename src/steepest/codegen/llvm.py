"""LLVM IR: one function per pass, printed as text for llvmlite to compile.

    void @steepest(ptr %job)

Every thread that joins in calls it with the same job. It takes chunks off a shared counter until none is
left; a chunk is a stretch of one tensor. Explicit vectors of 16 numbers (LLVM splits them as the machine
needs), the last few elements of a chunk under a mask, arithmetic without any reordering: the result of an
element depends on its inputs alone, whatever the chunk, the thread or the machine's vector width.
"""

import struct
from collections.abc import Iterable, Sequence

from steepest.expr import Expr
from steepest.formats import Format
from steepest.op_table import OPS
from steepest.plan import Pass

WIDTH = 16

#: The job: what a worker is handed. `execute.tables` fills it in, in this order, eight bytes each.
JOB = ("next_chunk", "chunks", "chunk_table", "pointers", "rows", "uniforms", "partials")

_TEMPLATE = """\
; {title}
; loads {loads}; stores {stores}; sums {sums}
; uniforms: {uniforms}

define void @steepest(ptr noalias %job) #0 {{
entry:
{fields}
  br label %next

next:                                             ; one chunk after the other
  %c = atomicrmw add ptr %job, i64 1 monotonic
  %more = icmp slt i64 %c, %chunks
  br i1 %more, label %chunk, label %done

chunk:                                            ; (tensor, start, length)
  %c3 = mul i64 %c, 3
  %at.tensor = getelementptr i64, ptr %chunk_table, i64 %c3
  %tensor = load i64, ptr %at.tensor
  %at.start = getelementptr i64, ptr %at.tensor, i64 1
  %start = load i64, ptr %at.start
  %at.length = getelementptr i64, ptr %at.tensor, i64 2
  %length = load i64, ptr %at.length
  %at.row = getelementptr i64, ptr %rows, i64 %tensor
  %row = load i64, ptr %at.row
  %row.first = mul i64 %row, {n_uniforms}
  %pointer.first = mul i64 %tensor, {n_buffers}
{pointers}
{splats}
  %whole = and i64 %length, {mask}
  br label %head

head:
  %i = phi i64 [ 0, %chunk ], [ %i.next, %full ]
{phis}  %full.more = icmp slt i64 %i, %whole
  br i1 %full.more, label %full, label %rest

full:                                             ; {width} elements
{full}
  %i.next = add i64 %i, {width}
  br label %head

rest:
  %left = sub i64 %length, %whole
  %any = icmp ne i64 %left, 0
  br i1 %any, label %tail, label %finish

tail:                                             ; the last ones, under a mask
  %left.1 = insertelement <{width} x i64> poison, i64 %left, i64 0
  %left.v = shufflevector <{width} x i64> %left.1, <{width} x i64> poison, <{width} x i32> zeroinitializer
  %mask = icmp slt <{width} x i64> <{lanes}>, %left.v
{tail}
  br label %finish

finish:
{finish}  br label %next

done:
  ret void
}}

{declarations}
attributes #0 = {{ nounwind }}
"""


def kernel(p: Pass, buffers: Sequence[tuple[str, Format]], compute: Format, title: str = "a pass") -> str:
    """The module that performs `p`, computing in `compute`. `buffers` are the columns of the pointer table."""
    return _Kernel(p, buffers, compute).module(title)


class _Kernel:
    def __init__(self, p: Pass, buffers: Sequence[tuple[str, Format]], compute: Format) -> None:
        self.p, self.formats = p, dict(buffers)
        self.columns = {name: i for i, (name, _) in enumerate(buffers)}
        self.real = compute.llvm
        self.vector = f"<{WIDTH} x {self.real}>"
        self.test = f"<{WIDTH} x i1>"
        self.number = {id(e): i for i, e in enumerate(p.elements)}
        self.declarations: dict[str, None] = {}

    def module(self, title: str) -> str:
        p = self.p
        sums = range(len(p.sums))
        return _TEMPLATE.format(
            title=title,
            loads=", ".join(p.loads) or "nothing",
            stores=", ".join(b for b, _ in p.stores) or "nothing",
            sums=", ".join(f"over {s.data}: {s.args[0]!r}" for s in p.sums) or "nothing",
            uniforms="; ".join(f"u{i} = {u!r}" for i, u in enumerate(p.uniforms)) or "none",
            fields=_lines(self.fields()),
            n_uniforms=len(p.uniforms),
            n_buffers=len(self.columns),
            pointers=_lines(self.pointers()),
            splats=_lines(self.splats()),
            mask=-WIDTH,
            width=WIDTH,
            lanes=", ".join(f"i64 {i}" for i in range(WIDTH)),
            phis=_block(f"%sum{i} = phi <8 x double> [ zeroinitializer, %chunk ], [ %sum{i}.f, %full ]" for i in sums),
            full=_lines(self.body("f", "%i")),
            tail=_lines(self.body("t", "%whole")),
            finish=_block(self.finish()),
            declarations="\n".join(self.declarations),
        )

    def fields(self) -> Iterable[str]:
        for i, name in enumerate(JOB[1:], 1):
            type_ = "i64" if name == "chunks" else "ptr"
            yield f"%job.{name} = getelementptr i64, ptr %job, i64 {i}"
            yield f"%{name} = load {type_}, ptr %job.{name}"

    def pointers(self) -> Iterable[str]:
        for b in self.p.buffers:
            yield f"%p.{b}.i = add i64 %pointer.first, {self.columns[b]}"
            yield f"%p.{b}.at = getelementptr ptr, ptr %pointers, i64 %p.{b}.i"
            yield f"%p.{b}.0 = load ptr, ptr %p.{b}.at"
            yield f"%p.{b} = getelementptr {self.formats[b].llvm}, ptr %p.{b}.0, i64 %start"

    def splats(self) -> Iterable[str]:
        """Uniforms arrive in float64 and are rounded once, here."""
        for i, u in enumerate(self.p.uniforms):
            yield f"%u{i}.i = add i64 %row.first, {i}"
            yield f"%u{i}.at = getelementptr double, ptr %uniforms, i64 %u{i}.i"
            yield f"%u{i}.d = load double, ptr %u{i}.at"
            if OPS[u.op].gives is bool:
                yield f"%u{i}.s = fcmp une double %u{i}.d, 0.0"
                yield from self.splat(f"%u{i}", f"%u{i}.s", "i1")
            elif self.real == "double":
                yield from self.splat(f"%u{i}", f"%u{i}.d", "double")
            else:
                yield f"%u{i}.s = fptrunc double %u{i}.d to {self.real}"
                yield from self.splat(f"%u{i}", f"%u{i}.s", self.real)

    def splat(self, name: str, scalar: str, type_: str) -> Iterable[str]:
        v = f"<{WIDTH} x {type_}>"
        yield f"{name}.1 = insertelement {v} poison, {type_} {scalar}, i64 0"
        yield f"{name} = shufflevector {v} {name}.1, {v} poison, <{WIDTH} x i32> zeroinitializer"

    # -- the elements ----------------------------------------------------------------------------

    def body(self, tag: str, offset: str) -> Iterable[str]:
        """Load, compute, then store or sum: `tag` f for a full vector, t for the masked tail."""
        for b in self.p.buffers:
            yield f"%a.{b}.{tag} = getelementptr {self.formats[b].llvm}, ptr %p.{b}, i64 {offset}"
        for e in self.p.elements:
            yield from self.operation(e, tag)
        for b, e in self.p.stores:
            yield from self.store(b, self.operand(e, tag), tag)
        for i, s in enumerate(self.p.sums):
            yield from self.accumulate(i, self.operand(s.args[0], tag), tag)

    def operand(self, e: Expr, tag: str) -> str:
        if e.varying:
            return f"%v{self.number[id(e)]}.{tag}"
        if e.op == "const":
            return self.splatted(e.value)
        return f"%u{[u is e for u in self.p.uniforms].index(True)}"

    def constant(self, x: float) -> str:
        if self.real != "double":  # LLVM wants a float's constant as a double that is exactly representable
            x = struct.unpack("f", struct.pack("f", x))[0]
        return "0x" + struct.pack(">d", x).hex().upper()

    def operation(self, e: Expr, tag: str) -> Iterable[str]:
        name, v = f"%v{self.number[id(e)]}.{tag}", self.vector
        a = [self.operand(x, tag) for x in e.args]
        match e.op:
            case "load":
                yield from self.load(e.name, name, tag)
            case "add" | "sub" | "mul" | "div":
                yield f"{name} = f{e.op} {v} {a[0]}, {a[1]}"
            case "neg":
                yield f"{name} = fneg {v} {a[0]}"
            case "abs" | "sqrt":
                yield self.call(name, {"abs": "fabs", "sqrt": "sqrt"}[e.op], a)
            case "minimum" | "maximum":
                yield self.call(name, e.op, a)
            case "sign":  # a nan or a zero stays what it is
                one, zero = self.splatted(1.0), "zeroinitializer"
                yield f"{name}.p = fcmp ogt {v} {a[0]}, {zero}"
                yield f"{name}.n = fcmp olt {v} {a[0]}, {zero}"
                yield f"{name}.m = select {self.test} {name}.n, {v} {self.splatted(-1.0)}, {v} {a[0]}"
                yield f"{name} = select {self.test} {name}.p, {v} {one}, {v} {name}.m"
            case "lt" | "le" | "eq":
                yield f"{name} = fcmp o{e.op} {v} {a[0]}, {a[1]}"
            case "and" | "or":
                yield f"{name} = {e.op} {self.test} {a[0]}, {a[1]}"
            case "not":
                yield f"{name} = xor {self.test} {a[0]}, splat (i1 true)"
            case "where":
                yield f"{name} = select {self.test} {a[0]}, {v} {a[1]}, {v} {a[2]}"
            case _:
                raise AssertionError(f"{e.op} cannot vary")

    def splatted(self, x: float) -> str:
        return f"splat ({self.real} {self.constant(x)})"

    def call(self, name: str, intrinsic: str, args: list[str]) -> str:
        suffix = f"v{WIDTH}f{64 if self.real == 'double' else 32}"
        self.declarations[f"declare {self.vector} @llvm.{intrinsic}.{suffix}({', '.join([self.vector] * len(args))})"] = None
        return f"{name} = call {self.vector} @llvm.{intrinsic}.{suffix}({', '.join(f'{self.vector} {a}' for a in args)})"

    def load(self, buffer: str, name: str, tag: str) -> Iterable[str]:
        stored = self.formats[buffer]
        v = f"<{WIDTH} x {stored.llvm}>"
        if tag == "f":
            yield f"{name} = load {v}, ptr %a.{buffer}.f, align {stored.bytes}"
        else:
            self.declarations[f"declare {v} @llvm.masked.load.v{WIDTH}f{8 * stored.bytes}.p0(ptr, {self.test}, {v})"] = None
            yield (
                f"{name} = call {v} @llvm.masked.load.v{WIDTH}f{8 * stored.bytes}.p0"
                f"(ptr align {stored.bytes} %a.{buffer}.t, {self.test} %mask, {v} zeroinitializer)"
            )

    def store(self, buffer: str, value: str, tag: str) -> Iterable[str]:
        stored = self.formats[buffer]
        v = f"<{WIDTH} x {stored.llvm}>"
        if tag == "f":
            yield f"store {v} {value}, ptr %a.{buffer}.f, align {stored.bytes}"
        else:
            self.declarations[f"declare void @llvm.masked.store.v{WIDTH}f{8 * stored.bytes}.p0({v}, ptr, {self.test})"] = None
            name = f"@llvm.masked.store.v{WIDTH}f{8 * stored.bytes}.p0"
            yield f"call void {name}({v} {value}, ptr align {stored.bytes} %a.{buffer}.t, {self.test} %mask)"

    # -- sums: float64, lane by lane, lanes added in a fixed order ---------------------------------

    def accumulate(self, i: int, value: str, tag: str) -> Iterable[str]:
        wide = f"<{WIDTH} x double>"
        n = f"%s{i}.{tag}"
        if tag == "t":  # what lies past the end adds nothing
            yield f"{n}.m = select {self.test} %mask, {self.vector} {value}, {self.vector} zeroinitializer"
            value = f"{n}.m"
        if self.real == "double":
            source = value
        else:
            yield f"{n}.d = fpext {self.vector} {value} to {wide}"
            source = f"{n}.d"
        low, high = (", ".join(f"i32 {j}" for j in range(k, k + 8)) for k in (0, 8))
        yield f"{n}.a = shufflevector {wide} {source}, {wide} poison, <8 x i32> <{low}>"
        yield f"{n}.b = shufflevector {wide} {source}, {wide} poison, <8 x i32> <{high}>"
        yield f"{n}.ab = fadd <8 x double> {n}.a, {n}.b"
        yield f"%sum{i}.{tag} = fadd <8 x double> %sum{i}, {n}.ab"

    def finish(self) -> Iterable[str]:
        for i in range(len(self.p.sums)):
            self.declarations["declare double @llvm.vector.reduce.fadd.v8f64(double, <8 x double>)"] = None
            yield f"%sum{i}.last = phi <8 x double> [ %sum{i}, %rest ], [ %sum{i}.t, %tail ]"
        if self.p.sums:
            yield f"%partial.first = mul i64 %c, {len(self.p.sums)}"
        for i in range(len(self.p.sums)):
            # without the flag `reassoc` the lanes are added one after the other
            yield f"%sum{i}.1 = call double @llvm.vector.reduce.fadd.v8f64(double 0.0, <8 x double> %sum{i}.last)"
            yield f"%partial{i}.i = add i64 %partial.first, {i}"
            yield f"%partial{i}.at = getelementptr double, ptr %partials, i64 %partial{i}.i"
            yield f"store double %sum{i}.1, ptr %partial{i}.at"


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(f"  {line}" for line in lines)


def _block(lines: Iterable[str]) -> str:
    return "".join(f"  {line}\n" for line in lines)
