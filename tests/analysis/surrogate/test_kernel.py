"""The kernel: centred on every axis, and symmetric and positive definite in all."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.surrogate.kernel import Hyperparameters, Smoothness, covariance
from analysis.surrogate.unit_cube import Axis
from tests.analysis.surrogate.axes_of_all_kinds import AXES, THETA, draw_points, make_kernels


@pytest.mark.parametrize("smoothness", ["3/2", "5/2"])
@pytest.mark.parametrize("log_length", [-2.0, 0.0, 1.3])
@pytest.mark.parametrize("axis", AXES, ids=lambda axis: axis.label)
def test_each_axis_is_centred_under_its_distribution(
    axis: Axis, log_length: float, smoothness: Smoothness
) -> None:
    kernel = make_kernels(smoothness)[AXES.index(axis)]
    points = axis.snap(np.random.default_rng(0).random(20))
    c = kernel.centred(kernel.nodes, points, log_length)
    assert kernel.weights @ c == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("log_length", [-2.0, 0.0, 1.3])
def test_the_mean_square_of_a_function_of_one_axis_is_near_1(log_length: float) -> None:
    """Exactly 1 only where all places are alike, as levels of equal probability are."""
    means = {}
    for kernel in make_kernels():
        diagonal = np.diag(kernel.centred(kernel.nodes, kernel.nodes, log_length))
        means[kernel.axis.path] = float(kernel.weights @ diagonal)
    assert means["d"] == pytest.approx(1.0)
    assert all(0.97 < means[path] <= 1.0 for path in "abc")
    assert means["e"] == pytest.approx(0.8)


@pytest.mark.parametrize("axis", AXES, ids=lambda axis: axis.label)
def test_sums_over_nodes_are_means_over_the_distribution_of_the_axis(axis: Axis) -> None:
    """Points of the prior, thinned to the density, against the nodes and their weights."""
    kernel, rng = make_kernels()[AXES.index(axis)], np.random.default_rng(1)
    points = rng.random(60_000)
    if axis.density:
        density = np.array(axis.density)
        points = points[rng.random(len(points)) < density[(points * len(density)).astype(int)]]
    c = kernel.centred(axis.snap(points), kernel.nodes[:3], -0.5)
    assert c.mean(axis=0) == pytest.approx(0.0, abs=0.03)
    exact = kernel.inner_products(kernel.nodes[:3], -0.5)
    assert c.T @ c / len(c) == pytest.approx(exact, abs=0.03)


@pytest.mark.parametrize("smoothness", ["3/2", "5/2"])
def test_the_covariance_is_symmetric_and_positive_definite(smoothness: Smoothness) -> None:
    points = draw_points(60, np.random.default_rng(2))
    k = covariance(make_kernels(smoothness), Hyperparameters.of(THETA), points, points)
    assert k == pytest.approx(k.T)
    assert np.linalg.eigvalsh(k).min() > -1e-9
