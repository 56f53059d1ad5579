"""A race in one file: nothing is lost, nothing is written over, and what is not one is said to be none."""

import argparse
import json
import subprocess
import sys

import pyarrow.parquet as pq
import pytest

from steepest.errors import RaceError
from steepest.race import archive, command, reading, record
from tests.race.engine.helpers import begin, race, settings, work


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("export") / "race.db"
    return path, race(path, settings())


def run(*words):
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args(words))


def test_everything_comes_back(whole, tmp_path, capsys):
    path, found = whole
    assert run("export", str(path), str(tmp_path / "mine.parquet")) == 0
    assert f"{len(found.trials)} runs" in capsys.readouterr().out
    assert record.load(tmp_path / "mine.parquet") == found
    for trial in found.trials[::5]:
        before, after = record.curves(path, trial), record.curves(tmp_path / "mine.parquet", trial)
        assert list(after.marks) == list(before.marks)
        for name in ("train_loss", "validation", "lr"):
            assert list(getattr(after, name)) == pytest.approx(list(getattr(before, name)), rel=1e-6)


def test_an_export_is_reported_compared_and_exported_again(whole, tmp_path):
    path, found = whole
    one = tmp_path / "one.parquet"
    reading.export(path, one)
    assert run("report", str(one)) == 0
    assert "<html" in (tmp_path / "one.html").read_text()[:200]
    assert run("compare", str(one), str(path), "--out", str(tmp_path / "both.html")) == 0
    reading.export(one, tmp_path / "two.parquet", with_curves=False)
    assert record.load(tmp_path / "two.parquet") == found
    with pytest.raises(RaceError, match="has no curve of"):
        record.curves(tmp_path / "two.parquet", found.trials[0])
    assert archive.read(tmp_path / "two.parquet").curves == {}


def test_what_is_done_so_far_can_be_exported(tmp_path):
    store = begin(tmp_path / "race.db", settings())
    work(store, runs=4)
    store.close()
    assert reading.export(tmp_path / "race.db", tmp_path / "part.parquet") == 4
    assert record.load(tmp_path / "part.parquet") == record.load(tmp_path / "race.db")


def test_reading_needs_no_database_and_no_torch(whole, tmp_path):
    reading.export(whole[0], tmp_path / "mine.parquet")
    program = (
        "import sys; sys.modules.update(torch=None, optuna=None, sqlalchemy=None)\n"
        f"from steepest.race import record; print(len(record.load({str(tmp_path / 'mine.parquet')!r}).trials))"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert said.stdout.strip() == str(len(whole[1].trials)), said.stderr


def test_nothing_else_is_written_over(whole, tmp_path, capsys):
    curves = whole[0].with_suffix(".parquet")
    before = curves.read_bytes()
    assert run("export", str(whole[0]), str(curves)) == 2
    assert "choose another name" in capsys.readouterr().err
    assert curves.read_bytes() == before
    assert run("export", str(whole[0]), str(tmp_path / "mine.csv")) == 2
    assert "ends in .parquet. Write mine.parquet." in capsys.readouterr().err
    (tmp_path / "file").touch()
    assert run("export", str(whole[0]), str(tmp_path / "file" / "mine.parquet")) == 2
    assert "cannot be written" in capsys.readouterr().err
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_what_is_no_exported_race_is_said_to_be_none(whole, tmp_path):
    with pytest.raises(RaceError, match="is not an exported race"):
        record.load(whole[0].with_suffix(".parquet"))
    (tmp_path / "noise.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(RaceError, match="is not an exported race"):
        record.load(tmp_path / "noise.parquet")
    with pytest.raises(RaceError, match="There is no file"):
        record.load(tmp_path / "none.parquet")


def test_an_export_from_a_newer_version_is_refused(whole, tmp_path):
    path = tmp_path / "mine.parquet"
    reading.export(whole[0], path)
    table = pq.ParquetFile(path).read()
    about = json.loads(table.schema.metadata[b"steepest race"])
    about["header"]["schema"] += 1
    pq.write_table(table.replace_schema_metadata({b"steepest race": json.dumps(about)}), path)
    with pytest.raises(RaceError, match="update Steepest"):
        record.load(path)
