"""The decomposition against a full grid and closed forms, gradients against differences."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from analysis.importance.closed_forms import list_benchmark_functions
from analysis.surrogate import kernel
from analysis.surrogate.anova import decompose_by_sampling
from analysis.surrogate.eigenfunctions import Expansion, make_features
from analysis.surrogate.unit_cube import Axis

AXES = (
    Axis("a", "a"),
    Axis("b", "b", (1 / 6, 0.5, 5 / 6), (1 / 3, 2 / 3), unordered=True),
    Axis("c", "c", (0.1, 0.6), (0.2,)),
)
LOGS = np.array([-1.0, -0.5, 0.3, 0.2, -0.4, 0.1, -0.7])


def test_decomposition_of_a_kernel_matches_a_full_grid() -> None:
    """The reference averages the function over all points of a grid, axis by axis."""
    rng = np.random.default_rng(0)
    units = np.column_stack([axis.snap(rng.random(9)) for axis in AXES])
    weights, means = rng.normal(size=(9, 2)), np.array([20.0, 3.0])
    expansion = Expansion.from_kernel_weights(
        make_features(LOGS, AXES), LOGS, units, weights, means
    )
    parts = expansion.decompose()
    grids, chances = zip(*(axis.grid(48) for axis in AXES), strict=True)
    points = np.array(list(itertools.product(*grids)))
    shape = tuple(map(len, grids))
    f = (
        kernel.covariance(LOGS, kernel.squared_distances(points, units, AXES)) @ weights + means
    ).reshape(*shape, 2)
    assert expansion.predict(points).reshape(f.shape) == pytest.approx(f, abs=1e-3)
    p = np.einsum("i,j,k->ijk", *chances)
    mean = np.einsum("ijkr,ijk->r", f, p)
    assert parts.mean == pytest.approx(mean)
    assert parts.variance == pytest.approx(np.einsum("ijkr,ijk->r", (f - mean) ** 2, p))
    main = [
        np.einsum("ijkr,j,k->ir", f, chances[1], chances[2]) - mean,
        np.einsum("ijkr,i,k->jr", f, chances[0], chances[2]) - mean,
        np.einsum("ijkr,i,j->kr", f, chances[0], chances[1]) - mean,
    ]
    for j in range(3):
        assert parts.main_effects[j] == pytest.approx(main[j], abs=1e-4)
        assert parts.main_variance[j] == pytest.approx(chances[j] @ main[j] ** 2)
    both = np.einsum("ijkr,k->ijr", f, chances[2]) - mean - main[0][:, None] - main[1][None, :]
    assert parts.pair_variance[0, 1] == pytest.approx(
        np.einsum("ijr,i,j->r", both**2, *chances[:2])
    )


def test_drawn_functions_have_the_covariance_of_the_kernel() -> None:
    rng = np.random.default_rng(3)
    points = np.column_stack([axis.snap(rng.random(7)) for axis in AXES])
    drawn = Expansion.draw_prior(make_features(LOGS, AXES), LOGS, 2.0, 40_000, rng)
    covariances = kernel.covariance(LOGS, kernel.squared_distances(points, points, AXES))
    assert np.cov(drawn.predict(points)) == pytest.approx(4.0 * covariances, abs=0.5)
    assert drawn.predict(points).mean(axis=1) == pytest.approx(0.0, abs=0.1)


def test_kernel_gradient_matches_finite_differences() -> None:
    rng = np.random.default_rng(1)
    points = rng.random((6, 3))
    gaps, slope = kernel.squared_distances(points, points, AXES).reshape(3, 36), rng.normal(size=36)
    step = 1e-6
    covariances, pullback = kernel.covariance_and_pullback(LOGS, gaps)
    assert covariances == pytest.approx(kernel.covariance(LOGS, gaps))
    for j, exact in enumerate(pullback(slope)):
        nudge = step * np.eye(len(LOGS))[j]
        difference = kernel.covariance(LOGS + nudge, gaps) - kernel.covariance(LOGS - nudge, gaps)
        assert (slope * difference).sum() / (2 * step) == pytest.approx(exact, rel=1e-5, abs=1e-7)


def test_kernel_is_symmetric_and_positive_definite() -> None:
    points = np.random.default_rng(2).random((40, 3))
    covariances = kernel.covariance(LOGS, kernel.squared_distances(points, points, AXES))
    assert covariances == pytest.approx(covariances.T)
    assert np.linalg.eigvalsh(covariances).min() > -1e-9


@pytest.mark.parametrize(
    "objective", list_benchmark_functions(), ids=lambda objective: objective.name
)
def test_sampled_decomposition_matches_the_closed_forms(objective) -> None:  # type: ignore[no-untyped-def]
    parts = decompose_by_sampling(
        lambda units: objective.evaluate(units)[:, None], objective.axes, np.random.default_rng(0)
    )
    assert parts.first_shares[:, 0] == pytest.approx(objective.first, abs=0.035)
    assert parts.total_shares[:, 0] == pytest.approx(objective.total, abs=0.035)


def test_binned_main_effects_of_a_linear_function_are_linear() -> None:
    parts = decompose_by_sampling(
        lambda u: 6.0 * u[:, :1], (Axis("a", "a"), Axis("b", "b")), np.random.default_rng(0)
    )
    assert parts.main_effects[0][:, 0] == pytest.approx(6.0 * (parts.grids[0] - 0.5), abs=0.1)
    assert parts.main_effects[1][:, 0] == pytest.approx(0.0, abs=0.2)
