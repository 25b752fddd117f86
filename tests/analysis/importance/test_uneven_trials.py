"""Shares from trials that are not spread as the prior says, and from parameters of many levels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from analysis.importance.shares import Importance
from analysis.importance.sobol import estimate_sobol_shares, min_weighted_r2
from analysis.stats.intervals import FloatArray
from analysis.surrogate.unit_cube import Axis, make_axis, to_quantiles
from study.spec.dimension import Dimension

AXES = tuple(Axis(f"x{j}", f"x{j}") for j in range(4))


def _estimate(units: FloatArray, targets: FloatArray) -> Importance:
    rng = np.random.default_rng(0)
    return estimate_sobol_shares(units, targets, AXES, rng, is_even=False).importance


def test_shares_of_correlated_trials_are_those_under_the_prior() -> None:
    rng = np.random.default_rng(0)
    latent = rng.normal(size=(128, 4))
    latent[:, 1] = 0.8 * latent[:, 0] + 0.6 * latent[:, 1]
    units = norm.cdf(latent)
    targets = units @ [3.0, 0.0, 1.0, 0.0] + 0.1 * rng.normal(size=128)
    importance = _estimate(units, targets)
    assert importance.ranked
    assert importance.effective is not None
    assert 50 < importance.effective < 115
    variance = (9.0 + 1.0) / 12.0 + 0.01
    truth = {"x0": 9.0 / 12.0 / variance, "x1": 0.0, "x2": 1.0 / 12.0 / variance, "x3": 0.0}
    for share in importance.shares:
        assert share.share_low - 0.005 <= truth[share.path] <= share.share_high + 0.005
    assert {share.path for share in importance.significant_shares} == {"x0", "x2"}


def test_trials_on_a_plateau_do_not_tell_of_the_cliffs_about_it() -> None:
    rng = np.random.default_rng(0)
    start, plateau = rng.random((12, 4)), 0.5 + 0.5 * rng.random((84, 4))
    units = np.vstack([start, plateau])
    targets = 3.0 * np.all(units > 0.4, axis=1) + 0.3 * units[:, 3] + 0.05 * rng.normal(size=96)
    importance = _estimate(units, targets)
    assert not importance.ranked
    assert importance.effective is not None
    assert f"stand as {importance.effective:.0f} that were" in importance.refusal
    assert importance.r2 < min_weighted_r2(importance.effective)


def test_fewer_effective_trials_need_a_better_model() -> None:
    needed = [min_weighted_r2(effective) for effective in (8.0, 16.0, 64.0, 400.0)]
    assert needed == sorted(needed, reverse=True)
    assert needed[-1] == 0.25


@pytest.mark.parametrize("seed", range(3))
def test_integers_on_a_log_scale_beside_steps_keep_intervals_narrow(seed: int) -> None:
    dimensions = (
        Dimension("lr", "float", 1e-6, 1.0, True, label="lr"),
        Dimension("width", "int", 8, 1024, True, label="width"),
        Dimension("drop", "float", 0.0, 0.5, label="drop", step=0.05),
    )
    rng = np.random.default_rng(seed)
    drawn = rng.random((128, 3))
    table = pd.DataFrame(
        [{d.path: d.from_unit(u) for d, u in zip(dimensions, row, strict=True)} for row in drawn]
    )
    units = to_quantiles(table, dimensions)
    axes = [make_axis(dimension) for dimension in dimensions]
    assert [len(axis.centres) for axis in axes] == [0, 1017, 11]
    targets = units @ np.sqrt([0.80, 0.15, 0.05])
    importance = estimate_sobol_shares(units, targets, axes, rng).importance
    shares = {share.path: share for share in importance.shares}
    for path, truth in (("lr", 0.80), ("width", 0.15), ("drop", 0.05)):
        assert abs(shares[path].share - truth) < 0.02
        assert shares[path].share_high - shares[path].share_low < 0.04
