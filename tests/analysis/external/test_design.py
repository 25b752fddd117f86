"""Which design another tool's sweep is taken for: by order, spread and dependence of its trials."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from analysis.claims.list_claims import list_claims
from analysis.data.study import Study
from analysis.external.design import add_design, identify_design
from analysis.external.levels import set_on_levels
from analysis.external.proposals import Proposals
from analysis.findings.analyze_study import analyze_study
from study.spec.dimension import Dimension
from tests.analysis.external.designed_trials import (
    DIMENSIONS,
    correlated_units,
    distance_from_best,
    make_study,
    make_table,
    walk_table,
)


@pytest.mark.parametrize("seed", range(8))
def test_uniform_trials_are_space_filling(seed: int) -> None:
    units = np.random.default_rng(seed).random((128, 3))
    assert identify_design(make_table(units, seed=seed), DIMENSIONS).kind == "space-filling"


@pytest.mark.parametrize("seed", range(8))
def test_steps_from_the_best_so_far_are_an_optimiser(seed: int) -> None:
    design = identify_design(walk_table(64, seed), DIMENSIONS)
    assert design.kind == "optimiser"
    assert "(p " in design.evidence


def test_two_parameters_that_move_together_are_correlated() -> None:
    design = identify_design(make_table(correlated_units(128)), DIMENSIONS)
    assert design.kind == "correlated"
    assert design.evidence.startswith("lr and width depend on each other")


def test_trials_in_half_of_a_range_are_not_spread_as_the_prior_says() -> None:
    units = np.random.default_rng(0).random((96, 3)) * [1.0, 0.5, 1.0]
    design = identify_design(make_table(units), DIMENSIONS)
    assert design.kind == "correlated"
    assert design.evidence.startswith("width is not spread as its prior says")


def test_choices_that_were_drawn_with_other_chances_are_not_the_prior() -> None:
    rng = np.random.default_rng(0)
    units = rng.random((96, 3))
    units[:, 2] = np.where(rng.random(96) < 0.8, 0.25, 0.75)
    assert identify_design(make_table(units), DIMENSIONS).kind == "correlated"


def test_a_few_trials_are_told_only_by_the_name_of_their_sampler() -> None:
    table = make_table(np.random.default_rng(0).random((40, 3)))
    assert identify_design(table, DIMENSIONS).kind == "few"
    assert identify_design(table, DIMENSIONS, Proposals("RandomSampler")).kind == "space-filling"
    assert identify_design(table, DIMENSIONS, Proposals("TPESampler")).kind == "optimiser"
    assert identify_design(table.iloc[:10], DIMENSIONS, Proposals("RandomSampler")).kind == "few"


def test_tests_are_trusted_above_the_name_of_the_sampler() -> None:
    design = identify_design(walk_table(96), DIMENSIONS, Proposals("random"))
    assert design.kind == "optimiser"


def test_rows_sorted_by_result_show_no_order_of_trials() -> None:
    table = make_table(np.random.default_rng(0).random((128, 3)))
    by_result = table.sort_values("score", ascending=False).reset_index(drop=True)
    assert identify_design(by_result, DIMENSIONS).kind == "space-filling"


def test_a_range_that_changed_is_not_the_prior() -> None:
    table = make_table(np.random.default_rng(0).random((128, 3)))
    design = identify_design(table, DIMENSIONS, Proposals(ranges_changed=True))
    assert (design.kind, design.is_even) == ("correlated", False)
    assert "range" in design.evidence


def test_a_grid_in_the_order_of_its_loops_is_a_grid_over_its_levels() -> None:
    rates, widths = (1e-4, 1e-3, 1e-2), (32, 64, 128)
    cells = itertools.product(rates, widths, ("adam", "sgd"), range(2))
    points = [{"lr": lr, "width": width, "optimizer": name} for lr, width, name, _ in cells]
    study = add_design(_study_of(points))
    assert study.design is not None
    assert study.design.kind == "grid"
    assert [d.choices for d in study.space.dimensions] == [rates, widths, ("adam", "sgd")]


def test_a_grid_cut_short_is_a_grid_with_gaps_over_the_values_seen() -> None:
    cells = itertools.product((1e-4, 1e-3, 1e-2, 1e-1), (32, 64, 128), ("adam", "sgd"), range(3))
    points = [{"lr": lr, "width": w, "optimizer": name} for lr, w, name, _ in cells]
    study = add_design(_study_of(points[:40]))
    assert study.design is not None
    assert (study.design.kind, study.design.is_even) == ("uneven grid", False)
    assert "14 of the 18 combinations of the values seen" in study.design.evidence
    assert study.space.dimensions[0].choices == (1e-4, 1e-3, 1e-2)


def test_a_declared_value_that_was_never_run_is_named() -> None:
    cells = itertools.product((1e-4, 1e-3, 1e-2), (32, 64), ("adam",), range(3))
    points = [{"lr": lr, "width": w, "optimizer": name} for lr, w, name, _ in cells]
    study = add_design(_study_of(points))
    design = study.design
    assert design is not None
    assert design.kind == "uneven grid"
    assert [d.path for d in study.space.dimensions] == ["lr", "width"]
    assert design.evidence.endswith("most of them 3 times; no completed trial has optimizer sgd")


def test_a_value_whose_trials_all_failed_is_left_out_of_the_analysis() -> None:
    cells = itertools.product((1e-4, 1e-3, 1e-2), (32, 64, 128), ("adam", "sgd"), range(4))
    points = [{"lr": lr, "width": w, "optimizer": name} for lr, w, name, _ in cells]
    study = _study_of(points)
    failed = study.trials["optimizer"] == "sgd"
    study.trials.loc[failed, "outcome"] = "failed"
    study.trials.loc[failed, "score"] = np.nan
    findings = analyze_study(add_design(study))
    assert {share.path for share in findings.importance.shares} == {"lr", "width"}
    (claim,) = [c for c in list_claims(findings) if c.kind == "design"]
    assert "no completed trial has optimizer sgd" in claim.text


@pytest.mark.parametrize("seed", range(4))
def test_sorted_rows_show_no_optimiser(seed: int) -> None:
    table = make_table(np.random.default_rng(seed).random((128, 3)), seed=seed)
    for column in ("lr", "optimizer"):
        by_setting = table.sort_values(column, kind="stable").reset_index(drop=True)
        assert identify_design(by_setting, DIMENSIONS).kind == "space-filling"


def test_an_optimiser_whose_rows_are_sorted_by_a_choice_is_still_one() -> None:
    table = walk_table(128).sort_values("optimizer", kind="stable").reset_index(drop=True)
    assert identify_design(table, DIMENSIONS).kind == "optimiser"


def test_a_drift_alone_is_no_optimiser() -> None:
    rng = np.random.default_rng(0)
    units = rng.random((128, 3))
    units[:, 1] = (np.arange(128) + 60 * units[:, 1]) / 188  # the width, which has no effect
    design = identify_design(make_table(units), DIMENSIONS)
    assert design.kind == "correlated"
    assert design.evidence.startswith("width drifts with the trial number")


def test_one_parameter_at_a_time_is_neither_prior_nor_optimiser() -> None:
    units = np.full((48, 3), 0.25)
    for i in range(48):
        units[i, i % 3] = (i + 0.5) / 48
    design = identify_design(make_table(units), DIMENSIONS)
    assert design.kind == "correlated"
    assert "single parameter" in design.evidence


def test_enqueued_trials_among_sampled_ones_are_counted() -> None:
    table = make_table(np.random.default_rng(0).random((96, 3)))
    random = identify_design(table, DIMENSIONS, Proposals("random", enqueued=3))
    assert (random.kind, random.evidence) == (
        "correlated", "3 trials had values that were given (enqueued)"
    )  # fmt: skip
    tpe = identify_design(table, DIMENSIONS, Proposals("tpe", enqueued=1))
    assert tpe.kind == "optimiser"
    assert "1 trial had values that were given" in tpe.evidence


def test_pruned_trials_leave_those_that_results_selected() -> None:
    units = np.random.default_rng(0).random((160, 3))
    table = make_table(units)
    table.loc[:39, "state"] = "pruned"
    study = add_design(make_study(table))
    assert study.design is not None
    assert study.design.limitation == "results decided which trials completed"
    assert study.design.evidence == "40 of 160 trials were pruned, by their early results"


def test_a_few_values_of_a_wide_range_are_levels() -> None:
    width = Dimension("width", "int", 1, 8, label="width")
    rng = np.random.default_rng(0)
    assert set_on_levels(width, pd.Series(rng.integers(1, 9, 64))) is width
    assert set_on_levels(width, pd.Series(rng.choice([2, 4, 8], 64))).choices == (2, 4, 8)
    rate = Dimension("lr", "float", 1e-5, 1e-1, True, label="lr")
    assert set_on_levels(rate, pd.Series(rng.random(64))) is rate
    assert set_on_levels(rate, pd.Series([1e-3, 1e-2] * 8)).choices == (1e-3, 1e-2)


def _study_of(points: list[dict[str, object]]) -> Study:
    table = pd.DataFrame(points)
    scores = [-distance_from_best(np.array([0.5, 0.5, 0.25])) - 0.01 * i for i in range(len(table))]
    table = table.assign(score=scores, number=range(len(table)), state="completed")
    return make_study(table)
