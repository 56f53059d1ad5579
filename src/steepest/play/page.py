"""The playground as one HTML file: template, style, scripts, and the rules as codegen prints them."""

import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from string import Template
from typing import Any

import steepest
from steepest.play.links import functions, links
from steepest.play.presets import described, presets

SCRIPTS = (
    *("runtime", "numbers", "slice", "surfaces", "runs", "model", "link", "code"),
    *("dom", "field", "map", "losses", "anatomy", "cards", "player", "main"),
)
"""In the order in which they are read; each is about one thing."""


def page() -> str:
    """The whole page, self-contained: it can be mailed, opened from a disk, or put on any site."""
    return _template("page.html").substitute(
        style=_read("style.css").replace("/* dark */", _read("dark.css")),
        script="(() => {\n" + source(SCRIPTS) + "})();",
        version=steepest.__version__,
    )


def source(names: Sequence[str]) -> str:
    """The rules, what is known of them, and the named scripts, as one program."""
    rules = ", ".join(name for link in links().values() for name, _ in link.functions)
    data: Mapping[str, Any] = {
        "LINKS": described(),
        "PRESETS": presets(),
        "SLICE": json.loads(files("steepest.play").joinpath("slice.json").read_text(encoding="utf-8")),
    }
    constants = [f"const {name} = {_embedded(value)};\n" for name, value in data.items()]
    parts = ['"use strict";\n', functions(), f"const RULES = {{{rules}}};\n", *constants, *(_read(f"{name}.js") for name in names)]
    return "".join(parts)


def _embedded(value: Any) -> str:
    """JSON that nothing in it can end or escape from."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


def _read(name: str) -> str:
    return files("steepest.play").joinpath("template", name).read_text(encoding="utf-8")


def _template(name: str) -> Template:
    return Template(_read(name))
