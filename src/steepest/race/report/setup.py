"""How the race was set up: tasks, entrants with their spaces, settings, machines, and the commands that repeat it."""

import json
import math
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from steepest.race.record import AxisFacts, Race, TaskFacts
from steepest.race.report.facts import Facts
from steepest.race.report.html import details, pairs, paragraph, table, text
from steepest.race.report.words import number

_COUNTS = ("trials", "studies", "seeds")


def setup(facts: Facts) -> str:
    """The whole section."""
    race = facts.race
    machines = "".join(
        details(f"Machine {i + 1}: {m.get('processor', m.get('machine', 'unknown'))}", pairs(_flat(m)))
        for i, m in enumerate(race.environment)
    )
    return "".join(
        (
            f"<h3>Repeat it</h3>{_commands(race)}",
            f"<h3>Schedule</h3>{paragraph(race.schedule or 'not recorded')}",
            details(f"Tasks ({len(race.tasks)})", _tasks(facts.tasks)),
            details(f"Optimizers and their search spaces ({len(race.entrants)})", _entrants(facts)),
            details("Settings", pairs(_flat(race.settings))),
            machines or paragraph("No machine is recorded."),
        )
    )


def commands(race: Race) -> list[str]:
    """What to type to run this race again; empty, if the record does not tell."""
    s = race.settings
    if "joined" in s or not all(isinstance(s.get(k), int) for k in _COUNTS):
        return []
    own = [t for t in _words(s.get("tasks")) if ":" in t]
    named = [t for t in _words(s.get("tasks")) if ":" not in t]
    ours = [o for o in _words(s.get("optimizers")) if ":" not in o]
    others = [o for o in _words(s.get("optimizers")) if ":" in o]
    preset = _preset(s)
    words = ["steepest", "race", *(["--preset", preset] if preset else [])]
    words += ["--tasks", ",".join(named)] if named else []
    for option, values in (("--task", own), ("--optimizers", [",".join(ours)]), ("--with", others), ("--space", _words(s.get("spaces")))):
        for value in values:
            words += [option, value]
    for name in _COUNTS:
        words += [f"--{name}", str(s[name])]
    words += ["--defaults"] if s.get("defaults") else []
    return [shlex.join(words), "steepest race report race.db"]


def _preset(settings: Mapping[str, Any]) -> str:
    """The preset that has what no option says; others of its values are given as options."""
    from steepest.race.presets import PRESETS

    for name, preset in PRESETS.items():
        if list(preset.multiples) == list(settings.get("multiples") or ()) and preset.target_seeds == settings.get("target_seeds"):
            return name
    return ""


def _commands(race: Race) -> str:
    lines = commands(race)
    if not lines:
        return paragraph("The record does not hold one command that repeats this race: it was joined from several, or made by other means.")
    commits = sorted({str(m["commit"])[:12] + ("+" if str(m["commit"]).endswith("+") else "") for m in race.environment if m.get("commit")})
    note = f"With Steepest at commit {', '.join(commits)}. " if commits else ""
    note += "Seeds and points follow from the settings, so that the same command makes the same runs; times depend on the machine."
    return f'<pre tabindex="0"><code>{text(chr(10).join(lines))}</code></pre>' + paragraph(note, "note")


def _tasks(tasks: Sequence[TaskFacts]) -> str:
    head = (
        "task",
        "family",
        "what",
        "parameters",
        "training / validation / test",
        "batch",
        "steps",
        "target",
        "why this target",
        "clipping",
    )
    rows = [
        (
            t.title,
            t.family,
            t.description,
            f"{t.parameters:,}",
            f"{t.train:,} / {t.validation:,} / {t.test:,}",
            str(t.batch),
            f"{t.steps:,}, {t.looks} looks",
            f"{t.metric} {'≥' if t.higher_is_better else '≤'} {number(t.target, 4)}" if t.target is not None else "none",
            t.target_reason or "–",
            "none" if t.clip_norm is None else f"norm {t.clip_norm:g}",
        )
        for t in tasks
    ]
    return table(head, rows, "Tasks", words=True)


def _entrants(facts: Facts) -> str:
    head = ("optimizer", "search space", "code", "from")
    rows = [(e.title, "; ".join(map(_axis, e.space)) or "none", e.code, e.source) for e in facts.race.entrants.values()]
    return table(head, rows, "Optimizers", words=True)


def _axis(a: AxisFacts) -> str:
    return f"{a.name} {a.low:.3g} to {a.high:.3g}" + (" (log)" if a.log else "")


def _flat(content: Mapping[str, Any]) -> dict[str, str]:
    return {str(k).replace("_", " "): _value(v) for k, v in content.items()}


def _value(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, list | tuple) and all(isinstance(v, str | int | float) for v in value):
        return ", ".join(f"{v:.4g}" if isinstance(v, float) else str(v) for v in value) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{k} {_value(v)}" for k, v in value.items())
    return json.dumps(value, default=str)


def _words(value: Any) -> list[str]:
    return [str(v) for v in value] if isinstance(value, list | tuple) else []
