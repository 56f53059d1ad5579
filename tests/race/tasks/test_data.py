"""The vendored data: what NOTICE.md says is what lies there, the script makes it anew, the wheel has it."""

import importlib.util
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from steepest.race.tasks.data import Examples, shuffled, stratified, vendored

ROOT = Path(__file__).parent.parent.parent.parent
HOME = ROOT / "src" / "steepest" / "race" / "data"
FILES = sorted(HOME.glob("*.npz"))


def script():
    spec = importlib.util.spec_from_file_location("make_race_data", ROOT / "scripts" / "make_race_data.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_the_notice_describes_every_file() -> None:
    make = script()
    notice = (HOME / "NOTICE.md").read_text()
    assert {path.stem for path in FILES} == {source.name for source in make.SOURCES}
    assert notice == make.BEGINNING + "\n".join(make.sections(HOME)) + "\n" + make.LICENCES
    for path in FILES:
        section = re.search(rf"## {path.name}\n(.*?)\n(?:\n##|\Z)", notice, re.S).group(1)
        assert all(f"- {word}: " in section for word in ("Source", "Taken", "Licence", "Credit", "Size"))
        assert make.sha256(path) in section


def test_it_is_small() -> None:
    assert sum(path.stat().st_size for path in HOME.iterdir()) < 2_500_000


def test_the_plays_have_no_foreign_text() -> None:
    for name, play in vendored("shakespeare").items():
        text = play.tobytes().decode("ascii")
        assert "by William Shakespeare" in text[:100], name
        assert not re.search(r"gutenberg|copyright|\betext|all rights reserved|http", text, re.I), name


def test_a_writer_that_changes_with_the_clock_would_show(tmp_path: Path) -> None:
    make, arrays = script(), vendored("molecules")
    make.write(tmp_path / "again.npz", arrays)
    again = dict(np.load(tmp_path / "again.npz"))
    assert all(np.array_equal(again[name], arrays[name]) and again[name].dtype == arrays[name].dtype for name in arrays)


def test_stereoisomers_have_one_fingerprint_and_others_another() -> None:
    make = script()
    chain, ring = [(0, 1, 1), (1, 2, 1)], [(0, 1, 1), (1, 2, 1), (0, 2, 1)]
    carbon, with_oxygen = [(0, 0)] * 3, [(0, 0), (0, 0), (2, 0)]
    one = make.fingerprint(carbon, chain)
    assert one == make.fingerprint(carbon, [(2, 1, 1), (0, 2, 1)])
    others = [make.fingerprint(carbon, ring), make.fingerprint(with_oxygen, chain), make.fingerprint(carbon, [(0, 1, 2), (1, 2, 1)])]
    assert len({one, *others}) == 4


def test_parts_are_disjoint_and_even() -> None:
    labels = np.repeat([0, 1, 2], [50, 30, 20])
    parts = stratified(labels, (60, 20, 20))
    assert sorted(np.concatenate(parts)) == list(range(100))
    assert [np.bincount(labels[part]).tolist() for part in parts] == [[30, 18, 12], [10, 6, 4], [10, 6, 4]]
    assert [len(part) for part in shuffled(100, (10, 20, 30))] == [10, 20, 30]
    assert not np.array_equal(np.sort(shuffled(100, (50, 25, 25))[0]), np.arange(50))


def test_two_batches_of_five_are_all_of_ten() -> None:
    batches = Examples(torch.arange(10), lambda indices: indices).random(5, seed=0)
    passes = [torch.cat([next(batches), next(batches)]).tolist() for _ in range(3)]
    assert all(sorted(one) == list(range(10)) for one in passes)
    assert len({tuple(one) for one in passes}) == 3, "each pass has an order of its own"


@pytest.mark.slow
def test_the_script_makes_the_same_data(tmp_path: Path) -> None:
    made = subprocess.run([sys.executable, ROOT / "scripts" / "make_race_data.py", tmp_path], capture_output=True, text=True)
    if "No matching distribution" in made.stderr or "ConnectionError" in made.stderr or "Connection" in made.stderr:
        pytest.skip("no network")
    assert made.returncode == 0, made.stderr
    for path in FILES:
        ours, new = dict(np.load(path)), dict(np.load(tmp_path / path.name))
        assert list(ours) == list(new)
        assert all(ours[name].dtype == new[name].dtype and np.array_equal(ours[name], new[name]) for name in ours), path.name


@pytest.mark.slow
def test_the_wheel_has_it(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", tmp_path, ROOT], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {f"steepest/race/data/{path.name}" for path in HOME.iterdir()} <= names
