"""Curves, best values, gains and paths, on a study whose objective is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from analysis.data.selection import select_finished
from analysis.findings.analyze_study import Findings, analyze_study
from analysis.findings.pareto_front import select_pareto_front
from study.records.study_folder import StudyFolder


@pytest.fixture(scope="module")
def findings(make_study: Callable[..., StudyFolder]) -> Findings:
    return analyze_study(make_study("known", explore=64, optimize=8))


def effect(findings: Findings, path: str):  # type: ignore[no-untyped-def]
    return next(effect for effect in findings.effects if effect.path == path)


def test_every_varied_parameter_and_far_itself_have_an_effect(findings: Findings) -> None:
    paths = [effect.path for effect in findings.effects]
    assert {d.path for d in findings.study.space.dimensions} < set(paths)
    assert paths.index("sampling.far") == paths.index("sampling.span") - 1


def test_the_curve_is_the_objective_averaged_over_the_others(findings: Findings) -> None:
    """PSNR falls by 6 dB a unit of near beyond 3; trials beyond 4.5 collapsed and left no curve."""
    curve = effect(findings, "sampling.near").curve
    near = np.array(curve.values)
    truth = -6.0 * np.maximum(near - 3.0, 0.0)
    seen = near < 4.4
    assert curve.mean[seen] - curve.mean[0] == pytest.approx(truth[seen], abs=0.8)
    assert (curve.low <= curve.mean).all()
    assert (curve.mean <= curve.high).all()


def test_the_interval_of_the_best_learning_rate_covers_it(findings: Findings) -> None:
    curve = effect(findings, "optimisation.learning_rate").curve
    assert curve.best_low <= 2e-3 <= curve.best_high
    judged = zip(curve.values, curve.verdicts, strict=True)
    as_good = [value for value, verdict in judged if verdict == "as good"]
    assert as_good[0] <= curve.best <= as_good[-1]
    lost = 4.0 * np.log10(np.array(as_good) / 2e-3) ** 2
    assert lost.max() <= curve.margin


def test_an_idle_parameter_is_described_as_flat(findings: Findings) -> None:
    flat = effect(findings, "encoding.position_frequencies")
    assert not flat.curve.matters
    assert "worse" not in flat.curve.verdicts
    assert not flat.curve.at_edge


def test_intervals_of_tuning_gains_cover_the_true_gains(findings: Findings) -> None:
    """The objective is at its best at a learning rate of 2e-3, and anywhere below a near of 3."""
    assert findings.tunability is not None
    rate = float(findings.study.space.defaults()["optimisation.learning_rate"])
    truth = {"learning rate": 4.0 * np.log10(rate / 2e-3) ** 2}
    for gain in findings.tunability.single:
        assert gain.low - 0.1 <= truth.get(gain.label, 0.0) <= gain.high + 0.1
    assert findings.tunability.joint.high >= truth["learning rate"]


def test_the_path_from_the_defaults_to_the_best_trial_has_measured_values(
    findings: Findings,
) -> None:
    assert findings.tunability is not None
    assert findings.default is not None
    assert findings.best is not None
    first, *_, last = findings.tunability.path
    assert first.measured == pytest.approx(findings.default["score"])
    assert last.measured == pytest.approx(findings.best["score"])
    moved = [step.label for step in findings.tunability.path[1:]]
    assert len(moved) == len(set(moved))


def test_importance_over_time_ends_at_the_final_importance(findings: Findings) -> None:
    last = findings.over_time.at_steps[-1]
    assert last.importance == findings.importance
    assert last.agreement == pytest.approx(1.0)
    assert last.psnr_lost == 0.0


def test_no_trial_dominates_the_pareto_front(findings: Findings) -> None:
    best, done = select_pareto_front(findings.study.trials), select_finished(findings.study.trials)
    for _, trial in done.iterrows():
        faster = best[best["train_seconds"] <= trial["train_seconds"]]
        assert faster["score"].max() >= trial["score"]
    assert best["score"].is_monotonic_increasing
    assert best["train_seconds"].is_monotonic_increasing
