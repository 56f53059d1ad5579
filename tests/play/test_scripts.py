"""The page's scripts that need no browser: surfaces, sliders, noise, the Python to paste."""

import json
import random
import re
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import steepest
from steepest.play import page
from steepest.play.links import links
from steepest.play.page import source
from steepest.play.presets import described, presets, tree
from tests.javascript.node import node
from tests.play import chains

ROOT = Path(__file__).parent.parent.parent
READ = 'const given = JSON.parse(require("fs").readFileSync(0, "utf8"));\n'
WRITE = "process.stdout.write(JSON.stringify(answer));"
PLAIN = source(["runtime", "numbers", "slice", "surfaces", "runs", "model", "code"]) + READ


# -- surfaces --------------------------------------------------------------------------------------------

SURFACES = (
    PLAIN
    + """
const answer = Object.fromEntries(Object.keys(SURFACES).map(name => {
  const s = surfaceOf(name, given[name] || {}), h = 1e-6, found = [];
  for (let i = 1; i < 30; i++) for (let j = 1; j < 30; j++) {
    const x = s.x[0] + (s.x[1] - s.x[0]) * (i + 0.013 * j) / 31, y = s.y[0] + (s.y[1] - s.y[0]) * (j + 0.017 * i) / 31;
    const [gx, gy] = s.gradient(x, y);
    found.push([gx, (s.f(x + h, y) - s.f(x - h, y)) / (2 * h), gy, (s.f(x, y + h) - s.f(x, y - h)) / (2 * h)]);
  }
  const shape = (s.x[1] - s.x[0]) / (s.y[1] - s.y[0]);
  const low = s.minima.map(p => [s.f(...p), ...s.gradient(...p)]);
  return [name, {found, shape, start: SURFACES[name].start, x: s.x, y: s.y, low, lowest: s.lowest, about: SURFACES[name].about}];
}));
"""
    + WRITE
)


@pytest.fixture(scope="module")
def surfaces() -> Any:
    return node(SURFACES, {"noisy": {"condition": 40, "angle": 10}, "minima": {"waves": 9}})


def test_gradients_are_the_slopes(surfaces: Any) -> None:
    assert set(surfaces) == {"ravine", "noisy", "rosenbrock", "beale", "saddle", "minima", "network"}
    for name, s in surfaces.items():
        gx, nx, gy, ny = np.array(s["found"]).T
        scale = np.abs([gx, gy]).max()
        np.testing.assert_allclose(gx, nx, rtol=1e-5, atol=1e-6 * scale, err_msg=name)
        np.testing.assert_allclose(gy, ny, rtol=1e-5, atol=1e-6 * scale, err_msg=name)


def test_surfaces_say_true_things_of_themselves(surfaces: Any) -> None:
    for name, s in surfaces.items():
        assert s["shape"] == pytest.approx(4 / 3), name
        assert s["x"][0] < s["start"][0] < s["x"][1]
        assert s["y"][0] < s["start"][1] < s["y"][1]
        for value, gx, gy in s["low"]:
            if name == "network":  # the trainings lie near the bottom of their hollows, on the plane
                assert 0 <= value < 0.1
            else:
                assert value == pytest.approx(s["lowest"], abs=1e-9)
                assert abs(gx) + abs(gy) < 1e-9
    assert "Measured" in surfaces["network"]["about"]
    assert "scikit-learn" in surfaces["network"]["about"]


