"""The charts of the report, one file each; `ALL` in the order of the page."""

from collections.abc import Callable, Mapping

from steepest.race.report.charts.budgets import budgets
from steepest.race.report.charts.chart import Chart as Chart, View as View
from steepest.race.report.charts.finals import finals
from steepest.race.report.charts.losses import losses
from steepest.race.report.charts.memory import memory
from steepest.race.report.charts.profile import profile
from steepest.race.report.charts.searched import searched
from steepest.race.report.charts.sensitivities import sensitivities
from steepest.race.report.charts.speed import speed
from steepest.race.report.charts.targets import targets
from steepest.race.report.facts import Facts

ALL: Mapping[str, Callable[[Facts], Chart]] = {
    "finals": finals,
    "profile": profile,
    "targets": targets,
    "speed": speed,
    "memory": memory,
    "losses": losses,
    "sensitivity": sensitivities,
    "budget": budgets,
    "searched": searched,
}
