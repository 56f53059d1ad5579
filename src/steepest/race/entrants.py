"""Who races: an optimizer of the registry, one from any package, or the same one again under another name.

    adamw                                            ours
    adam(b2=0.95)                                    ours, with arguments
    torch.optim:NAdam                                any class or function (params, lr=..., ...) -> optimizer
    nadamw=torch.optim:NAdam(decoupled_weight_decay=True)
    again=adamw                                      a copy, for a race of equals (A/A test)

Hyperparameters are set by name. Which of lr, weight_decay and eps an optimizer takes, and whether its decay is
decoupled, is read off its signature. Every optimizer gets all parameters of the model; one that wants some of
them only (Muon) enters as a function that divides them.
"""

import ast
import inspect
import re
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.metadata import packages_distributions, version
from typing import TYPE_CHECKING, Any

from steepest import __version__
from steepest.errors import HyperparameterError, RaceError
from steepest.race.record import EntrantFacts
from steepest.race.spaces import DEFAULT_WARMUP, PUBLISHED_LR, Space, checked, override, space
from steepest.registry import optimizers, registration
from steepest.tree import hyperparameters

if TYPE_CHECKING:
    from torch.nn import Parameter
    from torch.optim import Optimizer

Point = Mapping[str, float]
TUNED = ("lr", "weight_decay", "eps")
"""What an optimizer's own arguments may be tuned; the warm-up is the schedule's."""
_DECOUPLED_FLAGS = ("decoupled_weight_decay", "weight_decouple", "decoupled", "decouple")
_SPEC = re.compile(r"(?:(?P<name>[A-Za-z_][\w.-]*)=)?(?P<what>[A-Za-z_][\w.]*(?::[A-Za-z_]\w*)?)(?:\((?P<arguments>.*)\))?")


@dataclass(frozen=True)
class Entrant:
    """One optimizer of a race."""

    name: str
    spec: str
    """What was typed; workers make the entrant again from it."""
    title: str
    source: str
    make: "Callable[[Iterable[Parameter], Point], Optimizer]"
    """From parameters and a point to a torch optimizer. The warm-up in the point is not its business."""
    space: Space
    defaults: Point
    decay: str | None
    """How weight decay works: "decoupled", "L2", or None."""
    code: str
    """The call that makes it, with `...` for what is tuned."""

    def facts(self) -> EntrantFacts:
        """For the record."""
        return EntrantFacts(self.title, self.source, self.space, self.code)

    @property
    def routing(self) -> str:
        """Which parameters it treats, and how its decay works."""
        return f"all parameters; {self.decay} weight decay" if self.decay else "all parameters; no weight decay"


def specs(patterns: str, outsiders: Sequence[str] = ()) -> tuple[str, ...]:
    """What `--optimizers` and `--with` name, each once: patterns such as `ada*` are names of ours."""
    found: dict[str, None] = {}
    for pattern in filter(None, (p.strip() for p in patterns.split(","))):
        found.update(dict.fromkeys(optimizers(pattern) or [registration(pattern).name]))
    for text in outsiders:
        # The same words twice are a mistake; `entrants` says so, which an entry of `found` would hide.
        if text.strip() in found:
            raise RaceError(f"--with {text}: it is in the race already. For a second copy give it a name: --with again={text.strip()}.")
        found[text.strip()] = None
    if not found:
        raise RaceError("A race needs at least one optimizer, as in --optimizers adamw,lion.")
    return tuple(found)


def entrants(wanted: Sequence[str], trials: int, spaces: Sequence[str] = ()) -> dict[str, Entrant]:
    """The entrants by name, with the search spaces that `--space` changed."""
    found: dict[str, Entrant] = {}
    for spec in wanted:
        one = entrant(spec, trials)
        if one.name in found:
            raise RaceError(f"Two entrants are called {one.name}: give one another name, as in --with other={spec.rpartition('=')[2]}.")
        found[one.name] = one
    for text in spaces:
        name, axis = override(text)
        if name not in found:
            raise HyperparameterError(f"--space {text}: no {name} is in the race; there are {', '.join(found)}.")
        old = found[name]
        if axis.name not in {a.name for a in old.space} | set(TUNED) | {"warmup"}:
            raise HyperparameterError(f"--space {text}: {name} has no axis {axis.name}; it has {', '.join(a.name for a in old.space)}.")
        found[name] = replace(old, space=(*(a for a in old.space if a.name != axis.name), axis))
    for one in found.values():
        for axis in one.space:
            checked(one.name, axis)
    return found


def entrant(spec: str, trials: int) -> Entrant:
    """The entrant that `spec` describes."""
    match = _SPEC.fullmatch(spec)
    if match is None:
        raise RaceError(f"{spec!r} names no optimizer: write adamw, torch.optim:NAdam, or name=torch.optim:NAdam(momentum_decay=0.01).")
    given = _arguments(spec, match["arguments"] or "")
    what: str = match["what"]
    made = _outsider(spec, what, given, trials) if ":" in what else _ours(what, given, trials)
    if match["name"]:
        return replace(made, name=match["name"], title=f"{made.title} ({match['name']})", spec=spec)
    return replace(made, spec=spec)


