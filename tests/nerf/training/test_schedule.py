"""Learning rates: the warm-up of short and of long runs."""

from __future__ import annotations

import pytest

from nerf.config.schema import NerfConfig, Optimisation
from nerf.training.schedule import learning_rate, warm_up_steps


@pytest.mark.parametrize(
    ("warm_up", "steps", "expected"),
    [(50, 60, 20), (50, 150, 50), (50, 1000, 50), (0, 60, 0), (50, 2, 0), (300, 600, 200)],
)
def test_no_more_than_a_third_of_a_run_is_warm_up(warm_up: int, steps: int, expected: int) -> None:
    assert warm_up_steps(Optimisation(warm_up=warm_up, steps=steps)) == expected


def test_a_short_run_reaches_its_learning_rate_after_a_third() -> None:
    short = NerfConfig(optimisation=Optimisation(steps=60, schedule="constant", learning_rate=1e-3))
    rates = [learning_rate(step, short) for step in range(60)]
    assert rates[:19] == pytest.approx([1e-3 * (step + 1) / 20 for step in range(19)])
    assert rates[19:] == [1e-3] * 41


def test_the_default_warm_up_of_a_run_of_150_steps_is_whole() -> None:
    run = NerfConfig(optimisation=Optimisation(steps=150, schedule="constant", learning_rate=1e-3))
    assert [learning_rate(step, run) for step in (0, 24, 49, 149)] == pytest.approx(
        [1e-3 / 50, 1e-3 / 2, 1e-3, 1e-3]
    )
