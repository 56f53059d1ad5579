"""The registered optimizers as the page holds them: a tree of links, and where each argument of the registration goes."""

from collections.abc import Iterator, Mapping
from typing import Any

from steepest import registry
from steepest.errors import HyperparameterError
from steepest.play.links import Link, links
from steepest.play.ranges import FIRST, slider
from steepest.registry import Registration
from steepest.transform import Chain, FieldKind, Transform

Tree = list[dict[str, Any]]


def tree(strategy: Transform) -> Tree:
    """A strategy as nested data: `[{"link": "ScaleByLion", "fields": {"b1": 0.9, ...}}, ...]`."""
    if isinstance(strategy, Chain):
        return [node for link in strategy.links for node in tree(link)]
    link = Link(type(strategy))
    node: dict[str, Any] = {
        "link": link.name,
        "fields": {name: getattr(strategy, name) for name, kind in link.kind._kinds.items() if kind.kind != "part"},
    }
    return [node | ({"inner": tree(getattr(strategy, link.part))} if link.part else {})]


def described() -> dict[str, Any]:
    """Every link as the page's builder needs it."""
    return {
        name: {
            "about": link.about,
            "wraps": link.part is not None,
            "switches": link.switches,
            "slots": {slot: s.init for slot, s in link.kind._slots.items()},
            "fields": {
                field: slider(kind, FIRST.get(field) if link.default(field) is None else link.default(field))
                for field, kind in link.kind._kinds.items()
                if kind.kind != "part"
            },
            "required": [f for f, kind in link.kind._kinds.items() if kind.kind != "part" and link.default(f) is None],
        }
        for name, link in links().items()
    }


def presets() -> dict[str, Any]:
    """Every registered optimizer, and each of its options that makes another tree, by name: `rmsprop(centered)`."""
    found: dict[str, Any] = {}
    for name in registry.optimizers():
        entry = registry.registration(name)
        seen: list[Any] = []
        for options in ({}, *entry.options):
            chosen = _needed(entry, options)
            shape = _shape(tree(entry.build(**chosen)))
            if shape not in seen:
                seen.append(shape)
                said = ", ".join(k if v is True or not isinstance(v, bool) else f"{k}={v}" for k, v in chosen.items())
                found[f"{name}({said})" if said else name] = _preset(entry, chosen, said)
    return found


def _preset(entry: Registration, chosen: Mapping[str, Any], said: str) -> dict[str, Any]:
    start = {**entry.defaults, **chosen}
    places = {argument: list(_places(entry, start, argument)) for argument in start}
    return {
        "name": entry.name,
        "title": f"{entry.title} ({said})" if said else entry.title,
        "about": entry.summary,
        "tree": tree(entry.build(**start)),
        "fixed": {k: v for k, v in chosen.items() if not places[k]},
        "defaults": {k: v for k, v in entry.defaults.items() if places[k]},
        "arguments": {
            argument: {
                "places": [place for place, _ in at],
                **_slider(at[0][1], argument, start[argument]),
                **_first(entry, start, argument),
            }
            for argument, at in sorted(places.items(), key=lambda item: item[0] != "lr")
            if at
        },
    }


def _slider(at: tuple[Link, str, FieldKind], argument: str, start: Any) -> dict[str, Any]:
    """The range is the field's own where the optimizer turns it off, and begins where the optimizer does."""
    link, field, kind = at
    return slider(kind, start or link.default(field) or FIRST.get(argument)) | {"default": start}


def _first(entry: Registration, start: Mapping[str, Any], argument: str) -> dict[str, Any]:
    """The slider begins one position later where 0 would leave a link out: momentum=0 is another tree."""
    whole = isinstance(start[argument], int)
    return {} if whole or _built(entry, {**start, argument: 0}) == _built(entry, start) else {"first": 1}


def _needed(entry: Registration, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options without those that only set a number."""
    needed = dict(options)
    for name in options:
        fewer = {k: v for k, v in needed.items() if k != name}
        if _built(entry, fewer) == _built(entry, needed):
            needed = fewer
    return needed


def _built(entry: Registration, options: Mapping[str, Any]) -> Any:
    """The shape that options lead to; None where they cannot be together."""
    try:
        return _shape(tree(entry.build(**options)))
    except HyperparameterError:
        return None


def _shape(nodes: Tree) -> Any:
    """Which links, with which switches: what does not change with a number."""
    switches = [tuple((k, v) for k, v in n["fields"].items() if isinstance(v, bool)) for n in nodes]
    return [(n["link"], s, _shape(n.get("inner", []))) for n, s in zip(nodes, switches, strict=True)]


def _places(entry: Registration, start: Mapping[str, Any], argument: str) -> Iterator[tuple[list[Any], tuple[Link, str, FieldKind]]]:
    """The fields that follow an argument, found by changing it: where in the tree, and what they are."""
    old = start[argument]
    if isinstance(old, bool) or not isinstance(old, (int, float)):
        return
    new = old + 2 if isinstance(old, int) else old / 2 if old else 0.125
    before, after = (tree(entry.build(**{**start, argument: value})) for value in (old, new))
    if _shape(before) == _shape(after):
        yield from _moved(before, after, new, [])


def _moved(before: Tree, after: Tree, new: Any, path: list[Any]) -> Iterator[tuple[list[Any], tuple[Link, str, FieldKind]]]:
    for i, (b, a) in enumerate(zip(before, after, strict=True)):
        link = links()[b["link"]]
        for field, value in b["fields"].items():
            if value != a["fields"][field]:
                assert a["fields"][field] == new, f"{link.name}.{field} is made of an argument in a way that a slider cannot follow"
                yield [*path, i, field], (link, field, link.kind._kinds[field])
        yield from _moved(b.get("inner", []), a.get("inner", []), new, [*path, i])
