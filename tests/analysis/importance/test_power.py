"""What a study will be able to tell: read from a table of simulated studies."""

from __future__ import annotations

import itertools

import pytest

from analysis.importance.power import TABLE, describe_power, find_power


def test_more_trials_tell_more() -> None:
    powers = [find_power(trials) for trials in (32, 40, 64, 100, 128, 300, 2000)]
    for fewer, more in itertools.pairwise(powers):
        assert more.smallest <= fewer.smallest
        assert more.half_width < fewer.half_width
        assert more.ranked >= fewer.ranked
    at_table = find_power(64)
    assert at_table.smallest == pytest.approx(TABLE[2].smallest)
    assert find_power(512).half_width == pytest.approx(TABLE[-1].half_width / 2)


def test_few_trials_are_said_to_be_too_few() -> None:
    assert describe_power(20) == [
        "power: 20 explored trials are too few to rank parameters (32 are needed, or 12 per "
        "parameter where that is fewer)"
    ]
    (line,) = describe_power(96)
    assert "96 explored trials" in line
    assert "a share of 8 %" in line
