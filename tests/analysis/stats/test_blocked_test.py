"""The exact test within blocks: closed forms, size, and power against a shared difference."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import hypergeom

from analysis.stats import blocked_test
from analysis.stats.blocked_test import sample_blocked_p_value
from analysis.stats.rates import sample_fisher_p_value


def draw(rates: np.ndarray, runs: int, rng: np.random.Generator) -> list[np.ndarray]:
    """A table (groups, 2) for each row of `rates` (blocks, groups)."""
    broken = rng.binomial(runs, rates)
    return list(np.stack([runs - broken, broken], axis=-1))


def test_one_block_of_two_groups_is_the_hypergeometric_tail() -> None:
    """T grows with the distance of x from its mean: both tails at least as far away."""
    table = np.array([[12, 3], [6, 9]])
    law = hypergeom(30, 12, 15)  # broken runs of the first group, mean 6
    exact = law.cdf(3) + law.sf(8)
    assert sample_blocked_p_value([table], np.random.default_rng(0)) == pytest.approx(
        exact, abs=0.01
    )


def test_blocks_without_both_outcomes_change_nothing() -> None:
    table, quiet = np.array([[12, 3], [6, 9]]), np.array([[20, 0], [10, 0]])
    p_values = [
        sample_blocked_p_value(tables, np.random.default_rng(0))
        for tables in ([table], [quiet, table, quiet[:, ::-1]])
    ]
    assert p_values[0] == p_values[1]
    assert sample_blocked_p_value([quiet], np.random.default_rng(0)) == 1.0


def test_equal_rates_are_rejected_in_at_most_five_per_cent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(blocked_test, "_SAMPLED_TABLES", 399)
    rng = np.random.default_rng(0)
    rates = np.repeat([[0.05], [0.3], [0.8]], 4, axis=1)
    rejected = sum(sample_blocked_p_value(draw(rates, 12, rng), rng) < 0.05 for _ in range(300))
    assert rejected <= 26  # more have probability 0.3 %


def test_a_small_difference_that_all_blocks_share_is_seen() -> None:
    rng = np.random.default_rng(1)
    tables = draw(np.tile([0.3, 0.15], (9, 1)), 40, rng)
    assert sample_blocked_p_value(tables, rng) < 0.01
    assert sample_blocked_p_value(tables, rng) < sample_fisher_p_value(tables, rng)
