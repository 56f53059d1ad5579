"""How each entrant looks in every chart: a label, a colour, a dash and a marker, so that colour is never the only sign.

Colours are numbers here. The page's style sheet gives each number its colour, in a light and a dark palette.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from steepest.race.record import EntrantFacts, Race

COLOURS = 8
"""As many as can be told apart by people who are colour-blind; from the ninth entrant on they repeat with another dash."""
DASHES = ("solid", "dash", "dot", "dashdot")
SYMBOLS = (
    "circle",
    "square",
    "diamond",
    "triangle-up",
    "triangle-down",
    "cross",
    "x",
    "star",
    "pentagon",
    "hexagon2",
    "hourglass",
    "bowtie",
    "star-diamond",
    "triangle-left",
    "triangle-right",
    "star-square",
)


@dataclass(frozen=True)
class Look:
    """One entrant's."""

    index: int
    label: str
    """Its title; its name, where another entrant has the same title."""

    @property
    def colour(self) -> int:
        """Which colour of the palette."""
        return self.index % COLOURS

    @property
    def dash(self) -> str:
        """Of its lines; another one where the colour comes round again."""
        return DASHES[(self.index + self.index // COLOURS) % len(DASHES)]

    @property
    def symbol(self) -> str:
        """Of its markers."""
        return SYMBOLS[self.index % len(SYMBOLS)]


def looks(race: Race) -> dict[str, Look]:
    """Entrant → look. The baseline is the first, whose colour is that of the text."""
    order = sorted(race.entrants, key=lambda name: name != race.baseline)
    return {name: Look(i, race.entrants[name].title) for i, name in enumerate(order)}


def distinct(race: Race) -> Race:
    """The same race with no two entrants, and no two tasks, of one title: those get their names, which differ."""
    entrants: dict[str, EntrantFacts] = {
        name: replace(facts, title=title) for (name, facts), title in zip(race.entrants.items(), _titles(race.entrants), strict=True)
    }
    tasks = {name: replace(facts, title=title) for (name, facts), title in zip(race.tasks.items(), _titles(race.tasks), strict=True)}
    return replace(race, entrants=entrants, tasks=tasks)


def _titles(things: Mapping[str, object]) -> Iterable[str]:
    titles = {name: str(getattr(thing, "title", "")) for name, thing in things.items()}
    often = Counter(titles.values())
    return [title if title and often[title] == 1 else name for name, title in titles.items()]
