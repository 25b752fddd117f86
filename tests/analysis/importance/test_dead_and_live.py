"""A thousand trials of twelve parameters, with all intervals, within half a minute of one core."""

from __future__ import annotations

import time

import numpy as np

from analysis.importance.ped_anova import estimate_ped_anova
from analysis.importance.sobol import estimate_sobol_shares
from analysis.surrogate.unit_cube import Axis


def test_a_thousand_trials_take_less_than_half_a_minute_of_processor_time() -> None:
    rng = np.random.default_rng(0)
    units = rng.random((1000, 12))
    cliff = (units[:, 4] > 0.7) & (units[:, 5] > 0.5)
    psnr = 24 + 3 * units[:, 0] + 4 * units[:, 2] * units[:, 3] - 6 * cliff + rng.normal(size=1000)
    axes = tuple(Axis(f"x{j}", f"x{j}") for j in range(12))
    started = time.process_time()
    importance = estimate_sobol_shares(units, psnr, axes, rng).importance
    estimate_ped_anova(units, psnr, axes, rng)
    assert time.process_time() - started < 30.0
    assert {share.path for share in importance.significant_shares} == {"x0", "x2", "x3", "x4", "x5"}
