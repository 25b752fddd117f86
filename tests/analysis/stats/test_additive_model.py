"""An additive model by least squares: exact contrasts, estimability, errors."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.stats.additive_model import Contrast, fit_additive_model

A, B = np.array([0.0, 1.0, 3.0]), np.array([0.0, -2.0])


def test_contrasts_of_an_additive_result_are_exact() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.integers(0, 3, 40), rng.integers(0, 2, 40)
    model = fit_additive_model([a, b], [3, 2], 20.0 + A[a] + B[b])
    assert model is not None
    for contrast, truth in ((model.contrast(0, 2, 1), 2.0), (model.contrast(1, 1, 0), -2.0)):
        assert contrast is not None
        assert (contrast.estimate, contrast.variance) == pytest.approx((truth, 0.0), abs=1e-9)


def test_the_variance_of_a_contrast_is_that_of_a_difference_of_means() -> None:
    rng = np.random.default_rng(1)
    a = np.repeat([0, 1], [10, 20])
    y = rng.normal(size=30)
    model = fit_additive_model([a], [2], y)
    assert model is not None
    contrast = model.contrast(0, 1, 0)
    assert contrast is not None
    spread = sum(((y[a == i] - y[a == i].mean()) ** 2).sum() for i in (0, 1)) / 28
    assert contrast.estimate == pytest.approx(y[a == 1].mean() - y[a == 0].mean())
    assert contrast.variance == pytest.approx(spread * (1 / 10 + 1 / 20))
    assert contrast.freedom == 28


def test_a_sign_is_false_in_five_per_cent_however_few_the_runs() -> None:
    rng = np.random.default_rng(2)
    a = np.array([0, 0, 0, 0, 1, 1, 1])  # 5 degrees of freedom
    false = 0
    for _ in range(2000):
        model = fit_additive_model([a], [2], rng.normal(size=7))
        contrast = model.contrast(0, 1, 0) if model else None
        assert contrast is not None
        false += contrast.sign != 0
    assert 0.04 < false / 2000 < 0.06  # 0.107 by the normal quantile


def test_a_sign_is_that_of_the_estimate() -> None:
    assert [Contrast(x, 0.01, 10).sign for x in (1.0, -1.0, 0.1)] == [1, -1, 0]


def test_what_the_runs_cannot_tell_apart_is_not_estimated() -> None:
    a = np.repeat([0, 1], 10)
    aliased = fit_additive_model([a, a], [2, 2], np.arange(20.0))
    assert aliased is not None
    assert aliased.contrast(0, 1, 0) is None
    unseen = fit_additive_model([a], [3], np.arange(20.0))
    assert unseen is not None
    assert unseen.contrast(0, 2, 0) is None
    assert unseen.contrast(0, 1, 0) is not None


@pytest.mark.parametrize("runs", [0, 3, 6])
def test_too_few_runs_are_refused(runs: int) -> None:
    levels = np.arange(runs) % 2
    assert fit_additive_model([levels], [2], np.arange(float(runs))) is None
