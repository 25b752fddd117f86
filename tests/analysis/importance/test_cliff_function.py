"""A cliff in a study of twelve parameters, most of them without any effect."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.importance import sobol
from analysis.importance.closed_forms import make_cliff_function
from analysis.surrogate.anova import decompose_by_sampling


def test_exactly_the_parameters_with_an_effect_are_significant(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sobol, "_BOOTSTRAPS", 10)  # the null line does not depend on them
    function, rng = make_cliff_function(), np.random.default_rng(0)
    units, psnr = function.sample_trials(200, 0.3, rng)
    importance = sobol.estimate_sobol_shares(units, psnr, function.axes, rng).importance
    significant = {share.path for share in importance.significant_shares}
    assert significant == {"x0", "x2", "x3", "x4", "x5"}


def test_the_shares_of_the_cliff_are_those_of_its_closed_form() -> None:
    function = make_cliff_function()
    decomposition = decompose_by_sampling(
        lambda units: function.evaluate(units)[:, None], function.axes, np.random.default_rng(0)
    )
    assert decomposition.first_shares[:, 0] == pytest.approx(function.first, abs=0.035)
    assert decomposition.total_shares[:, 0] == pytest.approx(function.total, abs=0.035)
