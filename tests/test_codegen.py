"""The printed forms: the loop runs and agrees, the formulas balance, the kernels name what they move."""

import math
import re

import numpy as np
import pytest

import steepest
from steepest import Transform, show
from steepest.codegen import latex, python
from steepest.execute import host
from steepest.plan import plan
from tests.checks import assert_close, by_rule, initial, scalars
from tests.inputs import tame
from tests.strategies import ALL

strategies = pytest.mark.parametrize("strategy", [s for _, s in ALL], ids=[n for n, _ in ALL])
NAMES = {"sqrt": lambda x: math.sqrt(x) if x >= 0 else math.nan, "sign": np.sign, "minimum": min, "maximum": max}


@strategies
def test_the_printed_loop_is_the_rule(strategy: Transform) -> None:
    p = plan(strategy)
    state = initial(strategy, [tame(23, "float64", 0)])
    for count in (1, 2, 6):
        grads = [tame(23, "float64", count)]
        want = by_rule(strategy, state, grads, count)
        numbers = scalars(strategy, count)
        variant = p.variants[host.truth(p, (*numbers.values(), count))]
        namespace = dict(NAMES)
        exec(python.loop("step", variant, p.scalars, list(p.slots)), namespace)
        arrays = {n: list(map(float, a[0])) for n, a in state.items()}
        namespace["step"](arrays["param"], list(map(float, grads[0])), *(arrays[s] for s in p.slots), **numbers, count=count)
        got = {n: [np.array(a)] for n, a in arrays.items()}
        assert_close(got, want, state, ["param", *(n for n, s in p.slots.items() if s.init == "param")])
        state = got


@strategies
def test_formulas_balance_and_name_everything(strategy: Transform) -> None:
    for variant in plan(strategy).variants.values():
        lines = latex.formula(variant)
        assert lines[-1].startswith(r"\theta_t = ")
        for line in lines:
            assert line.count("{") == line.count("}")
            assert line.count(r"\left") == line.count(r"\right")
            assert not re.search(r"Expr|None", line)


def test_lion_as_its_paper_has_it() -> None:
    assert latex.formula(plan(steepest.lion()).ordinary()) == [
        r"m_t = \beta_2 \, m_{t-1} + (1 - \beta_2) \, g_t",
        r"\theta_t = \theta_{t-1} - \eta \, "
        r"(\operatorname{sign}\left( \beta_1 \, m_{t-1} + (1 - \beta_1) \, g_t \right) + \lambda \, \theta_{t-1})",
    ]


@pytest.mark.parametrize("name", steepest.optimizers())
def test_every_page_and_every_code(name: str) -> None:
    page = show.page(name)
    entry = steepest.registration(name)
    assert entry.paper in page
    assert f"{plan(entry.build()).state_bytes()} bytes of state" in page
    assert "define void @steepest" in show.code(name, "llvm")
    assert f"def {name}(param, grad" in show.code(name, "python")
    assert show.code(name, "assembly").strip()


def test_known_memory() -> None:
    known = {
        "sgd": (0, 12),
        "momentum": (4, 20),
        "nesterov": (4, 20),
        "rmsprop": (4, 20),
        "adam": (8, 28),
        "adamw": (8, 28),
        "adabelief": (8, 28),
        "lion": (4, 20),
        "lookahead": (12, 28),
    }
    for name, (state, traffic) in known.items():
        p = plan(steepest.registration(name).build())
        assert (p.state_bytes(), p.ordinary().traffic()) == (state, traffic), name
