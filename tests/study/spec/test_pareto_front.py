"""The Pareto front and the most balanced trial, against slow twins."""

from __future__ import annotations

import numpy as np
import pytest

from study.spec.pareto_front import Scores, find_most_balanced, on_front, ranks


def random_scores(seed: int, trials: int = 40, metrics: int = 3) -> Scores:
    """Of few distinct values, so that ties occur."""
    return np.random.default_rng(seed).integers(0, 12, (trials, metrics)).astype(float)


def slow_front(scores: Scores) -> list[bool]:
    def dominates(a: np.ndarray, b: np.ndarray) -> bool:
        return all(x >= y for x, y in zip(a, b, strict=True)) and any(
            x > y for x, y in zip(a, b, strict=True)
        )

    return [not any(dominates(other, row) for other in scores) for row in scores]


@pytest.mark.parametrize("seed", range(5))
def test_the_front_has_what_nothing_dominates(seed: int) -> None:
    scores = random_scores(seed)
    assert on_front(scores).tolist() == slow_front(scores)


@pytest.mark.parametrize("seed", range(20))
def test_the_most_balanced_trial_is_on_the_front_and_no_other_ranks_higher(seed: int) -> None:
    scores = random_scores(seed)
    row = find_most_balanced(scores)
    assert on_front(scores)[row]
    worst = [
        max(1 + sum(other > value for other in scores[:, k]) for k, value in enumerate(trial))
        for trial in scores
    ]
    assert worst[row] == min(worst) == ranks(scores)[row].max()


def test_it_does_not_depend_on_units_or_scales() -> None:
    scores = random_scores(3, metrics=2)
    scaled = np.column_stack([np.exp(scores[:, 0]), 1e-3 * scores[:, 1] - 7])
    assert find_most_balanced(scores) == find_most_balanced(scaled)


def test_with_one_metric_it_is_the_best() -> None:
    assert find_most_balanced(np.array([[1.0], [3.0], [2.0]])) == 1
