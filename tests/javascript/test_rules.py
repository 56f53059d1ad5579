"""The printed JavaScript is the rule: Node runs it for 50 steps beside the eager executor, at the kinks, to 1e-12."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest

import steepest
from steepest import AddDecayedWeights, ClipByGlobalNorm, Scale, ScaleByLearningRate, ScaleByLion, Transform, chain, show
from steepest.codegen import javascript
from steepest.plan import plan
from steepest.transforms import Cosine, Linear
from tests.checks import Array, State, by_rule, initial, scalars
from tests.inputs import hard, tame
from tests.javascript.close import close
from tests.javascript.node import RUNNER, job, node, states
from tests.strategies import ALL
from tests.test_the_tests import WRONG_RULES

STEPS = 50
LENGTHS = (1, 7, 67)
Maker = Callable[[int, str, int], Array]
MORE: list[tuple[str, Transform]] = [
    ("linear schedule", chain(ScaleByLion(), AddDecayedWeights(Linear(0.1, 40, warmup=5)), ScaleByLearningRate(Cosine(0.1, 45, warmup=9)))),
    ("uphill", chain(ClipByGlobalNorm(2.0), Scale(-0.5))),
]
CASES = [(name, strategy) for name, strategy in [*ALL, *MORE]]


def gradients(make: Maker, seed: int = 1) -> list[list[Array]]:
    return [[make(n, "float64", seed + count) for n in LENGTHS] for count in range(STEPS)]


def by_rules(strategy: Transform, state: State, grads: Sequence[Sequence[Array]]) -> list[State]:
    found = [state]
    for count, given in enumerate(grads, 1):
        found.append(by_rule(strategy, found[-1], given, count))
    return found


def asked(strategy: Transform, make: Maker, change: Callable[[str], str] = str) -> Any:
    state = initial(strategy, [make(n, "float64", 0) for n in LENGTHS])
    numbers = [scalars(strategy, count) for count in range(1, STEPS + 1)]
    return job(change(javascript.module("step", plan(strategy))), state, gradients(make), numbers)


def agree(strategy: Transform, answer: Any, make: Maker) -> None:
    """Every state of every step, within 1e-12 of the numbers that the rule worked with; nan where nan is due."""
    want = by_rules(strategy, initial(strategy, [make(n, "float64", 0) for n in LENGTHS]), gradients(make))
    follow = ("param", *(n for n, s in plan(strategy).slots.items() if s.init == "param"))
    for count, (got, before, after) in enumerate(zip(states(answer), want, want[1:], strict=False), 1):
        close(got, before, after, follow, f"step {count}")


@pytest.fixture(scope="module")
def answers() -> Mapping[tuple[int, str], Any]:
    """All of them by one process."""
    keys = [(i, make) for i in range(len(CASES)) for make in (hard, tame)]
    found = node(RUNNER, [asked(CASES[i][1], make) for i, make in keys])
    return {(i, make.__name__): one for (i, make), one in zip(keys, found, strict=True)}


@pytest.mark.parametrize("make", [hard, tame])
@pytest.mark.parametrize("i", range(len(CASES)), ids=[name for name, _ in CASES])
def test_fifty_steps_are_the_rule_s(answers: Mapping[tuple[int, str], Any], i: int, make: Maker) -> None:
    agree(CASES[i][1], answers[i, make.__name__], make)


def test_without_a_sum_or_a_power_the_bits_agree() -> None:
    strategy = chain(ScaleByLion(), AddDecayedWeights(0.1), ScaleByLearningRate(0.1))
    got = states(node(RUNNER, [asked(strategy, hard)])[0])[-1]
    want = by_rules(strategy, initial(strategy, [hard(n, "float64", 0) for n in LENGTHS]), gradients(hard))[-1]
    for name in want:
        for g, w in zip(got[name], want[name], strict=True):
            np.testing.assert_array_equal(g, w)


# -- what must be rejected ---------------------------------------------------------------------------


@pytest.mark.parametrize(("right", "wrong"), WRONG_RULES, ids=[repr(w)[:60] for _, w in WRONG_RULES])
def test_a_wrong_rule_is_rejected(right: Transform, wrong: Transform) -> None:
    [answer] = node(RUNNER, [asked(right, hard)])
    agree(right, answer, hard)
    with pytest.raises(AssertionError):
        agree(wrong, answer, hard)


WRONG_TEXTS: dict[str, tuple[Transform, Callable[[str], str]]] = {
    "a comparison turned round": (dict(ALL)["cautious lion"], lambda t: t.replace("0 < ", "0 <= ")),
    "the sign of zero is one": (dict(ALL)["lion()"], lambda t: t.replace("Math.sign(", "(x => x < 0 ? -1 : 1)(")),
    "a nan is lost": (dict(ALL)["lion()"], lambda t: t.replace("Math.sign(", "(x => x > 0 ? 1 : x < 0 ? -1 : 0)(")),
    "the smaller for the larger": (dict(ALL)["adam(amsgrad=True)"], lambda t: t.replace("Math.max", "Math.min")),
    "a maximum that forgets nan": (dict(ALL)["adam(amsgrad=True)"], lambda t: t.replace("Math.max(", "((a, b) => b > a ? b : a)(")),
    "the count one late": (dict(ALL)["adam()"], lambda t: t.replace("pow(b1, count)", "pow(b1, count + 1)")),
    "bias forgotten": (dict(ALL)["adamw()"], lambda t: t.replace(" / c3", "")),
    "slow weights every step": (dict(ALL)["lookahead()"], lambda t: t.replace("=== 0", "=== mod(count, 5)")),
    "slow weights never": (dict(ALL)["lookahead()"], lambda t: t.replace("=== 0", "=== 7")),
    "state overwritten too early": (dict(ALL)["lion()"], lambda t: t.replace("const new_mu =", "const new_mu = mu[i] =")),
    "one tensor for the model": (dict(ALL)["clipped belief"], lambda t: t.replace("of tensors)", "of tensors.slice(0, 1))", 1)),
    "a sum over the model for one over the tensor": (dict(ALL)["lamb"], lambda t: t.replace("[k]", "[0]")),
    "the size forgotten": (dict(ALL)["cautious lion"], lambda t: t.replace(" / size", "")),
    "rectified from the start": (dict(ALL)["adabelief()"], lambda t: t.replace("!(5 <=", "!(-5 <=")),
}


@pytest.mark.parametrize("slip", WRONG_TEXTS)
def test_a_wrong_text_is_rejected(slip: str) -> None:
    strategy, change = WRONG_TEXTS[slip]

    def changed(text: str) -> str:
        new = change(text)
        assert new != text, "the slip is nowhere in this text"
        return new

    makers = (hard, tame)
    rejected = 0
    for make, answer in zip(makers, node(RUNNER, [asked(strategy, make, changed) for make in makers]), strict=True):
        try:
            agree(strategy, answer, make)
        except AssertionError:
            rejected += 1
    assert rejected


# -- the language ------------------------------------------------------------------------------------


def test_remainders_and_powers_are_python_s() -> None:
    values = [-7.5, -3.0, -1.0, -0.5, 0.5, 1.0, 2.0, 3.0, 7.5]
    powers = [(a, b) for a in [0.5, 0.9, 0.999, 1.0, 2.0] for b in [0.0, 1.0, 2.0, 3.0, 50.0, 1e3, float("inf"), float("nan")]]
    pairs = [(a, b) for a in values for b in values]
    script = (
        "".join(javascript.HELPERS.values())
        + """
        const jobs = JSON.parse(require("fs").readFileSync(0, "utf8").replace(/NaN/g, "null").replace(/Infinity/g, "1e999"));
        const said = x => Number.isNaN(x) ? "nan" : x === Infinity ? "inf" : x;
        const raised = jobs[1].map(([a, b]) => said(pow(a, b === null ? NaN : b)));
        process.stdout.write(JSON.stringify([jobs[0].map(p => said(mod(...p))), raised]));
    """
    )
    remainders, raised = node(script, [pairs, powers])
    assert remainders == [a % b for a, b in pairs]
    np.testing.assert_allclose([float(x) for x in raised], [a**b for a, b in powers], rtol=1e-15)


@pytest.mark.parametrize(("x", "written"), [(-0.0, "-0"), (float("nan"), "NaN"), (float("-inf"), "-Infinity"), (1e-8, "1e-08"), (2.0, "2")])
def test_constants(x: float, written: str) -> None:
    assert javascript.number(x) == written


def test_names_that_javascript_keeps_for_itself() -> None:
    class Reserved(Transform):
        default: float = 0.5
        k: float = 0.25
        c1: float = 2.0
        new_trace: float = 3.0

        trace = steepest.Slot()

        def update(self, u: Any, at: Any, trace: Any) -> steepest.Step:
            trace = self.default * trace + (1 - self.c1) * u * self.new_trace
            return steepest.Step(trace * steepest.norm(u) * self.k, trace=trace)

    Reserved.__module__, Reserved.__qualname__ = __name__, "Reserved"
    strategy = chain(Reserved(), ScaleByLearningRate(0.1))
    [answer] = node(RUNNER, [asked(strategy, tame)])
    agree(strategy, answer, tame)


@pytest.mark.parametrize("name", steepest.optimizers())
def test_show_prints_it(name: str) -> None:
    text = show.code(name, "javascript")
    assert f"function {name}(tensors, {{" in text
