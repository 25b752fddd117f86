"""The density of runs that trained along each axis, and shares among them."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.importance.sobol import estimate_sobol_shares
from analysis.importance.trained_density import weigh_by_trained
from analysis.stats.intervals import FloatArray
from analysis.surrogate.unit_cube import Axis

CHOICE = Axis("act", "act", (1 / 6, 0.5, 5 / 6), (1 / 3, 2 / 3), unordered=True)
AXES = (Axis("near", "near"), Axis("rate", "rate"), CHOICE)


def draw_units(count: int, seed: int) -> FloatArray:
    units = np.random.default_rng(seed).random((count, 3))
    units[:, 2] = CHOICE.snap(units[:, 2])
    return units


def test_only_axes_that_decide_which_runs_train_get_a_density() -> None:
    units = draw_units(96, 0)
    trained = (units[:, 0] < 0.6).astype(float)
    near, rate, act = weigh_by_trained(AXES, units, trained, {"near"})
    assert rate == AXES[1]
    assert act == AXES[2]
    assert len(near.density) == 8
    assert all(p > 0.9 for p in near.density[:4])
    assert all(p < 0.1 for p in near.density[5:])


def test_levels_of_a_choice_have_their_own_chance() -> None:
    units = draw_units(120, 1)
    rng = np.random.default_rng(2)
    chance = np.array([0.9, 0.5, 0.1])[(units[:, 2] * 3).astype(int)]
    trained = (rng.random(120) < chance).astype(float)
    act = weigh_by_trained(AXES, units, trained, {"act"})[2]
    assert act.density == pytest.approx((0.9, 0.5, 0.1), abs=0.15)
    assert act.grid(32)[1] == pytest.approx(np.array([0.9, 0.5, 0.1]) / 1.5, abs=0.1)


def test_without_runs_every_bin_has_the_same_chance() -> None:
    near = weigh_by_trained(AXES, draw_units(0, 0), np.zeros(0), {"near"})[0]
    assert near.density == (0.5,) * 4


def test_shares_of_the_others_are_those_among_the_runs_that_trained() -> None:
    """Near kills every run beyond 0.6, where it would also cost most."""
    units, rng = draw_units(240, 3), np.random.default_rng(4)
    psnr = 20.0 - 3.0 * units[:, 0] ** 2 + 2.0 * units[:, 1] + 0.2 * rng.normal(size=240)
    alive = units[:, 0] < 0.6
    axes = weigh_by_trained(AXES, units, alive.astype(float), {"near"})
    importance = estimate_sobol_shares(units[alive], psnr[alive], axes, rng).importance
    u = 0.6 * (np.arange(10_000) + 0.5) / 10_000
    parts = {"near": float((3.0 * u**2).var()), "rate": 4.0 / 12.0, "act": 0.0}
    whole = sum(parts.values()) + 0.2**2
    for share in importance.shares:
        truth = parts[share.path] / whole
        assert share.share_low <= truth <= share.share_high
        assert share.share == pytest.approx(truth, abs=0.07)
    # Over the whole range of the prior near would have nearly twice the share.
    everywhere = float((3.0 * (u / 0.6) ** 2).var())
    assert everywhere / (everywhere + 4.0 / 12.0 + 0.2**2) > parts["near"] / whole + 0.3
