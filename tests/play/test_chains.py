"""A chain put together in the browser is `chain(...)` in Python: Node runs the page's own scripts beside the eager executor."""

import random
from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest

import steepest
from steepest import Transform
from steepest.plan import plan
from steepest.play.page import source
from steepest.play.presets import presets, tree
from tests.checks import by_rule, initial
from tests.inputs import hard, tame
from tests.javascript.close import close
from tests.javascript.node import node, packed, unpacked
from tests.play import chains

STEPS, LENGTHS = 12, (2, 1, 5)
RUNNER = (
    source(["runtime"])
    + """
const read = text => new Float64Array(new Uint8Array(Buffer.from(text, "base64")).buffer);
const write = array => Buffer.from(array.buffer).toString("base64");
const own = link => Object.keys(LINKS[link.node.link].slots).map(slot => link.views.map(view => write(view[slot])));
const slotsOf = links => links.flatMap(link => [...(link.inner ? slotsOf(link.inner) : []), ...own(link)]);
const jobs = JSON.parse(require("fs").readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(jobs.map(({nodes, params, grads}) => {
  const tensors = params.map(p => ({param: read(p), grad: new Float64Array(read(p).length)}));
  const whole = strategy(nodes, tensors);
  return grads.map(row => {
    tensors.forEach((t, k) => t.grad.set(read(row[k])));
    step(whole);
    return [tensors.map(t => write(t.param)), ...slotsOf(whole.links)];
  });
})));
"""
)
MANY = 100


def random_nodes(i: int) -> list[dict[str, Any]]:
    return chains.nodes(random.Random(i))


def maker(i: int) -> Any:
    return hard if i % 3 == 0 else tame


@cache
def gradients(make: Any) -> list[list[Any]]:
    return [[make(n, "float64", count) for n in LENGTHS] for count in range(1, STEPS + 1)]


def job(nodes: Any, i: int) -> Any:
    grads = [[packed(g) for g in row] for row in gradients(maker(i))]
    return {"nodes": nodes, "params": [packed(tame(n, "float64", 0)) for n in LENGTHS], "grads": grads}


def agree(strategy: Transform, answer: Any, i: int) -> None:
    state = initial(strategy, [tame(n, "float64", 0) for n in LENGTHS])
    names = ["param", *plan(strategy).slots]
    follow = ("param", *(n for n, s in plan(strategy).slots.items() if s.init == "param"))
    for count, row in enumerate(answer, 1):
        after = by_rule(strategy, state, gradients(maker(i))[count - 1], count)
        got = {name: [unpacked(a) for a in arrays] for name, arrays in zip(names, row, strict=True)}
        close(got, state, after, follow, f"step {count} of {strategy!r}")
        state = after


@pytest.fixture(scope="module")
def answers() -> Mapping[Any, Any]:
    """Everything by one process."""
    asked = {i: job(random_nodes(i), i) for i in range(MANY)} | {name: job(p["tree"], 1) for name, p in presets().items()}
    return dict(zip(asked, node(RUNNER, list(asked.values())), strict=True))


def test_random_chains_are_what_python_makes_of_them(answers: Mapping[Any, Any]) -> None:
    for i in range(MANY):
        agree(chains.strategy(random_nodes(i)), answers[i], i)


def test_random_chains_hold_every_link() -> None:
    def used(nodes: list[dict[str, Any]]) -> set[str]:
        return {n["link"] for n in nodes} | {x for n in nodes for x in used(n.get("inner", []))}

    assert set().union(*(used(random_nodes(i)) for i in range(MANY))) == set(chains.LINKS)


@pytest.mark.parametrize("name", steepest.optimizers())
def test_every_registered_optimizer_and_option(answers: Mapping[Any, Any], name: str) -> None:
    mine = {key: p for key, p in presets().items() if p["name"] == name}
    for key, p in mine.items():
        strategy = chains.strategy(p["tree"])
        assert tree(strategy) == p["tree"]
        agree(strategy, answers[key], 1)
    shapes = [shape(tree(strategy)) for _, strategy in steepest.registration(name).variants()]
    assert all(s in [shape(p["tree"]) for p in mine.values()] for s in shapes), "an option is missing on the page"


def shape(nodes: list[dict[str, Any]]) -> Any:
    return [(n["link"], [v for v in n["fields"].values() if isinstance(v, bool)], shape(n.get("inner", []))) for n in nodes]


# -- what must be rejected ---------------------------------------------------------------------------

STATE, INSIDE = "Object.entries(slots).map(([slot, from]) => [slot,", "if (link.inner) handOn(link.inner, count, watch);"
RULE = "link.rule(link.views, link.node.fields, count);"
SLIPS = {
    "the next link gets the gradient again": (RULE, f"for (const v of link.views) v.u.set(v.grad); {RULE}"),
    "the count begins at 0": ("strategy.count += 1;", ""),
    "the state of one tensor for all": (STATE, f"{STATE} node[slot] = node[slot] ||"),
    "switches ignored": ('node.fields[name] ? "1" : "0"', '"0"'),
    "what is inside runs after what is around it": (f"{INSIDE}\n    {RULE}", f"{RULE}\n    {INSIDE}"),
    "slow weights begin at zero": ('from === "param"', "false"),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_wrong_page_is_rejected(slip: str) -> None:
    old, new = SLIPS[slip]
    assert old in RUNNER
    some = range(12)
    answers = node(RUNNER.replace(old, new), [job(random_nodes(i), i) for i in some])

    def all_agree() -> None:
        for i, answer in zip(some, answers, strict=True):
            agree(chains.strategy(random_nodes(i)), answer, i)

    with pytest.raises(AssertionError):
        all_agree()
