"""All experiments again, with less of everything: no verdict may be the opposite of the shipped one."""

import json
from pathlib import Path

import pytest

from steepest import cli
from steepest.guide.claims import verdicts
from steepest.guide.claims.verdict import opposite


@pytest.mark.slow
def test_quick_verdicts_do_not_contradict_the_shipped_ones(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["claims", "--run", "--quick", "--out", str(tmp_path), "--json"]) == 0
    found = {one["id"]: one for one in json.loads(capsys.readouterr().out)}
    assert list(found) == [v.id for v in verdicts()]
    against = [v.id for v in verdicts() if opposite(v.verdict, found[v.id]["verdict"])]
    assert not against, {name: found[name] for name in against}
