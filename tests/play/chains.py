"""Chains put together at random: as strategies of Python, and as the nodes that the page holds."""

import random
from collections.abc import Sequence
from typing import Any

import steepest
from steepest import Transform, chain
from steepest.play.presets import described

LINKS = described()


def value(spec: dict[str, Any], rng: random.Random) -> Any:
    """Somewhere on a slider."""
    match spec["scale"]:
        case "switch":
            return rng.random() < 0.5
        case "whole":
            return rng.randint(spec["low"], spec["high"])
        case "log":
            if spec["zero"] and rng.random() < 0.1:
                return 0.0
            return spec["low"] * (spec["high"] / spec["low"]) ** rng.random()
        case "decay":
            return rng.choice([0.09 if "first" in spec else 0.0, 0.5, 0.9, 0.99, 0.999, 0.9999, rng.random()])
        case _:
            return rng.uniform(spec["low"], spec["high"])


def fields(link: str, rng: random.Random) -> dict[str, Any]:
    """Half of them at their default."""
    return {n: s["default"] if rng.random() < 0.5 else value(s, rng) for n, s in LINKS[link]["fields"].items()}


def nodes(rng: random.Random, deep: int = 2) -> list[dict[str, Any]]:
    """One to six links in any order, now and then Lookahead around some of them."""
    made = []
    for _ in range(rng.randint(1, 6)):
        link = rng.choice(list(LINKS))
        if LINKS[link]["wraps"] and not deep:
            continue
        inner = {"inner": nodes(rng, deep - 1)} if LINKS[link]["wraps"] else {}
        made.append({"link": link, "fields": fields(link, rng), **inner})
    return made or [{"link": "ScaleByLearningRate", "fields": {"lr": 0.1}}]


def strategy(given: Sequence[dict[str, Any]]) -> Transform:
    """The same as Python has it."""
    parts = []
    for node in given:
        kind = getattr(steepest, node["link"])
        parts.append(kind(strategy(node["inner"]), **node["fields"]) if "inner" in node else kind(**node["fields"]))
    return chain(*parts)
