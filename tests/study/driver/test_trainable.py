"""Studies of a trainer of the user, on real processes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import psutil
import pytest

from analysis.data.study import load_study
from study.records.study_folder import StudyFolder
from tests.study.sweeps import TINY, end_of, kill_all, start, wait_for
from tests.study.trials import record

pytestmark = pytest.mark.slow

TOY = Path(__file__).parents[1] / "trainers" / "toy.py"
EXAMPLE = Path(__file__).parents[3] / "examples" / "image_siren.py"
BY_LOSS = [f"--trainable={TOY}:train", "--metric=loss", "--direction=min"]


@pytest.fixture(scope="module")
def faults(tmp_path_factory: pytest.TempPathFactory) -> tuple[StudyFolder, Path]:
    """A study in which each trial goes wrong in its own way, and the steps that were noted."""
    place = tmp_path_factory.mktemp("faults")
    (notes := place / "notes").mkdir()
    grid = ["--design=grid", "--vary=fault=none,kill,hang,nan,fail,raise", "--optimise=0"]
    limits = ["--steps=20", "--replicates=0", "--patience=10", "--retries=1"]
    settings = [*grid, *limits, f"--set=notes={notes}", "--name=faults"]
    status, output = end_of(start(*BY_LOSS, *settings, cwd=place))
    assert status == 0, output
    return StudyFolder(place / "studies" / "faults"), notes


def outcomes(folder: StudyFolder) -> pd.DataFrame:
    return folder.read_trials().set_index("fault")


def test_each_fault_has_its_outcome(faults: tuple[StudyFolder, Path]) -> None:
    trials = outcomes(faults[0])
    assert dict(trials["state"]) == {
        "none": "completed",
        "kill": "completed",
        "hang": "failed",
        "nan": "collapsed",
        "fail": "collapsed",
        "raise": "failed",
    }
    assert trials.loc["nan", "reason"] == "diverged: loss is nan at step 5"
    assert trials.loc["fail", "reason"] == "no gradient; lower lr"
    assert trials.loc["raise", "reason"] == "KeyError: 'a fault'"
    assert trials.loc["hang", "reason"].startswith("hung: no step in time")


def test_a_killed_trial_resumes_at_its_step(faults: tuple[StudyFolder, Path]) -> None:
    folder, notes = faults
    steps = list(map(int, (notes / "kill").read_text().split()))
    assert steps == [*range(1, 8), *range(6, 21)], "from the checkpoint after step 5"
    trials = outcomes(folder)
    killed, alike = (record(folder, trials.loc[name, "trial_id"]) for name in ("kill", "none"))
    curves = [[(p["step"], p["loss"]) for p in each["curve"]] for each in (killed, alike)]
    assert curves[0] == curves[1]
    assert trials.loc["kill", "test_loss"] == trials.loc["none", "test_loss"]


def test_own_metrics_are_columns_of_the_tables(faults: tuple[StudyFolder, Path]) -> None:
    folder = faults[0]
    assert {"loss", "accuracy", "test_loss", "lr", "model.width"} <= set(folder.read_trials())
    curves = ["trial_id", "step", "seconds", "memory", "loss", "accuracy"]
    assert list(folder.read_curves()) == curves
    assert folder.render(outcomes(folder).loc["none", "trial_id"]).exists()
    assert "psnr" not in folder.read_trials()


def test_it_is_reported_without_its_code(faults: tuple[StudyFolder, Path]) -> None:
    """In its own metric, by study.json alone: no module of the trainer is imported."""
    folder = faults[0]
    code = (
        "import sys; from analysis.report import main; status = main(sys.argv[1:]); "
        "assert not {'torch', 'ray'} & set(sys.modules); "
        "assert not any('toy' in name for name in sys.modules); sys.exit(status)"
    )
    document = json.loads(folder.spec_file.read_text())
    moved = {**document, "spec": {**document["spec"], "trainable": "/nowhere/toy.py:train"}}
    folder.spec_file.write_text(json.dumps(moved))
    subprocess.run([sys.executable, "-c", code, str(folder.path)], check=True)
    folder.spec_file.write_text(json.dumps(document))
    page = folder.report.read_text()
    assert "Lowest loss" in page
    assert "PSNR" not in page
    study = load_study(folder)
    best = study.trials.loc[study.trials["score"].idxmax()]
    assert best["loss"] == study.trials["loss"].min()


def test_less_is_better_where_trials_are_pruned_and_repeated(tmp_path: Path) -> None:
    budget = ["--explore=6", "--optimise=8", "--replicates=3", "--steps=45", "--max-concurrent=1"]
    status, output = end_of(start(*BY_LOSS, *budget, "--set=fault=none", "--name=a", cwd=tmp_path))
    assert status == 0, output
    trials = StudyFolder(tmp_path / "studies" / "a").read_trials()
    pruned = trials[trials["state"] == "pruned"]
    completed = trials[trials["state"] == "completed"]
    assert len(pruned) > 0
    assert pruned["loss"].min() > completed["loss"].min()
    others = completed[completed["phase"] != "replicate"]
    repeated = trials[trials["phase"] == "replicate"].iloc[1]
    assert repeated["loss"] == others["loss"].min(), "the best is the one of the lowest loss"
    assert f"best: trial {others['number'][others['loss'].idxmin()]} with" in output


@pytest.mark.parametrize(
    ("metric", "settings", "message"),
    [
        ("error", [], "the metric error was not reported: run.report() of step 5 has loss"),
        ("loss", ["--set=fault=nan"], "no trial reports a finite loss (diverged: loss is nan"),
    ],
)
def test_a_study_that_can_have_no_result_leaves_nothing(
    metric: str, settings: list[str], message: str, tmp_path: Path
) -> None:
    trainer = [f"--trainable={TOY}:train", f"--metric={metric}", "--direction=min"]
    budget = ["--explore=4", "--optimise=0", "--replicates=0", "--steps=10", "--vary=lr"]
    status, output = end_of(start(*trainer, *settings, *budget, "--name=a", cwd=tmp_path))
    (line,) = [line for line in output.splitlines() if line.startswith("error: ")]
    assert (status, message in line) == (2, True), output
    assert list((tmp_path / "studies").iterdir()) == []


def test_a_killed_driver_loses_nothing(tmp_path: Path) -> None:
    budget = ["--explore=12", "--optimise=0", "--replicates=0", "--steps=20", "--set=fault=none"]
    command = [*BY_LOSS, *budget, "--name=a", "--max-concurrent=1", "--resume"]
    folder = StudyFolder(tmp_path / "studies" / "a")
    driver = start(*command[:-1], cwd=tmp_path)
    for ended in (2, 5):
        wait_for(driver, lambda at_least=ended: folder.count_records() >= at_least)
        everything = [psutil.Process(driver.pid), *psutil.Process(driver.pid).children(True)]
        kill_all(everything)
        driver.communicate()
        driver = start(*command, cwd=tmp_path)
    status, output = end_of(driver)
    assert status == 0, output
    trials = folder.read_trials()
    assert list(trials["number"]) == list(range(12))
    assert (trials["state"] == "completed").all()


def test_the_nerf_is_trained_by_the_doors_that_others_have(tmp_path: Path) -> None:
    """The same configuration, steps and seed: the same PSNR, whether the NeRF is named or not."""
    trainer = ["--trainable=study.trainers.nerf_trainer:train", "--metric=psnr", "--direction=max"]
    own = [option for option in TINY if "near" not in option]
    bounds = ["--set=sampling.near=2", "--set=sampling.far=6", "--scene=bricks"]
    budget = ["--explore=2", "--optimise=0", "--replicates=0", "--steps=20"]
    tables = []
    for options in (["--name=own"], [*trainer, "--name=named"]):
        times = "--set=evaluation.times=5"
        status, output = end_of(start(times, *own, *bounds, *budget, *options, cwd=tmp_path))
        assert status == 0, output
        tables.append(StudyFolder(tmp_path / "studies" / options[-1][7:]).read_trials())
    columns = ["number", "seed", "psnr", "ssim", "test_psnr", "field.width", "state", "reason"]
    pd.testing.assert_frame_equal(tables[0][columns], tables[1][columns])


def test_the_example_fits_an_image(tmp_path: Path) -> None:
    trainer = [f"--trainable={EXAMPLE}:train", "--metric=psnr", "--direction=max", "--unit=dB"]
    budget = ["--explore=4", "--optimise=2", "--replicates=0", "--steps=40", "--name=siren"]
    status, output = end_of(start(*trainer, *budget, cwd=tmp_path))
    assert status == 0, output
    trials = StudyFolder(tmp_path / "studies" / "siren").read_trials()
    assert (trials["state"] == "completed").sum() >= 4
    assert "loss" in trials