def _ours(name: str, given: Mapping[str, Any], trials: int) -> Entrant:
    registered = registration(name)
    unknown = [key for key in given if key not in registered.defaults]
    if unknown:
        raise RaceError(f"{name} takes no argument {unknown[0]}; it takes {', '.join(registered.defaults)}.")
    arguments = {**registered.defaults, **given}

    def make(params: "Iterable[Parameter]", point: Point) -> "Optimizer":
        from steepest.torch import Optimizer

        return Optimizer(params, registered.build(**given, **_own(point)))

    decay = _our_decay(registered.build, given) if "weight_decay" in arguments else None
    return _entrant(name, registered.title, f"steepest {__version__}; {registered.paper}", name, make, given, arguments, decay, trials)


def _our_decay(build: Callable[..., Any], given: Mapping[str, Any]) -> str:
    """Whether the decay enters the gradient (L2) or the step: by whether it is the first link of the chain or a later one."""
    return "L2" if next(iter(hyperparameters(build(**given)))) == "weight_decay" else "decoupled"


def _outsider(spec: str, what: str, given: Mapping[str, Any], trials: int) -> Entrant:
    module, _, name = what.partition(":")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # other people's deprecations are not this race's business
            build: Any = getattr(import_module(module), name)
        parameters = inspect.signature(build).parameters
    except ImportError as error:
        raise RaceError(f"--with {spec}: {module} cannot be imported ({error}). Is it installed? Is its folder in PYTHONPATH?") from error
    except AttributeError:
        raise RaceError(f"--with {spec}: {module} has no {name}.") from None
    except (TypeError, ValueError) as error:
        raise RaceError(f"--with {spec}: {name} cannot be called like an optimizer: {error}.") from error
    unknown = [key for key in given if key not in parameters]
    open_ended = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    if unknown and not open_ended:
        raise RaceError(f"--with {spec}: {name} takes no argument {unknown[0]}; it takes {', '.join(list(parameters)[1:])}.")
    empty = inspect.Parameter.empty
    arguments = {key: p.default for key, p in parameters.items() if p.default is not empty} | dict(given)
    if not isinstance(arguments.get("lr"), int | float):
        raise RaceError(f"--with {spec}: {name} has no number as its default lr, around which it could be tuned; write lr=... in brackets.")
    given = {key: value for key, value in given.items() if key not in TUNED}
    fixed = {key: value for key, value in arguments.items() if key in TUNED}

    def make(params: "Iterable[Parameter]", point: Point) -> "Optimizer":
        return build(params, **given, **(fixed | _own(point)))

    source = what
    for distribution in packages_distributions().get(module.partition(".")[0], ())[:1]:
        source = f"{what}, {distribution} {version(distribution)}"
    decay = _their_decay(name, arguments) if "weight_decay" in arguments else None
    return _entrant(name, name, source, what, make, given, arguments, decay, trials)


def _their_decay(name: str, arguments: Mapping[str, Any]) -> str:
    for flag in _DECOUPLED_FLAGS:
        if flag in arguments:
            return "decoupled" if arguments[flag] else "L2"
    # AdamW, LambW, ...; and nobody but a decoupled optimizer decays by one part in a thousand or more as shipped.
    return "decoupled" if name.endswith("W") or (arguments["weight_decay"] or 0) >= 1e-3 else "L2"


def _entrant(
    name: str,
    title: str,
    source: str,
    call: str,
    make: "Callable[[Iterable[Parameter], Point], Optimizer]",
    given: Mapping[str, Any],
    arguments: Mapping[str, Any],
    decay: str | None,
    trials: int,
) -> Entrant:
    lr, eps = arguments.get("lr"), arguments.get("eps")
    if not isinstance(lr, int | float) or not lr > 0:
        raise HyperparameterError(f"{name} cannot race: its argument lr has no positive number as its default, but {lr!r}.")
    eps = float(eps) if isinstance(eps, int | float) and eps > 0 else None
    found = space(PUBLISHED_LR.get(name, float(lr)), decay, eps, trials)
    defaults = {key: float(arguments[key]) for key in TUNED if isinstance(arguments.get(key), int | float)}
    written = [f"{key}={value!r}" for key, value in given.items()] + [f"{a.name}=..." for a in found if a.name in TUNED]
    return Entrant(
        name=name,
        spec=name,
        title=title,
        source=source,
        make=make,
        space=found,
        defaults=defaults | {"warmup": DEFAULT_WARMUP},
        decay=decay,
        code=f"{call}({', '.join(written)})",
    )


def _own(point: Point) -> dict[str, float]:
    return {name: value for name, value in point.items() if name in TUNED}


def _arguments(spec: str, text: str) -> dict[str, Any]:
    """The arguments in brackets: `name=literal`, with commas between them."""
    try:
        call: Any = ast.parse(f"f({text})", mode="eval").body
        if call.args or any(word.arg is None for word in call.keywords):
            raise ValueError("arguments need names")
        return {word.arg: ast.literal_eval(word.value) for word in call.keywords}
    except (SyntaxError, ValueError) as error:
        raise RaceError(f"{spec}: the arguments in brackets cannot be read ({error}): write name=value, numbers and words only.") from None
