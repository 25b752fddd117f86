"""Limits of wide sweeps: which parameters stay, what is said of the others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from analysis.external.read_study import read_external_study
from analysis.findings.limits import limit_parameters, screen_parameters
from analysis.surrogate.unit_cube import Axis


def draw(trials: int, parameters: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Places, and results that follow the first parameter; the second acts through the third."""
    rng = np.random.default_rng(seed)
    units = rng.random((trials, parameters))
    product = (units[:, 1] - 0.5) * (units[:, 2] - 0.5)
    return units, 2 * units[:, 0] + 6 * product + 0.1 * rng.normal(size=trials)


def test_parameters_that_act_pass_and_others_seldom_do() -> None:
    passed = []
    for seed in range(20):
        units, scores = draw(300, 60, seed)
        p_values = screen_parameters(units, scores, [Axis(str(j), str(j)) for j in range(60)])
        passed.append(p_values < 0.05)
    rates = np.mean(passed, axis=0)
    assert rates[0] == 1
    assert np.any(passed, axis=1).mean() == 1
    assert (np.array(passed)[:, 3:].any(axis=1)).mean() <= 0.15  # 0.05 of studies expected


def test_a_wide_table_is_analysed_over_the_parameters_that_act(tmp_path: Path) -> None:
    units, scores = draw(200, 40)
    table = pd.DataFrame(units, columns=[f"p{j}" for j in range(40)]).assign(acc=scores)
    table.to_csv(tmp_path / "runs.csv", index=False)
    study = limit_parameters(read_external_study(tmp_path / "runs.csv").study)
    paths = [dimension.path for dimension in study.space.dimensions]
    assert "p0" in paths
    assert len(paths) < 8
    assert "of 40 parameters" in str(study.assumed[-1])
