"""Objectives beside the metric are named, and the Pareto optimal trials counted."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from analysis.claims.list_claims import list_claims, select_claims
from analysis.data.metric import Metric
from analysis.external.objectives import count_pareto_optimal, find_other_objectives
from analysis.external.sweep import ExternalTrial, Objective, Sweep
from analysis.findings.analyze_study import analyze_study
from tests.analysis.foreign_studies import make_foreign_study

ACCURACY, LATENCY = Objective("accuracy", "maximize"), Objective("latency ms", "minimize")
VALUES = [(0.9, 5.0), (0.8, 2.0), (0.7, 3.0), (0.9, float("nan")), (0.9, 5.0)]
TRIALS = tuple(
    ExternalTrial(str(i), "completed", {"lr": i}, {"accuracy": a, "latency ms": b})
    for i, (a, b) in enumerate(VALUES)
)


def test_rows_that_another_one_dominates_do_not_count() -> None:
    assert count_pareto_optimal(np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.5], [1.0, 0.0]])) == 3
    assert count_pareto_optimal(np.empty((0, 2))) == 0


def test_other_objectives_are_named_with_their_option(tmp_path: Path) -> None:
    sweep = Sweep("Optuna", "mo", TRIALS, (ACCURACY, LATENCY))
    others = find_other_objectives(sweep, Metric("accuracy"))
    assert others is not None
    assert (others.names, others.front, others.trials) == (("latency ms",), 3, 4)
    study = make_foreign_study(tmp_path, trials=20, curves=False)
    findings = analyze_study(dataclasses.replace(study, other_objectives=others))
    (claim,) = select_claims(list_claims(findings), "other_objectives")
    assert "--metric 'latency ms'" in claim.text
    assert "3 of the 4 completed trials" in claim.text


def test_a_single_objective_or_another_metric_has_no_others() -> None:
    assert find_other_objectives(Sweep("x", "x", TRIALS, (ACCURACY,)), Metric("accuracy")) is None
    both = Sweep("x", "x", TRIALS, (ACCURACY, LATENCY))
    assert find_other_objectives(both, Metric("loss")) is None
