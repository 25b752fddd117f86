"""The forecast of a study: which configurations are measured, and what follows from them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nerf.scenes.scene import Scene
from study.driver.forecast import predict_seconds, schedule, spread_over
from study.spec.study_space import study_space
from study.spec.study_spec import StudySpec
from study.worker.probe import measure_trials
from tests.study.sweeps import RUN_SWEEP

TOY = Path(__file__).parents[1] / "trainers" / "toy.py"
BY_LOSS = [f"--trainable={TOY}:train", "--metric=loss", "--direction=min", "--set=fault=none"]


def test_measured_are_cheap_and_costly_ones_and_the_costliest() -> None:
    costs = np.random.default_rng(0).permutation(100)
    chosen = costs[spread_over(costs, 6)]
    assert list(chosen) == sorted(chosen)
    assert chosen[-1] == 99
    assert chosen[0] < 20
    assert spread_over(costs[:3], 6) == list(np.argsort(costs[:3]))


def test_seconds_rise_with_the_cost_and_never_below_zero() -> None:
    costs = np.array([1.0, 2.0, 3.0, 10.0])
    line = predict_seconds(costs, np.array([1.0, 3.0]), [2.0, 4.0])
    np.testing.assert_allclose(line, [2.0, 3.0, 4.0, 11.0])
    falling = predict_seconds(costs, np.array([1.0, 3.0]), [4.0, 2.0])
    np.testing.assert_allclose(falling, [3.0] * 4, err_msg="their mean")


@pytest.mark.slow
def test_a_nerf_s_rule_of_collapse_waits_for_the_whole_budget(ball: Scene) -> None:
    """Few steps are evaluated earlier than many, where `psnr<99` would end each of them."""
    settings = ["optimisation.rays=16", "sampling.coarse=4", "field.depth=1", "field.width=8"]
    space = study_space(["sampling.near=2:3"], settings, 20_000)
    space = space.with_scene_bounds((ball.bounds.near, ball.bounds.far))
    spec = StudySpec(space, scene=ball.source, steps=20_000, collapse=("psnr<99",))
    values = [{"sampling.near": 2.5}]
    (measured,) = measure_trials(spec, ball, values, at_once=1, seconds=0.3, patience=600)
    assert (measured.problem, measured.collapse) == ("", "")
    assert measured.steps < 20_000


def test_trials_take_turns_in_the_slots() -> None:
    assert schedule([2.0] * 4, at_once=2) == 4.0
    assert schedule([1.0, 1.0, 5.0], at_once=2, start=3.0) == 9.0


@pytest.mark.slow
def test_a_dry_run_measures_and_creates_nothing(tmp_path: Path) -> None:
    command = [sys.executable, str(RUN_SWEEP), *BY_LOSS, "--dry-run", "--steps=20", "--hours=1"]
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "a dry run: nothing is created" in lines[0]
    assert lines[1].startswith("trials: 68 (48 explore, 8 optimise, 12 replicate)")
    assert lines[2].startswith("time: about ")
    assert "60 min: enough for all 68 trials" in done.stdout
    assert "power: of simulated studies with 48 explored trials" in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--set=fault=fail"], "no gradient; lower lr"),
        (["--set=fault=none", "--collapse=loss>0"], "> 0 at step 5 (--collapse)"),
    ],
)
def test_a_trial_that_collapses_is_measured_until_then(
    tmp_path: Path, options: list[str], reason: str
) -> None:
    trainer = [f"--trainable={TOY}:train", "--metric=loss:min", *options]
    command = [sys.executable, str(RUN_SWEEP), *trainer, "--dry-run", "--steps=20"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (line,) = (line for line in done.stdout.splitlines() if "collapsed meanwhile" in line)
    measured, _, first = line.partition(" of them, the first: ")
    assert int(measured.rpartition(" ")[2]) >= 4
    assert reason in first
    assert "not measured" not in done.stdout
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_trainer_that_cannot_be_measured_says_why(tmp_path: Path) -> None:
    trainer = [f"--trainable={TOY}:train", "--metric=nothing", "--direction=min"]
    command = [sys.executable, str(RUN_SWEEP), *trainer, "--set=fault=none", "--dry-run"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "the metric nothing was not reported" in done.stderr
