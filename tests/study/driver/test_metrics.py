"""Studies by other metrics than PSNR, and by several, on real processes."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from analysis.findings.analyze_study import analyze_study
from analysis.findings.front import find_best_row
from study.records.study_folder import StudyFolder
from tests.study.sweeps import TINY, end_of, start

pytestmark = pytest.mark.slow

TOY = Path(__file__).parents[1] / "trainers" / "toy.py"
BUDGET = ["--explore=4", "--optimise=3", "--replicates=3", "--steps=45"]


@pytest.fixture(scope="module")
def several(scene_file: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[StudyFolder, str]:
    """A study of NeRFs by PSNR and training time, and what it printed."""
    place = tmp_path_factory.mktemp("several")
    metrics = ["--metric=psnr", "--metric=seconds:min"]
    status, output = end_of(
        start(*TINY, *BUDGET, *metrics, f"--scene={scene_file}", "--name=a", cwd=place)
    )
    assert status == 0, output
    return StudyFolder(place / "studies" / "a"), output


def test_no_trial_is_stopped_early_and_that_is_said(several: tuple[StudyFolder, str]) -> None:
    folder, output = several
    assert "seeks the Pareto front of PSNR and training time; Optuna cannot prune" in output
    assert "pruned" not in set(folder.read_trials()["state"])


def test_every_trial_has_its_seconds_and_peak_memory(several: tuple[StudyFolder, str]) -> None:
    trials = several[0].read_trials()
    assert (trials["train_seconds"] > 0).all()
    if sys.platform == "linux":
        assert trials["peak_memory"].between(100, 10_000).all()
        assert several[0].read_curves()["memory"].notna().all()


def test_the_journal_is_one_of_several_objectives(several: tuple[StudyFolder, str]) -> None:
    folder, _ = several
    storage = JournalStorage(JournalFileBackend(str(folder.journal)))
    study = optuna.load_study(study_name=None, storage=storage)
    assert [direction.name for direction in study.directions] == ["MAXIMIZE", "MINIMIZE"]
    assert study.metric_names == ["PSNR (dB)", "training time (s)"]
    trials = folder.read_trials()
    for trial in study.trials:
        if trial.values:
            row = trials.loc[trial.number]
            assert trial.values == pytest.approx([row["psnr"], row["train_seconds"]], rel=1e-4)


def test_the_most_balanced_run_is_repeated_and_reported(several: tuple[StudyFolder, str]) -> None:
    folder, output = several
    findings = analyze_study(folder)
    study = findings.study
    trials = study.trials
    others = trials[(trials["phase"] != "replicate") & (trials["number"] != 4)]  # the default
    candidates = others[others["outcome"] == "trained"]
    candidates = others if candidates.empty else candidates
    repeated = trials[trials["phase"] == "replicate"].iloc[1]
    balanced = candidates.iloc[find_best_row(study, candidates)]
    for dimension in study.space.dimensions:
        assert repeated[dimension.path] == balanced[dimension.path]
    assert "on the Pareto front" in output or "best: trial" in output
    assert 'id="front"' in folder.report.read_text()


@pytest.mark.soak
@pytest.mark.skipif(sys.platform != "linux", reason="memory is measured on Linux alone")
def test_another_trainer_is_ranked_by_memory_that_it_does_not_report(tmp_path: Path) -> None:
    options = [f"--trainable={TOY}:train", "--metric=memory", "--set=fault=none", "--name=a"]
    status, output = end_of(start(*options, *BUDGET, cwd=tmp_path))
    assert status == 0, output
    folder = StudyFolder(tmp_path / "studies" / "a")
    trials = folder.read_trials()
    others = trials[(trials["phase"] != "replicate") & (trials["state"] == "completed")]
    assert np.isfinite(trials["peak_memory"]).all()
    lowest = others.loc[others["peak_memory"].idxmin(), "number"]
    assert f"best: trial {lowest} with peak memory" in output
    assert "Lowest peak memory" in folder.report.read_text()
