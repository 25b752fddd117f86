"""Results of many trials must not depend on how their resamples are split into blocks."""

import numpy as np
import pytest

from analysis.importance import ped_anova, permutation_test
from analysis.stats import blocks
from analysis.stats.blocks import split_resamples
from analysis.surrogate.unit_cube import Axis

N = 150
AXES = [Axis("a", "a"), Axis("b", "b"), Axis("c", "c", (0.25, 0.75), (0.5,), unordered=True)]


def test_blocks_add_up_and_stay_small() -> None:
    assert list(split_resamples(2000, 2000)) == [2000]
    sizes = list(split_resamples(2000, 100_000))
    assert sum(sizes) == 2000
    assert max(sizes) * 100_000 <= 2**22
    assert list(split_resamples(3, 2**23)) == [1, 1, 1]


def test_tests_and_shares_are_the_same_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    units = rng.random((N, 3))
    units[:, 2] = AXES[2].snap(units[:, 2])
    targets = units[:, 0] + 0.5 * units[:, 2] + 0.3 * rng.normal(size=N)

    def results() -> tuple[object, object]:
        draws = np.random.default_rng(1)
        tests = permutation_test.run_permutation_tests(units, targets, AXES, draws)
        best = ped_anova.estimate_ped_anova(units, targets, AXES, draws)
        return tests, [(s.path, round(s.low, 9), round(s.high, 9)) for s in best.shares]

    in_one = results()
    monkeypatch.setattr(blocks, "_MAX_ELEMENTS", 77 * N)
    assert results() == in_one
