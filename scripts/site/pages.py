"""Every generated page, and what is filled in on written ones."""

import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from scripts.site import choices, claims, commands, evidence, optimizers, race, reference, tune

ROOT = Path(__file__).parents[2]


@cache
def pages() -> Mapping[str, str]:
    """Markdown of every generated page, by its path in the site."""
    return {
        **optimizers.pages(),
        **reference.pages(),
        "evidence.md": evidence.page(),
        "cli.md": commands.page(),
        "contributing.md": _of_root("CONTRIBUTING.md"),
        "changelog.md": _of_root("CHANGELOG.md"),
        "race/our-own.md": race.our_own(),
    }


def _of_root(name: str) -> str:
    """A document of the repository's root; its links point into docs/."""
    return (ROOT / name).read_text().replace("](docs/", "](")


def _figures() -> str:
    """The README's table of measured speed."""
    text = (ROOT / "README.md").read_text()
    found = re.search(r"^\| optimizer \| parameters .*\n(?:^\|.*\n)+", text, re.M)
    assert found, "README.md has no table that begins with | optimizer | parameters"
    return found[0]


#: What stands for something generated on a written page, as `<!-- made: name -->` in a line of its own.
FILLED: Mapping[str, Callable[[], str]] = {
    "figures": _figures,
    "choices": choices.overview,
    "choices in full": choices.in_full,
    "circumstances": choices.circumstances,
    "conflicts": evidence.conflicts,
    "lessons": evidence.lessons,
    "points": race.points,
    "tasks": race.workloads,
    "tune": tune.tune,
    "slips": claims.slips,
    "verdicts": claims.overview,
    "verdicts in full": claims.details,
}


def filled(markdown: str) -> str:
    """A written page with its generated parts."""
    return re.sub(r"^<!-- made: ([\w ]+) -->$", lambda match: FILLED[match[1]](), markdown, flags=re.M)
