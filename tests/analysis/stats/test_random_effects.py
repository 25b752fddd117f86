"""Random-effects pooling against a published meta-analysis, and its coverage by simulation."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.stats.random_effects import pool_random_effects

# Log relative risks of tuberculosis with BCG vaccine and their variances (13 trials; Colditz et
# al., JAMA 271, 1994), as computed by escalc of metafor (Viechtbauer, J. Stat. Softw. 36(3), 2010).
BCG = [-0.8893, -1.5854, -1.3481, -1.4416, -0.2175, -0.7861, -1.6209, 0.0120, -0.4694, -1.3713,
       -0.3394, 0.4459, -0.0173]  # fmt: skip
BCG_VARIANCES = [0.3256, 0.1946, 0.4154, 0.0200, 0.0512, 0.0069, 0.2230, 0.0040, 0.0564, 0.0730,
                 0.0124, 0.5325, 0.0714]  # fmt: skip


def test_a_published_example_is_reproduced() -> None:
    """metafor, method "DL": mean -0.7141 with standard error 0.1787, tau^2 0.3088."""
    pooled = pool_random_effects(BCG, BCG_VARIANCES)
    assert pooled.mean == pytest.approx(-0.7141, abs=1e-3)  # the inputs have four digits
    assert pooled.deviation**2 == pytest.approx(0.3088, abs=1e-3)
    # Hartung and Knapp's error is close to the model's own here. 2.179 and 2.201 are quantiles of
    # Student's t with 12 and 11 degrees of freedom.
    half = (pooled.high - pooled.low) / 2
    assert half == pytest.approx(2.179 * 0.1787, rel=0.03)
    ahead = (pooled.predicted_high - pooled.predicted_low) / 2
    assert ahead == pytest.approx(2.201 * ((half / 2.179) ** 2 + 0.3088) ** 0.5, rel=2e-3)


def test_two_studies_that_disagree_pool_to_anything() -> None:
    """95 % and 15 % once pooled to 55 % [52, 59]."""
    pooled = pool_random_effects([0.95, 0.15], [0.0004, 0.0004])
    assert pooled.mean == pytest.approx(0.55)
    assert pooled.low < 0.0
    assert pooled.high > 1.0
    assert pooled.deviation == pytest.approx((0.8**2 / 2 - 0.0004) ** 0.5)


def test_studies_that_agree_by_luck_keep_their_own_errors() -> None:
    pooled = pool_random_effects([0.5, 0.5, 0.5], [0.01, 0.01, 0.01])
    assert pooled.deviation == 0.0
    # 4.303: Student's t with 2 degrees of freedom
    assert (pooled.high - pooled.low) / 2 == pytest.approx(4.303 * (0.01 / 3) ** 0.5, rel=1e-3)


def test_the_more_precise_study_counts_more() -> None:
    assert pool_random_effects([0.4, 0.6], [0.001, 0.1]).mean == pytest.approx(0.402, abs=1e-3)


@pytest.mark.parametrize("studies", [2, 3, 5])
@pytest.mark.parametrize("deviation", [0.0, 0.05, 0.2])
def test_intervals_cover(studies: int, deviation: float) -> None:
    """Intervals of the mean and of one more study, of studies with unequal errors."""
    rng = np.random.default_rng(studies)
    mean_held, next_held = [], []
    for _ in range(600):
        errors = rng.uniform(0.02, 0.12, studies)
        true = 0.4 + deviation * rng.normal(size=studies)
        estimates = true + errors * rng.normal(size=studies)
        pooled = pool_random_effects(estimates.tolist(), (errors**2).tolist())
        mean_held.append(pooled.low <= 0.4 <= pooled.high)
        one_more = 0.4 + deviation * rng.normal()
        next_held.append(pooled.predicted_low <= one_more <= pooled.predicted_high)
    assert np.mean(mean_held) > 0.93
    assert np.mean(next_held) > 0.89
