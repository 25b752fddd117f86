"""A part of very many trials, with the best one."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.data.metric import Metric
from analysis.external import limit_trials as limits
from analysis.external.limit_trials import limit_trials
from analysis.external.sweep import ExternalTrial, Sweep


@pytest.mark.parametrize("minimize", [False, True])
def test_of_many_trials_a_part_stands_for_all_with_the_best_one(
    minimize: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_TRIALS", 50)
    values = np.random.default_rng(0).permutation(200).tolist()
    trials = tuple(
        ExternalTrial(str(n), "completed", {"lr": n / 200}, {"acc": float(value)})
        for n, value in enumerate(values)
    )
    sweep, assumed = limit_trials(Sweep("CSV", "runs", trials), Metric("acc", "", minimize))
    assert len(sweep.trials) in (50, 51)
    best = min(values) if minimize else max(values)
    assert best in [trial.metrics["acc"] for trial in sweep.trials]
    places = [int(trial.name) for trial in sweep.trials]
    assert places == sorted(places)
    assert "stand for all 200" in assumed[0].text


def test_fewer_trials_are_all_analysed() -> None:
    sweep = Sweep("CSV", "runs", (ExternalTrial("0", "completed", {"lr": 1.0}, {"acc": 1.0}),))
    assert limit_trials(sweep, Metric("acc", "", False)) == (sweep, ())
