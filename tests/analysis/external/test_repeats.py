"""Repeats of configurations become one trial each; grids and chance coincidences stay."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from analysis.claims.list_claims import list_claims, select_claims
from analysis.data.metric import Metric
from analysis.external.copies import merge_copies
from analysis.external.question import Question
from analysis.external.read_study import read_external_study
from analysis.external.repeats import find_seeds, merge_repeats
from analysis.external.sweep import ExternalTrial, Setting, Sweep
from analysis.findings.analyze_study import analyze_study
from analysis.pages.study_page import render_study_page
from study.spec.dimension import Dimension

METRIC = Metric("acc")


def make_sweep(rows: Sequence[dict[str, Setting]]) -> Sweep:
    trials = tuple(
        ExternalTrial(f"row {i}", "completed", row, {"acc": float(i)}) for i, row in enumerate(rows)
    )
    return Sweep("CSV", "runs.csv", trials)


def draw(points: int, seed: int = 0) -> list[dict[str, Setting]]:
    units = np.random.default_rng(seed).uniform(size=(points, 2))
    return [{"lr": float(a), "dropout": float(b)} for a, b in units]


def repeat(rows: Sequence[dict[str, Setting]], times: int) -> list[dict[str, Setting]]:
    return [{**row, "seed": seed} for row in rows for seed in range(times)]


def count_copies(trials: Sequence[ExternalTrial]) -> int:
    names = [name for name in trials[0].settings if name != "seed"]
    return len(merge_copies({n: Dimension(n, "float", 0.0, 1.0) for n in names}, trials)[1])


def test_seeds_of_a_configuration_become_their_mean() -> None:
    sweep, (assumed,) = merge_repeats(make_sweep(repeat(draw(40), 3)), METRIC, Question())
    assert [t.metrics["acc"] for t in sweep.trials] == [3.0 * i + 1 for i in range(40)]
    assert "120 completed trials are 40 configurations, told apart by seed" in assumed.text
    assert assumed.option == "--parameters dropout,lr,seed"


def test_repeats_without_a_seed_are_recognised() -> None:
    sweep, assumed = merge_repeats(make_sweep(draw(40) * 2), METRIC, Question())
    assert (len(sweep.trials), len(assumed)) == (40, 1)


def test_a_grid_with_seeds_keeps_its_trials_and_loses_the_seed() -> None:
    cells: list[dict[str, Setting]] = [
        {"lr": lr, "width": width} for lr, width in itertools.product((0.1, 0.01, 0.001), (1, 2, 4))
    ]
    sweep = make_sweep(repeat(cells, 3))
    assert merge_repeats(sweep, METRIC, Question()) == (sweep, ())
    assert find_seeds(sweep.trials, Question()) == ("seed",)
    assert find_seeds(sweep.trials, Question(parameters=("lr", "seed"))) == ()


def test_seeds_named_as_parameters_tell_configurations_apart() -> None:
    sweep = make_sweep(repeat(draw(40), 3))
    question = Question(parameters=("lr", "dropout", "seed"))
    assert merge_repeats(sweep, METRIC, question) == (sweep, ())


@pytest.mark.parametrize("levels", [2, 3, 4])
def test_independent_draws_from_lists_are_left_alone(levels: int) -> None:
    for seed in range(100):
        drawn = np.random.default_rng(seed).integers(levels, size=(60, 3)).tolist()
        sweep = make_sweep([dict(zip("abc", row, strict=True)) for row in drawn])
        assert merge_repeats(sweep, METRIC, Question()) == (sweep, ())
        assert count_copies(sweep.trials) == 0


def test_repeated_points_are_no_copies_of_one_another() -> None:
    for seed in range(50):
        rows = draw(20, seed)
        assert count_copies(make_sweep(repeat(rows, 4)).trials) == 0
        crossed = [{**row, "width": width} for row in rows for width in (16, 32, 64)]
        assert count_copies(make_sweep(crossed).trials) == 0


def test_the_report_counts_recorded_trials_and_their_configurations(tmp_path: Path) -> None:
    rows = repeat(draw(24), 4)
    cells = [[row["lr"], row["dropout"], row["seed"], i % 7] for i, row in enumerate(rows)]
    lines = [",".join(map(str, row)) for row in [*cells, [0.5, 0.5, 0, "nan"]]]
    file = tmp_path / "runs.csv"
    file.write_text("\n".join(["lr,dropout,seed,acc", *lines]) + "\n")
    findings = analyze_study(read_external_study(file).study)
    claims = list_claims(findings)
    (completed,) = select_claims(claims, "state")
    assert completed.text == (
        "97 of 97 trials completed (25 configurations), 1 of them without a finite acc."
    )
    (best,) = select_claims(claims, "best_run")
    assert "acc of the 24 configurations: " in best.text
    assert "and 3 more of its configuration), selected" in best.text
    assert completed.text in render_study_page(findings)
