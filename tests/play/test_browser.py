"""The playground in a real browser: its runners move, its controls do what they say, it asks the network for nothing.

With `STEEPEST_SCREENSHOTS=folder` the pictures stay there to be looked at.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest

import steepest
from steepest import cli
from steepest.play import page as playground
from steepest.play.presets import described, presets, tree
from tests.browser import Page, chromium


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("play") / "playground.html"
    path.write_text(playground(), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory):
    with chromium(tmp_path_factory.mktemp("chromium")) as page:
        yield page


@pytest.fixture
def page(browser: Page, path: Path):
    fresh(browser, path)
    yield browser
    assert browser.errors == []
    assert {r.partition("#")[0] for r in browser.requests if not r.startswith("data:")} == {path.as_uri()}


def fresh(browser: Page, path: Path, hash: str = "", width: int = 1280, theme: str = "light") -> None:
    browser.call("Page.navigate", url="about:blank")  # another # alone would not load the page anew
    browser.requests.clear()
    browser.errors.clear()
    browser.open(path, width, theme=theme, hash=hash)


def text(page: Page, selector: str) -> str:
    return page.run(f"document.querySelector({json.dumps(selector)}).textContent")


def texts(page: Page, selector: str) -> list[str]:
    return page.run(f"[...document.querySelectorAll({json.dumps(selector)})].map(e => e.textContent)")


def turn(page: Page, selector: str, value: Any, event: str = "input") -> None:
    """Set a control as a hand would: its value, then its event."""
    page.run(f"(() => {{ const e = document.querySelector({json.dumps(selector)}); e.value = {json.dumps(value)}; "
             f"e.dispatchEvent(new Event('{event}', {{bubbles: true}})); }})()")  # fmt: skip


def picture(page: Page) -> str:
    """The pixels of the map, as one short text."""
    return page.run(
        "(() => { const d = document.querySelector('#map').toDataURL(); let h = 0;"
        " for (let i = 0; i < d.length; i++) h = (Math.imul(h, 31) + d.charCodeAt(i)) | 0; return `${d.length} ${h}`; })()"
    )


def lines(page: Page) -> list[str]:
    return page.run("[...document.querySelectorAll('#losses polyline')].map(e => e.getAttribute('points'))")


def status(page: Page) -> list[str]:
    return texts(page, ".status")


def link(page: Page) -> str:
    """The address, when it has been written."""
    before = page.run("location.hash")
    return page.until(f"location.hash.length > 10 && location.hash !== {json.dumps(before)} && location.hash", "the link to be written")


def test_runners_stand_on_the_map_and_in_the_chart(page: Page) -> None:
    assert texts(page, ".name") == ["Momentum", "RMSProp", "Adam", "Lion"]
    assert len(lines(page)) == 4
    assert all(len(line.split()) == 201 for line in lines(page))
    assert all(s.startswith("loss ") for s in status(page))
    assert text(page, "#anatomy-title") == "Step 200 of Adam"


def test_play_moves_and_pauses(page: Page) -> None:
    still = picture(page)
    page.click("#rewind")
    assert text(page, "#at") == "0 / 200"
    at_start = picture(page)
    assert at_start != still
    page.click("#play")
    assert page.run("document.querySelector('#play').getAttribute('aria-label')") == "Pause"
    page.until("parseInt(document.querySelector('#at').textContent) > 3", "the runners to move")
    page.click("#play")
    stopped = text(page, "#at")
    assert picture(page) != at_start
    page.run("new Promise(r => setTimeout(r, 200))")
    assert text(page, "#at") == stopped


def test_play_ends_and_begins_again(page: Page) -> None:
    turn(page, "#steps", "50", "change")
    turn(page, "#speed", "120", "change")
    page.click("#play")  # at the end: from the start
    page.until("document.querySelector('#at').textContent === '50 / 50'", "the end")
    page.until("document.querySelector('#play').getAttribute('aria-label') === 'Play'", "it to stop")


def test_a_slider_changes_the_path_the_loss_and_the_code(page: Page) -> None:
    before = picture(page), lines(page), status(page), text(page, "#python")
    turn(page, '[data-field="lr"] input[type=range]', 90)
    after = picture(page), lines(page), status(page), text(page, "#python")
    assert all(a != b for a, b in zip(before, after, strict=True))
    assert [a == b for a, b in zip(before[1], after[1], strict=True)].count(False) >= 1
    assert sum(a != b for a, b in zip(before[2], after[2], strict=True)) == 1  # the others walk as before
    lr = page.run("document.querySelector('[data-field=\"lr\"] .number').value")
    assert f"steepest.adam(lr={lr})" in text(page, "#python")


def test_a_number_can_be_typed(page: Page) -> None:
    turn(page, '[data-field="b1"] .number', "0.55", "change")
    assert "b1=0.55" in text(page, "#python")
    turn(page, '[data-field="b1"] .number', "seven", "change")
    assert page.run("document.querySelector('[data-field=\"b1\"] .number').value") == "0.55"
    turn(page, '[data-field="b1"] .number', "9", "change")
    assert "b1=0.9999" in text(page, "#python")


def test_every_optimizer_runs_on_every_surface(page: Page) -> None:
    """Each of them, in turns: tests/play/test_scripts.py runs all of them on all."""
    surfaces = page.run("[...document.querySelector('#surface').options].map(o => o.value)")
    for i, surface in enumerate(surfaces):
        turn(page, "#surface", surface, "change")
        assert len(text(page, "#about")) > 40
        for name in list(presets())[i :: len(surfaces)]:
            turn(page, '[data-focus="preset"]', name, "change")
            assert not any("nan" in s for s in status(page)), (surface, name)
            assert page.run("document.querySelectorAll('#anatomy tr.state').length") == sum(
                len(described()[n["link"]]["slots"]) for n in flat(presets()[name]["tree"])
            )
        shown = status(page)[2]
        assert shown.startswith(("loss", "left", "diverged"))


def flat(nodes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [x for n in nodes for x in [*flat(n.get("inner", [])), n]]


def test_divergence_is_said(page: Page) -> None:
    turn(page, '[data-focus="preset"]', "sgd", "change")
    turn(page, '[data-field="lr"] .number', "1", "change")
    assert "diverged at step" in status(page)[2]
    assert page.run("document.querySelectorAll('.status.bad').length") == 1
    assert texts(page, "#losses .gone") == ["✕"]
    assert page.run("document.querySelector('#losses svg').getAttribute('aria-label')").count("diverged") == 1


def test_the_scrubber_changes_the_anatomy(page: Page) -> None:
    before = texts(page, "#anatomy .figure")
    turn(page, "#scrub", 10)
    assert text(page, "#anatomy-title") == "Step 10 of Adam"
    after = texts(page, "#anatomy .figure")
    assert before != after
    assert texts(page, "#anatomy tr.state code") == ["mu", "nu"]
    page.click("#step-on")
    assert text(page, "#anatomy-title") == "Step 11 of Adam"
    assert texts(page, "#anatomy .figure") != after
    page.run("document.activeElement.blur()")
    page.click("#losses")  # the middle of the chart
    assert 80 < int(text(page, "#at").split()[0]) < 120


def test_the_anatomy_adds_up(page: Page) -> None:
    """The step that is shown is the last link's, and the learning rate's times what it was handed."""
    turn(page, "#scrub", 3)
    rows = page.run("[...document.querySelectorAll('#anatomy tr')].map(r => [...r.querySelectorAll('.figure')].map(f => f.textContent))")
    *_, handed, update, step, _ = [[float(v.replace("\N{MINUS SIGN}", "-")) for v in row] for row in rows if row]
    assert update == step
    lr = float(page.run("document.querySelector('[data-field=\"lr\"] .number').value"))
    assert step == pytest.approx([-lr * h for h in handed], rel=0.02)


def test_the_start_can_be_set_by_mouse_and_keyboard(page: Page) -> None:
    page.run("document.querySelector('#map').scrollIntoView({block: 'center'})")
    before = lines(page)
    page.click("#map")
    x, y = (float(page.run(f"document.querySelector('#start-{k}').value")) for k in "xy")
    assert x == pytest.approx(0, abs=0.1)
    assert y == pytest.approx(0, abs=0.1)
    assert lines(page) != before
    page.run("document.querySelector('#map').focus()")
    page.key("ArrowRight", 39)
    assert float(page.run("document.querySelector('#start-x').value")) > x
    turn(page, "#start-y", "1.5", "change")
    assert page.run("document.querySelector('#start-y').value") == "1.5"


def test_a_finger_sets_the_start_and_may_scroll(page: Page, path: Path) -> None:
    fresh(page, path, width=390)
    page.call("Emulation.setTouchEmulationEnabled", enabled=True)
    try:
        page.run("document.querySelector('#map').scrollIntoView({block: 'center', behavior: 'instant'})")
        x, y, w, h = page.run(
            "(() => { const b = document.querySelector('#map').getBoundingClientRect(); return [b.x, b.y, b.width, b.height]; })()"
        )
        before = lines(page)
        for kind, points in (("touchStart", [{"x": x + w / 4, "y": y + h / 4}]), ("touchEnd", [])):
            page.call("Input.dispatchTouchEvent", type=kind, touchPoints=points)
        page.until("Math.abs(document.querySelector('#start-x').value - -1.5) < 0.05", "the start to be where the finger was")
        assert lines(page) != before
        assert page.run("getComputedStyle(document.querySelector('#map')).touchAction") == "manipulation"
    finally:
        page.call("Emulation.setTouchEmulationEnabled", enabled=False)


def test_a_chain_is_built(page: Page) -> None:
    page.click("#add-chain")
    page.run("document.querySelector('.chosen').scrollIntoView()")
    assert texts(page, ".piece .head code") == ["ClipByGlobalNorm", "ScaleByBelief", "Cautious", "AddDecayedWeights", "ScaleByLearningRate"]
    before = lines(page)[-1]
    page.run("""document.querySelector('[aria-label="Take Cautious out"]').click()""")
    assert lines(page)[-1] != before
    page.run("""document.querySelector('[aria-label="Move AddDecayedWeights up"]').click()""")
    assert texts(page, ".piece .head code") == ["ClipByGlobalNorm", "AddDecayedWeights", "ScaleByBelief", "ScaleByLearningRate"]
    assert page.run("document.activeElement.dataset.focus") == "up1"
    turn(page, '[data-focus="piece"]', "ScaleByTrustRatio", "change")
    assert texts(page, ".piece .head code")[3] == "ScaleByTrustRatio"  # before the learning rate
    page.run("document.querySelector('[data-focus=\"around\"]').click()")
    assert texts(page, ".piece .head code")[-1] == "Lookahead"
    turn(page, '[data-field="around.k"] input[type=range]', 2)
    assert texts(page, "#anatomy tr.link code") == [
        "ClipByGlobalNorm",
        "AddDecayedWeights",
        "ScaleByBelief",
        "ScaleByTrustRatio",
        "ScaleByLearningRate",
        "Lookahead",
    ]
    namespace: dict[str, Any] = {}
    exec(text(page, "#python"), namespace)
    [around] = tree(namespace["strategy"])
    assert (around["link"], around["fields"]["k"]) == ("Lookahead", 3)
    assert [n["link"] for n in around["inner"]] == [
        "ClipByGlobalNorm",
        "AddDecayedWeights",
        "ScaleByBelief",
        "ScaleByTrustRatio",
        "ScaleByLearningRate",
    ]


def test_a_chain_without_a_learning_rate_is_told_so(page: Page) -> None:
    page.click("#add-chain")
    assert not page.run("document.querySelector('.body .hint')")
    page.run("""document.querySelector('[aria-label="Take ScaleByLearningRate out"]').click()""")
    assert "uphill" in text(page, ".body .hint")


def test_a_preset_opened_as_a_chain_walks_the_same_path(page: Page) -> None:
    before = lines(page)
    page.run("document.querySelector('[data-focus=\"open\"]').click()")
    assert lines(page) == before
    assert texts(page, ".piece .head code") == ["AddDecayedWeights", "ScaleByAdam", "ScaleByLearningRate"]


def test_runners_come_and_go(page: Page) -> None:
    for n in range(5, 9):
        page.run("document.querySelector('#add').click()")
        assert len(lines(page)) == n
    assert page.run("document.querySelector('#add').disabled && document.querySelector('#add-chain').disabled")
    colours = page.run("[...document.querySelectorAll('#losses polyline')].map(e => e.getAttribute('stroke'))")
    assert len(set(colours)) == 8
    for n in range(7, 0, -1):
        page.run("document.querySelector('[data-focus^=drop]').click()")
        assert len(lines(page)) == n
    assert page.run("document.querySelector('[data-focus^=drop]').disabled")
    page.run("document.querySelector('[data-focus^=copy]').click()")
    assert lines(page)[0] == lines(page)[1]


def test_the_best_learning_rate_is_better(page: Page) -> None:
    page.until("document.querySelectorAll('#sweep rect').length > 50", "the sweep")
    before = float(status(page)[2].split()[1])
    page.run("document.querySelector('[data-focus=\"tune\"]').click()")
    assert float(status(page)[2].split()[1]) < before


def test_a_link_brings_everything_back(page: Page, path: Path) -> None:
    turn(page, "#surface", "noisy", "change")
    turn(page, '[data-field="option.sigma"] input[type=range]', 80)
    turn(page, '[data-field="b1"] input[type=range]', 10)
    page.run("document.querySelector('#add-chain').click()")
    page.run("document.querySelector('[data-focus=\"around\"]').click()")
    turn(page, "#steps", "100", "change")
    turn(page, "#start-x", "1.25", "change")
    turn(page, "#scrub", 33)
    hash = link(page)
    shown = picture(page), lines(page), texts(page, "#anatomy .figure"), text(page, "#python"), text(page, "#at")
    fresh(page, path, hash)
    assert (picture(page), lines(page), texts(page, "#anatomy .figure"), text(page, "#python"), text(page, "#at")) == shown
    assert text(page, "#at") == "33 / 100"
    page.click("#reset")
    assert text(page, "#at") == "200 / 200"


@pytest.mark.parametrize(
    "hash", ["#1.", "#1.!!!", "#1.e30", "#2.abc", "#x", "#1.eyJzIjoiX19wcm90b19fIn0", "#1.eyJzIjoicmF2aW5lIiwiYiI6W10sInIiOltdfQ"]
)
def test_a_broken_link_opens_the_ordinary_page(browser: Page, path: Path, hash: str) -> None:
    fresh(browser, path, hash)
    assert texts(browser, ".name") == ["Momentum", "RMSProp", "Adam", "Lion"]
    assert browser.errors == []


def test_a_hostile_link_stays_text(browser: Page, path: Path) -> None:
    import base64

    evil = "<img src=x onerror='window.hacked=1'>"
    given = {
        "s": "ravine",
        "o": {"condition": evil},
        "b": [evil, 1e999],
        "n": 1e9,
        "t": -5,
        "i": 77,
        "r": [
            {"p": "adam", "v": {"lr": evil, "__proto__": {"x": 1}, "other": 1}, "l": evil},
            {"c": [["ScaleByLion", {"b1": 7}], [evil, {}], ["constructor", {}]], "n": evil, "w": {"k": 1e12}},
            {"p": "constructor"},
        ],
    }
    fresh(browser, path, "#1." + base64.urlsafe_b64encode(json.dumps(given).replace("Infinity", "1e999").encode()).decode().rstrip("="))
    assert texts(browser, ".name") == ["Adam", evil]
    assert browser.run("window.hacked") is None
    assert browser.errors == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 820, 1280])
def test_nothing_is_cut_off_in_any_theme(browser: Page, path: Path, theme: str, width: int) -> None:
    fresh(browser, path, width=width, theme=theme)
    browser.run("document.querySelector('#add-chain').click()")
    assert browser.run("document.documentElement.scrollWidth") <= width
    assert browser.run("getComputedStyle(document.body).backgroundColor") == (
        "rgb(20, 23, 27)" if theme == "dark" else "rgb(255, 255, 255)"
    )
    out = browser.run(
        "[...document.querySelectorAll('button, select, input, h1, h2, code, .status')].filter(e => {"
        " const b = e.getBoundingClientRect();"
        f" return b.width && !e.closest('pre') && !e.classList.contains('skip') && (b.left < 0 || b.right > {width});"
        " }).map(e => e.outerHTML.slice(0, 80))"
    )
    assert out == []
    narrow = browser.run(
        "[...document.querySelectorAll('input[type=range]')].filter(e => e.getBoundingClientRect().width < 90).map(e => e.ariaLabel)"
    )
    assert narrow == [], "too short to be turned"
    bright = browser.run(
        "(() => { const c = document.createElement('canvas'); c.width = c.height = 40; const p = c.getContext('2d');"
        " p.drawImage(document.querySelector('#map'), 0, 0, 40, 40);"
        " return p.getImageData(0, 0, 40, 40).data.filter((_, i) => i % 4 < 3).reduce((a, b) => a + b) / 4800; })()"
    )
    assert bright < 80 if theme == "dark" else bright > 190
    folder = os.environ.get("STEEPEST_SCREENSHOTS")
    if folder:
        browser.screenshot(Path(folder) / f"playground-{width}-{theme}.png")
    assert browser.errors == []


def test_the_theme_can_be_turned(page: Page) -> None:
    light = picture(page)
    page.click("#theme")
    assert page.run("getComputedStyle(document.body).backgroundColor") == "rgb(20, 23, 27)"
    assert picture(page) != light
    page.click("#theme")
    assert picture(page) == light
    page.run("localStorage.removeItem('steepest-theme')")


def test_reduced_motion_is_respected(page: Page) -> None:
    page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-reduced-motion", "value": "reduce"}])
    page.click("#rewind")
    page.click("#play")
    page.until("parseInt(document.querySelector('#at').textContent) > 0", "the first picture")
    assert int(text(page, "#at").split()[0]) % 20 == 0  # still pictures, a tenth of the run apart
    page.click("#play")


def test_everything_has_a_name(page: Page) -> None:
    page.run("document.querySelector('#add-chain').click()")
    nameless = page.run(
        "[...document.querySelectorAll('button, select, input, canvas, a')].filter(e => !(e.getAttribute('aria-label')"
        " || e.textContent.trim() || e.closest('label')?.textContent.trim() || e.labels?.length)).map(e => e.outerHTML)"
    )
    assert nameless == []


def test_the_command_writes_and_opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda url: not opened.append(url))
    out = tmp_path / "p.html"
    assert cli.main(["play", "--out", str(out), "--no-open"]) == 0
    assert opened == []
    assert f"version {steepest.__version__}" in out.read_text()
    assert cli.main(["play", "--out", str(out)]) == 0
    assert opened == [out.as_uri()]
    assert cli.main(["play", "--out", str(tmp_path / "none" / "p.html")]) == 2
    assert "Choose another place with --out." in capsys.readouterr().err
