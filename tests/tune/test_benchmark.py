"""The arithmetic of `python -m benchmarks.tune`."""

import pytest

from benchmarks.tune import summary


def test_summary() -> None:
    found = summary([(0.1, 0.1, 0.0), (0.3, 0.1, 0.02), (0.01, 0.1, 0.5), (2.0, 0.1, 1.0)])
    assert found.pairs == 4
    assert found.within_3 == 0.5
    assert found.within_10 == 0.75
    assert found.off == pytest.approx((3 + 10) / 2)
    assert found.lost == pytest.approx(0.26)
