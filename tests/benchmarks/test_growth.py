"""The simulated driver runs whole studies, and exponents are slopes of logarithms."""

from __future__ import annotations

from pathlib import Path

import pytest

from study.records.schema import trial_id


def test_a_simulated_driver_ends_all_trials(tmp_path: Path) -> None:
    from simulated.objectives import find_objective
    from simulated.simulate_driver import create_study, open_manager, run_all

    folder, spec = create_study(tmp_path / "study", find_objective("ridge"), trials=7)
    with open_manager(folder, spec) as manager:
        run_all(manager, at_once=3)
        assert manager.is_finished()
    trials = folder.read_trials()
    assert trials["trial_id"].tolist() == [trial_id(number) for number in range(7)]
    assert (trials["state"] == "collapsed").tolist() == [n % 5 == 0 for n in range(7)]


def test_exponents() -> None:
    from growth import fit_exponent

    assert fit_exponent([1_000, 10_000], [2.0, 200.0]) == pytest.approx(2.0)
    assert fit_exponent([1, 10, 100], [3.0, 3.0, 3.0]) == pytest.approx(0.0)
    assert fit_exponent([1, 10], [0.0, 1.0]) != fit_exponent([1, 10], [0.0, 1.0])  # NaN
