"""The report in a real browser: it draws every chart, asks the network for nothing, and does what its buttons say.

With `STEEPEST_SCREENSHOTS=folder` the pictures stay there to be looked at.
"""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from steepest.race.report import write
from tests.browser import Page, chromium
from tests.race.report.curves import curve
from tests.race.synthetic import Racer, race

RACERS = [
    Racer("adamw"),
    Racer("good", quality=-0.3, speed=1.4, state_bytes=4.0, step_ms=2.0),
    Racer("hostile", quality=-0.3, speed=1.4),
    Racer("edgy", lr=9e-2),
    *(Racer(f"usual-{i}", quality=0.02 * i, misses=0.1 * i) for i in range(6)),
    Racer("brittle", diverges_above=3.0),
    Racer("wreck", diverges=1.0),
]
HOSTILE = "<script>window.hacked=1</script> %{x} & <b>\"bold\"</b> <img src=x onerror='window.hacked=1'>"
CHARTS = ("finals", "profile", "targets", "speed", "memory", "losses", "sensitivity", "budget", "searched")


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    record = race(RACERS, tasks=3, trials=8, sensitivity=True, defaults=True)
    entrants = record.entrants | {"hostile": replace(record.entrants["hostile"], title=HOSTILE)}
    tasks = record.tasks | {"task-1": replace(record.tasks["task-1"], title=HOSTILE, metric=HOSTILE)}
    path = tmp_path_factory.mktemp("report") / "race.html"
    write(replace(record, entrants=entrants, tasks=tasks), path, curve)
    return path


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory):
    with chromium(tmp_path_factory.mktemp("chromium")) as page:
        yield page


@pytest.fixture
def page(browser: Page, path: Path):
    browser.requests.clear()
    browser.errors.clear()
    browser.open(path, 1280)
    yield browser
    assert browser.errors == []
    # Plotly hands a heat map's pixels to the page as data: a picture that is already there.
    assert {r for r in browser.requests if not r.startswith(("data:", "blob:"))} == {path.as_uri()}
    assert browser.run("window.hacked") is None


def traces(page: Page, chart: str) -> int:
    return page.run(f"document.querySelectorAll('#chart-{chart} .trace, #chart-{chart} .hm image').length")


def opacity(page: Page, chart: str, entrant: int) -> list[float]:
    return page.run(f"document.getElementById('chart-{chart}').data.filter(t => t.meta.o === {entrant} && t.meta.part !== 'band')"
                    ".map(t => t.visible === false ? 0 : t.opacity)")  # fmt: skip


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_chart_is_drawn_and_fits(browser: Page, page: Page, path: Path, tmp_path: Path, width: int, theme: str):
    browser.open(path, width, theme=theme)
    for chart in CHARTS:
        assert browser.run(f"document.querySelectorAll('#chart-{chart} svg.main-svg').length") > 0, chart
        assert traces(browser, chart) > 1, chart
        # Nothing that a chart writes is cut off at its sides.
        over = browser.run(f"""(() => {{
            const box = document.getElementById('chart-{chart}').getBoundingClientRect();
            return [...document.querySelectorAll('#chart-{chart} svg text')].filter(t => t.textContent)
                .map(t => [t, t.getBoundingClientRect()])
                .filter(([t, b]) => b.width && (b.left < box.left - 2 || b.right > box.right + 2)).map(([t]) => t.textContent);
        }})()""")
        assert over == [], chart
    assert browser.run("document.documentElement.scrollWidth") == width, "the page scrolls sideways"
    ink = browser.run("getComputedStyle(document.body).color")
    assert (ink == "rgb(27, 31, 36)") == (theme == "light")
    folder = Path(os.environ.get("STEEPEST_SCREENSHOTS") or tmp_path)
    assert browser.screenshot(folder / f"race-{theme}-{width}.png").stat().st_size > 50_000


def test_hovering_shows_a_label(page: Page):
    page.run("document.getElementById('chart-budget').scrollIntoView({block: 'center', behavior: 'instant'})")
    x, y = page.run("""(() => { const b = document.querySelector('#chart-budget .scatterlayer .trace .points path').getBoundingClientRect();
        return [b.x + b.width / 2, b.y + b.height / 2]; })()""")
    page.mouse("mouseMoved", x - 3, y)
    page.mouse("mouseMoved", x, y)
    label = page.until("document.querySelector('#chart-budget .hoverlayer .hovertext')?.textContent", "a label")
    assert "best of" in label or "defaults" in label


def test_a_hostile_name_is_shown_as_it_is_written(page: Page):
    at = page.run("""(() => {
        const place = document.getElementById('chart-losses');
        place.scrollIntoView({block: 'center', behavior: 'instant'});
        const trace = place.data.findIndex(t => t.meta.o === 2 && t.meta.part === 'line');
        Plotly.Fx.hover(place, [{curveNumber: trace, pointNumber: 3}]);
        return trace;
    })()""")
    assert at >= 0
    label = page.until("document.querySelector('#chart-losses .hoverlayer .hovertext')?.textContent", "a label")
    assert "%{x}" in label
    assert "<script>window.hacked=1</script>" in label
    page.run("(() => { const s = document.querySelector('[data-selector=task]'); s.value = '1'; s.dispatchEvent(new Event('change')); })()")
    title = page.until("document.getElementById('finals-title').textContent.includes('hacked') && "
                       "document.getElementById('finals-title').textContent", "the other task")  # fmt: skip
    assert HOSTILE in title