def test_the_measured_surface_is_smooth_and_goes_through_its_points() -> None:
    slice_ = json.loads(files("steepest.play").joinpath("slice.json").read_text())
    script = (
        PLAIN
        + """
    const m = measured(SLICE), at = (i, j) => [SLICE.x + i * SLICE.spacing, SLICE.y + j * SLICE.spacing];
    const sides = [[-1e-9, 0], [1e-9, 0], [0, -1e-9], [0, 1e-9]];
    const near = (x, y) => sides.flatMap(([a, b]) => m.gradient(x + a, y + b));
    const answer = given.map(([i, j]) => [m.f(...at(i, j)), ...near(...at(i, j))]);
    """
        + WRITE
    )
    places = [(i, j) for i in range(5, 90, 9) for j in range(5, 65, 7)]
    import base64

    grid = np.frombuffer(base64.b64decode(slice_["grid"]), "<u2").reshape(slice_["rows"], slice_["columns"]) * slice_["top"] / 65535
    for (i, j), (value, *slopes) in zip(places, node(script, places), strict=True):
        assert value == pytest.approx(grid[j, i], abs=1e-9)
        left, right, below, above = np.array(slopes).reshape(4, 2)
        np.testing.assert_allclose(left, right, atol=1e-5)  # the first derivative is continuous across the cells
        np.testing.assert_allclose(below, above, atol=1e-5)


@pytest.mark.slow
def test_the_shipped_slice_is_what_its_script_makes(tmp_path: Path) -> None:
    subprocess.run([sys.executable, ROOT / "scripts" / "make_play_slice.py", tmp_path / "slice.json"], check=True, capture_output=True)
    made, shipped = (json.loads(p.read_text()) for p in (tmp_path / "slice.json", ROOT / "src/steepest/play/slice.json"))
    assert {k: v for k, v in made.items() if k not in ("grid", "top", "trainings", "unit")} == {
        k: v for k, v in shipped.items() if k not in ("grid", "top", "trainings", "unit")
    }
    np.testing.assert_allclose(made["trainings"], shipped["trainings"], atol=1e-2)
    assert made["top"] == pytest.approx(shipped["top"], rel=1e-2)


def test_noise_is_normal_and_the_same_every_time() -> None:
    script = (
        PLAIN
        + "const answer = [1, 1, 2].map(seed => Array.from({length: 4000}, (_, t) => [normal(seed, t, 0), normal(seed, t, 1)]));"
        + WRITE
    )
    one, again, other = map(np.array, node(script, None))
    np.testing.assert_array_equal(one, again)
    assert np.corrcoef(one[:, 0], other[:, 0])[0, 1] == pytest.approx(0, abs=0.06)
    assert np.corrcoef(one.T)[0, 1] == pytest.approx(0, abs=0.06)
    assert np.corrcoef(one[1:, 0], one[:-1, 0])[0, 1] == pytest.approx(0, abs=0.06)
    assert one.mean() == pytest.approx(0, abs=0.05)
    assert one.std() == pytest.approx(1, abs=0.05)


def test_every_optimizer_runs_on_every_surface_and_ends_in_words() -> None:
    script = (
        PLAIN
        + """
    const answer = Object.keys(SURFACES).flatMap(name => given.map(preset => {
      surface = surfaceOf(name, {});
      setting = {...firstSetting(), surface: name, runners: [presetRunner(preset)]};
      settleRates();
      const nodes = nodesOf(setting.runners[0]), start = SURFACES[name].start, found = run(nodes, surface, start, 200);
      const parts = anatomy(nodes, surface, start, 2);
      const {loss, last, ended, x} = found;
      return {name, preset, first: loss[0], last: loss[last], ended, places: x.length, step: parts.step, x};
    }));
    """
        + WRITE
    )
    found = node(script, list(presets()))
    assert len(found) == 7 * len(presets())
    for one in found:
        assert one["ended"] in (None, "diverged", "left")
        assert one["ended"] or (one["places"] == 201 and one["last"] < one["first"] + 1e-9), one["name"] + " " + one["preset"]
        assert one["step"][0] == pytest.approx(one["x"][2] - one["x"][1])
    assert sum(one["ended"] is not None for one in found) <= len(found) / 20, [
        (o["name"], o["preset"], o["ended"]) for o in found if o["ended"]
    ]


# -- sliders -----------------------------------------------------------------------------------------------


def specs() -> list[tuple[str, str, dict[str, Any]]]:
    found = [(link, field, spec) for link, about in described().items() for field, spec in about["fields"].items()]
    return [(link, field, spec) for link, field, spec in found if spec["scale"] != "switch"]


