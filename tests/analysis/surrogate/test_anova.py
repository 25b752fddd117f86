"""The decomposition of drawn functions against averages over a full grid, axis by axis."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from analysis.surrogate.anova import Variances, measure_variances
from analysis.surrogate.kernel import Hyperparameters, covariance
from tests.analysis.surrogate.axes_of_all_kinds import THETA, draw_points, make_kernels

CHOSEN = (1, 2, 4)  # three axes: a density, ordered levels, choices
KERNELS = tuple(make_kernels()[j] for j in CHOSEN)
HYPER = Hyperparameters.of(np.concatenate([THETA[list(CHOSEN)], [0.0, -0.3, -0.9, 0.7, -1.0]]))
CENTRES = draw_points(9, np.random.default_rng(0))[:, CHOSEN]


def test_variances_match_averages_over_a_full_grid() -> None:
    """No rest is added, as the scale is 0: the functions are K(., centres) weights exactly."""
    weights, none = np.random.default_rng(1).normal(size=(9, 4)), np.zeros(4)
    measured = measure_variances(KERNELS, HYPER, CENTRES, weights, np.eye(9), none)
    points = np.array(list(itertools.product(*(k.nodes for k in KERNELS))))
    shape = tuple(len(k.nodes) for k in KERNELS)
    f = (covariance(KERNELS, HYPER, points, CENTRES) @ weights).reshape(*shape, 4)
    a, b, c = (k.weights for k in KERNELS)
    assert np.einsum("ijkr,i,j,k->r", f, a, b, c) == pytest.approx(0.0, abs=1e-9)
    assert measured.whole == pytest.approx(np.einsum("ijkr,i,j,k->r", f**2, a, b, c))
    first = np.einsum("ijkr,j,k->ir", f, b, c)
    second = np.einsum("ijkr,i,k->jr", f, a, c)
    both = np.einsum("ijkr,k->ijr", f, c) - first[:, None] - second[None]
    assert measured.alone[0] == pytest.approx(a @ first**2)
    assert measured.alone[1] == pytest.approx(b @ second**2)
    assert measured.pairs[0, 1] == pytest.approx(np.einsum("ijr,i,j->r", both**2, a, b))
    # The total of an axis: what remains after averaging over it.
    without = np.einsum("ijkr,k->ijr", f, c)[:, :, None]
    assert measured.total[2] == pytest.approx(
        np.einsum("ijkr,i,j,k->r", (f - without) ** 2, a, b, c)
    )


def test_with_the_rest_drawn_functions_have_the_variances_of_the_prior() -> None:
    """Of functions drawn from the prior at the centres; the rest is of what lies between them."""
    rng, draws = np.random.default_rng(2), 40_000
    k = covariance(KERNELS, HYPER, CENTRES, CENTRES) + 1e-9 * np.eye(9)
    precision = np.linalg.inv(k)
    weights = precision @ np.linalg.cholesky(k) @ rng.normal(size=(9, draws))
    drawn = measure_variances(KERNELS, HYPER, CENTRES, weights, precision, np.ones(draws))
    v, rho = HYPER.variances, HYPER.rho
    assert drawn.whole.mean() == pytest.approx(HYPER.prior_variance, rel=0.03)
    assert drawn.alone.mean(axis=1) == pytest.approx(v, rel=0.03)
    others = np.prod(1.0 + rho * v) / (1.0 + rho * v)
    assert drawn.total.mean(axis=1) == pytest.approx(v * others, rel=0.03)
    assert drawn.pairs[0, 1].mean() == pytest.approx(rho * v[0] * v[1], rel=0.03)
    assert drawn.noise == pytest.approx(HYPER.noise)


def test_parts_of_the_variance_add_up_to_one() -> None:
    rng = np.random.default_rng(3)
    weights, scales = rng.normal(size=(9, 5)), rng.random(5)
    v = measure_variances(KERNELS, HYPER, CENTRES, weights, np.eye(9), scales)
    assert v.shares_alone.sum(axis=0) + v.interaction_shares + v.unexplained == pytest.approx(1.0)
    assert (v.shares >= v.shares_alone - 1e-12).all()
    pairs_of_first = v.pair_shares[0].sum(axis=0)
    assert (v.shares[0] >= v.shares_alone[0] + pairs_of_first - 1e-12).all()


def test_a_constant_without_noise_has_no_shares() -> None:
    nothing = np.zeros(2)
    v = Variances(nothing, nothing, np.zeros((3, 2)), np.zeros((3, 2)), np.zeros((3, 3, 2)))
    assert not v.shares.any()
    assert not v.pair_shares.any()