def test_the_legend_brings_forward_and_hides_in_all_charts(page: Page):
    assert page.run("document.querySelectorAll('[data-entrant]').length") == len(RACERS)
    page.click("[data-entrant='1']")
    page.until("document.getElementById('chart-searched').data.some(t => t.opacity < 0.2)", "the others to fade")
    for chart in ("finals", "profile", "targets", "losses", "budget"):
        assert max(opacity(page, chart, 1)) >= 0.5, chart
        assert max(opacity(page, chart, 0)) <= 0.13, chart
    assert page.run("document.querySelector(\"[data-entrant='1']\").getAttribute('aria-pressed')") == "true"
    drawn = traces(page, "losses")
    page.click("#hide")
    page.until("document.getElementById('chart-searched').data.some(t => t.visible === false)", "the others to go")
    assert max(opacity(page, "losses", 0)) == 0
    assert traces(page, "losses") < drawn
    page.click("[data-entrant='1']")
    page.until("document.getElementById('chart-searched').data.every(t => t.visible !== false && !(t.opacity < 0.5))", "everybody again")


def test_a_choice_of_task_holds_for_the_whole_page(page: Page):
    before = page.run("document.getElementById('losses-title').textContent")
    page.run(
        "(() => { const s = document.querySelectorAll('[data-selector=task]')[3]; s.value = '2'; s.dispatchEvent(new Event('change')); })()"
    )
    page.until("document.getElementById('searched-title').textContent.includes('Task 2')", "the titles to follow")
    assert page.run("document.getElementById('losses-title').textContent") != before
    assert page.run("[...document.querySelectorAll('[data-selector=task]')].every(s => s.value === '2')")
    assert page.run("[...document.querySelectorAll('[data-panel=task]')].map(p => p.hidden)") == [True, True, False]
    first = page.run("document.querySelector('[data-chart=losses] tbody th').textContent")
    rows = page.run("embedded.charts.losses.views['2|validation'].rows")
    assert first == rows[0][0]


def test_the_theme_button_changes_the_charts_as_well(page: Page):
    colour = "[...document.querySelectorAll('#chart-profile .scatterlayer .trace .lines path')].at(-1).style.stroke"
    paper, line = page.run("getComputedStyle(document.body).backgroundColor"), page.run(colour)
    page.click("#theme")
    page.until(f"{colour} !== '{line}'", "other colours")
    assert page.run("getComputedStyle(document.body).backgroundColor") != paper
    assert page.run("document.getElementById('theme').getAttribute('aria-pressed')") == "true"
    page.click("#theme")
    page.until(f"{colour} === '{line}'", "the first colours")
    page.run("localStorage.clear()")


def test_paper_is_white_and_has_all_charts_at_its_width(page: Page):
    page.click("#theme")
    page.run("dispatchEvent(new Event('beforeprint'))")
    page.call("Emulation.setEmulatedMedia", media="print")
    assert page.run("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    widths = page.run("[...document.querySelectorAll('.chart svg.main-svg')].map(s => s.getBoundingClientRect().width)")
    assert set(widths) == {680}
    assert page.run("document.querySelector('.legend').offsetHeight") > 0
    assert page.run("document.querySelector('.top').offsetHeight") == 0
    page.call("Emulation.setEmulatedMedia", media="")
    page.run("dispatchEvent(new Event('afterprint'))")
    assert page.run("document.documentElement.dataset.theme") == "dark"
    page.click("#theme")


def test_it_can_be_used_with_the_keyboard(page: Page):
    page.key("Tab", 9)
    assert page.run("document.activeElement.className") == "skip"
    assert page.run("document.activeElement.getBoundingClientRect().left") >= 0
    page.key("Tab", 9)
    assert page.run("document.activeElement.id") == "theme"
    assert page.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.run("document.querySelector(\"[data-entrant='0']\").focus()")
    page.call("Input.dispatchKeyEvent", type="keyDown", key="Enter", code="Enter", windowsVirtualKeyCode=13, text="\r")
    page.call("Input.dispatchKeyEvent", type="keyUp", key="Enter", code="Enter", windowsVirtualKeyCode=13)
    assert page.run("document.querySelector(\"[data-entrant='0']\").getAttribute('aria-pressed')") == "true"
    unnamed = page.run("""[...document.querySelectorAll('button, select, [tabindex="0"], [role=img]')]
        .filter(e => !(e.textContent.trim() || e.getAttribute('aria-label') || e.getAttribute('aria-labelledby'))).map(e => e.outerHTML)""")
    assert unnamed == []


def test_text_can_be_read_in_both_themes(page: Page):
    """WCAG 2.2: 4.5 to 1 for text, 3 to 1 for lines and marks."""
    for dark in (False, True):
        if page.run("isDark()") != dark:
            page.click("#theme")
        for names, least in ((("ink", "soft", "accent", "good", "middling", "bad"), 4.5), ([f"o{i}" for i in range(8)], 3.0)):
            paper = luminance(page.run("css('--paper')"))
            for name in names:
                mine = luminance(page.run(f"css('--{name}')"))
                ratio = (max(mine, paper) + 0.05) / (min(mine, paper) + 0.05)
                assert ratio >= least, f"{name} on paper, {'dark' if dark else 'light'}: {ratio:.2f}"


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_without_a_target_or_tuning_there_is_no_error_either(browser: Page, tmp_path: Path):
    browser.errors.clear()
    write(race([Racer("adamw")], tasks=1, trials=0, seeds=1), tmp_path / "bare.html")
    browser.open(tmp_path / "bare.html", 390)
    assert browser.errors == []
    assert browser.run("document.querySelectorAll('svg.main-svg').length") > 0
