r"""LaTeX: a rule as its paper would print it.

\theta_t = \theta_{t-1} - \eta \left(\operatorname{sign}(...) + \lambda \theta_{t-1}\right)
"""

from collections.abc import Mapping

from steepest.codegen.infix import Names, Spelling, left, shared
from steepest.codegen.python import number
from steepest.expr import Expr, walk
from steepest.plan import Variant

#: The papers' letters. Other names are printed as words.
LETTERS = {
    "param": r"\theta",
    "grad": "g",
    "mu": "m",
    "nu": "v",
    "nu_max": r"\hat v",
    "trace": "b",
    "slow": r"\phi",
    "b1": r"\beta_1",
    "b2": r"\beta_2",
    "eps": r"\epsilon",
    "eps_root": r"\epsilon_v",
    "lr": r"\eta",
    "weight_decay": r"\lambda",
    "momentum": r"\mu",
    "dampening": r"\tau",
    "decay": r"\rho",
    "alpha": r"\alpha",
    "count": "t",
    "size": "n",
}

TABLE: Mapping[str, Spelling] = {
    "add": left("{} + {}", 40),
    "sub": left("{} - {}", 40),
    "mul": left(r"{} \, {}", 50),
    "div": Spelling(r"\frac{{{}}}{{{}}}", 80),
    "mod": left(r"{} \bmod {}", 50),
    "neg": Spelling("-{}", 45, (50,)),
    "pow": Spelling("{}^{{{}}}", 70, (81, 0)),
    "square": Spelling("{}^2", 70, (81,)),
    "abs": Spelling(r"\left| {} \right|"),
    "sign": Spelling(r"\operatorname{{sign}}\left( {} \right)"),
    "sqrt": Spelling(r"\sqrt{{{}}}"),
    "minimum": Spelling(r"\min\left( {}, {} \right)"),
    "maximum": Spelling(r"\max\left( {}, {} \right)"),
    "lt": Spelling("{} < {}", 30, (31, 31)),
    "le": Spelling(r"{} \le {}", 30, (31, 31)),
    "eq": Spelling("{} = {}", 30, (31, 31)),
    "not": Spelling(r"\lnot {}", 25, (26,)),
    "and": left(r"{} \land {}", 20),
    "or": left(r"{} \lor {}", 15),
    "where": Spelling(r"\begin{{cases}} {1} & {0} \\ {2} & \text{{otherwise}} \end{{cases}}"),
}


def letter(name: str) -> str:
    """How a hyperparameter, an array or a counter is written."""
    base, _, ordinal = name.rpartition("_")
    if base in LETTERS and ordinal.isdigit() and name not in LETTERS:
        return f"{LETTERS[base]}^{{({ordinal})}}"
    return LETTERS.get(name) or rf"\mathrm{{{name}}}".replace("_", r"\_")


def formula(variant: Variant) -> list[str]:
    """The equations of a step, in order: what is shared, the new state, the new parameter."""

    def leaf(e: Expr) -> str | None:
        match e.op:
            case "const":
                return number(e.value)
            case "load":
                return f"{letter(e.name)}_t" if e.name == "grad" else f"{letter(e.name)}_{{t-1}}"
            case "scalar":
                return letter(e.name)
            case "total":
                over = r"\sum_{\text{model}}" if e.data == "model" else r"\sum"
                return rf"{over} \left( {names.spell(e.args[0])} \right)"
            case _:
                return None

    names = Names(leaf, TABLE)
    outputs = {name: e for name, e in variant.outputs.items() if e.args}
    given = {id(e): f"{letter(name)}_t" for name, e in outputs.items()}
    corrected = {id(e): _corrected(e, outputs) for e in walk(outputs.values())}
    wanted = {id(e) for e in shared(outputs.values(), lambda _: True)} | given.keys() | {i for i, hat in corrected.items() if hat}
    repeated = iter("abcdefhijklnopqrsw")
    for e in walk(outputs.values()):
        if id(e) in wanted and e.op != "total" and any(a.args or a.varying for a in e.args):
            names.assign(given.get(id(e)) or corrected[id(e)] or next(repeated), e)
    return [_grown(line) for line in names.lines]


def _corrected(e: Expr, outputs: Mapping[str, Expr]) -> str:
    """The letter with a hat, for a state that is divided by one number, as papers write the correction of a mean."""
    states = [letter(name) for name, state in outputs.items() if name != "param" and e.op == "div" and e.args[0] is state]
    return rf"\hat {states[0]}_t" if states and not e.args[1].varying and r"\hat" not in states[0] else ""


def _grown(line: str) -> str:
    """Brackets as tall as what they hold, where that is a fraction or a choice."""
    opened: list[int] = []
    for i, c in enumerate(line):
        if c == "(":
            opened.append(i)
        elif c == ")":
            start = opened.pop()
            inside = line[start + 1 : i]
            if not line[:start].endswith(r"\left") and (r"\frac" in inside or r"\begin" in inside):
                return _grown(rf"{line[:start]}\left( {inside} \right){line[i + 1 :]}")
    return line
