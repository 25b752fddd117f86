"""Shares during training, on curves of which a different parameter decides early and late."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis.importance.over_time import estimate_shares_over_time
from analysis.stats.intervals import FloatArray
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
        {"trial_id": name, "step": step, "psnr": psnr_at(units, step)[i]}
        for i, name in enumerate(names)
        for step in STEPS
        if step <= (ends or {}).get(i, STEPS[-1])
    ]
    return pd.DataFrame({"trial_id": names}), pd.DataFrame(rows)


def test_a_change_of_the_decisive_parameter_is_dated() -> None:
    units = np.random.default_rng(0).random((40, 2))
    over = estimate_shares_over_time(*tables(units), units, AXES, np.random.default_rng(1))
    assert [m.step for m in over.at_steps] == list(STEPS)
    assert over.at_steps[0].totals == pytest.approx([1.0, 0.0], abs=0.05)
    assert over.at_steps[-1].totals == pytest.approx([0.0, 1.0], abs=0.05)
    assert over.stable_from == 30
    assert abs(over.at_steps[0].agreement) < 0.5
    assert over.at_steps[2].agreement == pytest.approx(1.0)
    assert over.at_steps[-1].psnr_lost == 0.0


def test_the_last_step_is_the_full_budget_though_a_run_ended_early() -> None:
    units = np.random.default_rng(0).random((40, 2))
    over = estimate_shares_over_time(*tables(units, {3: 20}), units, AXES, np.random.default_rng(1))
    assert over.at_steps[-1].step == STEPS[-1]


def test_psnr_lost_by_halving_is_the_gap_to_the_best_remaining_trial() -> None:
    units = np.random.default_rng(2).random((30, 2))
    over = estimate_shares_over_time(*tables(units), units, AXES, np.random.default_rng(1))
    final = psnr_at(units, 60)
    best_third = np.argsort(-psnr_at(units, 10))[:10]
    assert over.at_steps[0].psnr_lost == pytest.approx(final.max() - final[best_third].max())


def test_too_few_trials_are_refused() -> None:
    units = np.random.default_rng(0).random((5, 2))
    assert (
        "too few"
        in estimate_shares_over_time(*tables(units), units, AXES, np.random.default_rng(1)).refusal
    )
