"""The answer, as data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from steepest.config import to_config
from steepest.guide.advise.scaling import Axis, Note, Start
from steepest.guide.advise.situation import Situation
from steepest.guide.facts import Fact
from steepest.guide.model.memory import Memory
from steepest.transform import Transform


@dataclass(frozen=True)
class Pick:
    """One place of the short list."""

    optimizer: str
    title: str
    start: Start
    strategy: Transform
    """Ready to be used: `steepest.torch.Optimizer(model.parameters(), pick.strategy)`."""
    memory: Memory
    in_favour: tuple[Fact, ...]
    against: tuple[Fact, ...]
    because: tuple[str, ...]
    """Circumstances that moved it, in words."""
    grade: str
    """The best grade among the facts in its favour."""
    thin: bool
    """Whether none of grade A or B is about this kind of model in particular."""

    def code(self, framework: str = "torch") -> str:
        """The code to paste, for "torch", "keras" or "optax"."""
        from steepest.guide.advise import code

        return code.whole(self, framework)


@dataclass(frozen=True)
class Other:
    """One that Steepest does not have."""

    name: str
    title: str
    peer: str
    """What `steepest race --with` takes; empty: it cannot race as it is."""
    note: str
    in_favour: tuple[Fact, ...]
    against: tuple[Fact, ...]


@dataclass(frozen=True)
class Advice:
    """Which optimizer, how to begin with it, why, and what speaks against it. Prints as `steepest advise` does."""

    situation: Situation
    title: str
    """Of the kind of model."""
    seen: str
    """How the kind of model was told; empty: it was said."""
    picks: tuple[Pick, ...]
    others: tuple[Other, ...]
    left_out: Mapping[str, str]
    """Candidates that would have had a place, and why they have none."""
    conflicts: tuple[tuple[Fact, Fact], ...]
    notes: tuple[Note, ...]
    race: str
    """The command that starts the race which would settle it; empty: no task of this kind."""
    race_arguments: tuple[str, ...] = field(default=(), repr=False)

    def __str__(self) -> str:
        from steepest.guide.advise import text

        return text.page(self)

    @property
    def best(self) -> Pick:
        """The first place."""
        return self.picks[0]

    def as_data(self) -> dict[str, Any]:
        """Everything as dictionaries and lists of JSON's kinds."""
        s = self.situation
        return {
            "situation": {**{k: v for k, v in vars(s).items() if k != "assumed"}, "assumed": list(s.assumed), "seen": self.seen},
            "short_list": [_pick(p, s.memory) for p in self.picks],
            "others": [
                {
                    "name": o.name,
                    "title": o.title,
                    "with": o.peer,
                    "note": o.note,
                    "for": [f.id for f in o.in_favour],
                    "against": [f.id for f in o.against],
                }
                for o in self.others
            ],
            "left_out": dict(self.left_out),
            "conflicts": [[a.id, b.id] for a, b in self.conflicts],
            "notes": [_note(n) for n in self.notes],
            "race": self.race,
            "facts": {f.id: _fact(f) for f in self._facts()},
        }

    def _facts(self) -> list[Fact]:
        cited = [f for p in (*self.picks, *self.others) for f in (*p.in_favour, *p.against)] + [f for pair in self.conflicts for f in pair]
        from steepest.guide.facts import fact

        noted = [n for p in self.picks for n in p.start.notes] + list(self.notes)
        cited += [fact(i) for n in noted for i in n.facts] + [fact(i) for p in self.picks for i in p.start.tuning]
        return list({f.id: f for f in cited}.values())


def _pick(p: Pick, memory: int | None) -> dict[str, Any]:
    m, schedule = p.memory, p.start.schedule
    return {
        "optimizer": p.optimizer,
        "title": p.title,
        "grade": p.grade,
        "thin": p.thin,
        "hyperparameters": dict(p.start.arguments),
        "schedule": {"kind": type(schedule).__name__, **vars(schedule)},
        "clip": p.start.clip,
        "strategy": to_config(p.strategy),
        "tune": [_axis(a) for a in p.start.axes],
        "tune_facts": list(p.start.tuning),
        "memory": {"weights": m.weights, "gradients": m.gradients, "state": m.state, "total": m.total},
        "fits": None if memory is None else m.total <= memory,
        "scaling": [_note(n) for n in p.start.notes],
        "for": [f.id for f in p.in_favour],
        "against": [f.id for f in p.against],
        "because": list(p.because),
        "code": {framework: p.code(framework) for framework in ("torch", "keras", "optax")},
    }


def _axis(a: Axis) -> dict[str, Any]:
    return {"name": a.name, "low": a.low, "high": a.high, "log": a.log}


def _note(n: Note) -> dict[str, Any]:
    return {"says": n.says, "facts": list(n.facts)}


def _fact(f: Fact) -> dict[str, Any]:
    source = {key: value for key, value in vars(f.source).items() if value}
    return {
        "statement": f.statement,
        "figure": f.figure,
        "grade": f.grade,
        "stance": f.stance,
        "source": source,
        "conflicts": list(f.conflicts),
    }
