"""What a terminal, or a log, is told of the engine being compiled."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from geoshare.terminal import Compiling
from tiles.compiled import told_of_compiling


def test_a_kernel_that_is_compiled_is_told_of_before_it_is_and_one_that_is_there_is_not() -> None:
    told: list[tuple[int, int]] = []

    def doubled(values):
        return values * 2.0

    doubled.__module__ = "tiles.somewhere"  # those of others are not told of
    double = njit(doubled)
    with told_of_compiling(lambda done, about: told.append((done, about))):
        double(np.zeros(3))
        double(np.ones(3))
        assert [done for done, _ in told] == [0]
        double(np.ones(3, np.float32))
        assert [done for done, _ in told] == [0, 1]
    double(np.ones(3, np.int64))
    assert len(told) == 2
    assert all(about > 20 for _, about in told)


def test_the_first_kernel_says_what_is_going_on_and_the_others_how_far_it_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    compiling = Compiling()
    for done in range(100):
        compiling(done, 80)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "Compiling the engine, about a minute, once"
    assert [line.split()[-2:] for line in lines[1:]] == [["25", "%"], ["50", "%"], ["75", "%"]]
