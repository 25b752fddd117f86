"""Shares during training, on curves of which a different parameter decides early and late."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.importance.over_time import SharesOverTime, estimate_shares_over_time
from analysis.importance.shares import Importance
from analysis.importance.sobol import estimate_sobol_shares
from analysis.stats.intervals import FloatArray
from analysis.surrogate.gaussian_process import QUICK
from analysis.surrogate.unit_cube import Axis

AXES = (Axis("early", "early"), Axis("late", "late"))
STEPS = (10, 20, 30, 40, 50, 60)


def psnr_at(units: FloatArray, step: int) -> FloatArray:
    """One parameter decides until step 30, the other from then on."""
    return 15.0 + 4.0 * units[:, 0 if step < 30 else 1]


def tables(
    units: FloatArray, ends: dict[int, int] | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    names = [f"{i:05d}" for i in range(len(units))]
    rows = [
        {"trial_id": name, "step": step, "score": psnr_at(units, step)[i]}
        for i, name in enumerate(names)
        for step in STEPS
        if step <= (ends or {}).get(i, STEPS[-1])
    ]
    return pd.DataFrame({"trial_id": names}), pd.DataFrame(rows)


def follow(
    units: FloatArray, ends: dict[int, int] | None = None, final: Importance | None = None
) -> SharesOverTime:
    if final is None:
        last = psnr_at(units, STEPS[-1])
        final = estimate_sobol_shares(
            units, last, AXES, np.random.default_rng(0), effort=QUICK
        ).importance
    trials, curves = tables(units, ends)
    return estimate_shares_over_time(trials, curves, units, AXES, final, np.random.default_rng(1))


def test_a_change_of_the_decisive_parameter_is_dated() -> None:
    over = follow(np.random.default_rng(0).random((40, 2)))
    assert [at.step for at in over.at_steps] == [10, 30, 40, 60]
    for at, decisive in zip(over.at_steps, ("early", "late", "late", "late"), strict=True):
        for axis in AXES:
            share = at.share(axis.path)
            assert share is not None
            assert share.share == pytest.approx(float(axis.path == decisive), abs=0.05)
    assert over.stable_from == 30
    assert abs(over.at_steps[0].agreement) < 0.5
    assert over.at_steps[1].agreement == pytest.approx(1.0)
    assert over.at_steps[-1].psnr_lost == 0.0


def test_the_last_step_is_the_full_budget_though_a_run_ended_early() -> None:
    over = follow(np.random.default_rng(0).random((40, 2)), {3: 20})
    assert over.at_steps[-1].step == STEPS[-1]


def test_the_last_step_repeats_the_headline() -> None:
    """Two analyses of the same trials at the same step would print two shares."""
    units = np.random.default_rng(0).random((40, 2))
    final = estimate_sobol_shares(
        units, psnr_at(units, 60), AXES, np.random.default_rng(7), effort=QUICK
    ).importance
    assert follow(units, final=final).at_steps[-1].importance is final


def test_a_step_whose_results_are_noise_is_not_ranked() -> None:
    """The gate is that of the headline; no share is shown there and nothing is called stable."""
    rng = np.random.default_rng(0)
    units = rng.random((60, 2))
    trials, curves = tables(units)
    noisy = curves["step"] < 30
    curves.loc[noisy, "score"] = rng.normal(size=int(noisy.sum()))
    final = estimate_sobol_shares(units, psnr_at(units, 60), AXES, rng, effort=QUICK).importance
    over = estimate_shares_over_time(trials, curves, units, AXES, final, rng)
    assert not over.at_steps[0].importance.ranked
    assert over.at_steps[0].share("early") is None
    assert over.stable_from == 30


def test_psnr_lost_by_halving_is_the_gap_to_the_best_remaining_trial() -> None:
    units = np.random.default_rng(2).random((36, 2))
    final = psnr_at(units, 60)
    best_third = np.argsort(-psnr_at(units, 10))[:12]
    lost = follow(units).at_steps[0].psnr_lost
    assert lost == pytest.approx(final.max() - final[best_third].max())


def test_too_few_trials_are_refused() -> None:
    assert "too few" in follow(np.random.default_rng(0).random((5, 2))).refusal