def test_every_position_of_every_slider_is_a_value_that_python_takes() -> None:
    script = (
        PLAIN
        + "const place = (spec, i) => [valueAt(spec, i), positionOf(spec, valueAt(spec, i)), i];"
        + "const answer = given.map(spec => Array.from({length: positions(spec) + 1}, (_, i) => place(spec, i)));"
        + WRITE
    )
    every = node(script, [spec for _, _, spec in specs()])
    for (link, field, spec), places in zip(specs(), every, strict=True):
        assert len(places) >= 10
        for value, back, i in places:
            assert links()[link].kind._checked(field, value) == value
            assert abs(back - i) <= 1, (link, field, spec)
        assert places[0][0] == (0 if spec.get("zero") else pytest.approx(spec["low"]))
        assert places[-1][0] == pytest.approx(spec["high"])


def test_defaults_of_the_registrations_lie_on_their_sliders() -> None:
    script = PLAIN + "const answer = given.map(spec => spec.default === 0 || valueAt(spec, positionOf(spec, spec.default)));" + WRITE
    arguments = [(name, a, spec) for name, p in presets().items() for a, spec in p["arguments"].items()]
    for (name, argument, spec), value in zip(arguments, node(script, [spec for _, _, spec in arguments]), strict=True):
        assert value is True or value == pytest.approx(spec["default"]), (name, argument)


# -- the Python to paste -----------------------------------------------------------------------------------


def run_python(text: str) -> Any:
    namespace: dict[str, Any] = {}
    exec(compile(text, "pasted", "exec"), namespace)
    return namespace["strategy"]


def test_the_python_of_every_runner_makes_its_strategy() -> None:
    rng = random.Random(0)
    runners: list[Any] = []
    for name, p in presets().items():
        runners.append({"preset": name, "values": {}})
        for _ in range(3):
            runners.append({"preset": name, "values": {a: chains.value(s, rng) for a, s in p["arguments"].items() if rng.random() < 0.7}})
    for i in range(60):
        around = chains.fields("Lookahead", rng) if i % 3 == 0 else None
        runners.append({"links": chains.nodes(rng, 0), "lookahead": around})
    script = PLAIN + "const answer = given.map(r => [pythonOf(r), nodesOf(r)]);" + WRITE
    for runner, (text, nodes) in zip(runners, node(script, runners), strict=True):
        assert tree(run_python(text)) == nodes, (runner, text)


def test_a_preset_says_no_more_than_it_must() -> None:
    script = PLAIN + "const answer = given.map(r => pythonOf(r).split('\\n')[2]);" + WRITE
    said = node(script, [{"preset": "adam", "values": {}}, {"preset": "rmsprop(centered)", "values": {"lr": 0.05, "decay": 0.99}}])
    assert said == ["strategy = steepest.adam()", "strategy = steepest.rmsprop(centered=True, lr=0.05)"]


# -- the page as text --------------------------------------------------------------------------------------


def test_the_page_is_one_small_file_that_asks_for_nothing() -> None:
    html = page()
    assert len(html.encode()) < 500_000
    assert not re.search(r"""(src|href)\s*=\s*["']?(https?:)?//(?!github\.com/AidinHamedi)""", html)
    assert "url(" not in re.sub(r"url\(#inside\)", "", html)
    assert "@import" not in html
    assert "fetch(" not in html
    assert "default-src 'none'" in html
    assert "For intuition, not for ranking" in html
    for name in steepest.optimizers():
        assert f'"name":"{name}"' in html


def test_no_script_computes_what_a_rule_computes() -> None:
    """Nobody writes a rule by hand here: the scripts know no moment and no decay."""
    for path in (ROOT / "src/steepest/play/template").glob("*.js"):
        assert not re.search(
            r"\b(b1|b2|eps|beta|momentum|mu|nu|weight_decay)\b(?!\")", path.read_text().replace("with momentum 0.9", "")
        ), path.name


def test_scripts_are_short() -> None:
    for path in (ROOT / "src/steepest/play/template").glob("*.js"):
        assert len(path.read_text().splitlines()) <= 260, path.name
