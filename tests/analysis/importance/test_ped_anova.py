"""What separates the best trials, against cases where the answer is plain."""

from __future__ import annotations

import numpy as np

from analysis.importance.closed_forms import make_noise_function
from analysis.importance.ped_anova import estimate_ped_anova
from analysis.importance.sobol import estimate_sobol_shares
from analysis.surrogate.unit_cube import Axis

AXES = tuple(Axis(f"x{j}", f"x{j}") for j in range(4))


def test_a_cliff_has_the_variance_but_not_the_best_trials() -> None:
    """Collapse below 0.5 of x0 is most of the variance; among the rest x1 alone decides."""
    rng = np.random.default_rng(0)
    units = rng.random((160, 4))
    psnr = np.where(units[:, 0] < 0.5, 10.0, 24.0) + 3.0 * units[:, 1]
    top = estimate_ped_anova(units, psnr, AXES, rng)
    assert top.shares[0].path == "x1"
    assert top.shares[0].significant
    assert estimate_sobol_shares(units, psnr, AXES, rng).importance.shares[0].path == "x0"


def test_noise_makes_a_parameter_significant_in_at_most_one_study_of_twenty() -> None:
    named = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        units, targets = make_noise_function().sample_trials(128, 1.0, rng)
        named += bool(
            estimate_ped_anova(units, targets, make_noise_function().axes, rng).significant_shares
        )
    assert named <= 1


def test_an_unordered_choice_is_counted_level_by_level() -> None:
    choice = Axis("c", "c", (1 / 6, 0.5, 5 / 6), (1 / 3, 2 / 3), unordered=True)
    rng = np.random.default_rng(1)
    units = np.column_stack([choice.snap(rng.random(150)), rng.random(150)])
    psnr = 20.0 + 4.0 * np.isclose(units[:, 0], 0.5) + 0.5 * rng.normal(size=150)
    top = estimate_ped_anova(units, psnr, (choice, AXES[0]), rng)
    assert [share.path for share in top.significant_shares] == ["c"]
    assert top.significant_shares[0].low > 0.5


def test_few_trials_are_refused() -> None:
    units = np.random.default_rng(0).random((20, 4))
    top = estimate_ped_anova(units, units[:, 0], AXES, np.random.default_rng(0))
    assert top.refusal.startswith("20 comparable trials are too few")
